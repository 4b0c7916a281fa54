//! The mixture of Gaussians: components and what they decide.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::components::{Components, Density, log_sum_exp};
use super::scorer::MixtureScorer;
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::load::{self, Load, Shapes};
use crate::{kernel, transfer, validate};

/// A mixture of K Gaussians with diagonal covariances. A row belongs to the
/// component of largest `log π_k + log N(x; μ_k, σ²_k)`.
///
/// Fit one with [`GaussianMixtureConfig`](crate::cluster::GaussianMixtureConfig),
/// or build one from numbers found elsewhere. It is a Burn module;
/// [`neuralize`](GaussianMixture::neuralize) rewrites it as a network.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::GaussianMixture;
///
/// let device = Default::default();
/// let means = Tensor::<Flex, 2>::from_data([[0.0], [0.0]], &device);
/// let variances = Tensor::<Flex, 2>::from_data([[1.0], [9.0]], &device);
/// let weights = Tensor::<Flex, 1>::from_data([0.5, 0.5], &device);
/// let mixture = GaussianMixture::from_parts(means, variances, weights)?;
///
/// // The narrow component is likelier near the common mean, the wide one far off.
/// let x = Tensor::<Flex, 2>::from_data([[0.5], [4.0]], &device);
/// let labels = mixture.predict(&x)?;
/// assert_eq!(labels.into_data().iter::<i64>().collect::<Vec<_>>(), [0, 1]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GaussianMixture<B: Backend> {
    /// μ, `[K, D]`.
    pub(crate) means: Param<Tensor<B, 2>>,
    /// σ², `[K, D]`.
    pub(crate) variances: Param<Tensor<B, 2>>,
    /// log π, `[K]`.
    pub(crate) log_weights: Param<Tensor<B, 1>>,
    /// The heuristic β, `[1]`; NaN if it is not known.
    pub(crate) beta: HostParam<B>,
}

impl<B: Backend> GaussianMixture<B> {
    /// A mixture from given numbers, without fitting and without a heuristic β.
    ///
    /// # Shapes
    ///
    /// - means and variances: `[K, D]`
    /// - weights: `[K]`, positive; they are divided by their sum
    ///
    /// # Errors
    ///
    /// If there is no component or no feature, shapes or precisions do not
    /// agree, a number is not finite, a variance or a weight is not positive,
    /// or the means are too many standard deviations apart to be squared.
    pub fn from_parts(
        means: Tensor<B, 2>,
        variances: Tensor<B, 2>,
        weights: Tensor<B, 1>,
    ) -> Result<Self> {
        const MEANS: &str = "the table of means";
        const VARIANCES: &str = "the table of variances";
        const WEIGHTS: &str = "the tensor of weights";
        let (device, dtype) = (means.device(), means.dtype());
        let [clusters, features] = means.dims();
        validate::table(MEANS, &means)?;
        if variances.dims() != means.dims() {
            let expected = format!("[{clusters}, {features}]");
            return Err(Error::shape(VARIANCES, expected, &variances.dims()));
        }
        if weights.dims() != [clusters] {
            return Err(Error::shape(WEIGHTS, format!("[{clusters}]"), &weights.dims()));
        }
        for (what, found) in [(VARIANCES, variances.dtype()), (WEIGHTS, weights.dtype())] {
            if found != dtype {
                return Err(Error::DTypeMismatch { what, expected: dtype, found });
            }
        }
        let weights = transfer::download(weights);
        if let Some(weight) = weights.iter().find(|w| !(w.is_finite() && **w > 0.0)) {
            let rule = "the weight of a component must be finite and positive";
            return Err(Error::config("weights", weight, rule));
        }
        let total: f64 = weights.iter().sum();
        let components = Components {
            features,
            means: transfer::download(means),
            variances: transfer::download(variances),
            log_weights: weights.iter().map(|weight| (weight / total).ln()).collect(),
        };
        Self::of(&components, &device, dtype)
    }

