//! NEON as layer-wise relevance propagation: the layers of neuralized clusterers
//! as ordinary layers of `burn_lrp`.
//!
//! The networks here are explained by their own passes, which are faster; this
//! is what makes their parts usable in any other network.

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{
    AnyTensor, Family, Formula, Handed, Kind, Layer, Node, Relevance, RootedLinear, Rule, RuleName,
    SquaredDistance, Step, leaf,
};

use crate::error::Result;
use crate::kernel;
use crate::network::soft_pool::soft_shares;
use crate::network::{MinPool, NeuralizedKMeans, SoftMaxPool, SoftMinPool};
use crate::transfer;

const TAKE: &[RuleName] = &[RuleName::TakeMost, RuleName::WinnerTakeAll];

/// The stiffness that a rule of a pool says.
fn stiffness(rule: &Rule) -> f64 {
    match rule.formula() {
        Formula::TakeMost(stiffness) => stiffness,
        _ => f64::INFINITY,
    }
}

fn sole<'a, B: Backend>(
    at: &str,
    inputs: &'a [AnyTensor<B>],
) -> burn_lrp::Result<&'a AnyTensor<B>> {
    let Some(input) = inputs.first() else {
        let detail = "it was given no input".to_string();
        return Err(burn_lrp::Error::Layer { at: at.into(), detail });
    };
    Ok(input)
}

fn wrong(at: &str, expected: &str, found: &[usize]) -> burn_lrp::Error {
    burn_lrp::Error::Shape { at: at.into(), expected: expected.into(), found: found.to_vec() }
}

/// Over scores `[N, K]`: f_c for every cluster c.
///
/// Rule `take-most=β` hands the relevance of every f_c to its competitors by
/// softmin shares, and to the two scores that a competitor's `h_ck = s_c − s_k` is made
/// of in proportion to them; `winner-take-all` (the default) is β = ∞. Where f_c is
/// negative only the nearest centroid counts, whatever β is.
impl<B: Backend> Layer<B> for MinPool {
    fn kind(&self) -> Kind {
        Kind::new("MinPool", Family::Competition)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
        let scores = sole("MinPool", inputs)?;
        match scores.dims().as_slice() {
            [_, clusters] if *clusters > 1 => Ok(MinPool::forward(self, scores.tensor()?).into()),
            dims => Err(wrong("MinPool", "[samples, clusters], two clusters or more", dims)),
        }
    }

    fn rules(&self) -> &'static [RuleName] {
        TAKE
    }

    fn default_rule(&self) -> Rule {
        Rule::WINNER_TAKE_ALL
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> burn_lrp::Result<Handed<B>> {
        let scores: Tensor<B, 2> = step.input()?.tensor()?;
        let relevance: Tensor<B, 2> = step.relevance.tensor()?;
        let [rows, clusters] = scores.dims();
        let asked = transfer::download(relevance.clone().abs().sum_dim(0));
        let mut handed = scores.zeros_like();
        for cluster in (0..clusters).filter(|cluster| asked[*cluster] != 0.0) {
            let index = relevance.clone().narrow(1, cluster, 1).zeros_like().int() + cluster as i64;
            let own = kernel::is_own(index, clusters);
            let pooled = self.relevance(&scores, &own, stiffness(rule));
            // Per unit of f_c; nothing is handed on where it is 0.
            let none = pooled.logit.clone().equal_elem(0.0);
            let unit =
                relevance.clone().narrow(1, cluster, 1) / pooled.logit.mask_fill(none.clone(), 1.0);
            let unit = unit.mask_fill(none, 0.0);
            let ratios = pooled.ratios * unit;
            let shape = [rows, clusters];
            let against = ratios.clone().sum_dim(1).expand(shape);
            let coefficients = ratios.neg().mask_where(own, against);
            handed = handed + coefficients * scores.clone();
        }
        Ok(Handed::whole(handed.into()))
    }
}

leaf!(MinPool);

/// Log-mean-exp over the last dimension, which keeps the size 1.
macro_rules! soft_pool {
    ($layer:ident, $name:literal, $sign:expr) => {
        impl<B: Backend> Layer<B> for $layer<B> {
            fn kind(&self) -> Kind {
                Kind::new($name, Family::Competition)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
                let h = sole($name, inputs)?;
                let dims = h.dims();
                match dims.as_slice() {
                    [_, .., width] if *width > 0 => {
                        let rows: Tensor<B, 2> = h.reshape(&[h.len() / width, *width])?.tensor()?;
                        let pooled = AnyTensor::from($layer::forward(self, rows, 1));
                        pooled.reshape(&[&dims[..dims.len() - 1], &[1]].concat())
                    }
                    dims => Err(wrong($name, "[samples, .., competitors]", dims)),
                }
            }

            fn rules(&self) -> &'static [RuleName] {
                TAKE
            }

            /// By its own stiffness.
            fn default_rule(&self) -> Rule {
                Rule::take_most(self.gamma()).unwrap_or(Rule::WINNER_TAKE_ALL)
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> burn_lrp::Result<Handed<B>> {
                let h = step.input()?;
                let dims = h.dims();
                let width = dims[dims.len() - 1];
                let rows: Tensor<B, 2> = h.reshape(&[h.len() / width, width])?.tensor()?;
                let r: Tensor<B, 2> = step.relevance.reshape(&[h.len() / width, 1])?.tensor()?;
                let shares = soft_shares(rows * $sign, stiffness(rule), 1);
                Ok(Handed::whole(AnyTensor::from(shares * r).reshape(&dims)?))
            }
        }

        leaf!($layer<B>);
    };
}

