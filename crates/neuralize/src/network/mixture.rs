//! A mixture of Gaussians as a network.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::{GaussianMixture, MixtureScorer, beta};
use crate::error::{Error, Result};
use crate::explain::{Absorbed, Explanation, Root, Rule, Target};
use crate::host_param::HostParam;
use crate::kernel::Flag;
use crate::load::{self, Load, Shapes};
use crate::network::interface::{Dimensions, Internals, Network, no_rule};
use crate::network::min_pool::MinPool;
use crate::network::mixture_secant::{ComponentSecants, Components};
use crate::network::pass::PoolingPass;
use crate::network::secant;

/// A mixture of diagonal Gaussians as a neural network: a linear layer over x
/// and x², and min-pooling, exactly.
///
/// The score of a component is its log joint density,
/// `s_k = log π_k − ½ Σ_i [log 2πσ²_ki + (x_i − μ_ki)²/σ²_ki]`, and the logit
/// of component c is `f_c = min_{k≠c} (s_c − s_k)`, in nats: positive for the
/// component that x belongs to. (A Gaussian is a Bregman divergence with a
/// bias: Banerjee et al. 2005.)
///
/// Only differences of scores count. Terms that all components share are left out, so a feature
/// in which the components are alike has weights of exactly 0.
///
/// # Relevance
///
/// By default ([`Rule::Secant`]), the relevance measures from a [`Root`] x₀, where the component
/// and its competitor are equal: with the ratios ρ_k of min-pooling,
/// `R_i = Σ_k ρ_k ½ [(x+x₀−2μ_k)/σ²_k − (x+x₀−2μ_c)/σ²_c]_i (x−x₀)_i`, and relevances sum to the
/// logit. For equal priors and variances, [`Root::Midway`] makes this NEON for k-means. A component
/// that another one beats within a standard deviation of its mean has no root beside it; its part of
/// the logit is absorbed by "root".
///
/// By [`Rule::Summed`], with `a_k = ρ_k` for competitors and `a_c = −Σ ρ_k`, a feature has the
/// relevance `R_i = Σ_k a_k ½ (x_i − μ_ki)²/σ²_ki`. Two parts of the logit belong to no value of a
/// feature and are [absorbed](Explanation::absorbed):
///
/// - `prior`: `−Σ_k a_k log π_k`, because one component is more frequent;
/// - `variance`: `Σ_k a_k ½ Σ_i log σ²_ki`, because one is narrower.
///
/// Relevances and absorbed parts sum to the logit. For equal priors and unit
/// variances this is NEON for k-means with half the squared distances.
///
/// Products lose digits where a mean is far from the common centre, measured in the smallest
/// standard deviation of a feature. Beyond 64 of them in f32, or 1000 in f64, scores and
/// relevances are computed from the differences `x_i − μ_ki` instead, one component after the
/// other.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::GaussianMixture;
/// use neuralize::explain::{Beta, Rule, Target};
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let mixture = GaussianMixture::from_parts(
///     Tensor::<Flex, 2>::from_data([[0.0, 0.0], [0.0, 4.0]], &device),
///     Tensor::<Flex, 2>::from_data([[1.0, 1.0], [4.0, 1.0]], &device),
///     Tensor::<Flex, 1>::from_data([0.25, 0.75], &device),
/// )?;
///
/// let x = Tensor::<Flex, 2>::from_data([[2.0, 1.0]], &device);
/// let network = mixture.neuralize()?;
/// let found = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
/// // Nothing is absorbed: the relevances sum to the logit.
/// assert!(found.absorbed.is_empty() && found.conservation_error().into_scalar() < 1e-6);
///
/// let network = network.with_rule(Rule::Summed)?;
/// let found = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
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
    pub(crate) spread: HostParam<B>,
    /// The heuristic β, `[1]`; NaN where it is not known.
    pub(crate) beta: HostParam<B>,
    /// How relevance passes to the features.
    #[module(skip)]
    rule: Rule,
}

