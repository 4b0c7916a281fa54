//! Clusters given by their supports under a Gaussian kernel.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::labels::Labels;
use super::partition;
use super::segments::lowest;
use super::support_scorer::SupportScorer;
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::kernel::{self, Affine, Keep};
use crate::load::{self, Load, Shapes};
use crate::{transfer, validate};

/// Clusters given by their supports under the Gaussian kernel
/// `exp(−γ ‖x−u‖²)`: training points, or prototypes of every cluster.
///
/// A point belongs to the cluster with the largest mean similarity to its
/// supports, which is the cluster of the smallest soft-min distance
/// `−(1/γ) log mean_{j∈C_k} exp(−γ ‖x−u_j‖²)`; for γ = ∞ that of the nearest
/// support. This is the decision that [`neuralize`](Self::neuralize) rewrites
/// as a network (Kauffmann et al. 2024). It is not quite that of kernel k-means,
/// which also depends on how compact a cluster is.
///
/// For the heuristic β and the agreement with labels, a point that is a support is
/// decided without its own support.
///
/// Fit one with [`KernelKMeansConfig`](crate::cluster::KernelKMeansConfig), make
/// one of any partition with
/// [`LabelledConfig`](crate::cluster::LabelledConfig), or build one from
/// supports.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KernelKMeans;
///
/// let device = Default::default();
/// let supports = Tensor::<Flex, 2>::from_data([[0.0], [3.0], [1.0]], &device);
/// let model = KernelKMeans::from_supports(supports, &[0, 1, 0], 0.5)?;
/// assert_eq!((model.n_clusters(), model.n_supports(), model.sizes()), (2, 3, vec![2, 1]));
///
/// let x = Tensor::<Flex, 2>::from_data([[0.5], [2.5]], &device);
/// assert_eq!(model.predict(&x)?.into_data().iter::<i64>().collect::<Vec<_>>(), [0, 1]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct KernelKMeans<B: Backend> {
    /// One support a row, `[M, D]`, cluster after cluster.
    pub(crate) supports: Param<Tensor<B, 2>>,
    /// Supports of every cluster, `[K]`. This and all that follow are parameters
    /// because a record holds parameters only.
    pub(crate) sizes: HostParam<B>,
    /// The stiffness γ, `[1]`.
    pub(crate) gamma: HostParam<B>,
    /// The heuristic β, `[1]`; NaN if it is not known.
    pub(crate) beta: HostParam<B>,
    #[module(skip)]
    pub(crate) keep: Keep,
}

impl<B: Backend> KernelKMeans<B> {
    /// A clusterer from given supports and the cluster of each, without a
    /// heuristic β. The supports are sorted by cluster.
    ///
    /// # Shapes
    ///
    /// - supports: `[M, D]`, labels: `[M]`, from 0 to K − 1
    ///
    /// # Errors
    ///
    /// If there is no support or no feature, a value is not finite or too large
    /// to be squared, a cluster number below the largest is not used, γ is not
    /// positive in the precision of the supports (infinity is), or the precision
    /// is neither F32 nor F64.
    pub fn from_supports(
        supports: Tensor<B, 2>,
        labels: &(impl Labels + ?Sized),
        gamma: f64,
    ) -> Result<Self> {
        const WHAT: &str = "the table of supports";
        validate::table(WHAT, &supports)?;
        let labels = labels.read();
        if labels.len() != supports.dims()[0] {
            let expected = format!("[{}, features]", labels.len());
            return Err(Error::shape(WHAT, expected, &supports.dims()));
        }
        check_gamma(gamma, supports.dtype())?;
        let labels: Option<Vec<usize>> = labels.into_iter().collect();
        let Some(labels) = labels else {
            return Err(Error::config("labels", "noise", "every support belongs to a cluster"));
        };
        let sizes = partition::checked_sizes(&labels)?;
        let order = partition::by_cluster(&labels);
        let order = transfer::upload_indices(&order, &supports.device());
        Ok(Self::new(supports.select(0, order), &sizes, gamma, None))
    }

    /// Without checks: supports must be finite and ordered by cluster, γ positive,
    /// β finite and at least 0.
    pub(crate) fn new(
        supports: Tensor<B, 2>,
        sizes: &[usize],
        gamma: f64,
        beta: Option<f64>,
    ) -> Self {
        let (device, dtype) = (supports.device(), supports.dtype());
        let column = |values| HostParam::new(values, &device, dtype);
        Self {
            supports: Param::initialized(ParamId::new(), transfer::untracked(supports)),
            sizes: column(sizes.iter().map(|size| *size as f64).collect()),
            gamma: column(vec![gamma]),
            beta: column(vec![beta.unwrap_or(f64::NAN)]),
            keep: Keep::default(),
        }
    }

    /// Scores of all clusters, for one cluster too.
    ///
    /// # Errors
    ///
    /// If the parameters do not belong together.
    pub(crate) fn scorer(&self, leaves_out: bool) -> Result<SupportScorer<B>> {
        self.check_parameters().map_err(|detail| Error::Record { detail })?;
        let affine = Affine::kept(&self.supports.val(), &self.keep);
        Ok(SupportScorer::new(affine, self.sizes(), self.gamma(), leaves_out))
    }

