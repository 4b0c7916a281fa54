//! A page that a person opens, reads and passes on: one HTML file that answers
//! "why is this point here?" for every point of a clustering.
//!
//! The file needs no other file and asks no host for anything. Every explanation
//! that it can show was computed here and is in it.

mod choice;
mod evaluation;
mod pack;
mod page;
mod trust;

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::baseline::CheckReport;
use crate::cases::{Cases, Classes, Map, Part, check_columns};
use crate::data::{AtomicFile, Table, classes};
use crate::error::{Error, Result};
use crate::explain::{Beta, ClusterSummary, Explanation, Tally, Target, part_title};
use crate::network::Network;
use crate::record::Model;
use crate::{kernel, transfer};

pub use evaluation::evaluation;

use choice::Choice;
use pack::Packed;

/// A finished page.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::prelude::*;
/// use neuralize::report::Report;
///
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let scaler = Scale::MinMax.fit(&x)?;
/// let fit = KMeansConfig::new(3).fit(&scaler.transform(x)?)?;
/// let info = ModelInfo::new(wine.features());
/// let model = Model::new(scaler, fit.model, info)?;
///
/// Report::of(&model, &wine, "Wine", Beta::Heuristic)?.save(folder.path().join("wine.html"))?;
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    page: page::Page,
}

/// A report on data that come in parts, chunks of a file say. Their values are
/// kept on the host until the end, because what the page shows of a point
/// depends on all of them.
pub struct ReportBuilder<'a, B: Backend> {
    model: &'a Model<B>,
    network: Box<dyn Network<B>>,
    title: String,
    label: Option<String>,
    beta: Beta,
    tally: Tally,
    rows: Vec<usize>,
    values: Vec<f64>,
    labels: Option<Vec<String>>,
    cluster: Vec<usize>,
    logit: Vec<f64>,
}

/// The nearest competitors that a point is contrasted with one by one.
const MOST_CONTRASTS: usize = 32;
/// Features that are named for every listed point.
const STRONGEST: usize = 3;

impl Report {
    /// A report on a table whose columns are the model's features in its order.
    ///
    /// # Errors
    ///
    /// As [`ReportBuilder::add`] and [`ReportBuilder::finish`].
    pub fn of<B: Backend>(
        model: &Model<B>,
        table: &Table,
        title: &str,
        beta: Beta,
    ) -> Result<Self> {
        let mut builder = ReportBuilder::new(model, title, beta)?;
        let x = builder.scaled(table)?;
        let explanation = builder.network.explain(&x, Target::Assigned, beta)?;
        builder.add(0..table.rows(), table, &explanation)?;
        builder.finish(None)
    }

    /// The page.
    pub fn html(&self) -> String {
        self.page.html()
    }

    /// Writes the page to any destination.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, mut destination: impl Write) -> std::io::Result<()> {
        destination.write_all(self.html().as_bytes())
    }

    /// Saves the page, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        AtomicFile::write(path.as_ref(), self.html().as_bytes())
    }
}

impl<'a, B: Backend> ReportBuilder<'a, B> {
    /// Starts a report; `title` says what was clustered.
    ///
    /// # Errors
    ///
    /// If the model has only one cluster.
    pub fn new(model: &'a Model<B>, title: &str, beta: Beta) -> Result<Self> {
        let network = model.neuralize()?;
        Ok(Self {
            tally: Tally::new(network.n_clusters(), network.n_features()),
            model,
            network,
            title: title.to_owned(),
            label: None,
            beta,
            rows: Vec::new(),
            values: Vec::new(),
            labels: None,
            cluster: Vec::new(),
            logit: Vec::new(),
        })
    }

