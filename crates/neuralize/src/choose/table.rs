//! The rows that are judged: few enough to be copied.

use crate::choose::Rows;

/// A table with rows, `[n, width]`, and the columns of every category.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::choose) struct Table {
    pub(in crate::choose) values: Vec<f64>,
    pub(in crate::choose) width: usize,
    pub(in crate::choose) n_rows: usize,
    pub(in crate::choose) groups: Vec<Vec<usize>>,
}

impl Table {
    /// Some rows of a table, without the columns that are constant in them.
    pub(in crate::choose) fn of(rows: &Rows<'_>, chosen: &[usize]) -> Self {
        let all = rows.values();
        let width = rows.n_columns();
        let of_row = |row: &usize| all.get(row * width..(row + 1) * width).unwrap_or(&[]);
        let values = chosen.iter().flat_map(of_row).copied().collect();
        let groups = rows.groups().iter().map(|group| group.clone().collect()).collect();
        Self { values, width, n_rows: chosen.len(), groups }.without_constants()
    }

    /// Some of its rows, without the columns that are constant in them.
    pub(in crate::choose) fn select(&self, chosen: &[usize]) -> Self {
        let values = self.gather(chosen);
        let groups = self.groups.clone();
        Self { values, width: self.width, n_rows: chosen.len(), groups }.without_constants()
    }

    /// Rows one after the other, `[chosen, width]`.
    pub(in crate::choose) fn gather(&self, chosen: &[usize]) -> Vec<f64> {
        chosen.iter().flat_map(|row| self.row(*row)).copied().collect()
    }

    pub(in crate::choose) fn row(&self, row: usize) -> &[f64] {
        self.values.get(row * self.width..(row + 1) * self.width).unwrap_or(&[])
    }

    pub(in crate::choose) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.n_rows).map(|row| self.row(row))
    }

    pub(in crate::choose) fn column(&self, column: usize) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().skip(column).step_by(self.width.max(1)).copied()
    }

    /// The columns that belong to no category.
    pub(in crate::choose) fn single_columns(&self) -> Vec<usize> {
        let is_single = |column: &usize| !self.groups.iter().any(|group| group.contains(column));
        (0..self.width).filter(is_single).collect()
    }

    fn without_constants(self) -> Self {
        let varies = |column: &usize| {
            let mut values = self.column(*column);
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        let kept: Vec<usize> = (0..self.width).filter(varies).collect();
        if kept.len() == self.width {
            return self;
        }
        let of_row = |row: &[f64]| -> Vec<f64> {
            kept.iter().filter_map(|column| row.get(*column)).copied().collect()
        };
        let values = self.rows().flat_map(of_row).collect();
        let place = |column: &usize| kept.binary_search(column).ok();
        let groups = self.groups.iter().map(|group| group.iter().filter_map(place).collect());
        let groups = groups.filter(|group: &Vec<usize>| !group.is_empty()).collect();
        Self { values, width: kept.len(), n_rows: self.n_rows, groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_columns_are_left_out() {
        let values = [1.0, 5.0, 0.0, 1.0, 2.0, 5.0, 0.0, 0.0, 2.0, 6.0, 0.0, 0.0];
        let rows = Rows::new(&values, 4).and_then(|rows| rows.with_group(2..4));
        let table = Table::of(&rows.expect("rows"), &[0, 1]);
        assert_eq!((table.values, table.width), (vec![1.0, 1.0, 2.0, 0.0], 2));
        assert_eq!(table.groups, [[1]]);
        let rows = Rows::new(&values, 4).and_then(|rows| rows.with_group(2..4));
        let table = Table::of(&rows.expect("rows"), &[0, 1, 2]).select(&[1, 2]);
        assert_eq!((table.values.as_slice(), table.width), (&[5.0, 6.0][..], 1));
        assert!(table.groups.is_empty());
        let table = table.select(&[0]);
        assert_eq!((table.width, table.n_rows, table.rows().count()), (0, 1, 1));
    }
}
