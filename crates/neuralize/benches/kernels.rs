//! The kernels for data in host memory, through the public API on Flex, next to
//! Burn's own matrix product.
//!
//! ```text
//! cargo bench -p neuralize --bench kernels               # times and throughput
//! cargo bench -p neuralize --bench kernels -- --share    # the table of the documentation
//! cargo bench -p neuralize --bench kernels -- --supports # clusters of many supports
//! cargo bench -p neuralize --bench kernels -- --fit      # whole fits
//! ```
//!
//! An item is a floating-point operation: read `Gitem/s` as GFLOP/s. Only the
//! plain matrix products count, 2 N D K each: one for the nearest centroid and
//! for an iteration, three for an explanation. The rest of a call takes time but
//! does not count. A share can exceed 100 %: Burn's product is not the limit of
//! the machine, and for large K and D, bounds spare part of the arithmetic of
//! nearest centroids and iterations. How much depends on the data, here Gaussian
//! clusters that are well separated for large D.
//!
//! `--share` prints shares of the rate of Burn's product in the same precision.
//! There an iteration is timed from the end of the previous one; the benchmark
//! of a fit with five iterations also checks the data and labels them once more.
//!
//! `--supports` prints the time of an explanation for M supports, in clusters of
//! equal sizes, next to that of Burn's product of the points with the supports.
//! Most of the product's time is not arithmetic: it writes a matrix N × M, of
//! which the explanation keeps a few rows in cache. The summed rule is followed by
//! the secant pass, where β has the nearest competitor count or all of them.
//!
//! `--fit` prints whole fits from the first K rows, without a tolerance: the time of all iterations, and
//! of the slowest and the fastest tenth of them.

use std::error::Error;
use std::f32::consts::TAU;
use std::fmt;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use divan::Bencher;
use divan::counter::ItemsCount;
use neuralize::cluster::{FitOptions, KMeans, KMeansConfig, KernelKMeans, Progress};
use neuralize::explain::{Beta, Rule, Target};
use neuralize::network::Network;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Timed calls of a row of the table, and samples of a benchmark.
const ROUNDS: usize = 5;

/// Timed iterations of a fit.
const ITERATIONS: usize = 5;

/// Standard deviation of a coordinate of the clusters' centres, where that of
/// a point around its centre is 1.
const SPREAD: f32 = 0.5;

/// N, D, K.
type Size = (usize, usize, usize);

const SIZES: [Size; 4] =
    [(100_000, 64, 32), (20_000, 784, 10), (200_000, 16, 256), (50_000, 512, 1000)];
const EXPLAINED: [Size; 3] = [(10_000, 64, 32), (10_000, 784, 10), (2000, 512, 1000)];

/// K is the number of supports here.
const SUPPORTED: [Size; 4] =
    [(10_000, 32, 2000), (10_000, 32, 1000), (10_000, 32, 4000), (10_000, 32, 16_000)];

/// Number of clusters of the supports, and the stiffness of their pooling.
const POOLS: usize = 5;
const GAMMA: f64 = 0.05;

/// Side of the matrices of the reference product.
const SIDE: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    if given("--share") {
        return share();
    }
    if given("--supports") {
        return supports();
    }
    if given("--fit") {
        return fits();
    }
    divan::Divan::default().sample_count(ROUNDS as u32).sample_size(1).config_with_args().main();
    Ok(())
}

#[divan::bench(args = products())]
fn matrix_product_peak(bencher: Bencher, cell: Cell) {
    measure(bencher, cell.flops(), product(cell));
}

#[divan::bench(args = cells(&SIZES))]
fn nearest_centroid(bencher: Bencher, cell: Cell) {
    measure(bencher, cell.flops(), nearest(cell));
}

#[divan::bench(args = cells(&SIZES))]
fn nearest_centroid_with_logit(bencher: Bencher, cell: Cell) {
    measure(bencher, cell.flops(), nearest_with_logit(cell));
}

#[divan::bench(args = cells(&SIZES))]
fn fit_of_five_iterations(bencher: Bencher, cell: Cell) {
    let fit = Fit::new(cell);
    measure(bencher, ITERATIONS * cell.flops(), Ok(move || fit.ends(ITERATIONS).map(drop)));
}

#[divan::bench(args = cells(&EXPLAINED))]
fn explanation(bencher: Bencher, cell: Cell) {
    measure(bencher, 3 * cell.flops(), explain(cell));
}

#[divan::bench(args = cells(&SUPPORTED))]
fn explanation_by_supports(bencher: Bencher, cell: Cell) {
    measure(bencher, 3 * cell.flops(), explain_by_supports(cell, Rule::Summed, 1.0));
}

type Outcome<T> = neuralize::Result<T>;

/// Benchmarks a prepared call.
fn measure(bencher: Bencher, flops: usize, call: Outcome<impl Fn() -> Outcome<()>>) {
    let call = call.expect("the model is valid");
    bencher.counter(ItemsCount::new(flops)).bench_local(|| call().expect("the data are valid"));
}

