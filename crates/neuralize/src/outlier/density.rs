//! Kernel densities: fitting, and the module that is stored.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::Bandwidth;
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::load::{self, Load, Shapes};
use crate::outlier::network::NeuralizedKernelDensity;
use crate::random::{Stream, subset};
use crate::{transfer, validate};

/// Settings of a kernel density.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::Bandwidth;
/// use neuralize::outlier::KernelDensityConfig;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[0.0, 0.1], [0.2, 0.0], [0.1, 0.3], [0.3, 0.2], [0.1, 5.0]],
///     &Default::default(),
/// );
/// let density =
///     KernelDensityConfig::new().with_bandwidth(Bandwidth::Gamma(1.0)).fit(&x)?;
///
/// // Every row against the others: the second feature of the last one is far off.
/// let found = density.neuralize().explain_left_out(&x)?;
/// let scores: Vec<f32> = found.score.into_data().iter().collect();
/// assert!(scores[..4].iter().all(|score| *score < 1.0) && scores[4] > 20.0);
/// let relevance: Vec<f32> = found.relevance.into_data().iter().collect();
/// assert!(relevance[9] > 0.99 * scores[4]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct KernelDensityConfig {
    /// How γ is chosen. For an infinite γ only the nearest support counts.
    #[config(default = "Bandwidth::Share(0.25)")]
    pub bandwidth: Bandwidth,
    /// The maximum number of supports: larger data are represented by a random sample of this many
    /// rows. Memory and time are proportional to it. By default all rows.
    pub max_supports: Option<usize>,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
}

impl KernelDensityConfig {
    /// The density of the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting is invalid, x is empty or has values that are not finite, or no γ gives the
    /// requested perplexity (because rows are few, or many of them are equal).
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<KernelDensity<B>> {
        if self.max_supports == Some(0) {
            return Err(Error::config("max_supports", 0, "it must be at least 1"));
        }
        match self.bandwidth {
            Bandwidth::Gamma(gamma) => check_gamma(gamma)?,
            _ => self.bandwidth.check()?,
        }
        check_supports("x", x)?;
        let x = transfer::untracked(x.clone());
        let [rows, _] = x.dims();
        let supports = match self.max_supports {
            Some(maximum) if maximum < rows => {
                let chosen = subset(rows, maximum, &mut Stream::Subset.generator(self.seed));
                x.clone().select(0, transfer::upload_indices(&chosen, &x.device()))
            }
            _ => x,
        };
        let gamma = self.bandwidth.gamma(&supports, self.seed)?;
        Ok(KernelDensity::new(supports, gamma))
    }
}

/// A kernel density with Gaussian kernels `exp(−γ ‖x − u_j‖²)` around M supports.
///
/// Make one of data with [`KernelDensityConfig`]. It is a Burn module;
/// [`neuralize`](KernelDensity::neuralize) rewrites it as a network that scores
/// outliers and explains the scores.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct KernelDensity<B: Backend> {
    /// u, `[M, D]`.
    pub(crate) supports: Param<Tensor<B, 2>>,
    /// γ, `[1]`. It is a parameter, because records keep only parameters.
    pub(crate) gamma: HostParam<B>,
}

impl KernelDensityConfig {
    /// A blank density of that many supports to load a record into; see
    /// [`KMeansConfig::init`](crate::cluster::KMeansConfig::init).
    pub fn init<B: Backend>(
        &self,
        n_features: usize,
        n_supports: usize,
        device: &B::Device,
    ) -> KernelDensity<B> {
        load::blank(&[("supports", &[n_supports, n_features]), ("gamma", &[1])], device)
    }
}

impl<B: Backend> KernelDensity<B> {
    /// The density around given supports.
    ///
    /// # Shapes
    ///
    /// - supports: `[M, D]`
    ///
    /// # Errors
    ///
    /// If there is no support or no feature, a value is not finite or too large
    /// to be squared, the precision is neither F32 nor F64, or γ is negative or
    /// NaN.
    pub fn from_supports(supports: Tensor<B, 2>, gamma: f64) -> Result<Self> {
        check_supports("the table of supports", &supports)?;
        check_gamma(gamma)?;
        Ok(Self::new(supports, gamma))
    }

    /// Checked already.
    pub(crate) fn new(supports: Tensor<B, 2>, gamma: f64) -> Self {
        let (device, dtype) = (supports.device(), supports.dtype());
        Self {
            supports: Param::initialized(ParamId::new(), transfer::untracked(supports)),
            gamma: HostParam::new(vec![gamma], &device, dtype),
        }
    }

    /// The density itself, after a check of the record that was loaded into it; see
    /// [`KMeans::checked`](crate::cluster::KMeans::checked).
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of a density.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
    }

    /// The number of supports, M.
    pub fn n_supports(&self) -> usize {
        self.supports.lazy_shape()[0]
    }

    /// The number of features, D.
    pub fn n_features(&self) -> usize {
        self.supports.lazy_shape()[1]
    }

    /// The supports u, `[M, D]`.
    pub fn supports(&self) -> Tensor<B, 2> {
        self.supports.val()
    }

    /// The stiffness γ.
    pub fn gamma(&self) -> f64 {
        self.gamma.first()
    }

    /// The precision of the model; data must have the same.
    pub fn dtype(&self) -> DType {
        self.supports.val().dtype()
    }

    /// The outlier score of every row: see [`NeuralizedKernelDensity::score`].
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
    pub fn score(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
        self.neuralize().score(x)
    }

    /// The same for rows that may themselves be supports: see
    /// [`NeuralizedKernelDensity::score_left_out`].
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score), and if there is only one support.
    pub fn score_left_out(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
        self.neuralize().score_left_out(x)
    }

    /// Rewrites the density as a network.
    pub fn neuralize(&self) -> NeuralizedKernelDensity<B> {
        NeuralizedKernelDensity::of(self.supports.val(), self.gamma.copied())
    }
}

fn check_supports<B: Backend>(what: &'static str, supports: &Tensor<B, 2>) -> Result<()> {
    validate::not_empty(what, supports)?;
    validate::dtype::<B>(what, &supports.device(), supports.dtype())?;
    validate::values(what, supports)
}

fn check_gamma(gamma: f64) -> Result<()> {
    if gamma >= 0.0 {
        Ok(())
    } else {
        Err(Error::config(
            "gamma",
            gamma,
            "it must be at least 0; infinity counts the nearest support alone",
        ))
    }
}

impl<B: Backend> Load<B> for KernelDensity<B> {
    const NAME: &'static str = "kernel density";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("gamma")?;
        Ok(Self::new(shapes.blank("supports", device, dtype)?, 0.0))
    }

    fn checked(self) -> Result<Self, String> {
        load::usable("supports", &self.supports.val())?;
        load::check_stiffness("gamma", &self.gamma)?;
        Ok(self)
    }
}

displayed!(KernelDensity: n_supports(), n_features(), gamma());

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_itself() {
        let supports =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &Default::default());
        let density = KernelDensity::from_supports(supports, 0.5).expect("a density");
        assert_eq!(
            format!("{density}"),
            "KernelDensity {n_supports: 2, n_features: 3, gamma: 0.5, params: 7}"
        );
    }
}
