//! `cargo run --release -- MODEL_FOLDER [ADDRESS]`: serves a model over HTTP until Ctrl-C.

use std::path::PathBuf;
use std::sync::Arc;

use service::{Service, router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| "model".into(), PathBuf::from);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let service = Arc::new(Service::open(&folder)?);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async {
        // Without signals there is nothing to wait for: the service runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    axum::serve(listener, router(service)).with_graceful_shutdown(stop).await?;
    Ok(())
}
