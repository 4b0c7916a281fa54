//! A loss on logits: points shall be in given clusters by a margin.

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::{kernel, transfer, validate};

/// How far the rows are from belonging to given clusters by a margin: the mean of
/// `max(0, margin − f_c)` for the label c of every row (the hinge loss of multiclass support
/// vector machines, Crammer and Singer 2001). It is 0 if every row is nearer to the centroid of
/// its label than to any other by the margin, in squared units.
///
/// The labels may be given from outside, which makes the clustering supervised, or be those that
/// the network predicts, which widens the gaps between clusters.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
/// use neuralize::network::Network;
/// use neuralize::train::margin_loss;
///
/// let device = Default::default();
/// let kmeans = KMeans::from_centroids(Tensor::<Flex, 2>::from_data([[0.0], [4.0]], &device))?;
/// let x = Tensor::<Flex, 2>::from_data([[0.0], [1.5]], &device);
/// // Logits of the first cluster: 16 and 6.25 − 2.25 = 4.
/// let logits = kmeans.neuralize()?.forward(x)?;
/// let labels = Tensor::from_data([0, 0], &device);
/// let loss: f32 = margin_loss(&logits, &labels, 10.0)?.into_scalar();
/// assert!((loss - 3.0).abs() < 1e-5);
/// # Ok::<(), neuralize::Error>(())
/// ```
///
/// # Shapes
///
/// - logits: `[N, K]`, N at least 1, as given by
///   [`Network::forward`](crate::network::Network::forward)
/// - labels: `[N]`
/// - output: `[1]`
///
/// # Errors
///
/// If there are no logits, the number of labels is another, a label is not one of the clusters,
/// or the margin is negative or not finite.
pub fn margin_loss<B: Backend>(
    logits: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
    margin: f64,
) -> Result<Tensor<B, 1>> {
    validate::not_empty("the table of logits", logits)?;
    let [rows, clusters] = logits.dims();
    if labels.dims() != [rows] {
        return Err(Error::shape("the tensor of labels", format!("[{rows}]"), &labels.dims()));
    }
    if !(margin.is_finite() && margin >= 0.0) {
        return Err(Error::config("margin", margin, "it must be finite and at least 0"));
    }
    validate::same_device("the tensor of labels", &labels.device(), &logits.device())?;
    for label in transfer::download_signed(labels.clone()) {
        match usize::try_from(label) {
            Ok(cluster) if cluster < clusters => {}
            Ok(cluster) => return Err(Error::UnknownCluster { cluster, clusters }),
            Err(_) => {
                let rule = "a row without a cluster has no margin; leave it out";
                return Err(Error::config("labels", label, rule));
            }
        }
    }
    let own = kernel::is_own(labels.clone().unsqueeze_dim(1), clusters);
    let logit = logits.clone().mask_fill(own.bool_not(), 0.0).sum_dim(1);
    Ok((logit.neg() + margin).clamp_min(0.0).mean())
}
