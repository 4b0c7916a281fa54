//! Data without clusters: one-peaked columns with the rank correlations of the data.

use crate::choose::generator::Generator;
use crate::choose::references::axes::{dot, orthogonal};
use crate::choose::references::one_peaked::OnePeaked;
use crate::choose::table::Table;
use crate::normal;

/// A Gaussian copula with the correlations of normal scores, and a one-peaked distribution for
/// every column. The columns of a category come from a random row of the data.
pub(in crate::choose::references) struct Copula<'a> {
    table: &'a Table,
    columns: Vec<(usize, OnePeaked)>,
    /// Independent standard normal numbers times these rows have the correlations.
    root: Vec<Vec<f64>>,
}

impl<'a> Copula<'a> {
    pub(in crate::choose::references) fn of(table: &'a Table) -> Self {
        let single = table.single_columns();
        let quantiles = quantiles(table.n_rows);
        let scores: Vec<Vec<f64>> = single
            .iter()
            .map(|column| scores(&Vec::from_iter(table.column(*column)), &quantiles))
            .collect();
        let root = if single.len() < table.n_rows {
            root(&scores)
        } else {
            transposed(&scores, table.n_rows)
        };
        let of_column = |column| (column, OnePeaked::of(&Vec::from_iter(table.column(column))));
        Self { table, columns: single.into_iter().map(of_column).collect(), root }
    }

    /// Rows one after the other.
    pub(in crate::choose::references) fn draw(
        &self,
        rows: usize,
        generator: &mut Generator,
    ) -> Vec<f64> {
        let mut values = vec![0.0; rows * self.table.width];
        let mut normals = vec![0.0; self.columns.len()];
        for row in values.chunks_exact_mut(self.table.width.max(1)) {
            normals.fill(0.0);
            for direction in &self.root {
                let size = generator.normal();
                normals.iter_mut().zip(direction).for_each(|(sum, d)| *sum += size * d);
            }
            for ((column, one_peaked), z) in self.columns.iter().zip(&normals) {
                let place = row.get_mut(*column).into_iter();
                place.for_each(|x| *x = one_peaked.quantile(normal::probability(*z)));
            }
            self.draw_categories(row, generator);
        }
        values
    }

    fn draw_categories(&self, row: &mut [f64], generator: &mut Generator) {
        for group in &self.table.groups {
            let source = self.table.row(generator.index(self.table.n_rows));
            for column in group {
                if let (Some(to), Some(from)) = (row.get_mut(*column), source.get(*column)) {
                    *to = *from;
                }
            }
        }
    }
}

/// Rows r with Σ r' r the correlations of columns of length 1, from their eigenvectors.
fn root(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let line = |one: &Vec<f64>| columns.iter().map(|other| dot(one, other)).collect();
    let mut rows = orthogonal(columns.iter().map(line).collect());
    for row in &mut rows {
        // √λ v' of λ v'.
        let scale = dot(row, row).powf(-0.25);
        row.iter_mut().for_each(|x| *x *= scale);
    }
    rows
}

fn transposed(columns: &[Vec<f64>], n_rows: usize) -> Vec<Vec<f64>> {
    let row = |row| columns.iter().filter_map(|column| column.get(row)).copied().collect();
    (0..n_rows).map(row).collect()
}

/// The normal quantiles of (rank − ½) / n for the ranks 1, 1½, 2, …, n.
pub(in crate::choose) fn quantiles(n_rows: usize) -> Vec<f64> {
    let count = (2 * n_rows).saturating_sub(1);
    (0..count).map(|twice| normal::quantile((0.5 * twice as f64 + 0.5) / n_rows as f64)).collect()
}

/// Normal scores of a column, centred and of length 1: `quantiles` at the ranks of its values, the
/// mean rank for equal ones.
pub(in crate::choose) fn scores(column: &[f64], quantiles: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<(f64, usize)> = column.iter().copied().zip(0..).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut scores = vec![0.0; column.len()];
    let mut first = 0;
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        // The mean of the ranks first + 1 to first + length, minus 1 and times 2.
        let score = quantiles.get(2 * first + same.len() - 1).copied().unwrap_or(0.0);
        for (_, row) in same {
            scores.get_mut(*row).into_iter().for_each(|place| *place = score);
        }
        first += same.len();
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    scores.iter_mut().for_each(|score| *score -= mean);
    let length = dot(&scores, &scores).sqrt().max(1e-12);
    scores.iter_mut().for_each(|score| *score /= length);
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_ranks() {
        let column = [3.0, 1.0, 3.0, 7.0];
        let z = [2.5, 1.0, 2.5, 4.0].map(|rank| normal::quantile((rank - 0.5) / 4.0));
        let mean = z.iter().sum::<f64>() / 4.0;
        let length = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>().sqrt();
        for (found, z) in scores(&column, &quantiles(4)).iter().zip(z) {
            assert!((found - (z - mean) / length).abs() < 1e-14);
        }
    }

    #[test]
    fn root_has_the_correlations() {
        let columns = [vec![0.6, 0.8, 0.0], vec![0.0, 0.6, 0.8]];
        let rows = root(&columns);
        for (i, j, expected) in [(0, 0, 1.0), (0, 1, 0.48), (1, 1, 1.0)] {
            let found: f64 = rows.iter().map(|row| row[i] * row[j]).sum();
            assert!((found - expected).abs() < 1e-12);
        }
    }
}
