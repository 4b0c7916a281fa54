//! Collects the rows of a table, part by part, and what a model says of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::choose::SampledRows;
use crate::cluster::CrossTable;
use crate::data::{Table, classes};
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Tally, Target};
use crate::network::Network;
use crate::profile::cluster_profile::Profile;
use crate::profile::clustered_rows::ClusteredRows;
use crate::profile::model_profile::{
    AMBIGUOUS, ClassFacts, ClusterFacts, ContrastFacts, ModelProfile, PairFacts, RowFacts,
    RuleFacts, cells, differences,
};
use crate::profile::rows::{NotableRow, farthest_rows, typical_rows};
use crate::profile::special::REMARK;
use crate::profile::stability::{resampled_rows, stability};
use crate::profile::table_columns::TableColumns;
use crate::record::Model;
use crate::transfer;

/// The most classes that clusters are set against.
const MAX_CLASSES: usize = 1000;

/// Makes the [`ModelProfile`] of a table that comes in parts, such as chunks of a file. The values
/// stay on the host until the end.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::prelude::*;
/// use neuralize::profile::ModelProfileBuilder;
///
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let scaler = Scale::MinMax.fit(&x)?;
/// let x = scaler.transform(&x)?;
/// let fit = KMeansConfig::new(3).fit(&x)?;
/// let model = Model::new(scaler, fit.model, ModelInfo::new(wine.features()))?;
///
/// let mut profile = ModelProfileBuilder::new(&model)?.with_pairs([(0, 1)])?;
/// let explanation = model.network()?.explain(&x, Target::Assigned, Beta::Heuristic)?;
/// profile.add(&wine.numbers(), &wine, &x, &explanation)?;
/// let profile = profile.finish()?;
/// assert_eq!(profile.clusters.iter().map(|cluster| cluster.rows).sum::<usize>(), 178);
/// assert!(profile.classes.is_some_and(|classes| classes.one_to_one.is_some()));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelProfileBuilder<'a, B: Backend> {
    model: &'a Model<B>,
    columns: TableColumns,
    clusters: Vec<usize>,
    logits: Vec<f64>,
    /// Distance of every row to the centroid of its cluster.
    distances: Vec<f64>,
    /// The rows that fits are repeated on.
    sample: SampledRows,
    labels: Option<Vec<String>>,
    /// The different labels.
    classes: HashSet<String>,
    tally: Tally,
    /// Sum of the shares of every cluster as a competitor of every cluster, `[K][K]`.
    competitors: Vec<Vec<f64>>,
    pairs: Vec<(usize, usize)>,
    /// Of the pairs, in both directions: sums over the rows of the first.
    contrasts: BTreeMap<(usize, usize), ContrastFacts>,
}

impl<'a, B: Backend> ModelProfileBuilder<'a, B> {
    /// Starts a profile.
    ///
    /// # Errors
    ///
    /// If the model has only one cluster.
    pub fn new(model: &'a Model<B>) -> Result<Self> {
        let network = model.network()?;
        let clusters = network.n_clusters();
        Ok(Self {
            model,
            columns: TableColumns::default(),
            clusters: Vec::new(),
            logits: Vec::new(),
            distances: Vec::new(),
            sample: SampledRows::new(resampled_rows(network.n_features()), 0),
            labels: None,
            classes: HashSet::new(),
            tally: Tally::new(clusters, model.info().columns().len()),
            competitors: vec![vec![0.0; clusters]; clusters],
            pairs: Vec::new(),
            contrasts: BTreeMap::new(),
        })
    }

    /// Compares pairs of clusters, too: in addition, every row is explained against the clusters
    /// that its own is compared with.
    ///
    /// # Errors
    ///
    /// If a part was added already, a cluster does not exist, or a pair is twice the same cluster.
    pub fn with_pairs(mut self, pairs: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        let pairs: Vec<(usize, usize)> = pairs.into_iter().collect();
        let refused = |value: String, rule: String| Err(Error::config("pairs", value, rule));
        if self.n_rows() > 0 {
            let rule = "they are set before the first part is added";
            return refused(format!("{} pairs", pairs.len()), rule.to_owned());
        }
        let clusters = self.competitors.len();
        for &(one, other) in &pairs {
            if one == other || one.max(other) >= clusters {
                let rule = format!("two different clusters below {clusters} are compared");
                return refused(format!("{one} and {other}"), rule);
            }
        }
        let both = pairs.iter().flat_map(|&(one, other)| [(one, other), (other, one)]);
        self.contrasts = both.map(|pair| (pair, ContrastFacts::default())).collect();
        self.pairs = pairs;
        Ok(self)
    }

