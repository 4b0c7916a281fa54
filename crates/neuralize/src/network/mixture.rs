use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::cluster::beta;
use crate::cluster::{Components, Density};
use crate::error::{Error, Result};
use crate::explain::{Absorbed, Asked, Beta, Explanation, Target};
use crate::network::{MinPool, Network};
use crate::{kernel, transfer, validate};

/// A mixture of diagonal Gaussians as a neural network: a linear layer over x
/// and x², and min-pooling, exactly.
///
/// The score of a component is its log joint density,
/// `s_k = log π_k − ½ Σ_i [log 2πσ²_ki + (x_i − μ_ki)²/σ²_ki]`, and the logit
/// of component c is `f_c = min_{k≠c} (s_c − s_k)`, in nats: positive for the
/// component that x belongs to. (A Gaussian is a Bregman divergence with a
/// bias: Banerjee et al. 2005.)
///
/// Only differences of scores count. What all components share is left out, so
/// that a feature in which they are alike has weights of exactly 0.
///
/// # Relevance
///
/// With the ratios ρ_k of min-pooling, `a_k = ρ_k` for competitors and
/// `a_c = −Σ ρ_k`, a feature has the relevance
/// `R_i = Σ_k a_k ½ (x_i − μ_ki)²/σ²_ki`. Two parts of the logit belong to no
/// value of a feature and are [absorbed](Explanation::absorbed):
///
/// - `prior`: `−Σ_k a_k log π_k`, because one component is more frequent;
/// - `variance`: `Σ_k a_k ½ Σ_i log σ²_ki`, because one is narrower.
///
/// Relevances and absorbed parts sum to the logit. For equal priors and unit
/// variances this is NEON for k-means with half the squared distances.
///
/// Where a mean is so many of the smallest standard deviations of a feature
/// from the common centre (more than 64 in f32, 1000 in f64) that products
/// would lose digits, scores and relevances are computed from the differences
/// `x_i − μ_ki` instead, one component after the other.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::GaussianMixture;
/// use neuralize::explain::{Beta, Target};
///
/// let device = Default::default();
/// let mixture = GaussianMixture::from_parts(
///     Tensor::<Flex, 2>::from_data([[0.0, 0.0], [0.0, 4.0]], &device),
///     Tensor::<Flex, 2>::from_data([[1.0, 1.0], [4.0, 1.0]], &device),
///     Tensor::<Flex, 1>::from_data([0.25, 0.75], &device),
/// )?;
///
/// let x = Tensor::<Flex, 2>::from_data([[2.0, 1.0]], &device);
/// let found = mixture.neuralize()?.explain(&x, Target::Assigned, Beta::Value(1.0))?;
///
/// // ½ (2²/4 − 2²) and ½ (3² − 1²); log ¼ − log ¾; ½ log 4.
/// let relevance: Vec<f32> = found.relevance.clone().into_data().iter().collect();
/// assert!((relevance[0] + 1.5).abs() < 1e-5 && (relevance[1] - 4.0).abs() < 1e-5);
/// let [prior, variance] = &found.absorbed[..] else { panic!("two parts") };
/// assert!((prior.amount.clone().into_scalar() + 3f32.ln()).abs() < 1e-5);
/// assert!((variance.amount.clone().into_scalar() - 2f32.ln()).abs() < 1e-5);
/// assert!(found.conservation_error().into_scalar() < 1e-6);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedGaussianMixture<B: Backend> {
    /// Subtracted from the input, `[D]`.
    pub(crate) center: Param<Tensor<B, 1>>,
    /// Divides what is left: the smallest standard deviation of every feature, `[D]`.
    pub(crate) scale: Param<Tensor<B, 1>>,
    /// Of x: weight `μ/σ²`, `[D, K]`, and the bias, `[K]`.
    pub(crate) linear: Linear<B>,
    /// Of x²: weight `−1/(2σ²)`, `[D, K]`.
    pub(crate) quadratic: Linear<B>,
    /// `μ²/σ²`, `[K, D]`, of which the bias is a sum.
    pub(crate) squares: Param<Tensor<B, 2>>,
    /// `log π_k`, `[K]`.
    pub(crate) log_weights: Param<Tensor<B, 1>>,
    /// `½ Σ_i log σ²_ki`, `[K]`.
    pub(crate) half_log_variances: Param<Tensor<B, 1>>,
    /// Minimum over competitors.
    pub(crate) pool: MinPool,
    /// The means, `[K, D]`.
    pub(crate) means: Param<Tensor<B, 2>>,
    /// The standard deviations σ, `[K, D]`.
    pub(crate) deviations: Param<Tensor<B, 2>>,
    /// The largest distance of a mean from the centre, in units of the scale, `[1]`.
    pub(crate) spread: Param<Tensor<B, 1>>,
    /// The heuristic β, `[1]`; NaN where it is not known.
    pub(crate) beta: Param<Tensor<B, 1>>,
}

