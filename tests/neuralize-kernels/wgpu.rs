//! Every kernel for GPUs against a plain loop on the host in f64, and inside of
//! fusion and automatic differentiation.
//!
//! That kernels compute, and not tensor operations, is what `kernels` says of a
//! backend, and that `explain` answers.

use burn::backend::{Autodiff, Wgpu};
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::wgpu::WgpuRuntime;
use burn_fusion::Fusion;
use neuralize_kernels::transfer::{download, download_indices, upload};
use neuralize_kernels::{
    Affine, Answer, Kernels, Question, Scores, assign_and_sum, explain, kernels, nearest,
    nearest_with_logit,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::ready;
use crate::answers::answers;

const SIZES: [usize; 9] = [1, 2, 3, 5, 17, 31, 64, 67, 130];

/// A problem on the device, and the same numbers on the host.
struct Problem {
    x: Tensor<Wgpu, 2>,
    affine: Affine<Wgpu>,
    rows: Vec<Vec<f64>>,
    centroids: Vec<Vec<f64>>,
}

impl Problem {
    fn new(rows: Vec<Vec<f64>>, centroids: Vec<Vec<f64>>, center: &[f64]) -> Self {
        let x = tensor(&rows);
        Self::of(x, rows, centroids, center)
    }

    /// `center` is subtracted from the rows, but not from the centroids.
    fn of(
        x: Tensor<Wgpu, 2>,
        rows: Vec<Vec<f64>>,
        centroids: Vec<Vec<f64>>,
        center: &[f64],
    ) -> Self {
        let rows = rows
            .into_iter()
            .map(|row| row.iter().zip(center).map(|(value, c)| value - c).collect())
            .collect();
        Self {
            x,
            affine: Affine::new(tensor(&[center.to_vec()]), Scores::of(tensor(&centroids))),
            rows,
            centroids,
        }
    }

    fn random(n: usize, d: usize, k: usize, seed: u64) -> Self {
        let (rows, centroids) = (random(n, d, seed), random(k, d, seed + 1));
        let center = random(1, d, seed + 2).remove(0);
        Self::new(rows, centroids, &center)
    }

    /// `s_k = 2 x·μ_k − ‖μ_k‖²`, and the size of the terms that were added up.
    fn scores(&self, row: &[f64]) -> (Vec<f64>, f64) {
        let mut size = 0.0f64;
        let scores = self
            .centroids
            .iter()
            .map(|centroid| {
                let pairs = || row.iter().zip(centroid);
                size = size.max(pairs().map(|(x, m)| (2.0 * x * m).abs() + m * m).sum());
                pairs().map(|(x, m)| 2.0 * x * m - m * m).sum()
            })
            .collect();
        (scores, size)
    }

    fn check_labels(&self, labels: &[usize]) {
        for (row, &label) in self.rows.iter().zip(labels) {
            let (scores, size) = self.scores(row);
            let best = first_largest(&scores, None);
            let behind = scores[best] - scores[label];
            assert!(label == best || behind <= 1e-5 * size, "{label} for {best}: {behind:e}");
        }
    }
}

/// Multiples of 2⁻¹⁰, so that the host has exactly what the device has.
fn random(rows: usize, columns: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut value = || f64::from((rng.next_u32() >> 20) as i32 - 2048) / 1024.0;
    (0..rows).map(|_| (0..columns).map(|_| value()).collect()).collect()
}

fn tensor(rows: &[Vec<f64>]) -> Tensor<Wgpu, 2> {
    upload(rows.concat(), [rows.len(), rows[0].len()], &Default::default(), DType::F32)
}

fn column(values: &[f64]) -> Tensor<Wgpu, 1> {
    upload(values.to_vec(), [values.len()], &Default::default(), DType::F32)
}

fn first_largest(values: &[f64], except: Option<usize>) -> usize {
    let candidates = (0..values.len()).filter(|&k| Some(k) != except);
    candidates.reduce(|best, k| if values[k] > values[best] { k } else { best }).expect("a value")
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} for {expected}, tolerance {tolerance:e}"
    );
}

/// Every pair of sizes occurs.
fn sizes() -> impl Iterator<Item = (usize, usize, usize)> {
    (0..81).map(|i| (SIZES[i / 9], SIZES[i % 9], SIZES[(i / 9 + i % 9) % 9]))
}

