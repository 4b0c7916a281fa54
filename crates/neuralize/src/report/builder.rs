//! Collects the data of a report, part by part.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::choice::Choice;
use super::details::Details;
use super::group::Group;
use crate::cases::{Cases, Classes};
use crate::data::Table;
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Target};
use crate::network::Network;
use crate::profile::ModelProfileBuilder;
use crate::record::Model;
use crate::transfer;

/// Builds a report from data that come in parts, such as chunks of a file. The
/// values stay on the host until the end, because which points the page shows
/// depends on all of them.
pub struct ReportBuilder<'a, B: Backend> {
    pub(super) model: &'a Model<B>,
    pub(super) network: Box<dyn Network<B>>,
    pub(super) title: String,
    pub(super) label: Option<String>,
    pub(super) beta: Beta,
    pub(super) profile: ModelProfileBuilder<'a, B>,
    pub(super) groups: Vec<Group>,
    /// The features of every row, `[N, D]`.
    values: Vec<f64>,
    /// Place of a row among all, and column, of every value that stands for a missing one.
    filled: Vec<(usize, usize)>,
}

/// Maximum number of competitors that a point is contrasted with one by one.
const MAX_CONTRASTS: usize = 32;

/// Maximum number of clusters that are all compared with one another.
const MAX_COMPARED: usize = 32;

/// Of more clusters, every one is compared with so many that are near.
const NEAR: usize = 8;

impl<'a, B: Backend> ReportBuilder<'a, B> {
    /// Starts a report; `title` names what was clustered.
    ///
    /// # Errors
    ///
    /// If the model has only one cluster.
    pub fn new(model: &'a Model<B>, title: &str, beta: Beta) -> Result<Self> {
        let network = model.neuralize()?;
        let pairs = compared(network.as_ref(), model.info().columns().len());
        Ok(Self {
            profile: ModelProfileBuilder::new(model)?.with_pairs(pairs)?,
            model,
            network,
            title: title.to_owned(),
            label: None,
            beta,
            groups: Vec::new(),
            values: Vec::new(),
            filled: Vec::new(),
        })
    }

    /// Sets the name of the column of labels.
    pub fn with_label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// Groups columns under a name: the page shows the sum of their relevances as one, which can be
    /// unfolded.
    ///
    /// # Errors
    ///
    /// If a column does not exist or is in a group already, or the group has fewer than two columns.
    pub fn with_group(
        mut self,
        name: impl Into<String>,
        columns: &[impl AsRef<str>],
    ) -> Result<Self> {
        let known = self.model.info().columns();
        self.groups.push(Group::of(name.into(), columns, &known, &self.groups)?);
        Ok(self)
    }

    /// Adds a part of the data and its explanation for [`Target::Assigned`] and the
    /// β of the report. `rows` are the row numbers of the part in the data, in
    /// ascending order; the columns of the table are the features of the model, in
    /// its order.
    ///
    /// # Shapes
    ///
    /// - rows: n numbers, table: n × D, explanation: of `[n, D]`
    ///
    /// # Errors
    ///
    /// If row numbers, table and explanation differ in their number of rows, the columns of the
    /// table are not the features of the model, the explanation has another target or β, or the row
    /// numbers do not ascend. In these cases the report is unchanged.
    pub fn add(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        table: &Table,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        let rows = self.checked_rows(rows, table, explanation)?;
        let first = self.profile.n_rows();
        self.profile.add(&rows, table, &self.scaled(table)?, explanation)?;
        let filled = table.gaps().filled.iter();
        self.filled.extend(filled.map(|(row, column)| (first + row, *column)));
        self.values.extend((0..table.rows()).filter_map(|row| table.row(row)).flatten());
        Ok(())
    }

    /// The row numbers of a part, if it belongs to this report.
    fn checked_rows(
        &self,
        rows: impl IntoIterator<Item = usize>,
        table: &Table,
        explanation: &Explanation<B>,
    ) -> Result<Vec<usize>> {
        let expected = [table.rows(), self.network.n_features()];
        let found = explanation.relevance.dims();
        if found != expected {
            return Err(Error::shape("the explanation", format!("{expected:?}"), &found));
        }
        self.model.check_columns(table)?;
        let refused = |name, value: String, rule: &str| {
            Err(Error::Config { name, value, rule: rule.to_owned() })
        };
        if explanation.target != Target::Assigned {
            let rule = "a report shows explanations for `Target::Assigned`";
            return refused("target", format!("{:?}", explanation.target), rule);
        }
        if Some(explanation.beta) != self.beta_used() {
            return refused("beta", explanation.beta.to_string(), "it must be the β of the report");
        }
        // One more than needed shows that there are too many, even of an endless iterator.
        let rows: Vec<usize> = rows.into_iter().take(table.rows() + 1).collect();
        if rows.len() != table.rows() {
            let expected = format!("[{}]", table.rows());
            return Err(Error::shape("the list of row numbers", expected, &[rows.len()]));
        }
        let mut before = self.rows().last().copied();
        for &row in &rows {
            if before.is_some_and(|before| before >= row) {
                return refused("rows", row.to_string(), "row numbers must ascend");
            }
            before = Some(row);
        }
        Ok(rows)
    }