impl<B: Backend> NeuralizedGaussianMixture<B> {
    pub(crate) fn of(components: &Components, means: Tensor<B, 2>, beta: Tensor<B, 1>) -> Self {
        let (device, dtype) = (means.device(), means.dtype());
        let [clusters, features] = means.dims();
        let frame = components.frame(dtype);
        let seen = components.seen_in(&frame);

        let mut precisions = seen.precisions();
        let product =
            |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
        let mut tilted = product(&precisions, &seen.means);
        let mut squares = product(&tilted, &seen.means);
        for table in [&mut precisions, &mut tilted, &mut squares] {
            leave_out_shared(table, features);
        }
        let mut log_weights = seen.log_weights.clone();
        leave_out_shared(&mut log_weights, 1);
        let mut half_log_variances = seen.half_log_variances();
        leave_out_shared(&mut half_log_variances, 1);
        let bias = squares
            .chunks_exact(features)
            .zip(log_weights.iter().zip(&half_log_variances))
            .map(|(squares, (prior, half))| prior - half - 0.5 * squares.iter().sum::<f64>())
            .collect();

        let row = |values: Vec<f64>| {
            let length = values.len();
            let row = transfer::upload::<B, 1>(values, [length], &device, dtype);
            Param::initialized(ParamId::new(), row)
        };
        let table = |values: Vec<f64>| {
            transfer::upload::<B, 2>(values, [clusters, features], &device, dtype)
        };
        let layer = |weight: Tensor<B, 2>, bias| Linear {
            weight: Param::initialized(ParamId::new(), weight.transpose()),
            bias,
        };
        Self {
            center: row(frame.center),
            scale: row(frame.scale),
            linear: layer(table(tilted), Some(row(bias))),
            quadratic: layer(table(precisions) * -0.5, None),
            squares: Param::initialized(ParamId::new(), table(squares)),
            log_weights: row(log_weights),
            half_log_variances: row(half_log_variances),
            pool: MinPool,
            means: Param::initialized(ParamId::new(), means),
            deviations: Param::initialized(ParamId::new(), table(components.deviations())),
            spread: row(vec![seen.means.iter().fold(0.0, |most, m| most.max(m.abs()))]),
            beta: Param::initialized(ParamId::new(), beta),
        }
    }

    /// How many components, K.
    pub fn n_clusters(&self) -> usize {
        self.means.lazy_shape()[0]
    }

    /// How many features, D.
    pub fn n_features(&self) -> usize {
        self.means.lazy_shape()[1]
    }

    /// The precision of the network; data must have the same.
    pub fn dtype(&self) -> DType {
        self.means.val().dtype()
    }

    /// The heuristic β (1 / mean logit of the training data), if it is known.
    pub fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The layer over x, seen from the centre in units of the scale: weight
    /// `[D, K]`, bias `[K]`.
    pub fn linear(&self) -> &Linear<B> {
        &self.linear
    }

    /// The layer over x², seen likewise: weight `[D, K]`, no bias.
    pub fn quadratic(&self) -> &Linear<B> {
        &self.quadratic
    }

    /// The pooling layer.
    pub fn pool(&self) -> &MinPool {
        &self.pool
    }

    /// The logit f_c of every component, in nats.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the network, or values that
    /// are not finite or too many standard deviations from the means.
    pub fn forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        Network::forward(self, x)
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
    /// As [`forward`](Self::forward).
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        Network::predict(self, x)
    }

    /// Explains every row of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, logit and cluster: `[N]`, shares: `[N, K]`,
    ///   absorbed: `prior` and `variance`, `[N]` each
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), and if the target names a component that
    /// does not exist, β is negative or NaN, or the heuristic is asked of a
    /// network without one.
    pub fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        Network::explain(self, x, target, beta)
    }

    /// As [`Network::check_input`], for one component too.
    pub(crate) fn check_data(&self, x: &Tensor<B, 2>) -> Result<()> {
        const WHAT: &str = "x, in the smallest standard deviations of its columns,";
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::input("x", x, self.n_features(), self.dtype())?;
        let [rows, features] = x.dims();
        for range in kernel::blocks(rows, kernel::block_rows(features)) {
            let block = self.seen(x.clone().slice([range.clone(), 0..features]));
            match validate::values(WHAT, &block) {
                Err(Error::TooLarge { what, row, column, value, limit }) => {
                    let row = range.start + row;
                    return Err(Error::TooLarge { what, row, column, value, limit });
                }
                Err(Error::NonFinite { what, row, column, value }) => {
                    let row = range.start + row;
                    return Err(Error::NonFinite { what, row, column, value });
                }
                other => other?,
            }
        }
        Ok(())
    }

    pub(crate) fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        if self.needs_differences() {
            return self.density().log_joint(&x);
        }
        let seen = self.seen(x);
        self.linear.forward(seen.clone()) + self.quadratic.forward(seen.square())
    }

    /// Whether products would lose digits.
    fn needs_differences(&self) -> bool {
        let most = match self.dtype() {
            DType::F64 => 1e3,
            _ => 64.0,
        };
        transfer::download(self.spread.val()).iter().any(|spread| *spread > most)
    }

    fn density(&self) -> Density<B> {
        let constants = self.log_weights.val() - self.half_log_variances.val();
        Density {
            means: self.means.val(),
            deviations: self.deviations.val(),
            constants: constants.unsqueeze(),
        }
    }

    /// The relevances by products, for the coefficients a.
    fn products(&self, x: Tensor<B, 2>, a: &Tensor<B, 2>) -> Tensor<B, 2> {
        let seen = self.seen(x);
        let tilted = self.linear.weight.val().transpose();
        let half_precisions = self.quadratic.weight.val().transpose().neg();
        seen.clone().square() * a.clone().matmul(half_precisions) - seen * a.clone().matmul(tilted)
            + a.clone().matmul(self.squares.val()) * 0.5
    }

    /// Rows around the centre, in units of the scale.
    fn seen(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (x - self.center.val().unsqueeze()) / self.scale.val().unsqueeze()
    }
}

