//! A comparison with the network in PyTorch.

use burn::backend::Flex;
use serde_json::Value;

use crate::network::EfficientNet;
use crate::photo::Photo;
use crate::{Result, images};

/// Written by `make.py` next to it.
const TOP5: &str = include_str!("../../tests/reference/efficientnet/top5.json");
const TOLERANCE: f64 = 1e-3;

/// Prints the five largest logits of the first photographs; fails if PyTorch has other
/// classes, another order, or other logits.
pub fn compare(network: &EfficientNet<Flex>, photos: &[Photo]) -> Result<()> {
    let reference: Vec<Value> = serde_json::from_str(TOP5)?;
    let mut worst: f64 = 0.0;
    for (at, (photo, expected)) in photos.iter().zip(&reference).enumerate() {
        if expected["image"].as_str() != Some(&format!("{}.png", photo.name)) {
            return Err(format!(
                "the reference has {} in place of {}",
                expected["image"], photo.name
            )
            .into());
        }
        let logits = burn_lrp::infer(network, images(&[&photo.middle(at)]))?;
        let logits: Vec<f64> = logits.flat().into_data().iter().collect();
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        println!("{}", photo.name);
        let classes = expected["top5"].as_array().ok_or("the reference lacks classes")?;
        for (class, expected) in order.iter().zip(classes) {
            let name = expected["name"].as_str().unwrap_or_default();
            println!("  {class:4} {name:14} {:8.4}", logits[*class]);
            let theirs = expected["logit"].as_f64().ok_or("the reference lacks a logit")?;
            let difference = (logits[*class] - theirs).abs();
            if expected["index"].as_u64() != Some(*class as u64) || difference > TOLERANCE {
                return Err(format!("PyTorch has {expected} instead").into());
            }
            worst = worst.max(difference);
        }
    }
    println!("the same five classes as PyTorch's; logits differ by {worst:.0e} at most");
    Ok(())
}
