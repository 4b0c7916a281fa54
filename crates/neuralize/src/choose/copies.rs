//! Rows that occur more than once.

use std::cmp::Ordering;

use crate::choose::table::Table;

/// A column with at most so many different values, and at most a third as many as rows, is
/// discrete.
pub(in crate::choose) const FEW_VALUES: usize = 20;

/// The different rows of a table and their copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::choose) struct Copies {
    /// The rows that are the same, for every different one.
    pub(in crate::choose) groups: Vec<Vec<usize>>,
    /// The different row that a row is, `[n]`.
    pub(in crate::choose) of_row: Vec<usize>,
    /// Whether copies are drawn together. Identical rows of a table whose columns have few values
    /// are no copies.
    pub(in crate::choose) together: bool,
}

impl Copies {
    pub(in crate::choose) fn of(table: &Table) -> Self {
        let mut order: Vec<usize> = (0..table.n_rows).collect();
        order.sort_by(|a, b| compare(table.row(*a), table.row(*b)).then(a.cmp(b)));
        let same = |a: &usize, b: &usize| table.row(*a) == table.row(*b);
        let groups: Vec<Vec<usize>> = order.chunk_by(same).map(<[usize]>::to_vec).collect();
        let mut of_row = vec![0; table.n_rows];
        for (number, group) in groups.iter().enumerate() {
            for row in group {
                of_row.get_mut(*row).into_iter().for_each(|place| *place = number);
            }
        }
        let has_many = |column: &usize| distinct(table.column(*column)) > FEW_VALUES;
        let together = groups.len() < table.n_rows && table.single_columns().iter().any(has_many);
        Self { groups, of_row, together }
    }

    /// The number of different rows.
    pub(in crate::choose) fn n_different(&self) -> usize {
        self.groups.len()
    }
}

fn compare(one: &[f64], other: &[f64]) -> Ordering {
    one.partial_cmp(other).unwrap_or(Ordering::Equal)
}

fn distinct(values: impl Iterator<Item = f64>) -> usize {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Rows;

    #[test]
    fn copies_are_found() {
        let values = [1.0, 0.0, 0.0, 1.0, 1.0, -0.0, 0.0, 1.0, 0.0, 0.0];
        let table = Table::of(&Rows::new(&values, 2).expect("rows"), &[0, 1, 2, 3, 4]);
        let copies = Copies::of(&table);
        assert_eq!(copies.groups, [vec![4], vec![1, 3], vec![0, 2]]);
        assert_eq!(copies.of_row, [2, 1, 2, 1, 0]);
        assert!(!copies.together);
        let values: Vec<f64> = (0..22).chain([3]).map(f64::from).collect();
        let table = Table::of(&Rows::new(&values, 1).expect("rows"), &Vec::from_iter(0..23));
        assert!(Copies::of(&table).together);
    }
}
