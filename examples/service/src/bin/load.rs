//! `cargo run --release --bin load -- [URL] [CONNECTIONS] [REQUESTS]`: how long a running service
//! takes to predict and to explain one row, by the median and the slowest hundredth.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://127.0.0.1:8080".into());
    let connections: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let requests: usize = arguments.next().map_or(Ok(5000), |text| text.parse())?;
    let model: Value = ureq::get(format!("{url}/model")).call()?.body_mut().read_json()?;
    let width = model["features"].as_array().map_or(0, Vec::len);
    println!("{connections} connections, {requests} requests each, one row of {width} numbers");
    for path in ["predict", "explain"] {
        let address = format!("{url}/{path}");
        let started = Instant::now();
        let times = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..connections)
                .map(|worker| {
                    let address = &address;
                    scope.spawn(move || times(address, width, requests, worker))
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().expect("a worker")).collect::<Vec<_>>()
        });
        let mut all = Vec::new();
        for times in times {
            all.extend(times?);
        }
        all.sort();
        let rate = all.len() as f64 / started.elapsed().as_secs_f64();
        let at = |share: f64| all[(share * (all.len() - 1) as f64) as usize];
        println!(
            "{path}: p50 {:?}, p99 {:?}, slowest {:?}, {rate:.0} requests a second",
            at(0.5),
            at(0.99),
            all[all.len() - 1]
        );
    }
    Ok(())
}

/// The times of one connection, after a hundredth of the requests to warm up.
fn times(
    address: &str,
    width: usize,
    requests: usize,
    worker: usize,
) -> Result<Vec<Duration>, ureq::Error> {
    let agent = ureq::Agent::new_with_defaults();
    let row = |n: usize| -> Vec<f64> {
        (0..width).map(|i| 10.0 + ((worker + n * 7 + i * 3) % 11) as f64).collect()
    };
    let mut times = Vec::with_capacity(requests);
    for n in 0..requests + requests / 100 {
        let body = json!({ "rows": [row(n)] });
        let started = Instant::now();
        let mut response = agent.post(address).send_json(&body)?;
        response.body_mut().read_to_string()?;
        if n >= requests / 100 {
            times.push(started.elapsed());
        }
    }
    Ok(times)
}
