//! A k-means to choose numbers of clusters for, random tables and tables with known answers.
#![allow(dead_code, reason = "every test uses some of it")]

use burn::backend::Flex;
use burn::tensor::DType;
use neuralize::choose::{Choice, ChooseConfig, FittedBy, Partition, Partitioner, Rows};
use neuralize::cluster::KMeansConfig;
use neuralize::{Error, Result};

/// splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    pub(crate) fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// Lloyd's k-means from greedy k-means++ starts.
pub(crate) struct KMeans;

pub(crate) struct Clusters {
    labels: Vec<usize>,
    centres: Vec<f64>,
    width: usize,
}

impl Partitioner for KMeans {
    type Partition = Clusters;
    type Error = Error;

    fn fit(
        &mut self,
        rows: &[f64],
        width: usize,
        clusters: usize,
        starts: usize,
        seed: u64,
    ) -> Result<Clusters, Error> {
        let mut random = Random(seed);
        let mut best: Option<(f64, Clusters)> = None;
        for _ in 0..starts {
            let (inertia, found) = lloyd(rows, width, seeded(rows, width, clusters, &mut random));
            if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
                best = Some((inertia, found));
            }
        }
        Ok(best.expect("a start").1)
    }
}

impl Partition for Clusters {
    type Error = Error;

    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn assign(&self, rows: &[f64]) -> Result<Vec<usize>, Error> {
        Ok(rows.chunks(self.width).map(|row| nearest(row, &self.centres).0).collect())
    }
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn nearest(row: &[f64], centres: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (at, centre) in centres.chunks(row.len()).enumerate() {
        let square = squared(row, centre);
        if square < best.1 {
            best = (at, square);
        }
    }
    best
}

fn seeded(rows: &[f64], width: usize, clusters: usize, random: &mut Random) -> Vec<f64> {
    let n = rows.len() / width;
    let row = |at: usize| &rows[at * width..(at + 1) * width];
    let mut centres = row(random.below(n)).to_vec();
    let mut squares: Vec<f64> = rows.chunks(width).map(|x| squared(x, &centres)).collect();
    while centres.len() < clusters * width {
        let total: f64 = squares.iter().sum();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..2 + (clusters as f64).ln() as usize {
            let mut left = random.uniform() * total;
            let pick = squares.iter().position(|square| {
                left -= square;
                left < 0.0
            });
            let pick = pick.unwrap_or(n - 1);
            let closer: Vec<f64> = rows
                .chunks(width)
                .zip(&squares)
                .map(|(x, square)| square.min(squared(x, row(pick))))
                .collect();
            let sum = closer.iter().sum();
            if best.as_ref().is_none_or(|best| sum < best.0) {
                best = Some((sum, pick, closer));
            }
        }
        let (_, pick, closer) = best.expect("a candidate");
        centres.extend_from_slice(row(pick));
        squares = closer;
    }
    centres
}

fn lloyd(rows: &[f64], width: usize, mut centres: Vec<f64>) -> (f64, Clusters) {
    let clusters = centres.len() / width;
    let mut labels = vec![usize::MAX; rows.len() / width];
    let mut squares = vec![0.0; labels.len()];
    for _ in 0..100 {
        let mut changed = false;
        for (row, (label, square)) in rows.chunks(width).zip(labels.iter_mut().zip(&mut squares)) {
            let (found, distance) = nearest(row, &centres);
            changed |= *label != found;
            (*label, *square) = (found, distance);
        }
        if !changed {
            break;
        }
        let mut sums = vec![0.0; centres.len()];
        let mut sizes = vec![0_usize; clusters];
        for (row, label) in rows.chunks(width).zip(&labels) {
            sizes[*label] += 1;
            sums[label * width..(label + 1) * width].iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
        for (k, size) in sizes.iter().enumerate() {
            let place = k * width..(k + 1) * width;
            if *size > 0 {
                let mean = sums[place.clone()].iter().map(|sum| sum / *size as f64);
                centres.splice(place, mean);
            } else {
                let far = (0..squares.len()).max_by(|a, b| squares[*a].total_cmp(&squares[*b]));
                let far = far.expect("a row");
                centres.splice(place, rows[far * width..(far + 1) * width].iter().copied());
                squares[far] = 0.0;
            }
        }
    }
    (squares.iter().sum(), Clusters { labels, centres, width })
}

/// Chooses among the default numbers for the k-means of this library.
pub(crate) fn choose(values: &[f64], width: usize, seed: u64) -> Choice {
    try_choose(values, width, seed).expect("a choice")
}

pub(crate) fn try_choose(values: &[f64], width: usize, seed: u64) -> Result<Choice> {
    let rows = Rows::new(values, width).expect("rows");
    let kmeans = KMeansConfig::new(2).into();
    let mut method = FittedBy::<Flex>::new(kmeans, &Default::default(), DType::F64);
    ChooseConfig::new().with_seed(seed).choose(&rows, &mut method)
}

/// Blobs of standard deviation 1 whose centres are `apart`, in turn.
pub(crate) fn blobs(
    random: &mut Random,
    clusters: usize,
    width: usize,
    n: usize,
    apart: f64,
) -> Vec<f64> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    let mut reach = apart;
    while centres.len() < clusters {
        let centre: Vec<f64> = (0..width).map(|_| reach * (2.0 * random.uniform() - 1.0)).collect();
        if centres.iter().all(|other| squared(other, &centre) >= apart * apart) {
            centres.push(centre);
        } else {
            reach *= 1.02;
        }
    }
    let row = |at: usize| centres[at % clusters].clone();
    (0..n).flat_map(row).map(|centre| centre + random.normal()).collect()
}

/// Columns of mean 0 and standard deviation 1.
pub(crate) fn standardised(values: &[f64], width: usize) -> Vec<f64> {
    let n = (values.len() / width) as f64;
    let mut result = values.to_vec();
    for column in 0..width {
        let of = || values.iter().skip(column).step_by(width);
        let mean = of().sum::<f64>() / n;
        let sd = (of().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        result.iter_mut().skip(column).step_by(width).for_each(|x| *x = (*x - mean) / sd);
    }
    result
}

/// Some columns of a table; rows in which one of them is not a number are left out.
pub(crate) fn table(text: &str, columns: &[usize]) -> Vec<f64> {
    let of_line = |line: &str| -> Option<Vec<f64>> {
        let cells: Vec<&str> = line.split(',').collect();
        columns.iter().map(|column| cells.get(*column)?.trim().parse().ok()).collect()
    };
    text.lines().skip(1).filter_map(of_line).flatten().collect()
}