/// Enough rows for several groups, chunks and segments.
fn all_sizes() -> impl Iterator<Item = (usize, usize, usize)> {
    sizes().chain([(1000, 3, 5), (3000, 67, 31), (5000, 17, 257)])
}

fn check_nearest(problem: &Problem) {
    problem.check_labels(&download_indices(nearest(&problem.x, &problem.affine)));
    if problem.centroids.len() == 1 {
        return;
    }
    let (labels, logits) = nearest_with_logit(&problem.x, &problem.affine);
    problem.check_labels(&download_indices(labels));
    for (row, logit) in problem.rows.iter().zip(download(logits)) {
        let (scores, size) = problem.scores(row);
        let best = first_largest(&scores, None);
        let expected = scores[best] - scores[first_largest(&scores, Some(best))];
        close(logit, expected, 1e-5 * size, "logit");
    }
}

#[test]
fn nearest_of_all_sizes() {
    if !ready() {
        return;
    }
    for (n, d, k) in all_sizes() {
        check_nearest(&Problem::random(n, d, k, 1));
    }
}

#[test]
fn of_equal_scores_the_first() {
    if !ready() {
        return;
    }
    for k in [2usize, 5, 40, 300] {
        let rows: Vec<Vec<f64>> = (0..70).map(|i| vec![f64::from(i % 7), 2.0]).collect();
        // Centroids repeat with a period of 3: labels are in the first period.
        let centroids: Vec<Vec<f64>> =
            (0..k).map(|k| vec![[1.0, 5.0, 9.0][k % 3.min(k.max(1))], 1.0]).collect();
        let problem = Problem::new(rows, centroids, &[0.0, 0.0]);
        let (labels, logits) = nearest_with_logit(&problem.x, &problem.affine);
        let labels = download_indices(labels);
        for ((row, label), logit) in problem.rows.iter().zip(labels).zip(download(logits)) {
            let (scores, _) = problem.scores(row);
            let best = first_largest(&scores, None);
            let second = scores[first_largest(&scores, Some(best))];
            assert_eq!((label, logit), (best, scores[best] - second));
        }
    }
}

fn check_totals(problem: &Problem, weights: &[f64]) {
    let (labels, totals) = assign_and_sum(&problem.x, &column(weights), &problem.affine);
    let labels = download_indices(labels);
    problem.check_labels(&labels);
    let (k, d) = (problem.centroids.len(), problem.rows[0].len());
    let mut sums = vec![vec![0.0; d + 1]; k];
    let mut sizes = sums.clone();
    for ((row, &label), &weight) in problem.rows.iter().zip(&labels).zip(weights) {
        for (i, value) in row.iter().chain([&1.0]).enumerate() {
            sums[label][i] += weight * value;
            sizes[label][i] += (weight * value).abs();
        }
    }
    let (found_sums, found_weights) = (download(totals.sums), download(totals.weights));
    for (cluster, (sums, sizes)) in sums.iter().zip(&sizes).enumerate() {
        for i in 0..d {
            close(found_sums[cluster * d + i], sums[i], 2e-6 * sizes[i], "sum");
        }
        close(found_weights[cluster], sums[d], 2e-6 * sizes[d], "weight");
    }
}

fn some_zeros(n: usize) -> Vec<f64> {
    (0..n).map(|i| [1.0, 0.0, 2.5, 0.125][i % 4]).collect()
}

#[test]
fn totals_of_all_sizes() {
    if !ready() {
        return;
    }
    for (n, d, k) in all_sizes() {
        let centred = vec![0.0; d];
        let problem = Problem::new(random(n, d, 3), random(k, d, 4), &centred);
        check_totals(&problem, &some_zeros(n));
    }
}

#[test]
fn totals_of_one_huge_cluster_and_empty_ones() {
    if !ready() {
        return;
    }
    for huge in [0, 3, 6] {
        let mut centroids = vec![vec![100.0, 100.0, 100.0]; 7];
        centroids[huge] = vec![0.0; 3];
        let problem = Problem::new(random(4099, 3, 5), centroids, &[0.0; 3]);
        check_totals(&problem, &some_zeros(4099));
        check_totals(&problem, &vec![0.0; 4099]);
    }
}

