//! Clusters of supports as a network.

use std::sync::Arc;

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::{KernelKMeans, SupportScorer, beta};
use crate::error::{Error, Result};
use crate::explain::{Absorbed, Beta, Explanation, Root, Rule, Target};
use crate::host_param::HostParam;
use crate::kernel::{self, Affine, Flag, Keep, Scores, Source};
use crate::load::{self, Load, Shapes};
use crate::network::interface::{Dimensions, Internals, Network};
use crate::network::min_pool::MinPool;
use crate::network::pass::PoolingPass;
use crate::network::seats::Seats;
use crate::network::soft_pool::{SoftMaxPool, SoftMinPool};
use crate::network::support_coefficients::SupportCoefficients;
use crate::network::support_secant::SupportSecants;
use crate::network::{midpoint, pairwise, secant, summed};
use crate::{transfer, validate};

/// Clusters of supports as a neural network of four layers, exactly.
///
/// ```text
/// linear      h_ijk = t_i − t_j,  t_j = 2 x·u_j − ‖u_j‖²      every pair of supports
/// soft max    h_jk  = (1/γ) log mean_{i∈C_c} exp(γ h_ijk)     over the explained cluster
/// soft min    h_k   = −(1/γ) log mean_{j∈C_k} exp(−γ h_jk)    over the competitor
/// min         f_c   = min_{k≠c} h_k
/// ```
///
/// (Kauffmann et al. 2024). The output for cluster c is the margin by which its soft-min distance
/// `−(1/γ) log mean_{i∈C_c} exp(−γ ‖x−u_i‖²)` is smaller than that of its nearest competitor, in
/// squared units of the data. An infinite γ is the nearest-neighbour rule.
///
/// Pairs are not computed: with `s_k = (1/γ) log mean_{j∈C_k} exp(γ t_j)` the layers give
/// `h_jk = s_c − t_j` and `h_k = s_c − s_k`, so one score for every support is enough.
/// [`dense_forward`](Self::dense_forward) computes all pairs.
///
/// # Relevance
///
/// Within a cluster a support has the share `p_j = softmax(γ t_j)`. By default
/// ([`Rule::Secant`]), the relevance measures from a [`Root`] x₀, where the cluster and its
/// competitor are equal: `R = Σ_k ρ_k 2 (Σ_{i∈C_c} w_i u_i − Σ_{j∈C_k} w_j u_j) ∘ (x − x₀)`, with the
/// ratios ρ_k of min-pooling and weights w_j in proportion to the logarithmic mean of the shares at x
/// and at x₀, of sum 1 in a cluster (Sato 1976, Vartia 1976). Relevances sum to the logit, since
/// these weights make `Σ w_j (t_j(x) − t_j(x₀))` the change of the score. A pair has no root if one
/// cluster beats the other at its mean and at all its supports; its part of the logit is absorbed by
/// "root". If own supports are left out, that part is always listed.
///
/// By [`Rule::Summed`] a competitor's R_k is divided in proportion to
/// `Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²`, which over all features sums to
/// `g_k`. A soft minimum is a mean distance *and* an entropy,
/// `−(1/γ) log mean exp(−γ d) = Σ p d + KL(p‖uniform)/γ`, so g_k is h_k without the
/// entropies, and may vanish where h_k does not. R_k / g_k is therefore written
/// `(R_k / h_k) q_k`, where `q_k = h_k / g_k` as long as g_k has the sign of h_k and
/// at least an eighth of its size; below, q_k falls linearly in g_k from 8 to 1,
/// which it reaches where g_k is minus an eighth. There, [`Explanation::absorbed`] reports the part
/// of the logit that no feature carries as "entropy"; elsewhere that part is 0.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KernelKMeans;
/// use neuralize::explain::{Beta, Rule, Target};
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let supports = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]], &device);
/// let model = KernelKMeans::from_supports(supports, &[0, 0, 1], f64::INFINITY)?;
/// let network = model.neuralize()?;
///
/// // The nearest support of either cluster: squared distances 1 and 10.
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.0]], &device);
/// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
/// let logit = explanation.logit.into_data().iter::<f32>().next();
/// assert!((logit.unwrap_or_default() - 9.0).abs() < 1e-4);
/// // From the boundary, 9/22 of the way to (2, 3): 2 (0 − 2)(−9/22) and 2 (0 − 3)(−27/22).
/// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
/// assert!((relevance[0] - 18.0 / 11.0).abs() < 1e-4 && (relevance[1] - 81.0 / 11.0).abs() < 1e-4);
/// // By distances: (1−2)² − 1² and (0−3)² − 0².
/// let network = network.with_rule(Rule::Summed)?;
/// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
/// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
/// assert!(relevance[0].abs() < 1e-4 && (relevance[1] - 9.0).abs() < 1e-4);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedKernelKMeans<B: Backend> {
    /// Subtracted from the input, `[D]`: a point near most supports.
    pub(crate) center: Param<Tensor<B, 1>>,
    /// Weight `2 Uᵀ`, `[D, M]`, and bias `−‖u‖²`, `[M]`, around the centre.
    pub(crate) linear: Linear<B>,
    /// Over the supports of the explained cluster.
    pub(crate) soft_max: SoftMaxPool<B>,
    /// Over the supports of a competitor.
    pub(crate) soft_min: SoftMinPool<B>,
    /// Minimum over competitors.
    pub(crate) pool: MinPool,
    /// Supports of every cluster, `[K]`; the supports are in this order.
    pub(crate) sizes: HostParam<B>,
    /// The heuristic β, `[1]`; NaN where it is not known.
    pub(crate) beta: HostParam<B>,
    /// How relevance passes to the features.
    #[module(skip)]
    rule: Rule,
    /// Whether rows that are supports are scored and explained without them.
    #[module(skip)]
    leaves_out: bool,
    #[module(skip)]
    keep: Keep,
}

