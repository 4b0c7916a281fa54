//! An evaluation written by hand, with what figures and pages have to cope
//! with: many methods, one with a name that is markup, refused ones, values
//! that are missing, and curves far below 0.

use neuralize::evaluate::Evaluation;
use serde_json::{Value, json};

pub(crate) const NAMES: [&str; 14] = [
    "neon",
    "neon-hard",
    "gradient-from-boundary",
    "sensitivity",
    "gradient-times-input",
    "smoothgrad",
    "integrated-gradients:competitor",
    "integrated-gradients:mean",
    "occlusion:competitor",
    "shapley-sampling:competitor",
    "linear-surrogate",
    "own-distance",
    "<b>of & \"mine\"</b>",
    "random",
];

pub(crate) const LEVELS: usize = 10;

/// How good the order of a method is, 1 to 0.
fn quality(method: usize) -> f64 {
    match NAMES[method] {
        "random" => 0.0,
        _ => 1.0 - 0.07 * method as f64,
    }
}

fn share() -> Vec<f64> {
    (0..=LEVELS).map(|level| level as f64 / LEVELS as f64).collect()
}

/// The logit goes from 1 to −1, the sooner the better the order is.
fn curve(bend: f64) -> Value {
    let kept: Vec<f64> = share().iter().map(|t| 1.0 - 2.0 * t.powf(bend)).collect();
    let changed: Vec<f64> = share().iter().map(|t| t.powf(2.0 * bend)).collect();
    json!({ "kept": kept, "changed": changed })
}

fn flips(reference: &str, quality: f64) -> Value {
    json!({
        "reference": reference,
        "share": share(),
        "most": curve(1.0 / (1.0 + 2.0 * quality)),
        "least": curve(1.0 + 2.0 * quality),
    })
}

fn band(reference: &str) -> Value {
    let spread: Vec<f64> = share().iter().map(|t| 0.3 * t * (1.0 - t)).collect();
    json!({
        "reference": reference,
        "share": share(),
        "mean": curve(1.0),
        "deviation": { "kept": spread.clone(), "changed": spread },
        "gain_deviation": 0.05,
    })
}

fn method(index: usize) -> Value {
    let quality = quality(index);
    let mut values = json!({
        "gain-competitor": quality,
        "gain-mean": 0.8 * quality,
        "change-gain": 0.4 * quality,
        "conservation": if index == 0 { 3.1e-16 } else { 0.03 * index as f64 },
        "continuity": 1.0 + 3.7 * index as f64,
        "infidelity": 0.02 + 0.05 * index as f64,
        "shift": if NAMES[index] == "gradient-times-input" { 1.31 } else { 0.0 },
        "randomisation": 0.9 - 0.05 * index as f64,
        "seconds": 0.0012 * (1.0 + (index * index) as f64),
    });
    if NAMES[index] == "smoothgrad" {
        values["conservation"].take();
        let values = values.as_object_mut().expect("an object");
        values.remove("conservation");
    }
    json!({
        "name": NAMES[index],
        "words": format!("what method {index} does, <i>in words</i>"),
        "refused": null,
        "values": values,
        "flips": [flips("competitor", quality), flips("mean", 0.8 * quality)],
    })
}

/// The first so many methods, and one that was refused.
pub(crate) fn evaluation(methods: usize) -> Evaluation {
    let mut all: Vec<Value> = (0..methods).map(method).collect();
    all.push(json!({
        "name": "shapley-pair:mean",
        "words": "in closed form",
        "refused": "it is for k-means <alone>",
        "values": {},
        "flips": [],
    }));
    let likeness =
        |a: usize, b: usize| if a == b { 1.0 } else { 0.9 - 0.13 * (a as f64 - b as f64).abs() };
    let matrix: Vec<Vec<f64>> =
        (0..methods).map(|a| (0..methods).map(|b| likeness(a, b)).collect()).collect();
    let text = json!({
        "points": 178, "data": 178, "features": 13, "clusters": 3, "seed": u64::MAX,
        "methods": all,
        "bands": [band("competitor"), band("mean")],
        "agreement": {
            "methods": NAMES[..methods],
            "rank_correlation": matrix.clone(),
            "overlap": matrix,
            "top": 3,
            "points": 178,
        },
    });
    serde_json::from_str(&text.to_string()).expect("an evaluation")
}
