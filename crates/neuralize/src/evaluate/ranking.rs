//! Orders and ranks of the features of a point.

use burn::tensor::{Tensor, backend::Backend};

use crate::transfer;

/// The rows of a table on the host.
pub(super) fn rows_of<B: Backend>(table: &Tensor<B, 2>) -> Vec<Vec<f64>> {
    let wide = table.dims()[1].max(1);
    transfer::download(table.clone()).chunks(wide).map(<[f64]>::to_vec).collect()
}

/// Features by decreasing relevance; of equal ones, the first comes first.
pub(super) fn order(relevance: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevance.len()).collect();
    // Adding 0 turns −0 into 0, which total_cmp would tell apart.
    order.sort_by(|a, b| (relevance[*b] + 0.0).total_cmp(&(relevance[*a] + 0.0)));
    order
}

/// Place of every feature in [`order`], row by row: 0 for the most relevant.
///
/// The host sorts, because devices differ in how they order equal numbers.
///
/// # Shapes
///
/// - relevance: `[N, D]`
/// - output: `[N, D]`
pub(super) fn places<B: Backend>(relevance: &Tensor<B, 2>) -> Tensor<B, 2> {
    let shape = relevance.dims();
    let mut places = vec![0.0; shape[0] * shape[1]];
    for (row, places) in rows_of(relevance).iter().zip(places.chunks_mut(shape[1].max(1))) {
        for (place, feature) in order(row).into_iter().enumerate() {
            places[feature] = place as f64;
        }
    }
    transfer::upload(places, shape, &relevance.device(), relevance.dtype())
}

/// Rank correlation (Spearman 1904) of two rows, −1 to 1. Equal numbers get the mean of
/// their ranks; a row of equal numbers correlates with none: 0.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    cosine(&directions(a), &directions(b))
}

/// The same for the [`directions`] of two rows.
pub(super) fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Ranks around their mean, of length 1; zeros where all are equal.
pub(super) fn directions(row: &[f64]) -> Vec<f64> {
    let mut ranks = centred_ranks(row);
    let length = ranks.iter().map(|rank| rank * rank).sum::<f64>().sqrt();
    if length > 0.0 {
        ranks.iter_mut().for_each(|rank| *rank /= length);
    }
    ranks
}

/// Ranks less their mean, which is that of 0 to D − 1 with or without ties.
fn centred_ranks(row: &[f64]) -> Vec<f64> {
    let order = order(row);
    let mut ranks = vec![0.0; row.len()];
    let mut at = 0;
    while at < order.len() {
        let equal = order[at..].iter().take_while(|i| row[**i] == row[order[at]]).count().max(1);
        let mean = at as f64 + (equal - 1) as f64 / 2.0 - (row.len() - 1) as f64 / 2.0;
        order[at..at + equal].iter().for_each(|i| ranks[*i] = mean);
        at += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_ones_comes_first() {
        assert_eq!(order(&[0.0, 2.0, -0.0, 2.0, -1.0]), [1, 3, 0, 2, 4]);
        assert_eq!(order(&[-0.0, 0.0]), [0, 1]);
    }

    #[test]
    fn correlation_of_ranks() {
        assert!((correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]) - 1.0).abs() < 1e-15);
        assert!((correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-15);
        assert_eq!(correlation(&[1.0, 1.0, 1.0], &[3.0, 2.0, 1.0]), 0.0);
        assert_eq!(correlation(&[1.0], &[2.0]), 0.0);
        // Mid-ranks 1.5 1.5 3 4 against 1 2 3 4.
        let found = correlation(&[1.0, 1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!((found - 4.5 / (4.5f64 * 5.0).sqrt()).abs() < 1e-15, "{found}");
    }
}