/// Prints every median next to that of the matrix product.
fn share() -> Result<(), Box<dyn Error>> {
    println!("| | N × D × K | GFLOP/s | share of the matrix product |");
    println!("|---|---:|---:|---:|");
    let mut peaks = Vec::new();
    for cell in products() {
        let rate = cell.flops() as f64 / seconds(product(cell)?)?;
        peaks.push((cell.dtype, rate));
        row("matrix product", cell, rate, rate);
    }
    let report = |name: &str, cell: Cell, flops: usize, seconds: f64| {
        let peak = peaks.iter().find(|(dtype, _)| *dtype == cell.dtype);
        row(name, cell, flops as f64 / seconds, peak.map_or(f64::NAN, |(_, rate)| *rate));
    };
    for cell in cells(&SIZES) {
        report("nearest centroid", cell, cell.flops(), seconds(nearest(cell)?)?);
    }
    for cell in cells(&SIZES) {
        report("nearest with logit", cell, cell.flops(), seconds(nearest_with_logit(cell)?)?);
    }
    for cell in cells(&SIZES) {
        report("Lloyd iteration", cell, cell.flops(), Fit::new(cell).iteration()?);
    }
    for cell in cells(&EXPLAINED) {
        report("explanation", cell, 3 * cell.flops(), seconds(explain(cell)?)?);
    }
    Ok(())
}

/// Prints the times of explanations next to those of the matrix product.
fn supports() -> Result<(), Box<dyn Error>> {
    println!(
        "| N × D × supports | matrix product, ms | summed, ms | secants, one | secants, all |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for cell in cells(&SUPPORTED) {
        let of_product = 1e3 * seconds(product(cell)?)?;
        let time = |rule, beta| -> Outcome<f64> {
            Ok(1e3 * seconds(explain_by_supports(cell, rule, beta)?)?)
        };
        let summed = time(Rule::Summed, 1.0)?;
        let [one, all] = [time(Rule::default(), f64::INFINITY)?, time(Rule::default(), 0.0)?];
        println!("| {cell} | {of_product:.1} | {summed:.1} | {one:.1} | {all:.1} |");
    }
    Ok(())
}

