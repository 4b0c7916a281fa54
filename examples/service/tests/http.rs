//! A service as its clients see it: answers, refusals, and many requests at once.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{Service, router};

/// A service of the wines on a port of its own.
fn started() -> (tempfile::TempDir, tokio::runtime::Runtime, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Arc::new(Service::open(&folder.path().join("model")).expect("a model"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    runtime.spawn(async move { axum::serve(listener, router(service)).await });
    (folder, runtime, url)
}

fn post(url: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(url).send_json(body).expect("a response");
    let text = response.body_mut().read_to_string().expect("a body");
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (response.status().as_u16(), value)
}

#[test]
fn rows_are_predicted_and_explained() {
    let (_folder, _runtime, url) = started();
    let wine = neuralize::data::Table::wine();
    let rows: Vec<Vec<f64>> = (0..178).map(|row| wine.row(row).expect("a row").to_vec()).collect();
    let (status, prediction) = post(&format!("{url}/predict"), &json!({ "rows": rows }));
    assert_eq!(status, 200);
    assert_eq!(prediction["clusters"].as_array().map(Vec::len), Some(178));

    let question = json!({ "rows": rows, "top": 13, "beta": 1.0 });
    let (status, found) = post(&format!("{url}/explain"), &question);
    assert_eq!(status, 200);
    for (row, why) in found.as_array().expect("a list").iter().enumerate() {
        assert_eq!(why["cluster"], prediction["clusters"][row]);
        let relevance = why["relevance"].as_array().expect("pairs");
        let sum: f64 = relevance.iter().filter_map(|pair| pair[1].as_f64()).sum();
        let logit = why["logit"].as_f64().expect("a logit");
        assert!((sum - logit).abs() < 1e-5, "{sum} for {logit}");
        let sizes: Vec<f64> =
            relevance.iter().filter_map(|pair| pair[1].as_f64()).map(f64::abs).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b));
    }
    let (status, nothing) = post(&format!("{url}/predict"), &json!({ "rows": [] }));
    assert_eq!((status, &nothing["clusters"]), (200, &json!([])));
}

#[test]
fn bad_requests_are_refused_with_a_reason() {
    let (_folder, _runtime, url) = started();
    let explain = format!("{url}/explain");
    let row = vec![1.0; 13];
    let reason = |body: Value| {
        let (status, answer) = post(&explain, &body);
        assert!((400..500).contains(&status), "{body}: {status} {answer}");
        answer.to_string()
    };
    assert!(reason(json!({ "rows": [row, [1.0]] })).contains("row 1 has 1 numbers"));
    assert!(reason(json!({ "rows": [row], "beta": -1.0 })).contains("beta"));
    assert!(reason(json!({ "rows": [row], "versus": 9 })).contains("there is no cluster 9"));
    let mut huge = row.clone();
    huge[3] = 1e30;
    assert!(reason(json!({ "rows": [huge] })).contains("column 3"));
    reason(json!({ "rows": "none" }));
    reason(json!({ "points": [row] }));
}

#[test]
fn many_requests_at_once_get_the_same_answers() {
    let (_folder, _runtime, url) = started();
    let wine = neuralize::data::Table::wine();
    let ask = |row: usize| {
        post(&format!("{url}/explain"), &json!({ "rows": [wine.row(row).expect("a row")] }))
    };
    let alone: Vec<_> = (0..8).map(ask).collect();
    std::thread::scope(|scope| {
        for row in 0..8 {
            let (ask, alone) = (&ask, &alone);
            scope.spawn(move || (0..20).for_each(|_| assert_eq!(ask(row), alone[row])));
        }
    });
}
