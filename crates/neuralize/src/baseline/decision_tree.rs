//! A decision tree for the clusters of data.

use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters,
};

/// A decision tree for the clusters of data, and the share of every cluster in
/// the data that reach each node.
#[derive(Debug)]
pub(super) struct DecisionTree {
    depth: usize,
    tree: Nodes,
    /// The share of every cluster, for every node.
    shares: Vec<Vec<f64>>,
}

/// The nodes of a tree, the root first, as the crate `smartcore` serialises them: it
/// has no other way to read the splits.
#[derive(Debug, Deserialize)]
struct Nodes {
    nodes: Vec<TreeNode>,
}

#[derive(Debug, Default, Deserialize)]
struct TreeNode {
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

type Classifier = DecisionTreeClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

impl DecisionTree {
    /// Fits a tree of at most `depth` splits from the root to a leaf by Gini's
    /// impurity, or says why it cannot. No random number is drawn.
    ///
    /// `values` are the data row by row, `members` the rows of every cluster.
    pub(super) fn fit(
        values: &[f64],
        [rows, features]: [usize; 2],
        members: &[Vec<usize>],
        depth: usize,
    ) -> Result<Self, String> {
        let mut labels = vec![0; rows];
        for (cluster, members) in members.iter().enumerate() {
            members.iter().for_each(|row| labels[*row] = cluster);
        }
        let tree = match members.iter().filter(|members| !members.is_empty()).count() {
            // One cluster cannot be told from others.
            0 | 1 => Nodes { nodes: vec![TreeNode::default()] },
            _ => Nodes::fit(values, [rows, features], &labels, depth)?,
        };

        let mut shares = vec![vec![0.0; members.len()]; tree.nodes.len()];
        for (row, label) in values.chunks(features).zip(labels) {
            tree.path(row).for_each(|(node, _)| shares[node][label] += 1.0);
        }
        for node in &mut shares {
            let total = node.iter().sum::<f64>().max(1.0);
            node.iter_mut().for_each(|count| *count /= total);
        }
        Ok(Self { depth, tree, shares })
    }

    /// The maximum number of splits from the root to a leaf.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// What every feature of a row contributes to the share of a cluster, or to the
    /// difference of the shares of two clusters.
    pub(super) fn contributions(&self, row: &[f64], own: usize, versus: Option<usize>) -> Vec<f64> {
        let share = |node: usize| {
            let shares = &self.shares[node];
            shares[own] - versus.map_or(0.0, |versus| shares[versus])
        };
        let mut relevance = vec![0.0; row.len()];
        let mut before = share(0);
        for (node, feature) in self.tree.path(row) {
            if let Some(feature) = feature {
                relevance[feature] += share(node) - before;
                before = share(node);
            }
        }
        relevance
    }
}

impl Nodes {
    /// The nodes from the root to the leaf of a row, each with the feature of the
    /// split that leads to it.
    fn path(&self, row: &[f64]) -> impl Iterator<Item = (usize, Option<usize>)> {
        std::iter::successors(Some((0, None)), |(at, _)| {
            let node = self.nodes.get(*at)?;
            let low = row.get(node.split_feature)? <= &node.split_value?;
            let child = if low { node.true_child } else { node.false_child };
            Some((child?, Some(node.split_feature)))
        })
    }

    fn fit(
        values: &[f64],
        [rows, features]: [usize; 2],
        labels: &[usize],
        depth: usize,
    ) -> Result<Self, String> {
        // smartcore counts levels of nodes, the root's as the first.
        let levels = u16::try_from(depth.saturating_add(1)).unwrap_or(u16::MAX);
        let parameters = DecisionTreeClassifierParameters::default().with_max_depth(levels);
        let labels: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
        let table = DenseMatrix::new(rows, features, values.to_vec(), false);
        let table = table.map_err(|error| error.to_string())?;
        let tree =
            Classifier::fit(&table, &labels, parameters).map_err(|error| error.to_string())?;
        let written = serde_json::to_value(&tree).map_err(|error| error.to_string())?;
        serde_json::from_value(written).map_err(|error| error.to_string())
    }
}