impl<B: Backend> Network<B> for NeuralizedGaussianMixture<B> {
    fn n_clusters(&self) -> usize {
        self.n_clusters()
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn dtype(&self) -> DType {
        self.dtype()
    }

    fn device(&self) -> B::Device {
        self.means.val().device()
    }

    fn beta(&self) -> Option<f64> {
        self.beta()
    }

    fn centroids(&self) -> Tensor<B, 2> {
        self.means.val()
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        self.check_data(x)
    }

    /// The log joint densities up to a summand that all components share.
    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.scores(x)
    }

    fn absorbed_names(&self) -> &'static [&'static str] {
        &["prior", "variance"]
    }

    /// A wide component has points beyond the mean of its neighbour.
    fn is_centroid_based(&self) -> bool {
        false
    }

    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let moved = |param: Tensor<B, 1>| Param::initialized(ParamId::new(), param + by);
        let means = Param::initialized(ParamId::new(), self.means.val() + by);
        let shifted = Self { center: moved(self.center.val()), means, ..self.clone() };
        Ok(Some(Box::new(shifted)))
    }

    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let scores = self.scores(x.clone());
        let asked = Asked::of(&scores, target.explained(&scores), target, beta);
        let a = asked.coefficients();
        let relevance = if self.needs_differences() {
            self.density().relevance(&x, asked.cluster.clone(), &asked.pooled.ratios)
        } else {
            self.products(x, &a)
        };
        let along = |part: Tensor<B, 1>| (a.clone() * part.unsqueeze()).sum_dim(1).squeeze_dim(1);
        let amounts = [along(self.log_weights.val()).neg(), along(self.half_log_variances.val())];
        let names = self.absorbed_names().iter().copied();
        let absorbed = names.zip(amounts).map(|(name, amount)| Absorbed { name, amount }).collect();
        Explanation { absorbed, ..asked.answer(relevance, target, beta) }
    }
}

/// Subtracts, column by column of a table `[K, D]`, the number that is nearest
/// to zero. The columns of coefficients sum to zero over the components, so
/// nothing changes but the digits: equal numbers become exactly 0.
fn leave_out_shared(table: &mut [f64], columns: usize) {
    for column in 0..columns {
        let numbers = table.iter().skip(column).step_by(columns);
        let least = numbers.copied().reduce(|a, b| if b.abs() < a.abs() { b } else { a });
        let least = least.unwrap_or(0.0);
        table.iter_mut().skip(column).step_by(columns).for_each(|number| *number -= least);
    }
}

impl<B: Backend> ModuleDisplay for NeuralizedGaussianMixture<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(true).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("linear", &self.linear)
            .add("quadratic", &self.quadratic)
            .add("pool", &self.pool)
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::GaussianMixture;
    use burn::backend::Flex;

    #[test]
    fn what_is_shared_is_exactly_nothing() {
        let mut table = vec![0.1, 3.0, 0.1, -2.0, 0.1, 2.5];
        leave_out_shared(&mut table, 2);
        assert_eq!(table, [0.0, 5.0, 0.0, 0.0, 0.0, 4.5]);
    }

    #[test]
    fn prints_its_layers() {
        let device = Default::default();
        let table = |values: [[f64; 3]; 2]| Tensor::<Flex, 2>::from_data(values, &device);
        let network = GaussianMixture::from_parts(
            table([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]),
            table([[1.0; 3]; 2]),
            Tensor::from_data([0.5, 0.5], &device),
        )
        .and_then(|mixture| mixture.neuralize());
        let layer = |bias, params| {
            format!(
                "Linear {{\n    d_input: 3\n    d_output: 2\n    bias: {bias}\n    params: {params}\n  }}"
            )
        };
        assert_eq!(
            format!("{}", network.expect("two components")),
            format!(
                "NeuralizedGaussianMixture {{\n  linear: {}\n  quadratic: {}\n  pool: MinPool\n  params: 44\n}}",
                layer(true, 8),
                layer(false, 6)
            )
        );
    }
}