impl<B: Backend> KernelKMeans<B> {
    /// Rewrites the clusterer as a network that makes the same decisions.
    ///
    /// # Errors
    ///
    /// If there is only one cluster, or the parameters do not belong together
    /// (see [`checked`](Self::checked)).
    pub fn neuralize(&self) -> Result<NeuralizedKernelKMeans<B>> {
        self.check_parameters().map_err(|detail| Error::Record { detail })?;
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        let Affine { center, scores, .. } = Affine::of(&self.supports.val());
        Ok(NeuralizedKernelKMeans {
            center: Param::initialized(ParamId::new(), center.squeeze_dim(0)),
            linear: load::linear(scores.weight, scores.bias),
            soft_max: SoftMaxPool { gamma: self.gamma.copied() },
            soft_min: SoftMinPool { gamma: self.gamma.copied() },
            pool: MinPool,
            sizes: self.sizes.copied(),
            beta: self.beta.copied(),
            rule: Rule::default(),
            leaves_out: false,
            keep: Keep::default(),
        })
    }
}

/// The shape of a [`NeuralizedKernelKMeans`] that a record is loaded into.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedKernelKMeansConfig {
    /// D.
    pub n_features: usize,
    /// K.
    pub n_clusters: usize,
    /// M.
    pub n_supports: usize,
}

impl NeuralizedKernelKMeansConfig {
    /// A blank network to load a record into. The [rule](NeuralizedKernelKMeans::with_rule) is
    /// not part of a record.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedKernelKMeans<B> {
        let shapes: &[(&str, &[usize])] = &[
            ("center", &[self.n_features]),
            ("linear.weight", &[self.n_features, self.n_supports]),
            ("linear.bias", &[self.n_supports]),
            ("soft_max.gamma", &[1]),
            ("soft_min.gamma", &[1]),
            ("sizes", &[self.n_clusters]),
            ("beta", &[1]),
        ];
        load::blank(shapes, device)
    }
}

impl<B: Backend> Load<B> for NeuralizedKernelKMeans<B> {
    const NAME: &'static str = "neuralized kernel k-means network";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let row = |name| shapes.blank::<B, 1>(name, device, dtype).map(HostParam::of);
        let weight = shapes.blank("linear.weight", device, dtype)?;
        Ok(Self {
            center: shapes.param("center", device, dtype)?,
            linear: load::linear(weight, shapes.blank("linear.bias", device, dtype)?),
            soft_max: SoftMaxPool { gamma: row("soft_max.gamma")? },
            soft_min: SoftMinPool { gamma: row("soft_min.gamma")? },
            pool: MinPool,
            sizes: row("sizes")?,
            beta: row("beta")?,
            rule: Rule::default(),
            leaves_out: false,
            keep: Keep::default(),
        })
    }

    fn checked(self) -> Result<Self, String> {
        let (center, weight) = (self.center.val(), self.linear.weight.val());
        load::not_blank("linear.weight", &weight)?;
        load::agree("center", center.dims(), "features", weight.dims()[0])?;
        load::finite_numbers("sizes", self.sizes.values())?;
        let gamma = load::sole("soft_min.gamma", &self.soft_min.gamma)?;
        load::check_beta(&self.beta)?;
        let clusterer = KernelKMeans::new(self.supports(), &self.sizes(), gamma, self.beta());
        let network = Load::checked(clusterer)?.neuralize().map_err(|error| error.to_string())?;
        load::alike(&self, &network)?;
        Ok(Self { rule: self.rule, leaves_out: self.leaves_out, ..network })
    }
}