    /// Adds a part of the data: its row numbers, the table, whose columns are the features of the
    /// model, in its order, the same scaled, and its explanation for [`Target::Assigned`].
    ///
    /// # Shapes
    ///
    /// - rows: n numbers, table: n × D, x: `[n, D]`, explanation: of `[n, D]`
    ///
    /// # Errors
    ///
    /// If they differ in their shapes, the columns of the table are not the features of the model, the
    /// explanation has another target, x is not data for the model, or there are more than 1000 classes.
    pub fn add(
        &mut self,
        rows: &[usize],
        table: &Table,
        x: &Tensor<B, 2>,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        let network = self.model.network()?;
        let shape = [table.rows(), network.n_features()];
        for (what, found) in [
            ("the list of row numbers", [rows.len(), shape[1]]),
            ("the scaled rows", x.dims()),
            ("the explanation", explanation.relevance.dims()),
        ] {
            if found != shape {
                return Err(Error::shape(what, format!("{shape:?}"), &found));
            }
        }
        if explanation.target != Target::Assigned {
            return Err(Error::Config {
                name: "target",
                value: format!("{:?}", explanation.target),
                rule: "a profile is of explanations for `Target::Assigned`".to_owned(),
            });
        }
        self.model.check_columns(table)?;
        self.add_classes(table.labels().unwrap_or_default())?;
        let own = transfer::download_indices(explanation.cluster.clone());
        let contrasts = self.contrasts_of(network, x, &own)?;
        let encoding = self.model.info().encoding.as_ref();
        self.tally.add(&explanation.clone().by_column(encoding)?)?;
        let shares = transfer::download(explanation.shares.clone());
        for (cluster, shares) in own.iter().zip(shares.chunks_exact(self.competitors.len())) {
            for (sum, share) in self.competitors[*cluster].iter_mut().zip(shares) {
                *sum += share;
            }
        }
        for (pair, part) in contrasts {
            self.contrasts.entry(pair).or_default().join(part);
        }
        let centroids = network.centroids().select(0, explanation.cluster.clone());
        let apart = x.clone() - centroids;
        self.distances.extend(transfer::download((apart.clone() * apart).sum_dim(1).sqrt()));
        self.logits.extend(transfer::download(explanation.logit.clone()));
        self.sample.add(x)?;
        self.clusters.extend(own);
        self.columns.add(table, rows);
        if let Some(labels) = table.labels() {
            self.labels.get_or_insert_default().extend_from_slice(labels);
        }
        Ok(())
    }

    /// Refuses a table of too many classes as soon as they are too many.
    fn add_classes(&mut self, labels: &[String]) -> Result<()> {
        let new = labels.iter().filter(|label| !self.classes.contains(*label));
        let new: HashSet<&String> = new.collect();
        let count = self.classes.len() + new.len();
        if count > MAX_CLASSES {
            let value = format!("{count} distinct values");
            return Err(Error::config("label", value, "classes are at most 1000"));
        }
        self.classes.extend(new.into_iter().cloned());
        Ok(())
    }

