//! Gradient explanations through autodiff, to compare NEON with.
//!
//! They answer a question about the network's slope, not about its output:
//! gradient × input drops the bias, and its relevances do not sum to the
//! logit. Only the gradient times the way from the boundary does, and that is
//! what NEON becomes for β → ∞:
//! `R = ∇f_c(x) ∘ (x − (μ_c + μ_k*)/2)` with k* the nearest competitor.

mod check;
mod direct;
mod method;
mod noise;
mod occlusion;
mod path;
mod scene;
mod shapley;
mod subject;
mod surrogate;
mod tree;

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::error::Result;
use crate::explain::{self, Target};
use crate::network::NeuralizedKMeans;

pub use check::{Check, CheckReport};
pub use method::{Attribute, Attribution, Method};
pub use scene::{Case, Reference, Scene};
pub use subject::{Pinned, Subject, Tracked};
pub(crate) use subject::{by_blocks, slope_through};

/// Slope of the target's logit in every feature, `∂f/∂x_i`.
///
/// The network lives on an autodiff backend, the data and the result on its
/// inner one. A network of a plain backend becomes one by
/// [`with_autodiff`].
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: `[N, D]`
///
/// # Errors
///
/// If x does not fit the network or the target names a cluster that does not
/// exist.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::Tensor;
/// use neuralize::{baseline, cluster::KMeans, explain::Target};
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
/// let network = KMeans::from_centroids(centroids)?.neuralize()?;
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
///
/// let network = baseline::with_autodiff::<Autodiff<Flex>>(&network);
/// let gradient = baseline::gradient(&network, &x, Target::Assigned)?;
/// // 2 (μ_c − μ_k)
/// assert_eq!(gradient.into_data().iter::<f32>().collect::<Vec<_>>(), [-8.0, -4.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
pub fn gradient<B: AutodiffBackend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B::InnerBackend, 2>,
    target: Target,
) -> Result<Tensor<B::InnerBackend, 2>> {
    let plain = network.valid();
    plain.check_input(x)?;
    target.check(plain.n_clusters())?;
    let cluster = explain::explained_cluster(&plain, x, target);
    let leaf = Tensor::<B, 2>::from_inner(x.clone()).require_grad();
    let logits = match target.versus() {
        None => network.forward(leaf.clone())?,
        Some(versus) => {
            let scores = network.scores(network.centred(leaf.clone()));
            let shape = scores.dims();
            scores.clone() - scores.narrow(1, versus, 1).expand(shape)
        }
    };
    let cluster = Tensor::from_inner(cluster);
    let gradients = logits.gather(1, cluster).sum().backward();
    // Without a path from x to the output (one row contrasted with its own
    // cluster) there is no entry, and the slope is 0.
    Ok(leaf.grad(&gradients).unwrap_or_else(|| x.zeros_like()))
}

/// Gradient × input, `x_i ∂f/∂x_i`: what most tools print. Not conservative.
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: `[N, D]`
///
/// # Errors
///
/// As [`gradient`].
pub fn gradient_times_input<B: AutodiffBackend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B::InnerBackend, 2>,
    target: Target,
) -> Result<Tensor<B::InnerBackend, 2>> {
    Ok(gradient(network, x, target)? * x.clone())
}

/// Gradient × way from the boundary, `(x_i − m_i) ∂f/∂x_i` with m halfway
/// between the centroids of the cluster and of its nearest competitor. It sums
/// to the logit and equals NEON for β → ∞, but for points on a boundary (where
/// NEON is 0) or with two equally near competitors (which NEON averages).
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: `[N, D]`
///
/// # Errors
///
/// As [`gradient`].
pub fn gradient_from_boundary<B: AutodiffBackend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B::InnerBackend, 2>,
    target: Target,
) -> Result<Tensor<B::InnerBackend, 2>> {
    Ok(gradient(network, x, target)? * way_from_boundary(&network.valid(), x, target))
}

/// `x − (μ_c + μ_k*)/2`, `[N, D]`.
fn way_from_boundary<B: Backend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B, 2>,
    target: Target,
) -> Tensor<B, 2> {
    x.clone() - explain::nearest_midpoints(network, x, target)
}

/// The same network on an autodiff backend.
pub fn with_autodiff<B: AutodiffBackend>(
    network: &NeuralizedKMeans<B::InnerBackend>,
) -> NeuralizedKMeans<B> {
    NeuralizedKMeans::from_inner(network.clone())
}