    /// A mixture of components of finite means and weights.
    pub(super) fn of(components: &Components, device: &B::Device, dtype: DType) -> Result<Self> {
        let shape = [components.clusters(), components.features];
        let parameter = |values: &[f64]| {
            Param::initialized(
                ParamId::new(),
                transfer::upload::<B, 2>(values.to_vec(), shape, device, dtype),
            )
        };
        let log_weights = components.log_weights.clone();
        let model = Self {
            means: parameter(&components.means),
            variances: parameter(&components.variances),
            log_weights: Param::initialized(
                ParamId::new(),
                transfer::upload(log_weights, [shape[0]], device, dtype),
            ),
            beta: HostParam::new(vec![f64::NAN], device, dtype),
        };
        model.check_spread()?;
        Ok(model)
    }

    /// Checks that variances can be divided by and that means can be squared in
    /// units of the smallest of them.
    pub(crate) fn check_spread(&self) -> Result<()> {
        let components = self.components();
        let dtype = self.dtype();
        let minimum = transfer::smallest(dtype);
        let features = components.features;
        let bad = components.variances.iter().position(|v| !(v.is_finite() && *v >= minimum));
        if let Some(at) = bad {
            return Err(Error::Variance {
                component: at / features,
                column: at % features,
                value: components.variances[at],
                minimum,
            });
        }
        let seen = components.seen_in(&components.frame(dtype));
        let shape = [components.clusters(), features];
        let device = self.means.val().device();
        validate::values(
            "the table of means, in the smallest standard deviations of their columns,",
            &transfer::upload::<B, 2>(seen.means, shape, &device, dtype),
        )
    }

    /// The number of components, K.
    pub fn n_clusters(&self) -> usize {
        self.means.lazy_shape()[0]
    }

    /// The means μ, `[K, D]`.
    pub fn means(&self) -> Tensor<B, 2> {
        self.means.val()
    }

    /// The variances σ², `[K, D]`.
    pub fn variances(&self) -> Tensor<B, 2> {
        self.variances.val()
    }

    /// The logarithms of the weights π, `[K]`.
    pub fn log_weights(&self) -> Tensor<B, 1> {
        self.log_weights.val()
    }