    /// What the labels of the tables are called.
    pub fn with_label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// Takes a part of the data and its explanation (of [`Target::Assigned`] and
    /// the report's β) into account. `rows` are their numbers in the data, in
    /// ascending order; the columns of the table are the model's features in its
    /// order.
    ///
    /// # Shapes
    ///
    /// - rows: n numbers, table: n × D, explanation: of `[n, D]`
    ///
    /// # Errors
    ///
    /// If numbers, table and explanation are not of so many rows, the table's
    /// columns are not the model's features, the explanation is of another question
    /// or β, or the numbers do not ascend. Nothing is taken into account then.
    pub fn add(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        table: &Table,
        explanation: &Explanation<B>,
    ) -> Result<()> {
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
            let rule = "a report explains why points are in their clusters, `Target::Assigned`";
            return refused("target", format!("{:?}", explanation.target), rule);
        }
        if Some(explanation.beta) != self.beta_used() {
            return refused("beta", explanation.beta.to_string(), "it must be the report's");
        }
        // One more than there is room for tells too many, and not all that there are.
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
        self.tally.add(explanation)?;
        self.rows.extend(rows);
        self.cluster.extend(transfer::download_indices(explanation.cluster.clone()));
        self.logit.extend(transfer::download(explanation.logit.clone()));
        self.values.extend((0..table.rows()).filter_map(|row| table.row(row)).flatten());
        if let Some(labels) = table.labels() {
            self.labels.get_or_insert_default().extend_from_slice(labels);
        }
        Ok(())
    }

    /// The points that the page lists (at most 10 000, those that somebody will
    /// ask for among them), for figures.
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

    /// Chooses what the page shows in full, explains it, and makes the page.
    ///
    /// # Errors
    ///
    /// If there was no row, some parts had labels and others had not, or the labels
    /// have more than 1000 different values.
    pub fn finish(self, check: Option<&CheckReport>) -> Result<Report> {
        let features = self.network.n_features();
        let contrasts = self.n_contrasts();
        let known = self.known_classes()?;
        let choice = self.choice(known.as_ref())?;
        let map = self.map(&choice)?;
        let listed = self.listed(&choice, &map, known.as_ref())?;
        let details = self.details(&choice, contrasts)?;

        let centroids = self.network.centroids();
        let originals = transfer::download(self.model.scaler().inverse(centroids.clone())?);
        let scaled = transfer::download(centroids);
        let classes = known.map(|known| known.classes);
        let numbers = |places: &[usize]| places.iter().map(|&at| self.rows[at]).collect();
        let cluster = |summary: ClusterSummary| {
            let own = summary.cluster;
            page::Cluster {
                class: classes.as_ref().and_then(|classes| classes.of_cluster[own]),
                centroid: originals[own * features..(own + 1) * features].to_vec(),
                centroid_scaled: scaled[own * features..(own + 1) * features].to_vec(),
                typical: numbers(&choice.typical[own]),
                ambiguous: numbers(&choice.ambiguous[own]),
                cluster: own,
                points: summary.points,
                mean_logit: summary.mean_logit,
                mean_relevance: summary.mean_relevance,
                deviation: summary.deviation,
                mean_magnitude: summary.mean_magnitude,
            }
        };
        let page = page::Page {
            format: "neuralize-report",
            version: 1,
            generator: concat!("neuralize ", env!("CARGO_PKG_VERSION")),
            model: self.facts(),
            trust: check.map(|check| trust::Trust::of(check, self.network.dtype())),
            features: self.model.info().features.clone(),
            names: self.model.info().labels.clone(),
            centroid_based: self.network.is_centroid_based(),
            absorbed: self.network.absorbed_names().iter().map(|name| part_title(name)).collect(),
            label: classes.as_ref().and(self.label),
            agreeing: classes.as_ref().map(|classes| classes.agreeing),
            clusters: self.tally.per_cluster().into_iter().map(cluster).collect(),
            overall: self.tally.global(),
            plane: page::PlaneFacts { explained: map.explained, centroids: map.centroids },
            classes: classes.map(|classes| classes.names),
            total: self.rows.len(),
            rows: [self.rows[0], self.rows[self.rows.len() - 1]],
            listed: listed.packed(),
            details: details.packed(contrasts),
            title: self.title,
        };
        Ok(Report { page })
    }

    fn n_contrasts(&self) -> usize {
        (self.network.n_clusters() - 1).min(MOST_CONTRASTS)
    }

    fn choice(&self, known: Option<&Known>) -> Result<Choice> {
        if self.rows.is_empty() {
            return Err(Error::Empty { what: "the data of the report" });
        }
        let misplaced = known.map(|known| known.misplaced.as_slice()).unwrap_or_default();
        let clusters = self.network.n_clusters();
        let room = page::Details::most(&self.model.info().features, clusters, self.n_contrasts());
        Ok(Choice::new(&self.cluster, &self.logit, misplaced, clusters, room))
    }

    fn beta_used(&self) -> Option<f64> {
        match self.beta {
            Beta::Heuristic => self.network.beta(),
            Beta::Value(value) => Some(value),
        }
    }

    fn facts(&self) -> page::ModelFacts {
        let info = self.model.info();
        page::ModelFacts {
            kind: self.model.title(),
            clusters: self.network.n_clusters(),
            features: self.network.n_features(),
            scale: info.scale,
            rows: info.rows,
            seed: info.seed.map(|seed| seed.to_string()),
            inertia: info.inertia,
            sizes: info.sizes.clone(),
            iterations: info.iterations,
            converged: info.converged,
            agreement: info.agreement,
            beta: self.beta_used().filter(|beta| beta.is_finite()),
            heuristic_beta: self.network.beta(),
        }
    }

    fn known_classes(&self) -> Result<Option<Known>> {
        let Some(labels) = &self.labels else { return Ok(None) };
        if labels.len() != self.rows.len() {
            let expected = format!("[{}]", self.rows.len());
            return Err(Error::shape("the list of labels", expected, &[labels.len()]));
        }
        const MOST_CLASSES: usize = 1000;
        let (of, names) = classes(labels);
        if names.len() > MOST_CLASSES {
            return Err(Error::Config {
                name: "label",
                value: self.label.clone().unwrap_or_default(),
                rule: format!("a column of {} different values is no class", names.len()),
            });
        }
        let labels = self.model.info().labels.as_deref();
        let classes = Classes::matched(&self.cluster, of, names, self.network.n_clusters(), labels);
        let placed = self.cluster.iter().zip(&classes.of);
        let misplaced = placed.map(|(&cluster, &class)| classes.is_other(cluster, class)).collect();
        Ok(Some(Known { classes, misplaced }))
    }

    fn listed(&self, choice: &Choice, map: &Map, known: Option<&Known>) -> Result<page::Listed> {
        let mut listed = page::Listed::default();
        for part in choice.listed.chunks(self.chunk()) {
            let cases = self.explained(part)?;
            for (case, &row) in part.iter().enumerate() {
                listed.push(&cases, case, STRONGEST);
                listed.place(map.points[listed.len() - 1], choice.detail_of(row));
                if let Some(Known { classes, misplaced }) = known {
                    listed.classify(classes.of[row], misplaced[row]);
                }
            }
            listed.number(part.iter().map(|&at| self.rows[at]));
        }
        Ok(listed)
    }

    fn details(&self, choice: &Choice, contrasts: usize) -> Result<page::Details> {
        let mut details = page::Details::default();
        for part in choice.detailed.chunks(self.chunk()) {
            let cases = self.explained(part)?;
            let versus: Vec<Vec<usize>> =
                (0..cases.len()).map(|case| nearest(&cases, case, contrasts)).collect();
            let tables = self.contrasts(&cases, &versus)?;
            for (case, versus) in versus.iter().enumerate() {
                details.push(&cases, case, versus, &tables);
            }
        }
        Ok(details)
    }

    /// Rows that are explained at a time.
    fn chunk(&self) -> usize {
        kernel::block_rows(self.network.n_features() + self.network.n_clusters())
    }

    fn scaled(&self, table: &Table) -> Result<Tensor<B, 2>> {
        let table = table.to_tensor(&self.network.device(), self.network.dtype())?;
        self.model.scaler().transform(table)
    }

    fn table(&self, rows: &[usize]) -> Result<Table> {
        let width = self.network.n_features();
        let values = rows.iter().flat_map(|row| &self.values[row * width..(row + 1) * width]);
        Table::new(self.model.info().features.clone(), values.copied().collect())
    }

    fn explained(&self, rows: &[usize]) -> Result<Cases> {
        Cases::explain(self.model, &self.table(rows)?, Target::Assigned, self.beta)
    }

    /// Every case against every cluster that some case is contrasted with.
    fn contrasts(
        &self,
        cases: &Cases,
        wanted: &[Vec<usize>],
    ) -> Result<HashMap<usize, page::Contrast>> {
        let table = Table::new(cases.features.clone(), cases.values.clone())?;
        let x = self.scaled(&table)?;
        let wanted: BTreeSet<usize> = wanted.iter().flatten().copied().collect();
        let against = |versus: usize| {
            let found = self.network.explain(&x, Target::AssignedVersus(versus), self.beta)?;
            let contrast = page::Contrast {
                relevance: transfer::download(found.relevance),
                logit: transfer::download(found.logit),
                absorbed: found.absorbed.into_iter().map(Part::of).collect(),
            };
            Ok((versus, contrast))
        };
        wanted.into_iter().map(against).collect()
    }

    /// The listed points in the plane of (an even choice of) them.
    fn map(&self, choice: &Choice) -> Result<Map> {
        const MOST_VALUES: usize = 1 << 23;
        let most = (MOST_VALUES / self.network.n_features()).max(512);
        let fitted = choice::evenly(&choice.listed, most);
        let plane = crate::data::Plane::fit(&self.scaled(&self.table(&fitted)?)?)?;
        let mut points = Vec::with_capacity(choice.listed.len());
        for part in choice.listed.chunks(self.chunk()) {
            points.extend(plane.coordinates(&self.scaled(&self.table(part)?)?)?);
        }
        let centroids = plane.coordinates(&self.network.centroids())?;
        Ok(Map { points, centroids, explained: plane.explained() })
    }
}

/// Classes of all rows, and which rows are in the cluster of another one.
struct Known {
    classes: Classes,
    misplaced: Vec<bool>,
}

/// The nearest clusters of a case but its own, by number.
fn nearest(cases: &Cases, case: usize, most: usize) -> Vec<usize> {
    let own = cases.cluster[case];
    let distance = |k: usize| -> f64 {
        let pairs = cases.scaled_of(case).iter().zip(cases.scaled_centroid_of(k));
        pairs.map(|(x, m)| (x - m).powi(2)).sum()
    };
    let mut others: Vec<usize> = (0..cases.n_clusters()).filter(|&k| k != own).collect();
    if others.len() > most {
        others.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        others.truncate(most);
        others.sort_unstable();
    }
    others
}
