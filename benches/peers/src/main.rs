//! One Rust contestant in a process of its own: a JSON command a line on
//! standard input, a JSON reply a line on standard output.

mod linfa_peer;
mod matrix;
mod neuralize_peer;

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::linfa_peer::Linfa;
use crate::matrix::Matrix;
use crate::neuralize_peer::Neuralize;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Command {
    /// The data of all commands that follow.
    Load { path: PathBuf, rows: usize, columns: usize },
    /// Lloyd's iterations from given centroids.
    Lloyd { init: PathBuf, clusters: usize, iterations: usize, out: PathBuf },
    /// A whole fit with the library's own settings.
    Fit { clusters: usize, seed: u64, max_iter: Option<usize>, out: PathBuf },
    /// The relevance of every feature of every row.
    Explain { centroids: PathBuf, clusters: usize, out: PathBuf },
}

#[derive(Serialize, Default)]
struct Reply {
    /// Time of the measured call alone.
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inertia: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beta: Option<f64>,
}

trait Contestant {
    fn load(&mut self, data: Matrix) -> Result<()>;
    fn lloyd(&self, init: Matrix, iterations: usize) -> Result<(Reply, Matrix)>;
    fn fit(&self, clusters: usize, seed: u64, max_iter: Option<usize>) -> Result<(Reply, Matrix)>;
    fn explain(&self, centroids: Matrix) -> Result<(Reply, Matrix)>;
}

fn main() -> Result<()> {
    let mut contestant: Box<dyn Contestant> = match std::env::args().nth(1).as_deref() {
        Some("neuralize") => Box::new(Neuralize::default()),
        Some("linfa") => Box::new(Linfa::default()),
        _ => bail!("usage: peers-runner neuralize|linfa"),
    };
    let mut columns = 0;
    for line in std::io::stdin().lock().lines() {
        let reply = match answer(contestant.as_mut(), &mut columns, &line?) {
            Ok(reply) => serde_json::to_string(&reply)?,
            Err(error) => serde_json::json!({ "error": format!("{error:#}") }).to_string(),
        };
        println!("{reply}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Carries out one command; `columns` is the width of the data that was loaded.
fn answer(contestant: &mut dyn Contestant, columns: &mut usize, line: &str) -> Result<Reply> {
    let (reply, result, out) = match serde_json::from_str(line)? {
        Command::Load { path, rows, columns: width } => {
            *columns = width;
            contestant.load(Matrix::read(&path, rows, width)?)?;
            return Ok(Reply::default());
        }
        Command::Lloyd { init, clusters, iterations, out } => {
            let init = Matrix::read(&init, clusters, *columns)?;
            let (reply, centroids) = contestant.lloyd(init, iterations)?;
            (reply, centroids, out)
        }
        Command::Fit { clusters, seed, max_iter, out } => {
            let (reply, centroids) = contestant.fit(clusters, seed, max_iter)?;
            (reply, centroids, out)
        }
        Command::Explain { centroids, clusters, out } => {
            let centroids = Matrix::read(&centroids, clusters, *columns)?;
            let (reply, relevance) = contestant.explain(centroids)?;
            (reply, relevance, out)
        }
    };
    result.write(&out)?;
    Ok(reply)
}
