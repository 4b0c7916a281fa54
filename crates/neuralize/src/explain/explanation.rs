//! The answer to a question: relevances, and the logit that they sum to.

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::data::Encoding;
use crate::error::{Error, Result};
use crate::explain::question::Target;
use crate::transfer;

/// Why every point is in its cluster: the relevance of every feature, and the logit that the
/// relevances sum to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation<B: Backend> {
    /// R: what every feature contributed, `[N, D]`, in units of the distance (for most networks
    /// squared units of the data). A positive relevance is evidence for the cluster, a negative one against it.
    pub relevance: Tensor<B, 2>,
    /// The sum of a point's relevances and absorbed parts, `[N]`: f_c, or h_ck for a contrast.
    pub logit: Tensor<B, 1>,
    /// The explained cluster, `[N]`.
    pub cluster: Tensor<B, 1, Int>,
    /// The share of every competitor in the logit, `[N, K]`. A row sums to one, and the explained
    /// cluster has 0. (A point contrasted with its own cluster has no competitor; its row is 0.)
    pub shares: Tensor<B, 2>,
    /// The question.
    pub target: Target,
    /// The β that was used; infinite where only one competitor counts.
    pub beta: f64,
    /// Parts of the logit that belong to no feature; empty for most networks.
    pub absorbed: Vec<Absorbed<B>>,
}

/// A part of the logit that belongs to no feature: a bias of the network, such as the prior of a
/// mixture's components, or what a pair of clusters without a root would get. The relevances and these parts sum to the logit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Absorbed<B: Backend> {
    /// What absorbs it, in a word.
    pub name: &'static str,
    /// How much, `[N]`, with the sign that relevances have.
    pub amount: Tensor<B, 1>,
}

/// Sums of the relevances of the features of every column, `[N, C]`.
pub(crate) fn summed_by_column<B: Backend>(
    relevance: Tensor<B, 2>,
    encoding: Option<&Encoding>,
) -> Result<Tensor<B, 2>> {
    let Some(encoding) = encoding else { return Ok(relevance) };
    let [rows, width] = relevance.dims();
    let groups = encoding.groups();
    let features = groups.last().map_or(0, |last| last.end);
    if width != features {
        return Err(Error::shape("the relevance", format!("[N, {features}]"), &[rows, width]));
    }
    if encoding.is_one_to_one() {
        return Ok(relevance);
    }
    if rows == 0 {
        return Ok(transfer::zeros([0, groups.len()], &relevance.device(), relevance.dtype()));
    }
    // Columns of one feature stay together.
    let (mut parts, mut next) = (Vec::new(), 0);
    for category in encoding.categories() {
        if next < category.start {
            parts.push(relevance.clone().narrow(1, next, category.start - next));
        }
        let part = relevance.clone().narrow(1, category.start, category.len());
        parts.push(part.sum_dim(1));
        next = category.end;
    }
    if next < width {
        parts.push(relevance.narrow(1, next, width - next));
    }
    Ok(Tensor::cat(parts, 1))
}

impl<B: Backend> Explanation<B> {
    /// The explanations of one or more blocks of rows as one.
    pub(crate) fn cat(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().expect("at least one block");
        let (mut relevance, mut logit) = (vec![whole.relevance], vec![whole.logit]);
        let (mut cluster, mut shares) = (vec![whole.cluster], vec![whole.shares]);
        let mut amounts: Vec<Vec<Tensor<B, 1>>> =
            whole.absorbed.iter().map(|part| vec![part.amount.clone()]).collect();
        for part in parts {
            relevance.push(part.relevance);
            logit.push(part.logit);
            cluster.push(part.cluster);
            shares.push(part.shares);
            amounts.iter_mut().zip(part.absorbed).for_each(|(all, part)| all.push(part.amount));
        }
        whole.relevance = Tensor::cat(relevance, 0);
        whole.logit = Tensor::cat(logit, 0);
        whole.cluster = Tensor::cat(cluster, 0);
        whole.shares = Tensor::cat(shares, 0);
        for (part, amounts) in whole.absorbed.iter_mut().zip(amounts) {
            part.amount = Tensor::cat(amounts, 0);
        }
        whole
    }

    /// The explanation by columns of a table: features that are values of one category are summed, so
    /// that the relevances still sum to the logit. Without an encoding, every feature is a column.
    ///
    /// # Shapes
    ///
    /// - relevance of the output: `[N, C]`
    ///
    /// # Errors
    ///
    /// If the features are not those of the encoding.
    pub fn by_column(mut self, encoding: Option<&Encoding>) -> Result<Self> {
        self.relevance = summed_by_column(self.relevance, encoding)?;
        Ok(self)
    }