    /// Sums of relevances of the rows of this part, for every pair that its rows are in.
    fn contrasts_of(
        &self,
        network: &dyn Network<B>,
        x: &Tensor<B, 2>,
        own: &[usize],
    ) -> Result<BTreeMap<(usize, usize), ContrastFacts>> {
        let encoding = self.model.info().encoding.as_ref();
        let present: BTreeSet<usize> = own.iter().copied().collect();
        let wanted = self.contrasts.keys().filter(|(own, _)| present.contains(own));
        let others: BTreeSet<usize> = wanted.map(|(_, other)| *other).collect();
        let mut found: BTreeMap<(usize, usize), ContrastFacts> = BTreeMap::new();
        for other in others {
            // Only the rows of the clusters that are compared with this one.
            let is_paired = |row: &usize| self.contrasts.contains_key(&(own[*row], other));
            let rows: Vec<usize> = (0..own.len()).filter(is_paired).collect();
            let indices = transfer::upload_indices(&rows, &x.device());
            let part = x.clone().select(0, indices);
            let against = network.explain(&part, Target::AssignedVersus(other), Beta::Heuristic)?;
            let against = against.by_column(encoding)?;
            let width = against.relevance.dims()[1].max(1);
            let logits = transfer::download(against.logit);
            let relevance = transfer::download(against.relevance);
            for ((row, logit), relevance) in rows.iter().zip(logits).zip(relevance.chunks(width)) {
                found.entry((own[*row], other)).or_default().push(logit, relevance);
            }
        }
        Ok(found)
    }

    /// Number of rows so far.
    pub fn n_rows(&self) -> usize {
        self.clusters.len()
    }

    /// The cluster of every row so far.
    pub fn clusters(&self) -> &[usize] {
        &self.clusters
    }

    /// The logit of every row so far.
    pub fn logits(&self) -> &[f64] {
        &self.logits
    }

    /// The distance of every row so far to the centroid of its cluster, in scaled units.
    pub fn distances(&self) -> &[f64] {
        &self.distances
    }

    /// The columns so far, with the numbers and names of the rows.
    pub fn columns(&self) -> &TableColumns {
        &self.columns
    }

    /// Means of the explanations so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The class of every row and the names of the classes, if there are labels. Rows without a
    /// label are a class of their own.
    ///
    /// # Errors
    ///
    /// If only some of the parts have labels, or every row has another class.
    pub fn classes(&self) -> Result<Option<(Vec<usize>, Vec<String>)>> {
        let Some(labels) = &self.labels else { return Ok(None) };
        if labels.len() != self.n_rows() {
            let expected = format!("[{}]", self.n_rows());
            return Err(Error::shape("the list of labels", expected, &[labels.len()]));
        }
        let (of, names) = classes(labels);
        if names.len() == of.len() && of.len() > 2 {
            let value = format!("{} distinct values", names.len());
            let rule = "every row has a class of its own, as in an identifier";
            return Err(Error::config("label", value, rule));
        }
        Ok(Some((of, names)))
    }

    /// Makes the profile.
    ///
    /// # Errors
    ///
    /// If no row was added, and as [`classes`](Self::classes).
    pub fn finish(&self) -> Result<ModelProfile> {
        let names = self.names();
        let columns = self.columns.values();
        let data = ClusteredRows::new(&columns, &self.clusters, names.len())?;
        let data = data.with_cluster_names(&names)?;
        let data = match self.columns.row_names() {
            Some(rows) if rows.len() == self.n_rows() => data.with_row_names(rows)?,
            _ => data,
        };
        let profile = Profile::of(&data);
        let pair = |&(one, other): &(usize, usize)| {
            let there = profile.versus(&data, one, other)?;
            let back = profile.versus(&data, other, one)?;
            Some(PairFacts {
                at: [one, other],
                clusters: [names[one].clone(), names[other].clone()],
                differences: differences(&data, &there),
                sentences: [there.sentence, back.sentence],
                contrasts: [(one, other), (other, one)].map(|pair| self.mean_contrast(pair)),
            })
        };
        let classes = self.classes()?.map(|(of, classes)| {
            let of: Vec<Option<usize>> = of.into_iter().map(Some).collect();
            let table = CrossTable::of(&self.clusters, &of, names.len(), classes.len())?;
            Ok::<_, Error>(ClassFacts::of(&table, names.len(), classes))
        });
        Ok(ModelProfile {
            rows: data.n_rows(),
            fitted: self.model.info().rows,
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            clusters: self.facts(&data, &profile, &names)?,
            versus: self.pairs.iter().filter_map(pair).collect(),
            classes: classes.transpose()?,
            remark: REMARK,
        })
    }

