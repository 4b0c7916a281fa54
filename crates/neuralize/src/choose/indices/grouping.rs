//! Clusters by number.

/// Clusters that have rows, numbered without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::choose) struct Grouping {
    /// The cluster of every row, `[N]`, below K.
    pub(in crate::choose) labels: Vec<usize>,
    /// The rows of every cluster, `[K]`, at least 1.
    pub(in crate::choose) sizes: Vec<usize>,
}

impl Grouping {
    pub(in crate::choose) fn of(labels: &[usize]) -> Self {
        let mut numbers = labels.to_vec();
        numbers.sort_unstable();
        let sizes = numbers.chunk_by(|a, b| a == b).map(<[usize]>::len).collect();
        numbers.dedup();
        let place = |label: &usize| numbers.binary_search(label).unwrap_or(0);
        Self { labels: labels.iter().map(place).collect(), sizes }
    }

    /// Whether there is more than one cluster and not as many as rows.
    pub(in crate::choose) fn is_comparable(&self) -> bool {
        (2..self.labels.len()).contains(&self.sizes.len())
    }
}
