//! The dense form of a network: the literature's layer with one output for every pair of clusters.

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::Result;
use crate::network::min_pool::MinPool;
use crate::{transfer, validate};

/// The dense form of a network, as the literature writes it: a linear layer with one output for
/// every ordered pair of clusters, and a minimum over the K − 1 outputs of each cluster.
///
/// Its outputs equal those of [`NeuralizedKMeans`](crate::network::NeuralizedKMeans), whose layer
/// has K outputs only. It is meant for inspection, export and tests: its weight has K (K − 1) D
/// numbers, and its forward pass needs a table of `[N, K, K − 1]`.
///
/// Output `c (K − 1) + j` of the linear layer is h_ck for the j-th competitor k
/// of cluster c, in ascending order and without c itself:
/// `w_ck = 2 (μ_c − μ_k)`, `b_ck = ‖μ_k‖² − ‖μ_c‖²`, around a point near most
/// centroids. Of a Bregman divergence, `w_ck = φ'(μ_c) − φ'(μ_k)`, with the
/// bias that belongs to it.
#[derive(Module, Debug)]
pub struct DenseNeuralizedKMeans<B: Backend> {
    /// Subtracted from the input, `[D]`.
    pub center: Param<Tensor<B, 1>>,
    /// Weight `[D, K (K − 1)]` and bias `[K (K − 1)]`.
    pub linear: Linear<B>,
    /// Minimum over competitors.
    pub pool: MinPool,
    n_clusters: usize,
}

impl<B: Backend> DenseNeuralizedKMeans<B> {
    /// From the centre `[D]` and the weight `[D, K]` and bias `[K]` of the scores.
    pub(crate) fn new(center: Tensor<B, 1>, weight: &Tensor<B, 2>, bias: &Tensor<B, 1>) -> Self {
        let [_, clusters] = weight.dims();
        let mut weights = Vec::with_capacity(clusters);
        let mut biases = Vec::with_capacity(clusters);
        for c in 0..clusters {
            let others = columns_without(weight, c);
            weights.push(weight.clone().narrow(1, c, 1) - others);
            let bias: Tensor<B, 2> = bias.clone().unsqueeze();
            biases.push(
                (bias.clone().narrow(1, c, 1) - columns_without(&bias, c)).squeeze_dim::<1>(0),
            );
        }
        Self {
            center: Param::initialized(ParamId::new(), center),
            linear: Linear {
                weight: Param::initialized(ParamId::new(), Tensor::cat(weights, 1)),
                bias: Some(Param::initialized(ParamId::new(), Tensor::cat(biases, 0))),
            },
            pool: MinPool,
            n_clusters: clusters,
        }
    }

    /// The logit f_c of every cluster.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the network, or values that
    /// are not finite.
    pub fn forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let [features, _] = self.linear.weight.lazy_shape().dims();
        validate::rows(&x, features, &self.center.val())?;
        let (rows, clusters) = (x.dims()[0], self.n_clusters);
        if rows == 0 {
            let center = self.center.val();
            return Ok(transfer::zeros([0, clusters], &center.device(), center.dtype()));
        }
        let h = self.linear.forward(x - self.center.val().unsqueeze());
        Ok(self.pool.forward_dense(h.reshape([rows, clusters, clusters - 1])))
    }
}

/// All columns of a table but one.
fn columns_without<B: Backend>(table: &Tensor<B, 2>, column: usize) -> Tensor<B, 2> {
    let [_, columns] = table.dims();
    let parts = [(0, column), (column + 1, columns - column - 1)];
    let parts = parts
        .into_iter()
        .filter(|(_, width)| *width > 0)
        .map(|(start, width)| table.clone().narrow(1, start, width))
        .collect();
    Tensor::cat(parts, 1)
}
