use burn::tensor::{Int, Tensor, backend::Backend};

use crate::explain::Target;
use crate::transfer;

/// Why every point is in its cluster: relevance of every feature, and what it
/// sums to.
#[derive(Debug, Clone)]
pub struct Explanation<B: Backend> {
    /// R: what every feature contributed, `[N, D]`, in units of the distance:
    /// squared units of the data for most networks. Positive speaks for the
    /// cluster, negative against it.
    pub relevance: Tensor<B, 2>,
    /// What the relevances of a point and what is absorbed sum to, `[N]`: f_c, or
    /// for a contrast h_ck.
    pub logit: Tensor<B, 1>,
    /// The explained cluster, `[N]`.
    pub cluster: Tensor<B, 1, Int>,
    /// The share of every competitor in the logit, `[N, K]`; a row sums to
    /// one, and the explained cluster has 0. (A point that is contrasted with
    /// its own cluster has no competitor, and its row is 0.)
    pub shares: Tensor<B, 2>,
    /// The question.
    pub target: Target,
    /// The β that was used; infinite where only one competitor counts.
    pub beta: f64,
    /// Parts of the logit that belong to no feature; none for most networks.
    pub absorbed: Vec<Absorbed<B>>,
}

/// A part of the logit that a bias of the network takes, the prior of a
/// mixture's components say: the relevances and these sum to the logit.
#[derive(Debug, Clone)]
pub struct Absorbed<B: Backend> {
    /// What takes it, in a word.
    pub name: &'static str,
    /// How much, `[N]`, signed as relevances are.
    pub amount: Tensor<B, 1>,
}

impl<B: Backend> Explanation<B> {
    /// The explanations of blocks of rows, one or more, one after the other.
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

    /// How many points, N.
    pub fn len(&self) -> usize {
        self.relevance.dims()[0]
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the relevances of every point and of what biases absorb, `[N]`.
    pub fn sums(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.logit.clone();
        }
        let relevances = self.relevance.clone().sum_dim(1).squeeze_dim(1);
        self.absorbed.iter().fold(relevances, |sum, part| sum + part.amount.clone())
    }

    /// What every part of the network contributed: the relevances of the
    /// features, and behind them what biases absorb, in the order of
    /// [`absorbed`](Self::absorbed). A row sums to the logit.
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

    /// The share of what biases absorb in the absolute contributions of every
    /// point, `[N]`, 0 to 1; 0 for most networks.
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

    /// Σ|R| with what biases absorb, `[N]`; for a row or more.
    fn magnitude(&self) -> Tensor<B, 1> {
        let size = self.relevance.clone().abs().sum_dim(1).squeeze_dim::<1>(1);
        self.absorbed.iter().fold(size, |size, part| size + part.amount.clone().abs())
    }

    /// How far the relevances of every point are from summing to its logit,
    /// `|Σ R − f| / Σ |R|`, `[N]`; 0 where all relevances are 0. What biases
    /// absorb counts as a relevance here.
    ///
    /// Measured against Σ|R| and not against f, which vanishes on a boundary.
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
