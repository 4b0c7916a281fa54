use std::fmt;
use std::str::FromStr;

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::baseline::{Pinned, Subject};
use crate::error::{Error, Result};
use crate::explain::Target;
use crate::random::{Stream, uniform};
use crate::{kernel, transfer, validate};

/// What a feature is set to where it is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reference {
    /// The centroid of the competing cluster: what the point would have to
    /// look like to be there.
    Competitor,
    /// The mean of the data.
    Mean,
    /// Zero, which means nothing unless the data say so.
    Zero,
    /// A point of the competing cluster, drawn at random for every row.
    Sample,
}

impl Reference {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Competitor, Self::Mean, Self::Zero, Self::Sample];

    /// The name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Competitor => "competitor",
            Self::Mean => "mean",
            Self::Zero => "zero",
            Self::Sample => "sample",
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|reference| reference.name() == name).ok_or_else(|| {
            Error::Config {
                name: "reference",
                value: name.to_owned(),
                rule: "it must be `competitor`, `mean`, `zero` or `sample`".into(),
            }
        })
    }
}

/// A subject and the data around it: where methods take references and the
/// spread of features from.
#[derive(Debug)]
pub struct Scene<'a, B: Backend> {
    subject: &'a dyn Subject<B>,
    data: Tensor<B, 2>,
    mean: Tensor<B, 2>,
    deviation: Tensor<B, 2>,
    /// Rows of the data in every cluster.
    members: Vec<Vec<usize>>,
    seed: u64,
    /// What the method that fits a tree has fitted.
    #[cfg(feature = "tree")]
    pub(super) tree: std::sync::OnceLock<super::tree::Fitted>,
}

impl<'a, B: Backend> Scene<'a, B> {
    /// # Shapes
    ///
    /// - data: `[M, D]`, what the clusterer was fitted to or a fair sample
    ///
    /// # Errors
    ///
    /// If the data are empty or do not fit the network.
    pub fn new(subject: &'a dyn Subject<B>, data: &Tensor<B, 2>, seed: u64) -> Result<Self> {
        validate::not_empty("the table of data", data)?;
        let network = subject.network();
        let cluster = transfer::download_indices(network.predict(data)?);
        let mut members = vec![Vec::new(); network.n_clusters()];
        for (row, cluster) in cluster.into_iter().enumerate() {
            members[cluster].push(row);
        }
        // What rounding makes of the mean must not look like a spread.
        let (low, high) = (data.clone().min_dim(0), data.clone().max_dim(0));
        let constant = low.clone().equal(high);
        let features = data.dims()[1];
        let row = |values| transfer::upload(values, [1, features], &data.device(), data.dtype());
        let mean = row(column_means(data, |block| block)).mask_where(constant.clone(), low);
        let squares = column_means(data, |block| (block - mean.clone()).square());
        let deviation = row(squares.into_iter().map(f64::sqrt).collect());
        let deviation = deviation.mask_fill(constant, 0.0);
        Ok(Self {
            subject,
            data: data.clone(),
            mean,
            deviation,
            members,
            seed,
            #[cfg(feature = "tree")]
            tree: std::sync::OnceLock::new(),
        })
    }

    /// What is explained.
    pub fn subject(&self) -> &'a dyn Subject<B> {
        self.subject
    }

    /// The data, `[M, D]`.
    pub fn data(&self) -> &Tensor<B, 2> {
        &self.data
    }

    /// The mean of the data, `[1, D]`.
    pub fn mean(&self) -> Tensor<B, 2> {
        self.mean.clone()
    }

    /// The standard deviation of every feature (over M), `[1, D]`.
    pub fn deviation(&self) -> Tensor<B, 2> {
        self.deviation.clone()
    }

    /// The rows of the data in every cluster.
    pub fn members(&self) -> &[Vec<usize>] {
        &self.members
    }

    /// What random numbers of methods are drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What is asked of some rows.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network, or the target names a cluster that does
    /// not exist.
    pub fn ask(&'a self, x: &Tensor<B, 2>, target: Target) -> Result<Case<'a, B>> {
        let pinned = self.subject.pin(x, target)?;
        Ok(Case { scene: self, x: x.clone(), target, pinned })
    }
}