    /// Whether sizes and γ are those of the supports, in words; the values of the supports are not
    /// checked.
    pub(crate) fn check_parameters(&self) -> Result<(), String> {
        let supports = self.supports.val();
        load::not_empty("supports", &supports)?;
        load::not_empty("sizes", &self.sizes.val())?;
        let sizes = self.sizes.values();
        load::finite_numbers("sizes", sizes)?;
        if let Some(size) = sizes.iter().find(|size| !(**size >= 1.0 && size.fract() == 0.0)) {
            return Err(format!("its tensor `sizes` holds {size}, no number of supports"));
        }
        let (total, rows) = (sizes.iter().sum::<f64>(), supports.dims()[0]);
        if total != rows as f64 {
            return Err(format!("its clusters have {total} supports together, there are {rows}"));
        }
        match load::sole("gamma", &self.gamma)? {
            gamma if gamma > 0.0 => Ok(()),
            gamma => Err(format!("its gamma is {gamma}, it must be positive")),
        }
    }

    /// The number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.sizes.lazy_shape()[0]
    }

    /// The number of supports, M.
    pub fn n_supports(&self) -> usize {
        self.supports.lazy_shape()[0]
    }

    /// The supports, `[M, D]`, cluster after cluster.
    pub fn supports(&self) -> Tensor<B, 2> {
        self.supports.val()
    }

    /// Supports of every cluster, in their order.
    pub fn sizes(&self) -> Vec<usize> {
        self.sizes.values().iter().map(|size| *size as usize).collect()
    }

    /// The stiffness γ, in inverse squared units of the data.
    pub fn gamma(&self) -> f64 {
        self.gamma.first()
    }

    /// The cluster of every row: the one of the largest mean similarity, the
    /// first of equal ones.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the model, or values that are
    /// not finite.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        let scorer = self.scorer(false)?;
        self.check_input(x)?;
        Ok(kernel::map_rows(
            x,
            self.n_supports(),
            || transfer::upload_indices(&[], &x.device()),
            |block| scorer.scores(block).argmax(1).squeeze_dim(1),
        ))
    }

    /// The soft-min distance of every row to every cluster,
    /// `−(1/γ) log mean_{j∈C_k} exp(−γ ‖x−u_j‖²)`.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn soft_distances(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let scorer = self.scorer(false)?;
        self.check_input(x)?;
        let none = || transfer::zeros([0, self.n_clusters()], &x.device(), self.dtype());
        Ok(kernel::map_rows(x, self.n_supports(), none, |block| {
            let centred = scorer.centred(block);
            let norms = centred.clone().square().sum_dim(1);
            let scores = scorer.centred_scores(centred);
            // For a point on a support, rounding can leave a small negative number.
            (norms.expand(scores.dims()) - scores).clamp_min(0.0)
        }))
    }

    /// The fraction of rows that the network assigns to their labels, and the
    /// heuristic β of these rows, both without a row's own support.
    pub(crate) fn judged(&self, x: &Tensor<B, 2>, labels: &[usize]) -> Result<(f64, Option<f64>)> {
        if self.n_clusters() < 2 {
            return Ok((1.0, None));
        }
        let scorer = self.scorer(true)?;
        let [rows, features] = x.dims();
        // A logit against a cluster without supports left is not counted.
        let beyond = 0.5 * lowest(self.dtype()).abs();
        let (mut agreeing, mut counted, mut sum) = (0usize, 0usize, 0.0);
        for range in kernel::blocks(rows, kernel::block_rows(self.n_supports() + features)) {
            let block = x.clone().slice([range.clone(), 0..features]);
            let scores = scorer.centred_scores(scorer.centred(block));
            let found = transfer::download_indices(scores.clone().argmax(1));
            agreeing += found.iter().zip(&labels[range]).filter(|(a, b)| a == b).count();
            for logit in transfer::download(kernel::margins(scores).max_dim(1)) {
                if logit.is_finite() && logit < beyond {
                    counted += 1;
                    sum += logit;
                }
            }
        }
        let beta = counted as f64 / sum;
        let known = sum > 0.0 && beta <= transfer::largest(self.dtype());
        Ok((agreeing as f64 / rows as f64, known.then_some(beta)))
    }

    fn heuristic_beta(&self, x: &Tensor<B, 2>) -> Result<Option<f64>> {
        // The agreement with labels is not used here.
        Ok(self.judged(x, &vec![0; x.dims()[0]])?.1)
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        validate::rows(x, self.n_features(), &self.supports.val())
    }
}

fitted!(KernelKMeans, "clusterer", supports);

impl<B: Backend> Load<B> for KernelKMeans<B> {
    const NAME: &'static str = "kernel k-means model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let ([_], [_]) = (shapes.dims("gamma")?, shapes.dims("beta")?);
        let [clusters] = shapes.dims("sizes")?;
        let supports = shapes.blank("supports", device, dtype)?;
        Ok(Self::new(supports, &vec![1; clusters], 1.0, None))
    }

    fn checked(self) -> Result<Self, String> {
        load::not_blank("supports", &self.supports.val())?;
        self.check_parameters()?;
        let supports = self.supports.val();
        validate::values("its table of supports", &supports).map_err(|error| error.to_string())?;
        load::check_beta(&self.beta)?;
        Ok(self)
    }
}

/// Checks that γ is positive in the given precision; it may be infinity.
pub(crate) fn check_gamma(gamma: f64, dtype: DType) -> Result<()> {
    if transfer::rounded(gamma, dtype) > 0.0 {
        return Ok(());
    }
    let rule =
        "it must be positive in the precision of the data; infinity is the nearest-neighbour rule";
    Err(Error::config("gamma", gamma, rule))
}

displayed!(KernelKMeans: n_clusters(), n_features(), n_supports(), gamma());

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_itself() {
        let supports =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0], [3.0, 4.0], [5.0, 6.0]], &Default::default());
        let model = KernelKMeans::from_supports(supports, &[0, 1, 1], 0.5).expect("valid supports");
        assert_eq!(
            format!("{model}"),
            "KernelKMeans {n_clusters: 2, n_features: 2, n_supports: 3, gamma: 0.5, params: 10}"
        );
    }
}
