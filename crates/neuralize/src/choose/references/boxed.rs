//! Data without clusters: uniform in a box along the principal axes.

use crate::choose::generator::Generator;
use crate::choose::references::axes::{dot, orthogonal};
use crate::choose::table::Table;

/// The box around rows, along their principal axes: choice b of Tibshirani, Walther and Hastie
/// (2001).
pub(in crate::choose) struct Boxed {
    width: usize,
    /// Directions of length 1 with the range of the centred rows along them.
    axes: Vec<(Vec<f64>, f64, f64)>,
}

impl Boxed {
    pub(in crate::choose) fn of(table: &Table) -> Self {
        let centred = centred(table);
        let scaled = scaled(&centred);
        let directions = orthogonal(if table.width <= table.n_rows {
            products(&scaled, table.width)
        } else {
            scaled
        });
        let axes = directions.into_iter().map(|direction| axis(direction, &centred)).collect();
        Self { width: table.width, axes }
    }

    /// The lengths of the box along its axes.
    #[cfg(test)]
    pub(in crate::choose) fn extents(&self) -> Vec<f64> {
        self.axes.iter().map(|(_, low, high)| high - low).collect()
    }

    /// Rows one after the other. Their mean is not that of the data, which no distance sees.
    pub(in crate::choose) fn draw(&self, rows: usize, generator: &mut Generator) -> Vec<f64> {
        let mut values = vec![0.0; rows * self.width];
        for row in values.chunks_exact_mut(self.width.max(1)) {
            for (direction, low, high) in &self.axes {
                let place = low + (high - low) * generator.uniform();
                row.iter_mut().zip(direction).for_each(|(x, d)| *x += place * d);
            }
        }
        values
    }
}

fn axis(mut direction: Vec<f64>, centred: &[Vec<f64>]) -> (Vec<f64>, f64, f64) {
    let length = dot(&direction, &direction).sqrt();
    direction.iter_mut().for_each(|d| *d /= length);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for row in centred {
        let place = dot(row, &direction);
        (low, high) = (low.min(place), high.max(place));
    }
    (direction, low, high)
}

/// Rows minus their mean.
fn centred(table: &Table) -> Vec<Vec<f64>> {
    let mean = |column| table.column(column).sum::<f64>() / table.n_rows as f64;
    let means: Vec<f64> = (0..table.width).map(mean).collect();
    let of_row = |row: &[f64]| row.iter().zip(&means).map(|(x, mean)| x - mean).collect();
    table.rows().map(of_row).collect()
}

/// Scaled so that squares of squares do not overflow.
fn scaled(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let largest = rows.iter().flatten().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
    rows.iter().map(|row| row.iter().map(|x| x / largest).collect()).collect()
}

/// Σ x x' over rows, `[width, width]`.
fn products(rows: &[Vec<f64>], width: usize) -> Vec<Vec<f64>> {
    let mut products = vec![vec![0.0; width]; width];
    for row in rows {
        for (line, x) in products.iter_mut().zip(row) {
            line.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
        }
    }
    products
}