impl<B: Backend> GaussianMixture<B> {
    /// Rewrites the mixture as a network that makes the same decisions.
    ///
    /// # Errors
    ///
    /// If there is only one component.
    pub fn neuralize(&self) -> Result<NeuralizedGaussianMixture<B>> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        let (scorer, squares) = MixtureScorer::of(&self.components(), self.means.val());
        let (device, dtype) = (self.means.val().device(), self.dtype());
        let row = |row| Param::initialized(ParamId::new(), row);
        let table = |table| Param::initialized(ParamId::new(), table);
        Ok(NeuralizedGaussianMixture {
            center: row(scorer.center),
            scale: row(scorer.scale),
            linear: Linear { weight: table(scorer.linear), bias: scorer.bias.map(row) },
            quadratic: Linear { weight: table(scorer.quadratic), bias: None },
            squares: table(squares),
            log_weights: row(scorer.log_weights),
            half_log_variances: row(scorer.half_log_variances),
            pool: MinPool,
            means: table(scorer.means),
            deviations: table(scorer.deviations),
            spread: HostParam::new(vec![scorer.spread], &device, dtype),
            beta: self.beta.copied(),
            rule: Rule::default(),
        })
    }
}

/// The shape of a [`NeuralizedGaussianMixture`] that a record is loaded into.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedGaussianMixtureConfig {
    /// D.
    pub n_features: usize,
    /// K.
    pub n_clusters: usize,
}

impl NeuralizedGaussianMixtureConfig {
    /// A blank network to load a record into. The [rule](NeuralizedGaussianMixture::with_rule) is
    /// not part of a record.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedGaussianMixture<B> {
        let (features, clusters) = ([self.n_features], [self.n_clusters]);
        let (table, weight) =
            ([self.n_clusters, self.n_features], [self.n_features, self.n_clusters]);
        let shapes: &[(&str, &[usize])] = &[
            ("center", &features),
            ("scale", &features),
            ("linear.weight", &weight),
            ("linear.bias", &clusters),
            ("quadratic.weight", &weight),
            ("squares", &table),
            ("log_weights", &clusters),
            ("half_log_variances", &clusters),
            ("means", &table),
            ("deviations", &table),
            ("spread", &[1]),
            ("beta", &[1]),
        ];
        load::blank(shapes, device)
    }
}

impl<B: Backend> Load<B> for NeuralizedGaussianMixture<B> {
    const NAME: &'static str = "neuralized mixture of Gaussians";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let row = |name| shapes.param::<B, 1>(name, device, dtype);
        let table = |name| shapes.param::<B, 2>(name, device, dtype);
        Ok(Self {
            center: row("center")?,
            scale: row("scale")?,
            linear: Linear { weight: table("linear.weight")?, bias: Some(row("linear.bias")?) },
            quadratic: Linear { weight: table("quadratic.weight")?, bias: None },
            squares: table("squares")?,
            log_weights: row("log_weights")?,
            half_log_variances: row("half_log_variances")?,
            pool: MinPool,
            means: table("means")?,
            deviations: table("deviations")?,
            spread: HostParam::of(shapes.blank("spread", device, dtype)?),
            beta: HostParam::of(shapes.blank("beta", device, dtype)?),
            rule: Rule::default(),
        })
    }

    fn checked(self) -> Result<Self, String> {
        let (means, deviations) = (self.means.val(), self.deviations.val());
        load::usable("means", &means)?;
        load::finite("deviations", deviations.clone())?;
        let weights = self.log_weights.val();
        load::finite("log_weights", weights.clone())?;
        load::check_beta(&self.beta)?;
        let mixture = GaussianMixture::from_parts(means, deviations.square(), weights.exp());
        let network = mixture.and_then(|mixture| mixture.and_beta(self.beta()).neuralize());
        let network = network.map_err(|error| error.to_string())?;
        load::alike(&self, &network)?;
        Ok(Self { rule: self.rule, ..network })
    }
}

