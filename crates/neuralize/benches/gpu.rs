//! Lloyd iterations and explanations on the Wgpu backend.
//!
//! ```text
//! cargo bench -p neuralize --features wgpu --bench gpu [-- --small]
//! ```
//!
//! Times are those of public calls, including checks of the input and copies of
//! single numbers to the host, but without the first fit and the first
//! explanation, in which kernels are compiled. Bytes are the traffic to global
//! memory, cached or not, that the kernels document; for an explanation, every
//! factor and result of the two matrix products counts once.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use burn::backend::{Wgpu, wgpu::WgpuDevice};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use neuralize::cluster::{FitOptions, KMeans, KMeansConfig, Progress};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const MEASURED: usize = 7;

/// N, D, K.
type Size = (usize, usize, usize);

const SIZES: [Size; 4] =
    [(100_000, 64, 32), (20_000, 784, 10), (200_000, 16, 256), (50_000, 512, 1000)];
const SMALL: [Size; 4] = [(2000, 64, 32), (500, 784, 10), (2000, 16, 256), (3000, 512, 1000)];

fn main() -> Result<(), Box<dyn Error>> {
    let device = WgpuDevice::default();
    neuralize::check_device::<Wgpu>(&device)?;
    let sizes = if std::env::args().any(|argument| argument == "--small") { SMALL } else { SIZES };
    println!("{}", Wgpu::<f32, i32>::name(&device));
    println!(
        "{:>8} {:>5} {:>5} | {:>12} {:>9} {:>7} | {:>12} {:>9} {:>7}",
        "N", "D", "K", "ms/iteration", "MB", "GB/s", "ms/explain", "MB", "GB/s"
    );
    for size in sizes {
        let (n, d, k) = size;
        let x = random(n, d, &device);
        let (model, iteration) = time_fit(&x, k)?;
        let network = model.neuralize()?;
        let mut times = Vec::new();
        for _ in 0..=MEASURED {
            let start = Instant::now();
            let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
            Wgpu::<f32, i32>::sync(&device)?;
            times.push(start.elapsed().as_secs_f64());
            drop(explanation);
        }
        let explanation = median(times.split_off(1));
        let (fit_bytes, explain_bytes) = (bytes_of_iteration(size), bytes_of_explanation(size));
        println!(
            "{n:>8} {d:>5} {k:>5} | {:>12.3} {:>9.1} {:>7.1} | {:>12.3} {:>9.1} {:>7.1}",
            iteration * 1e3,
            fit_bytes / 1e6,
            fit_bytes / 1e9 / iteration,
            explanation * 1e3,
            explain_bytes / 1e6,
            explain_bytes / 1e9 / explanation,
        );
    }
    Ok(())
}

/// The clusterer, and seconds per iteration after the first of a fit.
fn time_fit(x: &Tensor<Wgpu, 2>, k: usize) -> Result<(KMeans<Wgpu>, f64), Box<dyn Error>> {
    let initial = x.clone().slice([0..k, 0..x.dims()[1]]);
    let config = KMeansConfig::new(k).with_tol(0.0).with_max_iter(4);
    let fit = |ends: &mut Vec<Instant>| {
        // The shift of an iteration is read back before the observer is called.
        let mut observer = |_: Progress| {
            ends.push(Instant::now());
            ControlFlow::Continue(())
        };
        let options = FitOptions::default()
            .with_initial_centroids(initial.clone())
            .with_observer(&mut observer);
        config.fit_with(x, options)
    };
    let model = fit(&mut Vec::new())?.model;
    let mut times = Vec::new();
    for _ in 0..MEASURED {
        let mut ends = Vec::new();
        fit(&mut ends)?;
        times.extend(ends.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()));
    }
    Ok((model, median(times)))
}

/// NaN if no fit needs a second iteration.
fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Rows near a plane of four dimensions, on which a fit needs many iterations.
fn random(n: usize, d: usize, device: &WgpuDevice) -> Tensor<Wgpu, 2> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut uniform = || (rng.next_u32() >> 8) as f32 / (1 << 24) as f32 - 0.5;
    let directions: Vec<[f32; 4]> = (0..d).map(|_| core::array::from_fn(|_| uniform())).collect();
    let mut values = Vec::with_capacity(n * d);
    for _ in 0..n {
        let place: [f32; 4] = core::array::from_fn(|_| uniform());
        values.extend(directions.iter().map(|direction| {
            let on_plane: f32 = direction.iter().zip(place).map(|(a, b)| a * b).sum();
            on_plane + 0.01 * uniform()
        }));
    }
    Tensor::from_data(TensorData::new(values, [n, d]), (device, DType::F32))
}

/// Traffic of one Lloyd iteration: labels, counting sort, and sums.
fn bytes_of_iteration((n, d, k): Size) -> f64 {
    let chunks = (n / 64).min(4096).min((1 << 22) / k).max(1);
    let segments = n.div_ceil(n.div_ceil(((1 << 24) / (d + 1)).clamp(1, 4096)).max(32));
    let labels = 4 * n * d * k.div_ceil(128) + 4 * d * k * n.div_ceil(128) + 8 * n;
    let sort = 32 * n + 12 * chunks * k;
    let sums =
        4 * n * d + 12 * n * (d + 1).div_ceil(256) + 8 * (segments + k) * (d + 1) + 4 * k * (d + 1);
    (labels + sort + sums) as f64
}

/// Traffic of one explanation: centring, scores, pooling, coefficients and the
/// midpoint rule.
fn bytes_of_explanation((n, d, k): Size) -> f64 {
    let products = 4 * n * d + 4 * n * k + 4 * d * k + 4 * n * k + 8 * n * d + 8 * d * k;
    let pooling = 12 * n * k + 8 * n;
    (8 * n * d + products + pooling + 16 * n * d) as f64
}