    /// Names of the clusters, or their numbers.
    fn names(&self) -> Vec<String> {
        let numbers = || (0..self.competitors.len()).map(|number| number.to_string()).collect();
        self.model.info().labels.clone().unwrap_or_else(numbers)
    }

    fn facts(
        &self,
        data: &ClusteredRows<'_>,
        profile: &Profile,
        names: &[String],
    ) -> Result<Vec<ClusterFacts>> {
        const ROWS: usize = 3;
        let typical = typical_rows(data, &self.distances, ROWS)?;
        let farthest = farthest_rows(data, &self.logits, ROWS)?;
        let columns = self.model.info().columns();
        let stability = stability(self.model, &self.sample, &self.clusters)?;
        let row = |row: &NotableRow| RowFacts {
            row: self.columns.number(row.row),
            name: row.name.clone(),
            value: row.value,
        };
        let summaries = self.tally.per_cluster();
        let clusters = profile.clusters.iter().zip(summaries).enumerate();
        let facts = clusters.map(|(at, (cluster, summary))| {
            let mut relevance: Vec<(String, f64)> =
                columns.iter().cloned().zip(summary.mean_relevance).collect();
            relevance.sort_by(|a, b| b.1.total_cmp(&a.1));
            let rule = cluster.rule.as_ref().map(|rule| RuleFacts {
                text: rule.to_string(),
                coverage: rule.coverage,
                precision: rule.precision,
            });
            ClusterFacts {
                cluster: names[at].clone(),
                rows: cluster.size,
                share: cluster.share,
                sentence: cluster.sentence.clone(),
                rule,
                relevance,
                mean_logit: summary.mean_logit,
                competitor: self.competitor(at).map(|other| names[other].clone()),
                ambiguous: self.ambiguous(data.rows_of(at)),
                stability: stability[at],
                typical: typical[at].iter().map(row).collect(),
                farthest: farthest[at].iter().map(row).collect(),
                columns: cells(data, profile, at),
            }
        });
        Ok(facts.collect())
    }

    /// The cluster that has the largest share in the logits of a cluster.
    pub(crate) fn competitor(&self, cluster: usize) -> Option<usize> {
        let shares = &self.competitors[cluster];
        let others = (0..shares.len()).filter(|other| *other != cluster && shares[*other] > 0.0);
        others.max_by(|a, b| shares[*a].total_cmp(&shares[*b]))
    }

    /// The share of the rows of a cluster whose logit is below a part of their median.
    fn ambiguous(&self, rows: &[usize]) -> f64 {
        let mut logits: Vec<f64> = rows.iter().map(|row| self.logits[*row]).collect();
        if logits.is_empty() {
            return 0.0;
        }
        let middle = logits.len() / 2;
        let limit = AMBIGUOUS * *logits.select_nth_unstable_by(middle, f64::total_cmp).1;
        logits.iter().filter(|logit| **logit < limit).count() as f64 / rows.len() as f64
    }

    fn mean_contrast(&self, pair: (usize, usize)) -> ContrastFacts {
        let sums = self.contrasts.get(&pair).cloned().unwrap_or_default();
        let rows = sums.rows.max(1) as f64;
        let mut relevance = sums.relevance;
        relevance.resize(self.model.info().columns().len(), 0.0);
        relevance.iter_mut().for_each(|sum| *sum /= rows);
        ContrastFacts { rows: sums.rows, logit: sums.logit / rows, relevance }
    }
}

impl ContrastFacts {
    /// Adds a row to sums.
    fn push(&mut self, logit: f64, relevance: &[f64]) {
        self.rows += 1;
        self.logit += logit;
        self.relevance.resize(relevance.len(), 0.0);
        self.relevance.iter_mut().zip(relevance).for_each(|(sum, value)| *sum += value);
    }

    /// Adds the sums of other rows.
    fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.logit += other.logit;
        self.relevance.resize(other.relevance.len(), 0.0);
        self.relevance.iter_mut().zip(other.relevance).for_each(|(sum, value)| *sum += value);
    }
}