impl<B: Backend> NeuralizedGaussianMixture<B> {
    /// The network itself, after a check of the record that was loaded into it. What follows
    /// from other parameters is computed again, because a recorder of half precision rounds
    /// each of them.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of such a network, or do not belong together.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
    }

    /// The same network with another rule.
    ///
    /// # Errors
    ///
    /// If the rule is [`Rule::Pairwise`], since components have no supports, or names a root that
    /// does not exist.
    pub fn with_rule(mut self, rule: Rule) -> Result<Self> {
        match rule {
            Rule::Secant(root) => root.check()?,
            Rule::Summed => (),
            Rule::Pairwise => {
                return Err(no_rule(rule, "components have no supports: take Secant or Summed"));
            }
        }
        self.rule = rule;
        Ok(self)
    }

    /// How relevance passes to the features.
    pub fn rule(&self) -> Rule {
        self.rule
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

    /// The decision, with the network's parameters.
    fn scorer(&self) -> MixtureScorer<B> {
        MixtureScorer {
            center: self.center.val(),
            scale: self.scale.val(),
            linear: self.linear.weight.val(),
            bias: self.linear.bias.as_ref().map(Param::val),
            quadratic: self.quadratic.weight.val(),
            log_weights: self.log_weights.val(),
            half_log_variances: self.half_log_variances.val(),
            means: self.means.val(),
            deviations: self.deviations.val(),
            spread: self.spread.first(),
        }
    }

    fn secants(&self) -> ComponentSecants<B> {
        let (means, deviations) = (self.means.val(), self.deviations.val());
        let constants = self.log_weights.val() - self.half_log_variances.val();
        let components = Components::of(&means, &deviations, constants);
        ComponentSecants::new(means, deviations, components)
    }

    /// The pass from a root.
    fn explain_by_secants(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Explanation<B> {
        let secants = self.secants();
        let pass = PoolingPass::of(&self.scorer().scores(x.clone()), target, beta);
        let absorbs = !secants.are_complete();
        secant::explanation(pass, (target, beta), x.dims()[1], absorbs, |pair| {
            secants.of_pair(x, root, pair)
        })
    }

    /// The relevances by products, for the coefficients a.
    fn products(&self, seen: Tensor<B, 2>, a: &Tensor<B, 2>) -> Tensor<B, 2> {
        let tilted = self.linear.weight.val().transpose();
        let half_precisions = self.quadratic.weight.val().transpose().neg();
        seen.clone().square() * a.clone().matmul(half_precisions) - seen * a.clone().matmul(tilted)
            + a.clone().matmul(self.squares.val()) * 0.5
    }
}

/// What absorbs parts of the logit by the summed rule.
const BIASES: [&str; 2] = ["prior", "variance"];

impl<B: Backend> Internals<B> for NeuralizedGaussianMixture<B> {
    fn dimensions(&self) -> Dimensions<B> {
        Dimensions::of_rows(&self.means.val())
    }

    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        self.scorer().valid(x)
    }

    fn refuse(&self, x: &Tensor<B, 2>) -> Result<()> {
        self.scorer().refuse(x)
    }
}

impl<B: Backend> Network<B> for NeuralizedGaussianMixture<B> {
    fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The means.
    fn centroids(&self) -> Tensor<B, 2> {
        self.means.val()
    }

    /// The log joint densities up to a summand that all components share.
    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.scorer().scores(x)
    }

    fn absorbed_names(&self) -> &'static [&'static str] {
        match self.rule {
            Rule::Secant(_) if self.secants().are_complete() => &[],
            Rule::Secant(_) => &[secant::ROOT],
            _ => &BIASES,
        }
    }

    /// A wide component has points beyond the mean of its neighbour.
    fn is_centroid_based(&self) -> bool {
        false
    }

    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let center = Param::initialized(ParamId::new(), self.center.val() + by);
        let means = Param::initialized(ParamId::new(), self.means.val() + by);
        let shifted = Self { center, means, ..self.clone() };
        Ok(Some(Box::new(shifted)))
    }

    fn explained_by(&self, rule: Rule) -> Result<Box<dyn Network<B>>> {
        Ok(Box::new(self.clone().with_rule(rule)?))
    }

    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        if let Rule::Secant(root) = self.rule {
            return self.explain_by_secants(&x, target, beta, root);
        }
        let scorer = self.scorer();
        let pass = PoolingPass::of(&scorer.scores(x.clone()), target, beta);
        let a = pass.coefficients();
        let relevance = if scorer.needs_differences() {
            scorer.density().relevance(&x, pass.cluster.clone(), &pass.competitors.ratios)
        } else {
            self.products(scorer.seen(x), &a)
        };
        let along = |part: Tensor<B, 1>| (a.clone() * part.unsqueeze()).sum_dim(1).squeeze_dim(1);
        let amounts = [along(self.log_weights.val()).neg(), along(self.half_log_variances.val())];
        let names = BIASES.into_iter();
        let absorbed = names.zip(amounts).map(|(name, amount)| Absorbed { name, amount }).collect();
        Explanation { absorbed, ..pass.explanation(relevance, target, beta) }
    }

    fn explain_block_from(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Result<Explanation<B>> {
        Ok(self.explain_by_secants(&x, target, beta, root))
    }
}

displayed!(NeuralizedGaussianMixture, layers: linear, quadratic, pool);

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

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
