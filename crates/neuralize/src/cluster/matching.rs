//! Clusters matched with known classes.

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;

/// The one-to-one matching of clusters with classes in which the most points
/// agree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matching {
    /// The class of every cluster; `None` for clusters left over if there are
    /// fewer classes.
    pub class_of: Vec<Option<usize>>,
    /// The number of points whose class is that of their cluster.
    pub agreeing: usize,
}

/// Matches clusters with classes one to one so that the most points agree, by
/// the algorithm of Kuhn and Munkres.
///
/// Points whose cluster or class is out of range, and points beyond the end of
/// the shorter list, are not counted.
///
/// ```
/// use neuralize::cluster::match_to_classes;
///
/// let matching = match_to_classes(&[0, 0, 1, 1], &[1, 1, 0, 1], 2, 2);
/// assert_eq!(matching.class_of, [Some(1), Some(0)]);
/// assert_eq!(matching.agreeing, 3);
/// ```
pub fn match_to_classes(
    clusters: &[usize],
    classes: &[usize],
    n_clusters: usize,
    n_classes: usize,
) -> Matching {
    if n_clusters == 0 {
        return Matching { class_of: Vec::new(), agreeing: 0 };
    }
    // With fewer classes than clusters, the clusters left over are matched with
    // classes that no point has.
    let mut together = Matrix::new(n_clusters, n_clusters.max(n_classes), 0i64);
    for (&cluster, &class) in clusters.iter().zip(classes) {
        if cluster < n_clusters && class < n_classes {
            together[(cluster, class)] += 1;
        }
    }
    let (agreeing, class_of) = kuhn_munkres(&together);
    Matching {
        class_of: class_of.into_iter().map(|class| (class < n_classes).then_some(class)).collect(),
        agreeing: usize::try_from(agreeing).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_clusters_than_classes() {
        let matching = match_to_classes(&[0, 1, 2, 2], &[0, 0, 1, 1], 3, 2);
        assert_eq!(matching.agreeing, 3);
        assert_eq!(matching.class_of[2], Some(1));
        assert_eq!(matching.class_of.iter().filter(|class| class.is_none()).count(), 1);
    }

    /// A column of mostly different values, such as a price, must not take hours.
    #[test]
    fn many_classes() {
        let clusters: Vec<usize> = (0..20_000).map(|i| i % 5).collect();
        let classes: Vec<usize> = (0..20_000).map(|i: usize| i.saturating_sub(9_999)).collect();
        let matching = match_to_classes(&clusters, &classes, 5, 10_001);
        assert_eq!(matching.agreeing, 2_000 + 4);
    }

    #[test]
    fn nothing_to_match() {
        assert_eq!(match_to_classes(&[], &[], 0, 0).agreeing, 0);
        assert_eq!(match_to_classes(&[], &[], 2, 0).class_of, [None, None]);
    }
}
