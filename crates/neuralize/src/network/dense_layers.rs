//! The dense form of k-means as layers of `burn_lrp`.

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{
    AnyTensor, Family, Kind, Layer, Node, Redistribution, Relevance, RootedLinear, Rule, RuleName,
    Step,
};

use crate::error::Result;
use crate::kernel::soft_shares;
use crate::network::interface::Network;
use crate::network::kmeans::NeuralizedKMeans;
use crate::network::layers::{TAKE, sole, stiffness};
use crate::network::min_pool::MinPool;
use crate::transfer;

/// The dense form of k-means for layer-wise relevance propagation: `h_ck = w_ck·x + b_ck` for every
/// ordered pair of clusters, with the midpoint of each pair as its root point, and the minimum over
/// the competitors (Kauffmann et al. 2024).
///
/// Its outputs are those of [`NeuralizedKMeans`]; by the rules `midpoint` and `take-most=β`, so are
/// its relevances. For inspection and tests: it has K (K − 1) D weights, and no centre, so it loses
/// digits of single precision far from the origin.
#[derive(Module, Debug)]
pub struct DenseKMeansLayers<B: Backend> {
    /// `[D, K (K − 1)]`, with root points `m_ck = (μ_c + μ_k) / 2`.
    pub linear: RootedLinear<B>,
    n_clusters: usize,
}

impl<B: Backend> NeuralizedKMeans<B> {
    /// The dense form of the network for layer-wise relevance propagation.
    ///
    /// # Errors
    ///
    /// If the parameters do not belong together.
    pub fn dense_layers(&self) -> Result<DenseKMeansLayers<B>> {
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
        Ok(DenseKMeansLayers { linear, n_clusters: clusters })
    }
}

impl<B: Backend> Relevance<B> for DenseKMeansLayers<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("linear", &self.linear)?.apply("pool", DensePool { clusters: self.n_clusters }, &[])
    }
}

/// The minimum over the competitors of every cluster, which are listed side by side.
#[derive(Debug)]
struct DensePool {
    clusters: usize,
}

impl DensePool {
    fn table<B: Backend>(&self, h: &AnyTensor<B>) -> burn_lrp::Result<Tensor<B, 3>> {
        let rows = h.dims()[0];
        h.reshape(&[rows, self.clusters, self.clusters - 1])?.tensor()
    }
}

impl<B: Backend> Layer<B> for DensePool {
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

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> burn_lrp::Result<Redistribution<B>> {
        let h = step.input()?;
        let table = self.table(h)?;
        let (rows, clusters) = (h.dims()[0], self.clusters);
        let wide = [rows, clusters, clusters - 1];
        let soft = soft_shares(table.clone().neg(), stiffness(rule), 2);
        let hard = soft_shares(table.clone().neg(), f64::INFINITY, 2);
        let outside = table.min_dim(2).lower_elem(0.0).expand(wide);
        let r: Tensor<B, 3> = step.relevance.reshape(&[rows, clusters, 1])?.tensor()?;
        Ok(Redistribution::single(
            AnyTensor::from(soft.mask_where(outside, hard) * r).reshape(&h.dims())?,
        ))
    }
}