/// Prints the times of whole fits.
fn fits() -> Result<(), Box<dyn Error>> {
    println!(
        "| N × D × K | iterations | all, ms | slowest tenth, ms each | fastest tenth | inertia |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for cell in cells(&SIZES) {
        let fit = Fit::new(cell);
        let start = Instant::now();
        let mut ends = vec![start];
        let mut observer = |_: Progress| {
            ends.push(Instant::now());
            ControlFlow::Continue(())
        };
        let options = FitOptions::default()
            .with_initial_centroids(fit.initial.clone())
            .with_observer(&mut observer);
        let found = KMeansConfig::new(cell.k).with_tol(0.0).fit_with(&fit.x, options)?;
        let all = 1e3 * start.elapsed().as_secs_f64();
        let mut times: Vec<f64> =
            ends.windows(2).map(|pair| 1e3 * (pair[1] - pair[0]).as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        let tenth = times.len().div_ceil(10);
        let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
        let (fastest, slowest) = (mean(&times[..tenth]), mean(&times[times.len() - tenth..]));
        let (iterations, inertia) = (found.n_iter, found.inertia);
        println!(
            "| {cell} | {iterations} | {all:.0} | {slowest:.2} | {fastest:.2} | {inertia:.6e} |"
        );
    }
    Ok(())
}

fn row(name: &str, cell: Cell, rate: f64, peak: f64) {
    println!("| {name} | {cell} | {:.1} | {:.0} % |", rate / 1e9, 100.0 * rate / peak);
}

/// Median time of a call, without the first.
fn seconds(call: impl Fn() -> Outcome<()>) -> Outcome<f64> {
    call()?;
    let mut times = [0.0; ROUNDS];
    for time in &mut times {
        let start = Instant::now();
        call()?;
        *time = start.elapsed().as_secs_f64();
    }
    Ok(median(times))
}

fn median(mut seconds: [f64; ROUNDS]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

fn product(cell: Cell) -> Outcome<impl Fn() -> Outcome<()>> {
    let Mixture { x, centers } = Mixture::new(cell);
    let centers = centers.transpose();
    Ok(move || {
        black_box(x.clone().matmul(centers.clone()));
        Ok(())
    })
}

fn nearest(cell: Cell) -> Outcome<impl Fn() -> Outcome<()>> {
    let Mixture { x, centers } = Mixture::new(cell);
    let model = KMeans::from_centroids(centers)?;
    Ok(move || model.predict(&x).map(|labels| drop(black_box(labels))))
}

fn nearest_with_logit(cell: Cell) -> Outcome<impl Fn() -> Outcome<()>> {
    let Mixture { x, centers } = Mixture::new(cell);
    let network = KMeans::from_centroids(centers)?.neuralize()?;
    Ok(move || network.predict_with_logit(&x).map(|found| drop(black_box(found))))
}

fn explain(cell: Cell) -> Outcome<impl Fn() -> Outcome<()>> {
    let Mixture { x, centers } = Mixture::new(cell);
    let network = KMeans::from_centroids(centers)?.neuralize()?;
    Ok(move || {
        let found = network.explain(&x, Target::Assigned, Beta::Value(0.1))?;
        drop(black_box(found));
        Ok(())
    })
}

fn explain_by_supports(cell: Cell, rule: Rule, beta: f64) -> Outcome<impl Fn() -> Outcome<()>> {
    let Mixture { x, centers } = Mixture::new(cell);
    let labels: Vec<usize> = (0..cell.k).map(|support| support * POOLS / cell.k).collect();
    let network =
        KernelKMeans::from_supports(centers, &labels, GAMMA)?.neuralize()?.with_rule(rule)?;
    Ok(move || {
        let found = network.explain(&x, Target::Assigned, Beta::Value(beta))?;
        drop(black_box(found));
        Ok(())
    })
}

/// A fit from the first K rows.
struct Fit {
    x: Tensor<Flex, 2>,
    initial: Tensor<Flex, 2>,
}

impl Fit {
    fn new(cell: Cell) -> Self {
        let Mixture { x, .. } = Mixture::new(cell);
        Self { initial: x.clone().slice([0..cell.k, 0..cell.d]), x }
    }

    /// The end of every iteration: its shift is read before the observer is called.
    fn ends(&self, iterations: usize) -> Outcome<Vec<Instant>> {
        let mut ends = Vec::new();
        let mut observer = |_: Progress| {
            ends.push(Instant::now());
            ControlFlow::Continue(())
        };
        let options = FitOptions::default()
            .with_initial_centroids(self.initial.clone())
            .with_observer(&mut observer);
        let [clusters, _] = self.initial.dims();
        KMeansConfig::new(clusters)
            .with_tol(0.0)
            .with_max_iter(iterations)
            .fit_with(&self.x, options)?;
        assert!(ends.len() == iterations || brief(), "the fit converged early");
        Ok(ends)
    }

    /// Median time of an iteration, without the first of every fit.
    fn iteration(&self) -> Outcome<f64> {
        let mut times = [0.0; ROUNDS];
        for time in &mut times {
            let ends = self.ends(1 + ITERATIONS)?;
            *time = (ends[ITERATIONS] - ends[0]).as_secs_f64() / ITERATIONS as f64;
        }
        Ok(median(times))
    }
}

/// Sizes and precision of one measurement.
#[derive(Clone, Copy)]
struct Cell {
    n: usize,
    d: usize,
    k: usize,
    dtype: DType,
}

impl Cell {
    /// Operations of one product.
    fn flops(self) -> usize {
        2 * self.n * self.d * self.k
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, d, k, dtype } = self;
        let precision = if *dtype == DType::F64 { " f64" } else { "" };
        write!(f, "{n} × {d} × {k}{precision}")
    }
}

/// All sizes in f32, and the first in f64.
fn cells(sizes: &[Size]) -> Vec<Cell> {
    let cell = |&(n, d, k): &Size, dtype| {
        if brief() {
            Cell { n: n / 100, d: d.div_ceil(8), k: k.div_ceil(8), dtype }
        } else {
            Cell { n, d, k, dtype }
        }
    };
    let single = sizes.iter().map(|size| cell(size, DType::F32));
    single.chain(sizes.first().map(|size| cell(size, DType::F64))).collect()
}

fn products() -> Vec<Cell> {
    cells(&[(SIDE, SIDE, SIDE)])
}

/// Whether every call runs once on small sizes, as in `cargo test --benches`.
fn brief() -> bool {
    given("--test") || !["--bench", "--share", "--supports", "--fit"].into_iter().any(given)
}

fn given(flag: &str) -> bool {
    std::env::args().any(|argument| argument == flag)
}

/// N Gaussian points around K Gaussian centres.
struct Mixture {
    x: Tensor<Flex, 2>,
    centers: Tensor<Flex, 2>,
}

impl Mixture {
    fn new(Cell { n, d, k, dtype }: Cell) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let centers: Vec<f32> = (0..k * d).map(|_| SPREAD * normal(&mut rng)).collect();
        let mut x = Vec::with_capacity(n * d);
        for _ in 0..n {
            let own = rng.next_u32() as usize % k * d;
            x.extend(centers[own..own + d].iter().map(|center| center + normal(&mut rng)));
        }
        let table = |values: Vec<f32>, rows| {
            Tensor::from_data(TensorData::new(values, [rows, d]), (&Default::default(), dtype))
        };
        Self { x: table(x, n), centers: table(centers, k) }
    }
}

/// A standard normal number (Box–Muller).
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let mut uniform = || ((rng.next_u32() >> 8) as f32 + 0.5) / (1 << 24) as f32;
    (-2.0 * uniform().ln()).sqrt() * (TAU * uniform()).cos()
}
