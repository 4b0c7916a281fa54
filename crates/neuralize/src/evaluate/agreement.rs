//! Agreement of methods with each other.

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::evaluate::ranking::{cosine, directions, order, rows_of};

/// How far methods agree, pair by pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// The names of the methods.
    pub methods: Vec<String>,
    /// Mean rank correlation (Spearman) of the relevances of a point, −1 to 1.
    pub rank_correlation: Vec<Vec<f64>>,
    /// Mean share of common features among the `top` features of largest |R|, 0 to 1.
    pub overlap: Vec<Vec<f64>>,
    /// Features that the overlap compares.
    pub top: usize,
    /// Compared points.
    pub points: usize,
}

/// How far methods agree on the same rows: the mean over rows of the rank
/// correlation of their relevances, and of the share of features that are among the
/// `top` of largest |R| for both. A row of equal relevances correlates with no
/// row, itself included.
///
/// # Shapes
///
/// - relevances: `[N, D]` each, with the methods' names
pub fn agreement<B: Backend>(relevances: &[(String, Tensor<B, 2>)], top: usize) -> Agreement {
    let tables: Vec<Vec<Vec<f64>>> =
        relevances.iter().map(|(_, relevance)| rows_of(relevance)).collect();
    let ranks: Vec<Vec<Vec<f64>>> =
        tables.iter().map(|table| table.iter().map(|row| directions(row)).collect()).collect();
    let strongest: Vec<Vec<Vec<usize>>> = tables
        .iter()
        .map(|table| {
            let of = |row: &Vec<f64>| {
                let sizes: Vec<f64> = row.iter().map(|r| r.abs()).collect();
                let mut strongest = order(&sizes);
                strongest.truncate(top);
                strongest
            };
            table.iter().map(of).collect()
        })
        .collect();
    let mean = |of: &dyn Fn(usize, usize, usize) -> f64| -> Vec<Vec<f64>> {
        let pair = |a: usize, b: usize| {
            let rows = tables[a].len().min(tables[b].len());
            (0..rows).map(|row| of(a, b, row)).sum::<f64>() / rows.max(1) as f64
        };
        (0..tables.len()).map(|a| (0..tables.len()).map(|b| pair(a, b)).collect()).collect()
    };
    Agreement {
        methods: relevances.iter().map(|(name, _)| name.clone()).collect(),
        rank_correlation: mean(&|a, b, row| cosine(&ranks[a][row], &ranks[b][row])),
        overlap: mean(&|a, b, row| {
            let (a, b) = (&strongest[a][row], &strongest[b][row]);
            a.iter().filter(|feature| b.contains(feature)).count() as f64 / a.len().max(1) as f64
        }),
        top,
        points: tables.first().map_or(0, Vec::len),
    }
}