#[test]
fn rows_in_another_layout() {
    if !ready() {
        return;
    }
    for (n, d, k) in [(67, 5, 3), (130, 31, 17), (1000, 64, 130), (1, 3, 2), (3, 1, 2)] {
        let (rows, centroids) = (random(n, d, 6), random(k, d, 7));
        let columns: Vec<Vec<f64>> =
            (0..d).map(|i| rows.iter().map(|row| row[i]).collect()).collect();
        let transposed = || tensor(&columns).transpose();
        let center = random(1, d, 8).remove(0);
        let uncentred = vec![0.0; d];
        check_totals(
            &Problem::of(transposed(), rows.clone(), centroids.clone(), &uncentred),
            &some_zeros(n),
        );
        let problem = Problem::of(transposed(), rows.clone(), centroids.clone(), &center);
        check_nearest(&problem);
        check_relevance(&problem, None, None, 0.7);

        // Every other row and column of a larger tensor.
        let (wide, cut) = (random(n + 2, d + 3, 9), [1..n + 1, 2..d + 2]);
        let inner = wide[1..=n].iter().map(|row| row[2..d + 2].to_vec()).collect();
        check_nearest(&Problem::of(tensor(&wide).slice(cut), inner, centroids, &center));
    }
}

/// The definition, competitor by competitor.
fn check_relevance(problem: &Problem, cluster: Option<usize>, versus: Option<usize>, beta: f64) {
    let answer =
        explain(&problem.x, &problem.affine, Question { cluster, versus, beta }).expect("a kernel");
    let clusters = download_indices(answer.cluster);
    let [logits, shares, relevances] =
        [download(answer.logit), download(answer.shares), download(answer.relevance)];
    if cluster.is_none() {
        problem.check_labels(&clusters);
    }
    let (k, d) = (problem.centroids.len(), problem.rows[0].len());
    assert_eq!((shares.len(), relevances.len()), (problem.rows.len() * k, problem.rows.len() * d));
    for (n, row) in problem.rows.iter().enumerate() {
        let own = clusters[n];
        assert_eq!(own, cluster.unwrap_or(own));
        let (scores, size) = problem.scores(row);
        let h = |competitor: usize| scores[own] - scores[competitor];
        let nearest = first_largest(&scores, Some(own));
        let logit = h(versus.unwrap_or(nearest));
        close(logits[n], logit, 1e-5 * size, "logit");

        let gap = (0..k)
            .filter(|&other| other != own && other != nearest)
            .map(|other| h(other) - h(nearest))
            .fold(f64::INFINITY, f64::min);
        let near = |value: f64| value != 0.0 && value.abs() < 1e-4 * size;
        if versus.is_none() && (near(logit) || near(gap)) {
            continue; // Rounding decides which side of a jump this is on.
        }
        let hard = versus.is_none() && (logit < 0.0 || beta > f64::from(f32::MAX));
        let share_of = |other: usize| match versus {
            _ if other == own => 0.0,
            Some(versus) => f64::from(u8::from(other == versus)),
            None if hard => f64::from(u8::from(h(other) <= logit)),
            None => ((logit - h(other)) * beta).exp(),
        };
        let total: f64 = match versus {
            Some(_) => 1.0,
            None => (0..k).map(share_of).sum(),
        };
        let mut expected = vec![0.0; d];
        let mut sizes = 0.0;
        for other in 0..k {
            let share = share_of(other) / total;
            close(shares[n * k + other], share, 1e-4, "share");
            let ratio = match versus {
                None if logit >= 0.0 && h(other) <= 0.0 => 0.0,
                None if logit >= 0.0 => share * logit / h(other),
                _ => share,
            };
            let (from, to) = (&problem.centroids[other], &problem.centroids[own]);
            for i in 0..d {
                let part = ratio * ((row[i] - from[i]).powi(2) - (row[i] - to[i]).powi(2));
                expected[i] += part;
                sizes += part.abs();
            }
        }
        for (found, expected) in relevances[n * d..].iter().zip(expected) {
            close(*found, expected, 1e-4 * sizes + 2e-6 * size, "relevance");
        }
    }
}

