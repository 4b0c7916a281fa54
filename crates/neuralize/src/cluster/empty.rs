//! Empty clusters: each takes over a row that is far from its own centroid, as
//! in scikit-learn. It happens rarely, so it is done on the host.

use std::vec::IntoIter;

/// The rows that an empty cluster may take over, by falling distance from their
/// own centroids; the first of equally far ones comes first.
pub(super) fn farthest_first(
    distances: &[f64],
    eligible: impl Fn(usize) -> bool,
) -> IntoIter<usize> {
    let mut rows: Vec<usize> = (0..distances.len()).filter(|&row| eligible(row)).collect();
    rows.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
    rows.into_iter()
}

/// The clusters without members.
pub(super) fn empty_clusters(members: &[usize]) -> Vec<usize> {
    (0..members.len()).filter(|&k| members[k] == 0).collect()
}

/// Moves rows into empty clusters. A cluster never gives away its last member,
/// and every row is tried once.
pub(super) struct Relocation<'a> {
    rows: IntoIter<usize>,
    labels: &'a mut [usize],
    members: Vec<usize>,
}

impl<'a> Relocation<'a> {
    pub(super) fn new(rows: IntoIter<usize>, labels: &'a mut [usize], members: Vec<usize>) -> Self {
        Self { rows, labels, members }
    }

    /// The next row that its cluster can spare and that `accept` gives something
    /// for. It stays in its cluster until it is [moved](Self::assign).
    pub(super) fn next<T>(
        &mut self,
        mut accept: impl FnMut(usize) -> Option<T>,
    ) -> Option<(usize, T)> {
        self.rows.by_ref().find_map(|row| {
            if self.members[self.labels[row]] < 2 {
                return None;
            }
            accept(row).map(|found| (row, found))
        })
    }

    /// Moves a row to an empty cluster. Returns the cluster that it leaves.
    pub(super) fn assign(&mut self, row: usize, cluster: usize) -> usize {
        let donor = core::mem::replace(&mut self.labels[row], cluster);
        self.members[donor] -= 1;
        donor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_rows_are_taken_first_and_no_cluster_is_emptied() {
        let distances = [1.0, 3.0, 3.0, 9.0, 0.0];
        let mut labels = [0, 0, 0, 1, 0];
        let rows = farthest_first(&distances, |row| distances[row] > 0.0);
        assert_eq!(rows.as_slice(), [3, 1, 2, 0]);
        let mut relocation = Relocation::new(rows, &mut labels, vec![4, 1, 0, 0]);
        // Row 3 is the last of its cluster, row 1 is refused.
        let accepted = relocation.next(|row| (row != 1).then_some("taken"));
        assert_eq!(accepted, Some((2, "taken")));
        assert_eq!(relocation.assign(2, 2), 0);
        assert_eq!(relocation.next(Some), Some((0, 0)));
        assert_eq!(relocation.assign(0, 3), 0);
        assert_eq!(relocation.next(Some), None);
        assert_eq!(labels, [3, 0, 2, 1, 0]);
    }
}