    /// The likeliest component of every row; the first of equally likely ones.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the model, or values that are
    /// not finite or too many standard deviations from the means.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        let scorer = self.scorer();
        scorer.check_input(x)?;
        Ok(kernel::map_rows(
            x,
            self.n_clusters(),
            || transfer::upload_indices(&[], &x.device()),
            |block| scorer.scores(block).argmax(1).squeeze_dim(1),
        ))
    }

    /// `log π_k + log N(x; μ_k, σ²_k)` for every row and component, with
    /// `log N = −½ Σ_i [log 2πσ²_ki + (x_i − μ_ki)²/σ²_ki]`, from differences.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn log_joint(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.scorer().check_input(x)?;
        let (device, dtype, clusters) = (x.device(), self.dtype(), self.n_clusters());
        let density = Density::of(&self.components(), &device, dtype);
        let constant = -0.5 * self.n_features() as f64 * core::f64::consts::TAU.ln();
        let none = || transfer::zeros([0, clusters], &device, dtype);
        Ok(kernel::map_rows(x, clusters, none, |block| density.log_joint(&block) + constant))
    }

    /// The probability of every component given the row; a row sums to one.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn responsibilities(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let scorer = self.scorer();
        scorer.check_input(x)?;
        let none = || transfer::zeros([0, self.n_clusters()], &x.device(), self.dtype());
        Ok(kernel::map_rows(x, self.n_clusters(), none, |block| {
            log_sum_exp(scorer.scores(block)).1
        }))
    }

    /// Mean of log p(x) over the rows.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, N at least 1
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict), and if there is no row.
    pub fn log_likelihood(&self, x: &Tensor<B, 2>) -> Result<f64> {
        validate::not_empty("x", x)?;
        let rows = x.dims()[0] as f64;
        let (likelihood, _) = log_sum_exp(self.log_joint(x)?);
        Ok(kernel::sum(likelihood.squeeze_dim(1)) / rows)
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        self.scorer().check_input(x)
    }

    fn heuristic_beta(&self, x: &Tensor<B, 2>) -> Result<Option<f64>> {
        Ok(self.labels_and_beta(x).1)
    }

    /// Scores of all components, for one component too.
    fn scorer(&self) -> MixtureScorer<B> {
        MixtureScorer::of(&self.components(), self.means.val()).0
    }

    /// Decisions for checked rows, one or more, and the heuristic β.
    pub(super) fn labels_and_beta(&self, x: &Tensor<B, 2>) -> (Tensor<B, 1, Int>, Option<f64>) {
        let scorer = self.scorer();
        let (device, dtype) = (x.device(), self.dtype());
        let labels = kernel::map_rows(
            x,
            self.n_clusters(),
            || transfer::upload_indices(&[], &device),
            |block| scorer.scores(block).argmax(1).squeeze_dim(1),
        );
        if self.n_clusters() < 2 {
            return (labels, None);
        }
        let none = || transfer::zeros([0], &device, dtype);
        let logits: Tensor<B, 1> = kernel::map_rows(x, self.n_clusters(), none, |block| {
            kernel::margins(scorer.scores(block)).max_dim(1).squeeze_dim(1)
        });
        (labels, kernel::heuristic_beta(logits, None))
    }

    pub(crate) fn components(&self) -> Components {
        Components {
            features: self.n_features(),
            means: transfer::download(self.means.val()),
            variances: transfer::download(self.variances.val()),
            log_weights: transfer::download(self.log_weights.val()),
        }
    }
}

fitted!(GaussianMixture, "mixture", means);

impl<B: Backend> Load<B> for GaussianMixture<B> {
    const NAME: &'static str = "mixture of Gaussians";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        Ok(Self {
            means: shapes.param("means", device, dtype)?,
            variances: shapes.param("variances", device, dtype)?,
            log_weights: shapes.param("log_weights", device, dtype)?,
            beta: HostParam::of(shapes.blank("beta", device, dtype)?),
        })
    }

    fn checked(self) -> Result<Self, String> {
        let (means, variances) = (self.means.val(), self.variances.val());
        let log_weights = self.log_weights.val();
        load::usable("means", &means)?;
        if variances.dims() != means.dims() {
            let (found, expected) = (variances.dims(), means.dims());
            return Err(format!("its variances have shape {found:?}, its means {expected:?}"));
        }
        load::agree("log_weights", log_weights.dims(), "components", means.dims()[0])?;
        load::finite("variances", variances)?;
        load::finite("log_weights", log_weights.clone())?;
        // A recorder of half precision rounds weights by a thousandth each.
        let total: f64 = transfer::download(log_weights).into_iter().map(f64::exp).sum();
        if (total - 1.0).abs() > 1e-2 {
            return Err(format!("its weights sum to {total}, not to 1: it is damaged"));
        }
        self.check_spread().map_err(|error| error.to_string())?;
        load::check_beta(&self.beta)?;
        Ok(self)
    }
}

displayed!(GaussianMixture: n_clusters(), n_features());

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_itself() {
        let device = Default::default();
        let table = |values: [[f64; 2]; 3]| Tensor::<Flex, 2>::from_data(values, &device);
        let mixture = GaussianMixture::from_parts(
            table([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
            table([[1.0; 2]; 3]),
            Tensor::from_data([0.2, 0.3, 0.5], &device),
        );
        let mixture = mixture.expect("a mixture");
        assert_eq!(
            format!("{mixture}"),
            "GaussianMixture {n_clusters: 3, n_features: 2, params: 16}"
        );
    }
}