impl<B: Backend> NeuralizedKernelKMeans<B> {
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
    /// If the rule names a root that does not exist.
    pub fn with_rule(mut self, rule: Rule) -> Result<Self> {
        if let Rule::Secant(root) = rule {
            root.check()?;
        }
        self.rule = rule;
        Ok(self)
    }

    /// How relevance passes to the features.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The same network, with rows that are supports scored and explained without them, or not.
    ///
    /// A training point is a support at distance 0 from itself; for a large γ that support alone
    /// would explain it. In this mode a row that equals a support up to roundings of f32 leaves the
    /// first such support out of its cluster, and the cluster's mean is over the others. A cluster
    /// whose only support is left out does not exist for that row: it has the lowest possible
    /// score, and no feature carries relevance for or against it.
    ///
    /// If the supports are prototypes, few rows equal one, and this mode changes little.
    pub fn leaving_out_training_points(mut self, leave_out: bool) -> Self {
        self.leaves_out = leave_out;
        self
    }

    /// Whether rows that are supports are scored and explained without them.
    pub fn leaves_out_training_points(&self) -> bool {
        self.leaves_out
    }

    /// The number of supports, M.
    pub fn n_supports(&self) -> usize {
        self.linear.weight.lazy_shape()[1]
    }

    /// The stiffness γ of both soft pooling layers.
    pub fn gamma(&self) -> f64 {
        self.soft_min.gamma()
    }

    /// The number of supports of every cluster; the supports are in this order.
    pub fn sizes(&self) -> Vec<usize> {
        self.sizes.values().iter().map(|size| *size as usize).collect()
    }

    /// The linear layer: weight `[D, M]`, bias `[M]`.
    pub fn linear(&self) -> &Linear<B> {
        &self.linear
    }

    /// The layer that pools over the supports of the explained cluster.
    pub fn soft_max(&self) -> &SoftMaxPool<B> {
        &self.soft_max
    }

    /// The layer that pools over the supports of a competitor.
    pub fn soft_min(&self) -> &SoftMinPool<B> {
        &self.soft_min
    }

    /// The layer that pools over competitors.
    pub fn pool(&self) -> &MinPool {
        &self.pool
    }

    /// The point that is subtracted from the input, `[D]`.
    pub fn center(&self) -> Tensor<B, 1> {
        self.center.val()
    }

    /// The supports, `[M, D]`, read back from the weights.
    pub fn supports(&self) -> Tensor<B, 2> {
        self.centred_supports() + self.center.val().unsqueeze()
    }

    /// The logits by the dense form, the four layers of the literature: pair by pair through the
    /// pooling modules, with a table of `[n, n_c, n_k]` numbers for clusters of n_c and n_k
    /// supports. For inspection and tests; no support is left out.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`Network::check_input`].
    pub fn dense_forward(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.check_input(x)?;
        let clusters = self.n_clusters();
        let scorer = self.scorer();
        let runs = scorer.segments().ranges();
        let none = || transfer::zeros([0, clusters], &x.device(), self.dtype());
        Ok(kernel::map_rows(x, self.n_supports().pow(2), none, |block| {
            let rows = block.dims()[0];
            let t = self.linear.forward(scorer.centred(block));
            let part = |k: usize| t.clone().narrow(1, runs[k].start, runs[k].len());
            let logits = (0..clusters).map(|c| {
                let h = (0..clusters).filter(|k| *k != c).map(|k| {
                    let pairs = [rows, runs[c].len(), runs[k].len()];
                    let own = part(c).unsqueeze_dim::<3>(2).expand(pairs);
                    let other = part(k).unsqueeze_dim::<3>(1).expand(pairs);
                    self.soft_min.forward(self.soft_max.forward(own - other, 1), 2)
                });
                self.pool.forward_dense(Tensor::cat(h.collect(), 2))
            });
            Tensor::cat(logits.collect(), 1)
        }))
    }

