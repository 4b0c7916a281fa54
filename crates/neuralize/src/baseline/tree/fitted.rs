use burn::tensor::backend::Backend;
use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters,
};

use crate::baseline::Scene;
use crate::error::{Error, Result};
use crate::transfer;

/// A decision tree for the clusters of the data, and how many of the data of
/// every cluster come by each of its nodes.
#[derive(Debug)]
pub(in crate::baseline) struct Fitted {
    depth: usize,
    tree: Nodes,
    /// The share of every cluster, for every node.
    shares: Vec<Vec<f64>>,
}

/// The nodes of a tree, the root first, in the form that the crate which fits
/// it writes and reads; there is no other way to its splits.
#[derive(Debug, Deserialize)]
struct Nodes {
    nodes: Vec<Node>,
}

#[derive(Debug, Default, Deserialize)]
struct Node {
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

type Classifier = DecisionTreeClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

impl Fitted {
    /// The tree by Gini's impurity of at most so many splits on a way. No
    /// random number is drawn.
    pub(super) fn to<B: Backend>(scene: &Scene<'_, B>, depth: usize) -> Result<Self> {
        let [rows, features] = scene.data().dims();
        let values = transfer::download(scene.data().clone());
        let mut labels = vec![0; rows];
        for (cluster, members) in scene.members().iter().enumerate() {
            members.iter().for_each(|row| labels[*row] = cluster);
        }
        let tree = match scene.members().iter().filter(|members| !members.is_empty()).count() {
            // One cluster cannot be told from others.
            0 | 1 => Nodes { nodes: vec![Node::default()] },
            _ => fit(&values, [rows, features], &labels, depth).map_err(|reason| {
                Error::Config { name: "method", value: "tree-surrogate".into(), rule: reason }
            })?,
        };

        let mut shares = vec![vec![0.0; scene.members().len()]; tree.nodes.len()];
        for (row, label) in values.chunks(features).zip(labels) {
            tree.way(row).for_each(|(node, _)| shares[node][label] += 1.0);
        }
        for node in &mut shares {
            let total = node.iter().sum::<f64>().max(1.0);
            node.iter_mut().for_each(|count| *count /= total);
        }
        Ok(Self { depth, tree, shares })
    }

    /// Most splits on a way.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// What every feature of a row contributes to the share of a cluster, less
    /// that of another one.
    pub(super) fn contributions(&self, row: &[f64], own: usize, versus: Option<usize>) -> Vec<f64> {
        let share = |node: usize| {
            let shares = &self.shares[node];
            shares[own] - versus.map_or(0.0, |versus| shares[versus])
        };
        let mut relevance = vec![0.0; row.len()];
        let mut before = share(0);
        for (node, feature) in self.tree.way(row) {
            if let Some(feature) = feature {
                relevance[feature] += share(node) - before;
                before = share(node);
            }
        }
        relevance
    }
}

impl Nodes {
    /// The nodes that a row comes by, the root first, each with the feature
    /// that it was split from its parent by.
    fn way(&self, row: &[f64]) -> impl Iterator<Item = (usize, Option<usize>)> {
        std::iter::successors(Some((0, None)), |(at, _)| {
            let node = self.nodes.get(*at)?;
            let low = row.get(node.split_feature)? <= &node.split_value?;
            let child = if low { node.true_child } else { node.false_child };
            Some((child?, Some(node.split_feature)))
        })
    }
}

/// The tree itself, or why there is none.
fn fit(
    values: &[f64],
    [rows, features]: [usize; 2],
    labels: &[usize],
    depth: usize,
) -> Result<Nodes, String> {
    // It counts levels of nodes, the root's as the first.
    let levels = u16::try_from(depth.saturating_add(1)).unwrap_or(u16::MAX);
    let parameters = DecisionTreeClassifierParameters::default().with_max_depth(levels);
    let labels: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
    let table = DenseMatrix::new(rows, features, values.to_vec(), false);
    let table = table.map_err(|error| error.to_string())?;
    let tree = Classifier::fit(&table, &labels, parameters).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&tree).map_err(|error| error.to_string())?;
    serde_json::from_value(written).map_err(|error| error.to_string())
}
