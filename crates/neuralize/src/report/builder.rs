//! Collects the data of a report, part by part.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::choice::Choice;
use super::details::Details;
use crate::cases::{Cases, Classes, check_columns};
use crate::data::{Table, classes};
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Tally, Target};
use crate::network::Network;
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
    pub(super) tally: Tally,
    pub(super) rows: Vec<usize>,
    values: Vec<f64>,
    /// Place of a row among all, and column, of every value that stands for a missing one.
    filled: Vec<(usize, usize)>,
    labels: Option<Vec<String>>,
    pub(super) ids: Option<Vec<String>>,
    cluster: Vec<usize>,
    logit: Vec<f64>,
}

/// Maximum number of competitors that a point is contrasted with one by one.
const MAX_CONTRASTS: usize = 32;

impl<'a, B: Backend> ReportBuilder<'a, B> {
    /// Starts a report; `title` names what was clustered.
    ///
    /// # Errors
    ///
    /// If the model has only one cluster.
    pub fn new(model: &'a Model<B>, title: &str, beta: Beta) -> Result<Self> {
        let network = model.neuralize()?;
        Ok(Self {
            tally: Tally::new(network.n_clusters(), model.info().columns().len()),
            model,
            network,
            title: title.to_owned(),
            label: None,
            beta,
            rows: Vec::new(),
            values: Vec::new(),
            filled: Vec::new(),
            labels: None,
            ids: None,
            cluster: Vec::new(),
            logit: Vec::new(),
        })
    }

    /// Sets the name of the column of labels.
    pub fn with_label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
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
        let encoding = self.model.info().encoding.as_ref();
        self.tally.add(&explanation.clone().by_column(encoding)?)?;
        let first = self.rows.len();
        let filled = table.gaps().filled.iter();
        self.filled.extend(filled.map(|(row, column)| (first + row, *column)));
        self.rows.extend(rows);
        self.cluster.extend(transfer::download_indices(explanation.cluster.clone()));
        self.logit.extend(transfer::download(explanation.logit.clone()));
        self.values.extend((0..table.rows()).filter_map(|row| table.row(row)).flatten());
        if let Some(labels) = table.labels() {
            self.labels.get_or_insert_default().extend_from_slice(labels);
        }
        if let Some(ids) = table.ids() {
            self.ids.get_or_insert_default().extend_from_slice(ids);
        }
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
        check_columns(self.model, table)?;
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
        let mut before = self.rows.last().copied();
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
        cases.rows = listed.iter().map(|&at| self.rows[at]).collect();
        cases.total = self.rows.len();
        cases.ids = self.names_of(&listed);
        cases.classes = known.map(|known| {
            let of: Vec<usize> = listed.iter().map(|&at| known.classes.of[at]).collect();
            let agrees = |(class, cluster): (&usize, &usize)| {
                known.classes.of_cluster[*cluster] == Some(*class)
            };
            let agreeing = of.iter().zip(&cases.cluster).filter(|pair| agrees(*pair)).count();
            Classes { of, agreeing, ..known.classes }
        });
        Ok(cases)
    }

    /// Names of some rows, if all rows have names.
    pub(super) fn names_of(&self, rows: &[usize]) -> Option<Vec<String>> {
        let ids = self.ids.as_ref().filter(|ids| ids.len() == self.rows.len())?;
        Some(rows.iter().map(|at| ids[*at].clone()).collect())
    }

    pub(super) fn n_contrasts(&self) -> usize {
        (self.network.n_clusters() - 1).min(MAX_CONTRASTS)
    }

    pub(super) fn choice(&self, known: Option<&KnownClasses>) -> Result<Choice> {
        if self.rows.is_empty() {
            return Err(Error::Empty { what: "the data of the report" });
        }
        let misplaced = known.map(|known| known.misplaced.as_slice()).unwrap_or_default();
        let clusters = self.network.n_clusters();
        let features = self.model.info().columns();
        let capacity = Details::capacity(&features, clusters, self.n_contrasts());
        Ok(Choice::new(&self.cluster, &self.logit, misplaced, clusters, capacity))
    }

    pub(super) fn beta_used(&self) -> Option<f64> {
        match self.beta {
            Beta::Heuristic => self.network.beta(),
            Beta::Value(value) => Some(value),
        }
    }

    pub(super) fn known_classes(&self) -> Result<Option<KnownClasses>> {
        let Some(labels) = &self.labels else { return Ok(None) };
        if labels.len() != self.rows.len() {
            let expected = format!("[{}]", self.rows.len());
            return Err(Error::shape("the list of labels", expected, &[labels.len()]));
        }
        const MAX_CLASSES: usize = 1000;
        let (of, names) = classes(labels);
        if names.len() > MAX_CLASSES {
            return Err(Error::Config {
                name: "label",
                value: self.label.clone().unwrap_or_default(),
                rule: format!(
                    "the column has {} distinct values; classes are at most {MAX_CLASSES}",
                    names.len()
                ),
            });
        }
        let labels = self.model.info().labels.as_deref();
        let classes = Classes::matched(&self.cluster, of, names, self.network.n_clusters(), labels);
        let placed = self.cluster.iter().zip(&classes.of);
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