    /// The relevance of every support by the summed rule, `R_j = v_j ‖x − u_j‖²`. The relevances of
    /// the features are sums of the summands of these distances. Supports of competitors have
    /// positive relevances, those of the explained cluster negative ones; together with what the
    /// entropy absorbs they sum to the logit.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, M]`, which is meant for few rows
    ///
    /// # Errors
    ///
    /// As [`Network::explain`].
    pub fn support_relevance(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: Beta,
    ) -> Result<Tensor<B, 2>> {
        self.check_input(x)?;
        let beta = self.checked_question(target, beta)?;
        let nothing = || transfer::zeros([0, self.n_supports()], &x.device(), self.dtype());
        let scorer = self.scorer();
        Ok(kernel::map_rows(x, self.columns(), nothing, |block| {
            let centred = scorer.centred(block);
            let (t, left_out) = scorer.similarities(centred.clone());
            let scores = scorer.segments().pool(&t, left_out.as_ref());
            let pass = PoolingPass::of(&scores, target, beta);
            let SupportCoefficients { coefficients, .. } =
                summed::summed(scorer.segments(), &t, left_out.as_ref(), &scores, &pass);
            let distances = (centred.square().sum_dim(1) - t).clamp_min(0.0);
            coefficients * distances
        }))
    }

    /// The decision, with the network's parameters.
    fn scorer(&self) -> SupportScorer<B> {
        let weight = self.linear.weight.val();
        let bias = self.linear.bias.as_ref().map(Param::val);
        let bias = bias.unwrap_or_else(|| kernel::bias_of(&weight));
        let affine = Affine::new(self.center.val().unsqueeze(), Scores { weight, bias });
        SupportScorer::new(
            Arc::new(affine.keeping(&self.keep)),
            self.sizes(),
            self.gamma(),
            self.leaves_out,
        )
    }

    fn centred_supports(&self) -> Tensor<B, 2> {
        self.linear.weight.val().transpose() * 0.5
    }

    /// The mean of every cluster's supports, around the centre, `[K, D]`.
    fn places(&self) -> Tensor<B, 2> {
        let supports = self.centred_supports();
        let scorer = self.scorer();
        let ranges = scorer.segments().ranges();
        let means = ranges
            .iter()
            .map(|range| supports.clone().narrow(0, range.start, range.len()).mean_dim(0));
        Tensor::cat(means.collect(), 0)
    }

    /// Where the clusters lie, kept for the next call.
    fn seats(&self, root: Root) -> Arc<Seats> {
        let scorer = self.scorer();
        let of_all = root == Root::Near;
        let make = || Seats::of(&scorer, &transfer::untracked(self.places()), of_all);
        let Some(source) = Source::of(&self.linear.weight.val()) else { return Arc::new(make()) };
        let key = (self.sizes(), self.gamma());
        let kept = self.keep.get(
            |kept: &KeptSeats| {
                kept.source.is(&source) && kept.key == key && (kept.seats.of_all() || !of_all)
            },
            || KeptSeats { source: source.clone(), key: key.clone(), seats: Arc::new(make()) },
        );
        Arc::clone(&kept.seats)
    }

    /// Whether a part of a logit may be without a root.
    fn absorbs(&self, seats: &Seats) -> bool {
        self.leaves_out || !seats.are_complete()
    }