fn check_relevance_of_sizes(sizes: impl Iterator<Item = (usize, usize, usize)>) {
    for (n, d, k) in sizes.filter(|&(_, _, k)| k > 1) {
        let problem = Problem::random(n, d, k, 11);
        check_relevance(&problem, None, None, 0.5 / d as f64);
        check_relevance(&problem, Some(k / 2), None, 0.5 / d as f64);
    }
}

/// Every layout has a product of its own, which a software device takes seconds to compile.
#[test]
#[ignore = "long on a software device: --include-ignored runs it"]
fn relevance_of_all_sizes() {
    if ready() {
        check_relevance_of_sizes(all_sizes());
    }
}

#[test]
fn relevance_of_some_sizes() {
    if !ready() {
        return;
    }
    check_relevance_of_sizes(sizes().step_by(7).chain([(3000, 67, 31)]));
    for (n, d, k) in [(67, 5, 2), (130, 64, 67), (31, 3, 1030)] {
        let problem = Problem::random(n, d, k, 12);
        for beta in [0.0, 1e6, 1e300, f64::INFINITY] {
            check_relevance(&problem, None, None, beta);
            check_relevance(&problem, Some(k - 1), None, beta);
        }
        for versus in [0, k - 1] {
            check_relevance(&problem, None, Some(versus), f64::INFINITY);
            check_relevance(&problem, Some(k / 2), Some(versus), 1.0);
        }
    }
}

/// Small integers, for which everything is exact: equal competitors share, and
/// on a boundary there is no relevance.
#[test]
fn relevance_at_ties() {
    if !ready() {
        return;
    }
    let rows = vec![vec![0.0, 0.0], vec![2.0, 0.0], vec![1.0, 1.0], vec![-3.0, 5.0]];
    let centroids =
        vec![vec![0.0, 0.0], vec![4.0, 0.0], vec![0.0, 4.0], vec![4.0, 0.0], vec![0.0, 0.0]];
    let problem = Problem::new(rows, centroids, &[0.0, 0.0]);
    for beta in [0.0, 0.5, f64::INFINITY] {
        check_relevance(&problem, None, None, beta);
        for cluster in 0..5 {
            check_relevance(&problem, Some(cluster), None, beta);
        }
    }
}

#[test]
fn two_runs_agree_bit_for_bit() {
    if !ready() {
        return;
    }
    let problem = Problem::random(3001, 31, 67, 13);
    let weights = column(&some_zeros(3001));
    let question = Question { cluster: None, versus: None, beta: 0.1 };
    let run = || {
        let (labels, totals) = assign_and_sum(&problem.x, &weights, &problem.affine);
        let (_, logits) = nearest_with_logit(&problem.x, &problem.affine);
        let Answer { relevance, logit, shares, .. } =
            explain(&problem.x, &problem.affine, question).expect("a kernel");
        let floats = [
            download(totals.sums),
            download(totals.weights),
            download(logits),
            download(relevance),
            download(logit),
            download(shares),
        ];
        (download_indices(labels), floats)
    };
    assert_eq!(run(), run());
}

