//! Chooses the points that a page lists and those that it shows in full.

/// Maximum number of points that are listed: on the map and in the table.
const MAX_LISTED: usize = 10_000;
/// Number of typical and of ambiguous points that the card of a cluster names.
const NAMED: usize = 5;

/// Rows of the data: those that are listed and detailed in ascending order.
pub(super) struct Choice {
    /// In the table and on the map.
    pub(super) listed: Vec<usize>,
    /// Shown in full; a subset of the listed.
    pub(super) detailed: Vec<usize>,
    /// For every cluster, the points nearest to its centroid, nearest first.
    pub(super) typical: Vec<Vec<usize>>,
    /// For every cluster, the points with the largest logits, largest first.
    pub(super) farthest: Vec<Vec<usize>>,
    /// For every cluster, the points with the smallest logits, smallest first.
    pub(super) ambiguous: Vec<Vec<usize>>,
}

impl Choice {
    /// Typical and ambiguous points and the farthest ones come first, then the misplaced ones;
    /// other points fill the remaining places evenly. `distance` is that to the own centroid.
    pub(super) fn new(
        cluster: &[usize],
        logit: &[f64],
        distance: &[f64],
        misplaced: &[bool],
        clusters: usize,
        max_detailed: usize,
    ) -> Self {
        let mut members = vec![Vec::new(); clusters];
        for (row, &own) in cluster.iter().enumerate() {
            members[own].push(row);
        }
        for own in &mut members {
            own.sort_by(|a, b| logit[*a].total_cmp(&logit[*b]));
        }
        let ambiguous: Vec<Vec<usize>> =
            members.iter().map(|own| own.iter().copied().take(NAMED).collect()).collect();
        let farthest: Vec<Vec<usize>> =
            members.iter().map(|own| own.iter().rev().copied().take(NAMED).collect()).collect();
        for own in &mut members {
            own.sort_by(|a, b| distance[*a].total_cmp(&distance[*b]).then(a.cmp(b)));
        }
        let typical: Vec<Vec<usize>> =
            members.iter().map(|own| own.iter().copied().take(NAMED).collect()).collect();

        // Rank by rank, so that the clusters share limited places evenly.
        let named = (0..NAMED).flat_map(|rank| {
            let of = move |list: &Vec<usize>| list.get(rank).copied();
            [&ambiguous, &typical, &farthest]
                .into_iter()
                .flatten()
                .filter_map(of)
                .collect::<Vec<_>>()
        });
        let misplaced = misplaced.iter().enumerate().filter(|(_, is)| **is).map(|(row, _)| row);
        let wanted: Vec<usize> = named.chain(misplaced).collect();
        let all: Vec<usize> = (0..cluster.len()).collect();
        let listed = filled(&wanted, &all, MAX_LISTED);
        let detailed = filled(&wanted, &listed, max_detailed);
        Self { listed, detailed, typical, farthest, ambiguous }
    }

    /// Index of a row among the detailed.
    pub(super) fn detail_of(&self, row: usize) -> Option<usize> {
        self.detailed.binary_search(&row).ok()
    }
}

/// At most `max` of the rows: the wanted ones first, then others evenly.
fn filled(wanted: &[usize], rows: &[usize], max: usize) -> Vec<usize> {
    if rows.len() <= max {
        return rows.to_vec();
    }
    let mut chosen = std::collections::BTreeSet::new();
    for &row in wanted {
        if chosen.len() < max && rows.binary_search(&row).is_ok() {
            chosen.insert(row);
        }
    }
    let rest: Vec<usize> = rows.iter().copied().filter(|row| !chosen.contains(row)).collect();
    let room = max - chosen.len();
    chosen.extend(evenly(&rest, room));
    chosen.into_iter().collect()
}

/// At most `max` of the rows, evenly spaced.
pub(super) fn evenly(rows: &[usize], max: usize) -> Vec<usize> {
    let count = rows.len().min(max);
    (0..count).map(|i| rows[i * rows.len() / count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_where_there_is_room() {
        let choice = Choice::new(&[0, 1, 0], &[3.0, 2.0, 1.0], &[0.5, 1.0, 0.25], &[], 2, 10);
        assert_eq!((choice.listed, choice.detailed), (vec![0, 1, 2], vec![0, 1, 2]));
        assert_eq!(choice.farthest, [vec![0, 2], vec![1]]);
        assert_eq!(choice.typical, [vec![2, 0], vec![1]]);
        assert_eq!(choice.ambiguous, [vec![2, 0], vec![1]]);
    }

    #[test]
    fn named_and_misplaced_points_come_first() {
        let rows = 3 * MAX_LISTED;
        let cluster: Vec<usize> = (0..rows).map(|row| row % 3).collect();
        let logit: Vec<f64> = (0..rows).map(|row| ((row * 7919) % rows) as f64).collect();
        let distance: Vec<f64> = (0..rows).map(|row| ((row * 104_729) % rows) as f64).collect();
        let misplaced: Vec<bool> = (0..rows).map(|row| row % 1000 == 17).collect();
        let choice = Choice::new(&cluster, &logit, &distance, &misplaced, 3, 100);
        assert_eq!((choice.listed.len(), choice.detailed.len()), (MAX_LISTED, 100));
        for list in [&choice.typical, &choice.farthest, &choice.ambiguous].into_iter().flatten() {
            assert_eq!(list.len(), NAMED);
            assert!(list.iter().all(|row| choice.detail_of(*row).is_some()));
        }
        for row in (17..rows).step_by(1000) {
            assert!(choice.detail_of(row).is_some() && choice.listed.binary_search(&row).is_ok());
        }
        // The largest and the smallest logit of cluster 0.
        let of = |row: &usize| (logit[*row], *row);
        let own = || (0..rows).step_by(3);
        let largest = own().max_by(|a, b| of(a).0.total_cmp(&of(b).0));
        assert_eq!(choice.farthest[0].first(), largest.as_ref());
        let nearest = own().min_by(|a, b| distance[*a].total_cmp(&distance[*b]));
        assert_eq!(choice.typical[0].first(), nearest.as_ref());
        assert!(choice.detailed.is_sorted() && choice.listed.is_sorted());
        // The rest is spread over the whole.
        assert!(choice.listed.windows(2).all(|pair| pair[1] - pair[0] <= 4));
    }

    #[test]
    fn less_room_than_named_points() {
        let cluster: Vec<usize> = (0..500).map(|row| row % 50).collect();
        let logit = vec![1.0; 500];
        let choice = Choice::new(&cluster, &logit, &logit, &[], 50, 60);
        assert_eq!(choice.detailed.len(), 60);
        // Every cluster has its most ambiguous point in full.
        assert!(choice.ambiguous.iter().all(|list| choice.detail_of(list[0]).is_some()));
    }
}