    /// The pass from a root in one kernel, where there is one.
    fn fused_secants(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Option<Explanation<B>> {
        let seats = self.seats(root);
        let ends = seats.ends(root)?;
        let (answer, lost) = self.scorer().explain_by_secants(x, ends, target.question(beta))?;
        let lost = Absorbed { name: secant::ROOT, amount: lost };
        let absorbed = self.absorbs(&seats).then_some(lost).into_iter().collect();
        Some(explanation(answer, target, beta, absorbed))
    }

    /// The pass from a root.
    fn explain_by_secants(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Explanation<B> {
        let (scorer, seats) = (self.scorer(), self.seats(root));
        let x = scorer.centred(x);
        let features = x.dims()[1];
        let (t, left_out) = scorer.similarities(x.clone());
        let scores = scorer.segments().pool(&t, left_out.as_ref());
        let pass = PoolingPass::of(&scores, target, beta);
        let secants = SupportSecants {
            scorer: &scorer,
            seats: &seats,
            places: self.places(),
            supports: scorer.centred_supports(),
            x,
            t,
            left_out,
            root,
        };
        secant::explanation(pass, (target, beta), features, self.absorbs(&seats), |pair| {
            secants.of_pair(pair)
        })
    }
}

/// Where clusters lie, and what that follows from.
struct KeptSeats {
    source: Source,
    key: (Vec<usize>, f64),
    seats: Arc<Seats>,
}

impl<B: Backend> Internals<B> for NeuralizedKernelKMeans<B> {
    fn dimensions(&self) -> Dimensions<B> {
        let clusters = self.sizes.lazy_shape()[0];
        Dimensions { clusters, ..Dimensions::of_columns(&self.linear.weight.val()) }
    }

    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        if self.linear.bias.is_none() {
            return Err(Error::Record { detail: "its linear layer has no bias".into() });
        }
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        validate::form(x, self.n_features(), &self.linear.weight.val())?;
        Ok(validate::usable(x))
    }

    fn fused_explanation(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: f64,
    ) -> Option<Explanation<B>> {
        match self.rule {
            Rule::Secant(root) => self.fused_secants(x, target, beta, root),
            Rule::Summed if !self.leaves_out => {
                let (answer, absorbed) = self.scorer().explain(x, target.question(beta))?;
                let absorbed = vec![Absorbed { name: summed::ENTROPY, amount: absorbed }];
                Some(explanation(answer, target, beta, absorbed))
            }
            _ => None,
        }
    }
}

fn explanation<B: Backend>(
    answer: kernel::TensorAnswer<B>,
    target: Target,
    beta: f64,
    absorbed: Vec<Absorbed<B>>,
) -> Explanation<B> {
    let kernel::Answer { relevance, logit, cluster, shares } = answer;
    Explanation { relevance, logit, cluster, shares, target, beta, absorbed }
}

impl<B: Backend> Network<B> for NeuralizedKernelKMeans<B> {
    /// The heuristic β, if it is known: 1 / mean logit of the training data, each point without
    /// its own support.
    fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The mean of every cluster's supports.
    fn centroids(&self) -> Tensor<B, 2> {
        self.places() + self.center.val().unsqueeze()
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.scorer().scores(x)
    }

    fn columns(&self) -> usize {
        self.n_supports() + self.n_features() + self.n_clusters()
    }

    fn absorbed_names(&self) -> &'static [&'static str] {
        match self.rule {
            Rule::Secant(root) if !self.absorbs(&self.seats(root)) => &[],
            Rule::Secant(_) => &[secant::ROOT],
            Rule::Summed => &[summed::ENTROPY],
            Rule::Pairwise => &[pairwise::TIES],
        }
    }

    /// A cluster may have any shape.
    fn is_centroid_based(&self) -> bool {
        false
    }

    /// `None` if own supports are left out: shifted far, rounded rows may no longer equal them.
    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        if self.leaves_out {
            return Ok(None);
        }
        let center = Param::initialized(ParamId::new(), self.center.val() + by);
        Ok(Some(Box::new(Self { center, ..self.clone() })))
    }

    fn explained_by(&self, rule: Rule) -> Result<Box<dyn Network<B>>> {
        Ok(Box::new(self.clone().with_rule(rule)?))
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let rule = match self.rule {
            Rule::Secant(root) => return self.explain_by_secants(x, target, beta, root),
            rule => rule,
        };
        let scorer = self.scorer();
        let supports = scorer.centred_supports();
        let squares = supports.clone().square();
        let centred = scorer.centred(x);
        let (t, left_out) = scorer.similarities(centred.clone());
        let segments = scorer.segments();
        let scores = segments.pool(&t, left_out.as_ref());
        let pass = PoolingPass::of(&scores, target, beta);
        let SupportCoefficients { coefficients, absorbed } = if rule == Rule::Pairwise {
            let shares = segments.shares(&t, left_out.as_ref());
            pairwise::pairwise(segments, &t, &shares, &scores, &pass)
        } else {
            summed::summed(segments, &t, left_out.as_ref(), &scores, &pass)
        };
        let relevance = midpoint::relevance(centred, &supports, &squares, coefficients);
        let mut explanation = pass.explanation(relevance, target, beta);
        explanation.absorbed.push(absorbed);
        explanation
    }

    fn explain_block_from(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Result<Explanation<B>> {
        let fused = self.fused_secants(&x, target, beta, root);
        Ok(fused.unwrap_or_else(|| self.explain_by_secants(x, target, beta, root)))
    }
}

displayed!(NeuralizedKernelKMeans, layers: linear, soft_max, soft_min, pool);

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_its_layers() -> Result<()> {
        let supports =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0], [3.0, 4.0], [5.0, 6.0]], &Default::default());
        let network = KernelKMeans::from_supports(supports, &[0, 1, 1], 0.5)?.neuralize()?;
        let printed = format!("{network}");
        for layer in
            ["d_output: 3", "SoftMaxPool {", "SoftMinPool {", "gamma: 0.5", "pool: MinPool"]
        {
            assert!(printed.contains(layer), "{printed}");
        }
        Ok(())
    }
}