    /// The points that the page lists, at most 10 000, for figures. Typical, ambiguous
    /// and misplaced points come first.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn cases(&self) -> Result<Cases> {
        let known = self.known_classes()?;
        let Choice { listed, .. } = self.choice(known.as_ref())?;
        let mut cases = self.explained(&listed)?;
        cases.rows = listed.iter().map(|&at| self.rows()[at]).collect();
        cases.total = self.rows().len();
        cases.ids = self.names_of(&listed);
        cases.classes = known.map(|known| {
            let of: Vec<usize> = listed.iter().map(|&at| known.classes.of[at]).collect();
            let agrees = |(class, cluster): (&usize, &usize)| {
                known.classes.of_cluster[*cluster] == Some(*class)
            };
            let agreeing = of.iter().zip(&cases.cluster).filter(|pair| agrees(*pair)).count();
            let agreeing = known.classes.agreeing.map(|_| agreeing);
            Classes { of, agreeing, ..known.classes }
        });
        Ok(cases)
    }

    /// The numbers of all rows.
    pub(super) fn rows(&self) -> &[usize] {
        self.profile.columns().numbers()
    }

    /// Names of some rows, if all rows have names.
    pub(super) fn names_of(&self, rows: &[usize]) -> Option<Vec<String>> {
        let ids = self.profile.columns().row_names()?;
        if ids.len() != self.profile.n_rows() {
            return None;
        }
        Some(rows.iter().map(|at| ids[*at].clone()).collect())
    }

    pub(super) fn n_contrasts(&self) -> usize {
        (self.network.n_clusters() - 1).min(MAX_CONTRASTS)
    }

    pub(super) fn choice(&self, known: Option<&KnownClasses>) -> Result<Choice> {
        if self.profile.n_rows() == 0 {
            return Err(Error::Empty { what: "the data of the report" });
        }
        let misplaced = known.map(|known| known.misplaced.as_slice()).unwrap_or_default();
        let clusters = self.network.n_clusters();
        let features = self.model.info().columns();
        let capacity = Details::capacity(&features, clusters, self.n_contrasts());
        let profile = &self.profile;
        Ok(Choice::new(
            profile.clusters(),
            profile.logits(),
            profile.distances(),
            misplaced,
            clusters,
            capacity,
        ))
    }

    pub(super) fn beta_used(&self) -> Option<f64> {
        match self.beta {
            Beta::Heuristic => self.network.beta(),
            Beta::Value(value) => Some(value),
        }
    }

    pub(super) fn known_classes(&self) -> Result<Option<KnownClasses>> {
        let Some((of, names)) = self.profile.classes()? else { return Ok(None) };
        let labels = self.model.info().labels.as_deref();
        let cluster = self.profile.clusters();
        let classes = Classes::of(cluster, of, names, self.network.n_clusters(), labels)?;
        let placed = cluster.iter().zip(&classes.of);
        let misplaced = placed.map(|(&cluster, &class)| classes.is_other(cluster, class)).collect();
        Ok(Some(KnownClasses { classes, misplaced }))
    }

    pub(super) fn scaled(&self, table: &Table) -> Result<Tensor<B, 2>> {
        let table = table.to_tensor::<B>(&self.network.device(), self.network.dtype())?;
        self.model.scaler().transform(&table)
    }

    pub(super) fn table(&self, rows: &[usize]) -> Result<Table> {
        let width = self.network.n_features();
        let values = rows.iter().flat_map(|row| &self.values[row * width..(row + 1) * width]);
        let table = Table::new(self.model.info().features.clone(), values.copied().collect())?;
        let filled = rows.iter().enumerate().flat_map(|(at, row)| {
            let from = self.filled.partition_point(|(of, _)| of < row);
            let own = self.filled[from..].iter().take_while(move |(of, _)| of == row);
            own.map(move |(_, column)| (at, *column))
        });
        Ok(table.with_filled(filled.collect()))
    }

    pub(super) fn explained(&self, rows: &[usize]) -> Result<Cases> {
        Cases::explain(self.model, &self.table(rows)?, Target::Assigned, self.beta)
    }
}

/// The classes of all rows, and whether a row is in the cluster of another class.
pub(super) struct KnownClasses {
    pub(super) classes: Classes,
    pub(super) misplaced: Vec<bool>,
}

/// The pairs of clusters that a page compares: all, or of many clusters those that are near, and no
/// more than there is room for.
fn compared<B: Backend>(network: &dyn Network<B>, columns: usize) -> Vec<(usize, usize)> {
    const BYTES: usize = 2_000_000;
    // Two tables of numbers in base64.
    let room = BYTES / (2 * columns.max(1) * 11);
    let clusters = network.n_clusters();
    let width = network.n_features().max(1);
    let centroids = transfer::download(network.centroids());
    let place = |cluster: usize| &centroids[cluster * width..(cluster + 1) * width];
    let distance = |one: usize, other: usize| -> f64 {
        place(one).iter().zip(place(other)).map(|(a, b)| (a - b).powi(2)).sum()
    };
    let mut pairs: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for one in 0..clusters {
        let others = (0..clusters).filter(|other| *other != one);
        let mut others: Vec<(usize, f64)> =
            others.map(|other| (other, distance(one, other))).collect();
        if clusters > MAX_COMPARED {
            others.sort_by(|a, b| a.1.total_cmp(&b.1));
            others.truncate(NEAR);
        }
        pairs.extend(others.iter().map(|(other, far)| ((one.min(*other), one.max(*other)), *far)));
    }
    let mut pairs: Vec<((usize, usize), f64)> = pairs.into_iter().collect();
    if pairs.len() > room {
        pairs.sort_by(|a, b| a.1.total_cmp(&b.1));
        pairs.truncate(room);
    }
    let mut pairs: Vec<(usize, usize)> = pairs.into_iter().map(|(pair, _)| pair).collect();
    pairs.sort_unstable();
    pairs
}
