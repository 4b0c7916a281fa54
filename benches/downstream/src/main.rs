//! Times what a service and a batch job wait for: single rows and thousands of them, with the
//! allocations of a call. Run it by `./run` in this folder.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::{DType, Distribution, Tensor};
use neuralize::prelude::*;

const FEATURES: usize = 64;
const CLUSTERS: usize = 32;

/// Counts allocations.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The median time of a call in microseconds, and its allocations.
fn time<R>(name: &str, mut call: impl FnMut() -> R) -> f64 {
    let once = Instant::now();
    black_box(call());
    let per_sample = (2_000_000 / once.elapsed().as_nanos().max(1)).clamp(1, 2_000) as u32;
    let mut samples: Vec<f64> = (0..41)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..per_sample {
                black_box(call());
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(per_sample)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    black_box(call());
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{name:<44} {:>11.2} µs {allocations:>6}", samples[20]);
    samples[20]
}

/// The explanation of one row written out: distances, the nearest and its competitors, and a sum
/// over them. `[D]` relevances.
fn plain(x: &[f32], centroids: &[f32], beta: f32, relevance: &mut [f32], h: &mut [f32]) {
    for (h, centroid) in h.iter_mut().zip(centroids.chunks_exact(FEATURES)) {
        *h = x.iter().zip(centroid).map(|(x, m)| (x - m) * (x - m)).sum();
    }
    let own = (0..CLUSTERS).min_by(|a, b| h[*a].total_cmp(&h[*b])).unwrap_or_default();
    let nearest = h[own];
    let least = (0..CLUSTERS)
        .filter(|k| *k != own)
        .map(|k| h[k] - nearest)
        .fold(f32::INFINITY, f32::min);
    let mut total = 0.0;
    for (k, h) in h.iter_mut().enumerate() {
        let margin = *h - nearest;
        *h = if k == own { 0.0 } else { (-beta * (margin - least)).exp() };
        total += *h;
    }
    relevance.fill(0.0);
    let of_own = &centroids[own * FEATURES..][..FEATURES];
    for (share, centroid) in h.iter().zip(centroids.chunks_exact(FEATURES)) {
        let share = share / total;
        for (((r, x), m), own) in relevance.iter_mut().zip(x).zip(centroid).zip(of_own) {
            *r += share * ((x - m) * (x - m) - (x - own) * (x - own));
        }
    }
}

fn main() -> neuralize::Result<()> {
    let device = Default::default();
    let random = |rows| {
        Tensor::<Flex, 2>::random([rows, FEATURES], Distribution::Default, (&device, DType::F32))
    };
    let (data, row, many) = (random(3000), random(1), random(4096));
    let fit = KMeansConfig::new(CLUSTERS).with_seed(1).fit(&data)?;
    let kmeans = fit.model;
    let network = kmeans.neuralize()?;
    let scaler = Scale::MinMax.fit(&data)?;
    let names: Vec<String> = (0..FEATURES).map(|d| format!("f{d}")).collect();
    let info = ModelInfo::new(names);
    let model = Model::new(scaler, kmeans.clone(), info)?;
    let labels: Vec<_> = (0..3000).map(|row| Some(row % CLUSTERS)).collect();
    let labelled = LabelledConfig::new().fit(&data, &labels)?.model;
    let supports = labelled.neuralize()?;
    let beta = Beta::Value(0.5);
    let explain = |network: &dyn Network<Flex>, x| network.explain(x, Target::Assigned, beta);

    println!("{:<44} {:>11}    {:>6}", "one row, 64 features, 32 clusters, f32", "time", "allocations");
    let x: Vec<f32> = row.clone().into_data().iter().collect();
    let centroids: Vec<f32> = kmeans.centroids().into_data().iter().collect();
    let (mut relevance, mut h) = (vec![0.0; FEATURES], vec![0.0; CLUSTERS]);
    let base = time("plain arithmetic of an explanation", || {
        plain(black_box(&x), &centroids, 0.5, &mut relevance, &mut h)
    });
    time("KMeans::predict", || kmeans.predict(&row));
    time("NeuralizedKMeans::predict", || network.predict(&row));
    time("NeuralizedKMeans::predict_with_logit", || network.predict_with_logit(&row));
    time("NeuralizedKMeans::explain", || explain(&network, &row));
    time("Model::predict", || model.predict(&row));
    let kept = time("Model::explain", || model.explain(&row, Target::Assigned, beta));
    time("KernelKMeans::predict, 3 000 supports", || labelled.predict(&row));
    time("NeuralizedKernelKMeans::predict, 3 000", || supports.predict(&row));
    time("NeuralizedKernelKMeans::explain, 3 000", || explain(&supports, &row));
    println!("Model::explain / plain arithmetic: {:.2}", kept / base);
    println!("4 096 rows");
    time("NeuralizedKMeans::explain", || explain(&network, &many));
    time("NeuralizedKMeans::predict", || network.predict(&many));
    time("KMeansConfig::fit, one start", || {
        KMeansConfig::new(CLUSTERS).with_seed(1).with_n_init(Some(1)).fit(&many)
    });
    Ok(())
}
