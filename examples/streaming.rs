//! Data that come in batches, here from an iterator and as well from a `DataLoader` of
//! Burn: what is lost against a fit to all of them at once.
//!
//! `cargo run --release --example streaming`

use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use neuralize::cluster::MiniBatchKMeans;
use neuralize::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const ROWS: usize = 200_000;
const FEATURES: usize = 16;
const CLUSTERS: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = mixture();
    let device = Default::default();
    let x = Tensor::<Flex, 2>::from_data(
        TensorData::new(rows.concat(), [ROWS, FEATURES]),
        (&device, DType::F32),
    );
    // A batch is made when it is asked for.
    let batches = || {
        rows.chunks(4096).map(|rows| {
            let data = TensorData::new(rows.concat(), [rows.len(), FEATURES]);
            Tensor::<Flex, 2>::from_data(data, (&device, DType::F32))
        })
    };
    let config = KMeansConfig::new(CLUSTERS);

    let start = Instant::now();
    let whole = config.fit(&x)?;
    let best = whole.inertia;
    report("all at once", start, best, best);

    let start = Instant::now();
    let parts = config.fit_parts(batches)?;
    report("a pass for every iteration", start, parts.inertia, best);

    let mut clusterer = MiniBatchKMeans::new(config)?;
    let start = Instant::now();
    for pass in 1..=3 {
        for batch in batches() {
            clusterer.partial_fit(&batch)?;
        }
        let inertia = clusterer.model()?.inertia(&x)?;
        report(&format!("mini-batches, {pass} passes"), start, inertia, best);
    }
    Ok(())
}

fn report(name: &str, start: Instant, inertia: f64, best: f64) {
    println!(
        "{name:<28} {:>8.0} ms   inertia {inertia:.1}, {:+.2} %",
        start.elapsed().as_secs_f64() * 1e3,
        100.0 * (inertia / best - 1.0),
    );
}

/// A mixture of clouds that overlap.
fn mixture() -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // The sum of four uniform numbers is nearly normal.
    let mut normal = || {
        let sum: f32 = (0..4).map(|_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5).sum();
        sum * 3f32.sqrt()
    };
    let centres: Vec<f32> = (0..CLUSTERS * FEATURES).map(|_| 1.4 * normal()).collect();
    (0..ROWS)
        .map(|row| {
            let centre = row % CLUSTERS * FEATURES;
            (0..FEATURES).map(|d| centres[centre + d] + normal()).collect()
        })
        .collect()
}
