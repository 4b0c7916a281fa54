//! Peak memory of an explanation at K = 1000, D = 512, N = 20 000, data and
//! result included.

#![cfg(target_os = "linux")]

use std::process::Command;

const ALONE: &str = "NEURALIZE_TEST_ALONE";

/// The peak is the process's, so the test runs itself in one of its own.
#[test]
#[ignore = "long: --include-ignored runs it"]
fn twenty_thousand_points_in_half_a_gibibyte() {
    if std::env::var_os(ALONE).is_some() {
        return half_a_gibibyte();
    }
    let name = "memory::twenty_thousand_points_in_half_a_gibibyte";
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("this program, once more");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("peak"), "see above");
}

fn half_a_gibibyte() {
    use burn::backend::Flex;
    use burn::tensor::{DType, Tensor, TensorData};
    use neuralize::cluster::KMeans;
    use neuralize::explain::{Beta, Target};
    use neuralize::network::Network;

    let device = Default::default();
    let table = |n: usize, d: usize, step: f32| {
        let values: Vec<f32> = (0..n * d).map(|i| (i as f32 * step).sin()).collect();
        Tensor::<Flex, 2>::from_data(TensorData::new(values, [n, d]), (&device, DType::F32))
    };
    let x = table(20_000, 512, 0.7);
    let centroids = table(1_000, 512, 1.3);
    let network = KMeans::from_centroids(centroids).and_then(|k| k.neuralize()).expect("valid");
    let started = std::time::Instant::now();
    let found = network.explain(&x, Target::Assigned, Beta::Value(0.05)).expect("valid");
    let seconds = started.elapsed().as_secs_f64();
    let worst: Vec<f64> = found.conservation_error().max().into_data().iter().collect();

    let status = std::fs::read_to_string("/proc/self/status").expect("a status file");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok())
        .expect("a peak in KiB")
        / 1024.0;
    println!("peak {peak:.0} MiB, {seconds:.2} s, conservation error at most {:.1e}", worst[0]);
    assert!(peak < 512.0, "{peak} MiB");
    assert!(worst[0] < 1e-4, "{}", worst[0]);
}