soft_pool!(SoftMaxPool, "SoftMaxPool", 1.0);
soft_pool!(SoftMinPool, "SoftMinPool", -1.0);

/// Distances as scores: the nearest has the largest.
#[derive(Debug)]
struct Negative;

impl<B: Backend> Layer<B> for Negative {
    fn kind(&self) -> Kind {
        Kind::new("Negative", Family::Other)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
        Ok(sole("Negative", inputs)?.map(Tensor::neg))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> burn_lrp::Result<Handed<B>> {
        Ok(Handed::whole(step.relevance.clone()))
    }
}

/// The minimum over the competitors of every cluster, listed side by side.
#[derive(Debug)]
struct PairPool {
    clusters: usize,
}

impl PairPool {
    fn table<B: Backend>(&self, h: &AnyTensor<B>) -> burn_lrp::Result<Tensor<B, 3>> {
        let rows = h.dims()[0];
        h.reshape(&[rows, self.clusters, self.clusters - 1])?.tensor()
    }
}

impl<B: Backend> Layer<B> for PairPool {
    fn kind(&self) -> Kind {
        Kind::new("MinPool", Family::Competition)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
        Ok(MinPool.forward_dense(self.table(sole("MinPool", inputs)?)?).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        TAKE
    }

    fn default_rule(&self) -> Rule {
        Rule::WINNER_TAKE_ALL
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> burn_lrp::Result<Handed<B>> {
        let h = step.input()?;
        let table = self.table(h)?;
        let (rows, clusters) = (h.dims()[0], self.clusters);
        let wide = [rows, clusters, clusters - 1];
        let soft = soft_shares(table.clone().neg(), stiffness(rule), 2);
        let hard = soft_shares(table.clone().neg(), f64::INFINITY, 2);
        let outside = table.min_dim(2).lower_elem(0.0).expand(wide);
        let r: Tensor<B, 3> = step.relevance.reshape(&[rows, clusters, 1])?.tensor()?;
        Ok(Handed::whole(AnyTensor::from(soft.mask_where(outside, hard) * r).reshape(&h.dims())?))
    }
}

/// As squared distances and [`MinPool`] over them: with `kind:MinPool` at
/// `take-most=β` this is NEON.
impl<B: Backend> Relevance<B> for NeuralizedKMeans<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.made("distance", SquaredDistance::new(self.centroids()), &[])?
            .made("score", Negative, &[])?
            .then("pool", self.pool())
    }
}

/// K-means as the literature's two layers: `h_ck = w_ck·x + b_ck` for every ordered
/// pair of clusters, which knows the midpoint of each pair, and the minimum over the
/// competitors (Kauffmann et al. 2024).
///
/// Its outputs are those of [`NeuralizedKMeans`], and by the rules `midpoint` and
/// `take-most=β` its relevances too. For inspection and tests: it has K (K − 1) D weights, and
/// no centre that would keep the digits of single precision far from the origin.
#[derive(Module, Debug)]
pub struct RootedKMeans<B: Backend> {
    /// `[D, K (K − 1)]`, with root points `m_ck = (μ_c + μ_k) / 2`.
    pub linear: RootedLinear<B>,
    n_clusters: usize,
}

impl<B: Backend> NeuralizedKMeans<B> {
    /// The network as the literature's two layers, for relevance propagation layer by
    /// layer.
    ///
    /// # Errors
    ///
    /// If the parameters do not belong together.
    pub fn rooted(&self) -> Result<RootedKMeans<B>> {
        let centroids = self.centroids();
        let (clusters, device) = (self.n_clusters(), centroids.device());
        let pairs: Vec<(usize, usize)> = (0..clusters)
            .flat_map(|c| (0..clusters).filter(move |k| *k != c).map(move |k| (c, k)))
            .collect();
        let side = |which: fn(&(usize, usize)) -> usize| {
            let index: Vec<usize> = pairs.iter().map(which).collect();
            centroids.clone().select(0, transfer::upload_indices(&index, &device))
        };
        let (own, other) = (side(|pair| pair.0), side(|pair| pair.1));
        let weight = ((own.clone() - other.clone()) * 2.0).transpose();
        let bias = other.clone().square().sum_dim(1) - own.clone().square().sum_dim(1);
        let linear = Linear {
            weight: Param::initialized(ParamId::new(), weight),
            bias: Some(Param::initialized(ParamId::new(), bias.squeeze_dim(1))),
        };
        let linear = RootedLinear::new(linear, (own + other) * 0.5)?;
        Ok(RootedKMeans { linear, n_clusters: clusters })
    }
}

impl<B: Backend> Relevance<B> for RootedKMeans<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("linear", &self.linear)?.made("pool", PairPool { clusters: self.n_clusters }, &[])
    }
}
