//! Data without clusters that look like the data otherwise.

mod axes;
pub(in crate::choose) mod boxed;
pub(in crate::choose) mod copula;
pub(in crate::choose) mod one_peaked;

use crate::choose::copies::Copies;
use crate::choose::generator::{Generator, Stream};
use crate::choose::references::boxed::Boxed;
use crate::choose::references::copula::Copula;
use crate::choose::table::Table;

/// How data without clusters are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::choose) enum Kind {
    /// Uniform in a box along the principal axes.
    Box,
    /// One-peaked columns with the rank correlations of the data.
    Copula,
}

/// Makes data without clusters.
pub(in crate::choose) struct References<'a> {
    table: &'a Table,
    copies: &'a Copies,
    boxed: Boxed,
    copula: Copula<'a>,
}

impl<'a> References<'a> {
    pub(in crate::choose) fn new(table: &'a Table, copies: &'a Copies) -> Self {
        Self { table, copies, boxed: Boxed::of(table), copula: Copula::of(table) }
    }

    /// The `draw`-th data set of a kind, with as many rows as the data, and as many copies if these
    /// are kept together; rows one after the other.
    pub(in crate::choose) fn draw(&self, kind: Kind, draw: usize, seed: u64) -> Vec<f64> {
        let together = self.copies.together;
        let rows = if together { self.copies.n_different() } else { self.table.n_rows };
        let values = match kind {
            Kind::Box => self.boxed.draw(rows, &mut Generator::new(seed, Stream::Box, draw)),
            Kind::Copula => self.copula.draw(rows, &mut Generator::new(seed, Stream::Copula, draw)),
        };
        if together { self.repeated(&values) } else { values }
    }

    /// Every row as often as the different row of the same number occurs in the data.
    fn repeated(&self, values: &[f64]) -> Vec<f64> {
        let rows = values.chunks_exact(self.table.width.max(1)).zip(&self.copies.groups);
        rows.flat_map(|(row, copies)| row.repeat(copies.len())).collect()
    }
}