/// More workgroups than one dimension of a launch holds, which fold into a second one:
/// 128 rows of decisions and 256 elements of explanations are one group. Min-pooling never has more
/// than 2¹⁵ groups, as many as a block of 2²⁴ elements needs.
/// Counting the rows of more than 65 535 clusters would fold, too, but Mesa's software device ends the loops of a
/// shader after 65 535 turns.
#[test]
fn more_groups_than_one_dimension_holds() {
    if !ready() {
        return;
    }
    let n = 128 * 65_535 + 1000;
    let values: Vec<f64> = (0..n).map(|i| ((i * 7919) % 4096) as f64 / 1024.0 - 2.0).collect();
    let x: Tensor<Wgpu, 2> = upload(values.clone(), [n, 1], &Default::default(), DType::F32);
    let affine = Affine::new(tensor(&[vec![0.0]]), Scores::of(tensor(&[vec![1.0], vec![-1.0]])));
    // Scores 2x − 1 and −2x − 1: the logit is 4|x|, and so is the relevance.
    let (labels, logits) = nearest_with_logit(&x, &affine);
    let labels = download_indices(labels);
    for (row, (&value, logit)) in values.iter().zip(download(logits)).enumerate() {
        assert_eq!((labels[row], logit), (usize::from(value < 0.0), 4.0 * value.abs()), "{row}");
    }

    // Every feature of a row has the same share of its relevance.
    const WIDTH: usize = 64;
    let n = 256 * 65_535 / WIDTH + 1000;
    let values = &values[..n];
    let rows = values.iter().flat_map(|value| [*value; WIDTH]).collect();
    let x: Tensor<Wgpu, 2> = upload(rows, [n, WIDTH], &Default::default(), DType::F32);
    let centroids = [vec![1.0; WIDTH], vec![-1.0; WIDTH]];
    let affine = Affine::new(tensor(&[vec![0.0; WIDTH]]), Scores::of(tensor(&centroids)));
    let question = Question { cluster: None, versus: None, beta: 0.5 };
    let answer = explain(&x, &affine, question).expect("a kernel");
    for (row, (&value, found)) in values.iter().zip(download(answer.logit)).enumerate() {
        let expected = 4.0 * WIDTH as f64 * value.abs();
        close(found, expected, 1e-5 * expected, &format!("logit of {row}"));
    }
    for (i, found) in download(answer.relevance).into_iter().enumerate() {
        let expected = 4.0 * values[i / WIDTH].abs();
        close(found, expected, 1e-5 * expected, "relevance");
    }
}

/// The backend of a device without fusion, as `Wgpu` is here, and with bools of a
/// byte, as Vulkan and Metal have them.
type Plain = CubeBackend<WgpuRuntime, f32, i32, u32>;
type Bytes = CubeBackend<WgpuRuntime, f32, i32, u8>;

#[test]
fn kernels_serve_gpus_inside_fusion_and_autodiff() {
    if !ready() {
        return;
    }
    let expected = answers::<Plain>(DType::F32);
    assert_eq!(answers::<Fusion<Plain>>(DType::F32), expected);
    assert_eq!(answers::<Autodiff<Plain>>(DType::F32), expected);
    assert_eq!(answers::<Autodiff<Fusion<Plain>>>(DType::F32), expected);

    // Results are tensors like others: unread, on another thread, in a lazy operation.
    type Fused = Fusion<Plain>;
    let table = |first: f64| {
        let values = (0..6).map(|i| first + f64::from(i)).collect();
        upload::<Fused, 2>(values, [3, 2], &Default::default(), DType::F32)
    };
    let affine = Affine::of(&table(0.5));
    let question = Question { cluster: None, versus: None, beta: 0.5 };
    let answer = || explain(&(table(0.0) * 2.0), &affine, question).expect("an answer");
    drop(answer());
    let relevance = download(answer().relevance);
    let answer = answer();
    let doubled = std::thread::spawn(move || {
        download((answer.relevance.clone() * 2.0) + answer.relevance * 0.0)
    });
    let doubled = doubled.join().expect("no panic");
    assert_eq!(doubled, relevance.iter().map(|r| 2.0 * r).collect::<Vec<_>>());
}

#[test]
fn no_kernel_takes_a_tracked_tensor() {
    if !ready() {
        return;
    }
    let values = vec![1.0, 2.0, 3.0, 5.0];
    let x = upload::<Autodiff<Wgpu>, 2>(values, [2, 2], &Default::default(), DType::F32);
    let question = Question { cluster: None, versus: None, beta: 0.5 };
    assert!(explain(&x, &Affine::of(&x), question).is_some());
    assert!(explain(&x.clone().require_grad(), &Affine::of(&x), question).is_none());
}

#[test]
fn gpus_are_told() {
    let expected = Kernels::Gpu { runtime: "wgpu" };
    assert_eq!(kernels::<Wgpu>(), expected);
    assert_eq!(kernels::<Plain>(), expected);
    assert_eq!(kernels::<Bytes>(), expected);
    assert_eq!(kernels::<Fusion<Plain>>(), expected);
    assert_eq!(kernels::<Autodiff<Wgpu>>(), expected);
    assert_eq!(kernels::<Autodiff<Bytes>>(), expected);
    assert_eq!(kernels::<Autodiff<Fusion<Plain>>>(), expected);
    assert_eq!(kernels::<Autodiff<Fusion<Bytes>>>(), expected);
}
