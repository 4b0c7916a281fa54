//! Euclidean distances from differences, not from |x|² − 2xy + |y|², which loses digits far from
//! the origin.

use crate::choose::table::Table;

/// The most rows of a block, whose distances to a row are computed together.
pub(in crate::choose) const BLOCK: usize = 64;

/// The rows of a block: few enough numbers to stay near the processor.
pub(in crate::choose) fn block_rows(width: usize) -> usize {
    (4096 / width.max(1)).clamp(8, BLOCK)
}

/// Some rows, column by column, so that the distances to all of them are computed at once.
pub(in crate::choose) struct Block {
    columns: Vec<f64>,
    n_rows: usize,
}

impl Block {
    /// Of at most [`BLOCK`] rows one after the other.
    pub(in crate::choose) fn of(rows: &[f64], width: usize) -> Self {
        let n_rows = rows.len() / width.max(1);
        let column = |column| rows.iter().skip(column).step_by(width.max(1)).take(n_rows).copied();
        Self { columns: (0..width).flat_map(column).collect(), n_rows }
    }

    /// Distances of a row to all of them.
    pub(in crate::choose) fn distances(&self, row: &[f64], distances: &mut [f64]) {
        let Some(distances) = distances.get_mut(..self.n_rows) else { return };
        distances.fill(0.0);
        for (x, column) in row.iter().zip(self.columns.chunks_exact(self.n_rows.max(1))) {
            for (distance, y) in distances.iter_mut().zip(column) {
                let difference = x - y;
                *distance += difference * difference;
            }
        }
        distances.iter_mut().for_each(|distance| *distance = distance.sqrt());
    }
}

/// The distances between all rows of a table.
pub(in crate::choose) struct Distances {
    n_rows: usize,
    /// `[n, n]`
    values: Vec<f64>,
}

impl Distances {
    pub(in crate::choose) fn of(table: &Table) -> Self {
        Self::between(&table.values, table.width, table.n_rows)
    }

    /// Between rows one after the other.
    pub(in crate::choose) fn between(values: &[f64], width: usize, n_rows: usize) -> Self {
        let mut distances = vec![0.0; n_rows * n_rows];
        let block_rows = block_rows(width);
        for (at, rows) in values.chunks((block_rows * width).max(1)).enumerate() {
            let block = Block::of(rows, width);
            let lines = distances.chunks_exact_mut(n_rows.max(1));
            for (row, line) in values.chunks_exact(width.max(1)).zip(lines) {
                block.distances(row, line.get_mut(at * block_rows..).unwrap_or(&mut []));
            }
        }
        Self { n_rows, values: distances }
    }

    /// The distances of every row to all rows, itself too.
    pub(in crate::choose) fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.n_rows.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_definition() {
        for (n_rows, width) in [(1, 1), (63, 2), (64, 3), (130, 5), (30, 200), (17, 900)] {
            let values: Vec<f64> =
                (0..n_rows * width).map(|at| (at as f64 * 1.7).sin() + 1e6).collect();
            let distances = Distances::between(&values, width, n_rows);
            for (one, line) in values.chunks(width).zip(distances.rows()) {
                for (other, found) in values.chunks(width).zip(line) {
                    let square: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
                    assert_eq!(*found, square.sqrt());
                }
            }
        }
    }
}
