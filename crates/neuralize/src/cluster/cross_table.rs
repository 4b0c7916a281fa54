//! Clusters beside known classes: counts, agreement, and which class a cluster is.

use crate::error::{Error, Result};

/// Share of the rows that matched clusters and classes have to have in common so that clusters may
/// be called by their classes.
pub const MATCHED_ROWS: f64 = 0.9;

/// Share of the rows of every matched class that its cluster has to hold.
pub const MATCHED_CLASS: f64 = 0.8;

/// How many rows of every cluster are in every class.
///
/// ```
/// use neuralize::cluster::CrossTable;
///
/// let classes = [Some(1), Some(1), Some(0), Some(0), None];
/// let table = CrossTable::of(&[0, 0, 1, 1, 1], &classes, 2, 2)?;
/// assert_eq!(table.row(0), [(1, 2)]);
/// assert_eq!(table.agreement().adjusted_rand, 1.0);
/// assert_eq!(table.one_to_one(), Some(vec![Some(1), Some(0)]));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrossTable {
    /// The classes of every cluster that it has rows of, with the number of these rows, `[K]`.
    cells: Vec<Vec<(usize, usize)>>,
    /// Number of rows of every class.
    class_counts: Vec<usize>,
}

/// How far clusters agree with classes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// Rand index, adjusted for chance: 1 for the same groups, about 0 for random ones (Hubert and
    /// Arabie, "Comparing partitions", 1985).
    pub adjusted_rand: f64,
    /// 1 if every cluster has rows of one class only.
    pub homogeneity: f64,
    /// 1 if every class has rows in one cluster only.
    pub completeness: f64,
    /// Harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg, "V-Measure", 2007).
    pub v_measure: f64,
}

impl CrossTable {
    /// Counts rows by cluster, `[N]`, and class, `[N]`. Rows without a class are left out.
    ///
    /// # Errors
    ///
    /// Lists of different lengths, a cluster or a class that does not exist.
    pub fn of(
        clusters: &[usize],
        classes: &[Option<usize>],
        n_clusters: usize,
        n_classes: usize,
    ) -> Result<Self> {
        if classes.len() != clusters.len() {
            let expected = format!("[{}]", clusters.len());
            return Err(Error::shape("the list of classes", expected, &[classes.len()]));
        }
        let mut pairs = Vec::new();
        let mut class_counts = vec![0; n_classes];
        for (row, (&cluster, &class)) in clusters.iter().zip(classes).enumerate() {
            let wrong = |what: &str, found, count| {
                Err(Error::Number { what: what.to_owned(), row, found, count })
            };
            if cluster >= n_clusters {
                return wrong("the list of clusters", cluster, n_clusters);
            }
            let Some(class) = class else { continue };
            let Some(count) = class_counts.get_mut(class) else {
                return wrong("the list of classes", class, n_classes);
            };
            *count += 1;
            pairs.push((cluster, class));
        }
        pairs.sort_unstable();
        let mut cells = vec![Vec::new(); n_clusters];
        for same in pairs.chunk_by(|a, b| a == b) {
            cells[same[0].0].push((same[0].1, same.len()));
        }
        Ok(Self { cells, class_counts })
    }

    /// The classes that a cluster has rows of, in their order, with the number of these rows.
    pub fn row(&self, cluster: usize) -> &[(usize, usize)] {
        self.cells.get(cluster).map_or(&[], Vec::as_slice)
    }

    /// Number of rows of a cluster that are of a class.
    pub fn count(&self, cluster: usize, class: usize) -> usize {
        let row = self.row(cluster);
        row.binary_search_by_key(&class, |cell| cell.0).map_or(0, |at| row[at].1)
    }

    /// Share of the rows of a cluster (with a class) that are of a class; `None` for a cluster
    /// without rows.
    pub fn share(&self, cluster: usize, class: usize) -> Option<f64> {
        let size = self.size(cluster);
        (size > 0).then(|| self.count(cluster, class) as f64 / size as f64)
    }

    /// Number of rows of a cluster that have a class.
    pub fn size(&self, cluster: usize) -> usize {
        self.row(cluster).iter().map(|cell| cell.1).sum()
    }

    /// Number of rows of every class.
    pub fn class_counts(&self) -> &[usize] {
        &self.class_counts
    }

    /// Number of rows that have a class.
    pub fn n_rows(&self) -> usize {
        self.class_counts.iter().sum()
    }

    /// Number of rows that are of the class of their cluster, by `class_of`, `[K]`.
    pub fn agreeing(&self, class_of: &[Option<usize>]) -> usize {
        let pairs = class_of.iter().enumerate();
        pairs.filter_map(|(cluster, class)| Some(self.count(cluster, (*class)?))).sum()
    }