    /// The number of points, N.
    pub fn len(&self) -> usize {
        self.relevance.dims()[0]
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sum of every point's relevances and absorbed parts, `[N]`.
    pub fn sums(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.logit.clone();
        }
        let relevances = self.relevance.clone().sum_dim(1).squeeze_dim(1);
        self.absorbed.iter().fold(relevances, |sum, part| sum + part.amount.clone())
    }

    /// All contributions to the logit: the relevances of the features, then the absorbed parts in
    /// the order of [`absorbed`](Self::absorbed). A row sums to the logit.
    ///
    /// # Shapes
    ///
    /// - output: `[N, D + A]`
    pub fn contributions(&self) -> Tensor<B, 2> {
        if self.absorbed.is_empty() {
            return self.relevance.clone();
        }
        if self.is_empty() {
            let width = self.relevance.dims()[1] + self.absorbed.len();
            return transfer::zeros([0, width], &self.logit.device(), self.logit.dtype());
        }
        let mut columns = vec![self.relevance.clone()];
        columns.extend(self.absorbed.iter().map(|part| part.amount.clone().unsqueeze_dim(1)));
        Tensor::cat(columns, 1)
    }

    /// The `count` features of largest absolute relevance of every point, in descending order; of
    /// equal ones the first comes first. A point has fewer if there are fewer features.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::KMeans;
    /// use neuralize::explain::{Beta, Target};
    /// use neuralize::network::Network;
    ///
    /// let device = Default::default();
    /// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0, 0.0], [1.0, 3.0, 2.0]], &device);
    /// let network = KMeans::from_centroids(centroids)?.neuralize()?;
    /// let x = Tensor::<Flex, 2>::from_data([[0.0, 0.0, 0.0]], &device);
    /// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
    /// let top = &explanation.top(2)[0];
    /// assert_eq!(top.iter().map(|(feature, _)| *feature).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    ///
    /// # Shapes
    ///
    /// - output: N lists of feature and relevance
    pub fn top(&self, count: usize) -> Vec<Vec<(usize, f64)>> {
        let width = self.relevance.dims()[1];
        if self.is_empty() || width == 0 {
            return vec![Vec::new(); self.len()];
        }
        let values = transfer::download(self.relevance.clone());
        let strongest = |row: &[f64]| {
            let order = by_strength(row);
            order.into_iter().take(count).map(|feature| (feature, row[feature])).collect()
        };
        values.chunks_exact(width).map(strongest).collect()
    }

    /// The share of the absorbed parts in the absolute contributions of every point, `[N]`, from 0
    /// to 1; 0 for most networks.
    pub fn absorbed_share(&self) -> Tensor<B, 1> {
        let none = self.logit.zeros_like();
        if self.is_empty() {
            return none;
        }
        let absorbed = self.absorbed.iter().fold(none, |sum, part| sum + part.amount.clone().abs());
        let size = self.magnitude();
        let nothing = size.clone().equal_elem(0.0);
        absorbed / size.mask_fill(nothing, 1.0)
    }

    /// Σ|R| with the absorbed parts, `[N]`, for at least one row.
    fn magnitude(&self) -> Tensor<B, 1> {
        let size = self.relevance.clone().abs().sum_dim(1).squeeze_dim::<1>(1);
        self.absorbed.iter().fold(size, |size, part| size + part.amount.clone().abs())
    }

    /// How far the relevances of every point are from summing to its logit, `|Σ R − f| / Σ |R|`,
    /// `[N]`; 0 where all relevances are 0. Absorbed parts count as relevances here.
    ///
    /// The error is relative to Σ|R| and not to f, which vanishes on a boundary.
    pub fn conservation_error(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.logit.clone();
        }
        let difference = (self.sums() - self.logit.clone()).abs();
        let size = self.magnitude();
        // Where Σ|R| = 0 the difference is the error itself, and 0 as it should be.
        let none = size.clone().equal_elem(0.0);
        difference / size.mask_fill(none, 1.0)
    }
}

/// The name of an absorbed part beside those of features.
pub(crate) fn part_title(name: &str) -> String {
    format!("({name})")
}

/// Features in descending order of |R|; equal ones keep their order.
pub(crate) fn by_strength(relevance: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevance.len()).collect();
    order.sort_by(|a, b| relevance[*b].abs().total_cmp(&relevance[*a].abs()));
    order
}

/// The authors' probability of a cluster, `1 / (1 + exp(−f))`.
pub(crate) fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