/// Rows, and what is asked of them.
#[derive(Debug, Clone)]
pub struct Case<'a, B: Backend> {
    /// Subject and data.
    pub scene: &'a Scene<'a, B>,
    /// The rows, `[N, D]`.
    pub x: Tensor<B, 2>,
    /// The question.
    pub target: Target,
    /// The question, pinned to the clusters that the rows are in.
    pub pinned: Pinned<B>,
}

impl<B: Backend> Case<'_, B> {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.pinned.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pinned.is_empty()
    }

    /// The logit of every row, `[N, 1]`.
    pub fn logit(&self) -> Tensor<B, 2> {
        self.scene.subject.logit(&self.x, &self.pinned)
    }

    /// The slope of the logit at every row, `[N, D]`.
    pub fn slope(&self) -> Tensor<B, 2> {
        self.scene.subject.slope(&self.x, &self.pinned)
    }

    /// The same question about a part of the rows.
    pub fn rows(&self, range: std::ops::Range<usize>) -> Self {
        let features = self.x.dims()[1];
        Self {
            x: self.x.clone().slice([range.clone(), 0..features]),
            pinned: self.pinned.rows(range),
            ..self.clone()
        }
    }

    /// The same question about these rows, in their order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            x: self.x.clone().select(0, transfer::upload_indices(rows, &self.x.device())),
            pinned: self.pinned.select(rows),
            ..self.clone()
        }
    }

    /// The same questions about other points, as many as there are rows.
    pub fn at(&self, x: Tensor<B, 2>) -> Self {
        Self { x, ..self.clone() }
    }

    /// What takes the place of a row's features, `[N, D]`.
    ///
    /// Samples are drawn row by row from the first on: those of a part of the rows
    /// are not a part of those of all.
    ///
    /// A competing cluster that none of the data is in has no sample; its
    /// centroid stands for one.
    pub fn reference(&self, reference: Reference) -> Tensor<B, 2> {
        let shape = self.x.dims();
        let centroids = || {
            let centroids = self.scene.subject.network().centroids();
            centroids.select(0, self.pinned.competitor().squeeze_dim(1))
        };
        if self.is_empty() {
            return self.x.clone();
        }
        match reference {
            Reference::Competitor => centroids(),
            Reference::Mean => self.scene.mean().expand(shape),
            Reference::Zero => self.x.zeros_like(),
            Reference::Sample => {
                let mut rng = Stream::References.generator(self.scene.seed);
                let competitors = transfer::download_indices(self.pinned.competitor());
                let members = &self.scene.members;
                let rows: Vec<Option<usize>> = competitors
                    .iter()
                    .map(|&k| {
                        let draw = uniform(&mut rng);
                        let at = (draw * members[k].len() as f64) as usize;
                        members[k].get(at).copied()
                    })
                    .collect();
                let device = self.x.device();
                let chosen: Vec<usize> = rows.iter().map(|row| row.unwrap_or(0)).collect();
                let samples =
                    self.scene.data.clone().select(0, transfer::upload_indices(&chosen, &device));
                if rows.iter().all(Option::is_some) {
                    return samples;
                }
                let missing = rows.iter().map(|row| f64::from(u8::from(row.is_none()))).collect();
                let missing =
                    transfer::upload::<B, 2>(missing, [shape[0], 1], &device, self.x.dtype());
                samples.mask_where(missing.greater_elem(0.5).expand(shape), centroids())
            }
        }
    }
}

/// The mean of every column of what a function makes of rows. Blocks are short and
/// summed up in f64: a long sum in f32 drifts.
fn column_means<B: Backend>(
    data: &Tensor<B, 2>,
    of: impl Fn(Tensor<B, 2>) -> Tensor<B, 2>,
) -> Vec<f64> {
    const BLOCK: usize = 512;
    let [rows, features] = data.dims();
    let mut sums = vec![0.0; features];
    for range in kernel::blocks(rows, BLOCK) {
        let block = of(data.clone().slice([range, 0..features]));
        for (sum, part) in sums.iter_mut().zip(transfer::download(block.sum_dim(0))) {
            *sum += part;
        }
    }
    sums.into_iter().map(|sum| sum / rows as f64).collect()
}