    /// How far clusters agree with classes, as scikit-learn's `adjusted_rand_score` and
    /// `homogeneity_completeness_v_measure`.
    pub fn agreement(&self) -> Agreement {
        let (homogeneity, completeness) = self.homogeneity_and_completeness();
        let sum = homogeneity + completeness;
        let v_measure = if sum > 0.0 { 2.0 * homogeneity * completeness / sum } else { 0.0 };
        Agreement { adjusted_rand: self.adjusted_rand(), homogeneity, completeness, v_measure }
    }

    fn counts(&self) -> impl Iterator<Item = usize> + '_ {
        self.cells.iter().flatten().map(|cell| cell.1)
    }

    fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.cells.len()).map(|cluster| self.size(cluster))
    }

    fn adjusted_rand(&self) -> f64 {
        let squares = |counts: &mut dyn Iterator<Item = usize>| -> u128 {
            counts.map(|count| (count as u128).pow(2)).sum()
        };
        let together = squares(&mut self.counts());
        let by_cluster = squares(&mut self.sizes());
        let by_class = squares(&mut self.class_counts.iter().copied());
        let all = (self.n_rows() as u128).pow(2);
        // Pairs of rows that are together in one of the two only, or in none.
        let (cluster_only, class_only) = (by_cluster - together, by_class - together);
        if cluster_only == 0 && class_only == 0 {
            return 1.0;
        }
        let apart = all - by_cluster - class_only;
        let both = together - self.n_rows() as u128;
        let [both, cluster_only, class_only, apart] =
            [both, cluster_only, class_only, apart].map(|pairs| pairs as f64);
        let chance = (both + class_only) * (class_only + apart)
            + (both + cluster_only) * (cluster_only + apart);
        2.0 * (both * apart - class_only * cluster_only) / chance
    }

    fn homogeneity_and_completeness(&self) -> (f64, f64) {
        let rows = self.n_rows() as f64;
        let entropy = |counts: &mut dyn Iterator<Item = usize>| -> f64 {
            let shares = counts.filter(|count| *count > 0).map(|count| count as f64 / rows);
            -shares.map(|share| share * share.ln()).sum::<f64>()
        };
        let of_clusters = entropy(&mut self.sizes());
        let of_classes = entropy(&mut self.class_counts.iter().copied());
        let shared = self.mutual_information();
        let part = |entropy: f64| {
            if entropy > 0.0 { (shared / entropy).clamp(0.0, 1.0) } else { 1.0 }
        };
        (part(of_classes), part(of_clusters))
    }

    fn mutual_information(&self) -> f64 {
        let rows = self.n_rows() as f64;
        let mut sum = 0.0;
        for (cluster, cells) in self.cells.iter().enumerate() {
            let size = self.size(cluster) as f64;
            for &(class, count) in cells {
                let (count, of_class) = (count as f64, self.class_counts[class] as f64);
                sum += count / rows * (count * rows / (size * of_class)).ln();
            }
        }
        sum
    }

    /// The class that every cluster may be called by, `[K]`, if clusters and classes are nearly one
    /// to one; otherwise `None`.
    ///
    /// Every class belongs to the cluster that holds most of its rows, and a cluster is matched
    /// with the largest part that belongs to it. They are nearly one to one if matched clusters and
    /// classes have at least 90 % of the rows in common ([`MATCHED_ROWS`]), and every matched class
    /// has at least 80 % of its rows in its cluster ([`MATCHED_CLASS`]). Wherever the matching with
    /// the most rows in common satisfies this, it is the one found, up to ties.
    pub fn one_to_one(&self) -> Option<Vec<Option<usize>>> {
        let mut home: Vec<Option<(usize, usize)>> = vec![None; self.class_counts.len()];
        for (cluster, cells) in self.cells.iter().enumerate() {
            for &(class, count) in cells {
                if home[class].is_none_or(|(most, _)| count > most) {
                    home[class] = Some((count, cluster));
                }
            }
        }
        let mut matched: Vec<Option<(usize, usize)>> = vec![None; self.cells.len()];
        for (class, found) in home.iter().enumerate() {
            if let Some((count, cluster)) = *found
                && matched[cluster].is_none_or(|(most, _)| count > most)
            {
                matched[cluster] = Some((count, class));
            }
        }
        let pairs = || matched.iter().flatten();
        let common: usize = pairs().map(|(count, _)| count).sum();
        let holds = |(count, class): &(usize, usize)| {
            *count as f64 / self.class_counts[*class] as f64 >= MATCHED_CLASS
        };
        let is_near = common > 0
            && common as f64 / self.n_rows() as f64 >= MATCHED_ROWS
            && pairs().all(holds);
        is_near.then(|| matched.iter().map(|pair| pair.map(|(_, class)| class)).collect())
    }
}
