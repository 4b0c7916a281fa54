use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Bool, DType, Int, Tensor, backend::Backend};

use crate::cluster::KernelKMeans;
use crate::cluster::beta;
use crate::error::{Error, Result};
use crate::explain::{self, Absorbed, Asked, Beta, Explanation, Target, midpoint};
use crate::kernel::{self, Affine, Scores};
use crate::network::segments::{Segments, lowest};
use crate::network::{MinPool, Network, SoftMaxPool, SoftMinPool, own_supports, pairs};
use crate::{transfer, validate};

/// How relevance passes from a competitor to the features, through all pairs
/// of a support of the explained cluster and one of the competitor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PairRule {
    /// The pairs of a competitor are summed before anything is divided:
    /// `R_d = Σ_k R_k [Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²] / g_k`, with the
    /// same sum over all features as the denominator `g_k`. Tame, and its cost
    /// grows with the number of supports. Where the denominator vanishes it is
    /// replaced (see [`NeuralizedKernelKMeans`]).
    #[default]
    Summed,
    /// The rule of the literature, pair by pair:
    /// `R_d = Σ_k R_k Σ_j p_j Σ_i p_i [(x_d−u_jd)² − (x_d−u_id)²] / h_ijk`.
    /// Singular where a support of either cluster is equally near, and of a cost
    /// that grows with the square of the number of supports. A pair with
    /// `h_ijk = 0` exactly hands nothing to the features; what it held is
    /// reported as absorbed by "ties".
    Pairwise,
}

/// Clusters of supports as a neural network of four layers, exactly.
///
/// ```text
/// linear      h_ijk = t_i − t_j,  t_j = 2 x·u_j − ‖u_j‖²      every pair of supports
/// soft max    h_jk  = (1/γ) log mean_{i∈C_c} exp(γ h_ijk)     over the explained cluster
/// soft min    h_k   = −(1/γ) log mean_{j∈C_k} exp(−γ h_jk)    over the competitor
/// min         f_c   = min_{k≠c} h_k
/// ```
///
/// (Kauffmann et al. 2024). The output for cluster c is by how much its soft-min
/// distance `−(1/γ) log mean_{i∈C_c} exp(−γ ‖x−u_i‖²)` is smaller than that of
/// its nearest competitor, in squared units of the data; an infinite γ is the
/// nearest-neighbour rule.
///
/// The pairs need not be written out: with `s_k = (1/γ) log mean_{j∈C_k} exp(γ t_j)`
/// the layers give `h_jk = s_c − t_j` and `h_k = s_c − s_k`, so one score a
/// support is enough. [`literal_forward`](Self::literal_forward) writes them out.
///
/// # Relevance
///
/// Within a cluster a support has the share `p_j = softmax(γ t_j)`. By default
/// ([`PairRule::Summed`]) a competitor's R_k is divided in proportion to
/// `Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²`, which over all features sums to
/// `g_k`. A soft minimum is a mean distance *and* an entropy,
/// `−(1/γ) log mean exp(−γ d) = Σ p d + KL(p‖uniform)/γ`, so g_k is h_k without the
/// entropies, and may vanish where h_k does not. R_k / g_k is therefore written
/// `(R_k / h_k) q_k`, where `q_k = h_k / g_k` as long as g_k has the sign of h_k and
/// at least an eighth of its size; below, q_k falls linearly in g_k from 8 to 1,
/// which it reaches where g_k is minus an eighth. What the features then do not
/// carry is reported in [`Explanation::absorbed`] as "entropy"; elsewhere
/// that is 0.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KernelKMeans;
/// use neuralize::explain::{Beta, Target};
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
/// // (1−2)² − 1² and (0−3)² − 0².
/// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
/// assert!(relevance[0].abs() < 1e-4 && (relevance[1] - 9.0).abs() < 1e-4);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedKernelKMeans<B: Backend> {
    /// Subtracted from the input, `[D]`: the mean of the supports.
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
    pub(crate) sizes: Param<Tensor<B, 1>>,
    /// The heuristic β, `[1]`; NaN where it is not known.
    pub(crate) beta: Param<Tensor<B, 1>>,
    /// How relevance passes through pairs of supports.
    #[module(skip)]
    rule: PairRule,
    /// Whether rows that are supports are looked at without them.
    #[module(skip)]
    leaves_out: bool,
}

impl<B: Backend> NeuralizedKernelKMeans<B> {
    /// Of a model that is checked already.
    pub(crate) fn of(model: &KernelKMeans<B>) -> Self {
        let supports = model.supports.val();
        let Affine { center, scores } = Affine::of(&supports);
        let gamma = model.gamma.val();
        let parameter = |tensor| Param::initialized(ParamId::new(), tensor);
        Self {
            center: parameter(center.squeeze_dim(0)),
            linear: Linear {
                weight: Param::initialized(ParamId::new(), scores.weight),
                bias: Some(parameter(scores.bias)),
            },
            soft_max: SoftMaxPool { gamma: parameter(gamma.clone()) },
            soft_min: SoftMinPool { gamma: parameter(gamma) },
            pool: MinPool,
            sizes: parameter(model.sizes.val()),
            beta: parameter(model.beta.val()),
            rule: PairRule::default(),
            leaves_out: false,
        }
    }

    /// The same network with another rule for pairs of supports.
    pub fn with_rule(mut self, rule: PairRule) -> Self {
        self.rule = rule;
        self
    }

    /// The rule for pairs of supports.
    pub fn rule(&self) -> PairRule {
        self.rule
    }

    /// Whether a row that is one of the supports is looked at without it.
    ///
    /// A training point is a support at distance 0 of itself; for a large γ it
    /// would be explained by itself alone. In this mode a row that is equal to
    /// a support, but for roundings of f32, leaves the first such support out of its
    /// cluster, and the cluster's mean is over the others. A
    /// cluster whose only support is left out does not exist for that row: it has
    /// the lowest score that there is, and no feature carries relevance for or
    /// against it.
    ///
    /// Where the supports are prototypes, hardly a row is equal to one, and this
    /// changes next to nothing.
    pub fn leaving_out_training_points(mut self, leave_out: bool) -> Self {
        self.leaves_out = leave_out;
        self
    }

    /// Whether rows that are supports are looked at without them.
    pub fn leaves_out_training_points(&self) -> bool {
        self.leaves_out
    }

    /// How many clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.sizes.lazy_shape()[0]
    }

    /// How many features, D.
    pub fn n_features(&self) -> usize {
        self.linear.weight.lazy_shape()[0]
    }

    /// How many supports, M.
    pub fn n_supports(&self) -> usize {
        self.linear.weight.lazy_shape()[1]
    }

    /// The precision of the network; data must have the same.
    pub fn dtype(&self) -> DType {
        self.linear.weight.val().dtype()
    }

    /// The heuristic β, if it is known: 1 / mean logit of the training data, each
    /// point without its own support.
    pub fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The stiffness γ of both soft pooling layers.
    pub fn gamma(&self) -> f64 {
        self.soft_min.gamma()
    }

    /// Supports of every cluster; the supports are in this order.
    pub fn sizes(&self) -> Vec<usize> {
        transfer::download(self.sizes.val()).into_iter().map(|size| size as usize).collect()
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

    /// The logits by the four layers as they are written in the literature, pair
    /// by pair through the pooling modules, `[n, n_c, n_k]` numbers for clusters
    /// of n_c and n_k supports. For inspection and tests; nothing is left out.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`Network::check_input`].
    pub fn literal_forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.check_input(&x)?;
        let clusters = self.n_clusters();
        let segments = self.segments();
        let runs = segments.ranges();
        let none = || transfer::zeros([0, clusters], &x.device(), self.dtype());
        Ok(kernel::map_rows(&x, self.n_supports().pow(2), none, |block| {
            let rows = block.dims()[0];
            let t = self.linear.forward(self.centred(block));
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

    /// How the relevances of every row come from the supports, by the summed
    /// rule: `R_j = v_j ‖x − u_j‖²`, of which the relevances of the features are
    /// the parts. Supports of competitors have positive ones and those of the
    /// explained cluster negative ones; together they make the logit but for what
    /// the entropy absorbs.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, M]`, so this is for as many rows as a person looks at
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
        let none = x.clone().slice([0..0, 0..x.dims()[1]]);
        let beta = Network::explain(self, &none, target, beta)?.beta;
        self.check_input(x)?;
        let nothing = || transfer::zeros([0, self.n_supports()], &x.device(), self.dtype());
        Ok(kernel::map_rows(x, self.columns(), nothing, |block| {
            let centred = self.centred(block);
            let (t, left_out) = self.similarities(centred.clone());
            let scores = self.segments().pool(&t, left_out.as_ref());
            let asked = Asked::of(&scores, target.explained(&scores), target, beta);
            let carried = self.summed(&t, left_out.as_ref(), &scores, &asked);
            let distances = (centred.square().sum_dim(1) - t).clamp_min(0.0);
            carried.coefficients * distances
        }))
    }

    /// Centre and linear layer, as the kernels take them.
    #[allow(dead_code, reason = "fused kernels take it")]
    pub(crate) fn affine(&self) -> Affine<B> {
        let weight = self.linear.weight.val();
        let bias = self.linear.bias.as_ref().map(Param::val);
        let bias = bias.unwrap_or_else(|| kernel::bias_of(&weight));
        Affine { center: self.center.val().unsqueeze(), scores: Scores { weight, bias } }
    }

    pub(crate) fn segments(&self) -> Segments {
        Segments::new(&self.sizes(), self.gamma())
    }

    pub(crate) fn centred(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x - self.center.val().unsqueeze()
    }

    fn centred_supports(&self) -> Tensor<B, 2> {
        self.linear.weight.val().transpose() * 0.5
    }

    /// `t_j` of every support and the supports that rows leave out, if there
    /// are any.
    ///
    /// # Shapes
    ///
    /// - centred: `[n, D]`
    /// - output: `[n, M]` and `[n, M]`
    pub(crate) fn similarities(
        &self,
        centred: Tensor<B, 2>,
    ) -> (Tensor<B, 2>, Option<Tensor<B, 2, Bool>>) {
        let t = self.linear.forward(centred.clone());
        let left_out =
            self.leaves_out.then(|| own_supports(centred, &self.centred_supports(), t.clone()));
        (t, left_out)
    }

    /// Scores of one block of rows around the centre, `[n, K]`.
    pub(crate) fn centred_scores(&self, centred: Tensor<B, 2>) -> Tensor<B, 2> {
        let (t, left_out) = self.similarities(centred);
        self.segments().pool(&t, left_out.as_ref())
    }

    fn summed(
        &self,
        t: &Tensor<B, 2>,
        left_out: Option<&Tensor<B, 2, Bool>>,
        scores: &Tensor<B, 2>,
        asked: &Asked<B>,
    ) -> Carried<B> {
        let wide = scores.dims();
        let segments = self.segments();
        let shares = segments.shares(t, left_out);
        let expected = segments.sum(&(shares.clone() * t.clone()));
        let against = |values: &Tensor<B, 2>| {
            kernel::own_score(values, &asked.own).expand(wide) - values.clone()
        };
        let (h, g) = (against(scores), against(&expected));
        let Guarded { factor, acts } = guarded(&h, &g);

        // A cluster without supports is no reason for anything.
        let gone = scores.clone().lower_equal_elem(lowest(scores.dtype()));
        let own_gone = kernel::own_score(scores, &asked.own)
            .lower_equal_elem(lowest(scores.dtype()))
            .expand(wide);
        let gone = gone.bool_or(own_gone);

        let passed = (asked.pooled.ratios.clone() * factor).mask_fill(gone.clone(), 0.0);
        let own = passed.clone().sum_dim(1).neg().expand(wide);
        let a = passed.clone().mask_where(asked.own.clone(), own);
        let relevance = asked.pooled.shares.clone() * asked.pooled.logit.clone().expand(wide);
        let kept = (relevance - passed * g).mask_fill(acts.bool_or(gone).bool_not(), 0.0);
        Carried {
            coefficients: segments.spread(&a) * shares,
            absorbed: Absorbed { name: ENTROPY, amount: kept.sum_dim(1).squeeze_dim(1) },
        }
    }
}

/// What no feature carries under the summed rule.
const ENTROPY: &str = "entropy";

/// What passes through the soft pooling layers.
pub(crate) struct Carried<B: Backend> {
    /// Of the per-feature distances to every support, `[n, M]`.
    pub(crate) coefficients: Tensor<B, 2>,
    /// What no feature carries.
    pub(crate) absorbed: Absorbed<B>,
}

struct Guarded<B: Backend> {
    /// `q = h / g`, or what stands for it, `[n, K]`.
    factor: Tensor<B, 2>,
    /// Where something stands for it, `[n, K]`.
    acts: Tensor<B, 2, Bool>,
}

/// `h / g` where `sign(h) g ≥ |h| / 8`; from there it falls linearly in g from 8 to
/// 1, which it is where `sign(h) g ≤ −|h| / 8`. Continuous in g, between 0 and 8,
/// and 0 where h = 0.
///
/// # Shapes
///
/// - h, g and output: `[n, K]`
fn guarded<B: Backend>(h: &Tensor<B, 2>, g: &Tensor<B, 2>) -> Guarded<B> {
    let zero = h.clone().equal_elem(0.0);
    let negative = h.clone().lower_elem(0.0);
    let along = g.clone().mask_where(negative, g.clone().neg());
    let size = h.clone().abs();
    let least = size.clone() / 8.0;
    let acts = along.clone().lower(least.clone()).bool_and(zero.clone().bool_not());
    let quotient = size.clone() / along.clone().mask_fill(acts.clone().bool_or(zero.clone()), 1.0);
    let wide = (least.clone() * 2.0).mask_fill(zero.clone(), 1.0);
    let ramp = ((along + least) / wide).clamp(0.0, 1.0) * 7.0 + 1.0;
    let factor = quotient.mask_where(acts.clone(), ramp).mask_fill(zero, 0.0);
    Guarded { factor, acts }
}

impl<B: Backend> Network<B> for NeuralizedKernelKMeans<B> {
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
        self.center.val().device()
    }

    fn beta(&self) -> Option<f64> {
        self.beta()
    }

    /// The mean of every cluster's supports.
    fn centroids(&self) -> Tensor<B, 2> {
        let supports = self.centred_supports();
        let segments = self.segments();
        let means = segments
            .ranges()
            .iter()
            .map(|range| supports.clone().narrow(0, range.start, range.len()).mean_dim(0));
        Tensor::cat(means.collect(), 0) + self.center.val().unsqueeze()
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.linear.bias.is_none() {
            return Err(Error::Record { detail: "its linear layer has no bias".into() });
        }
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::input("x", x, self.n_features(), self.dtype())
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let fused = if self.leaves_out {
            None
        } else {
            kernel::support_scores(&x, &self.affine(), &self.sizes(), self.gamma())
        };
        fused.unwrap_or_else(|| self.centred_scores(self.centred(x)))
    }

    fn columns(&self) -> usize {
        self.n_supports() + self.n_features() + self.n_clusters()
    }

    fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        explain::by_blocks(self, x, target, beta, |beta| {
            if self.rule != PairRule::Summed || self.leaves_out {
                return None;
            }
            let question = target.question(beta);
            let (answer, absorbed) =
                kernel::explain_supports(x, &self.affine(), &self.sizes(), self.gamma(), question)?;
            let kernel::Answer { relevance, logit, cluster, shares } = answer;
            let absorbed = vec![Absorbed { name: ENTROPY, amount: absorbed }];
            Some(Explanation { relevance, logit, cluster, shares, target, beta, absorbed })
        })
    }

    fn absorbed_names(&self) -> &'static [&'static str] {
        match self.rule {
            PairRule::Summed => &[ENTROPY],
            PairRule::Pairwise => &["ties"],
        }
    }

    /// A cluster may have any form.
    fn is_centroid_based(&self) -> bool {
        false
    }

    /// None where own supports are left out: points that come back rounded from far
    /// away may be none any more.
    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        if self.leaves_out {
            return Ok(None);
        }
        let center = Param::initialized(ParamId::new(), self.center.val() + by);
        Ok(Some(Box::new(Self { center, ..self.clone() })))
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let supports = self.centred_supports();
        let squares = supports.clone().square();
        let centred = self.centred(x);
        let (t, left_out) = self.similarities(centred.clone());
        let segments = self.segments();
        let scores = segments.pool(&t, left_out.as_ref());
        let cluster: Tensor<B, 2, Int> = target.explained(&scores);
        let asked = Asked::of(&scores, cluster, target, beta);
        let Carried { coefficients, absorbed } = match self.rule {
            PairRule::Summed => self.summed(&t, left_out.as_ref(), &scores, &asked),
            PairRule::Pairwise => {
                let shares = segments.shares(&t, left_out.as_ref());
                pairs::pairwise(&segments, &t, &shares, &scores, &asked)
            }
        };
        let relevance = midpoint::relevance(centred, &supports, &squares, coefficients);
        let mut explanation = asked.answer(relevance, target, beta);
        explanation.absorbed.push(absorbed);
        explanation
    }
}

impl<B: Backend> ModuleDisplay for NeuralizedKernelKMeans<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(true).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("linear", &self.linear)
            .add("soft_max", &self.soft_max)
            .add("soft_min", &self.soft_min)
            .add("pool", &self.pool)
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    /// Continuous in g on both sides of either bend, and bounded.
    #[test]
    fn the_guard_has_no_jumps() {
        let factor = |h: f64, g: f64| {
            let table = |value| {
                transfer::upload::<Flex, 2>(vec![value], [1, 1], &Default::default(), DType::F64)
            };
            let guarded = guarded(&table(h), &table(g));
            (transfer::download(guarded.factor)[0], transfer::all_true(guarded.acts))
        };
        for h in [3.0, -0.02, 1e-200, -1e200] {
            let scale: f64 = h;
            let mut previous: Option<f64> = None;
            for step in -4000..4000 {
                let g = f64::from(step) / 8000.0 * scale;
                let (q, acts) = factor(h, g);
                assert!((0.0..=8.0 + 1e-12).contains(&q), "{h}, {g}: {q}");
                assert_eq!(acts, step < 1000, "{h}, {g}");
                if step >= 1000 {
                    assert!((q * g / h - 1.0).abs() < 1e-14, "{h}, {g}: {q}");
                }
                if step <= -1000 {
                    assert_eq!(q, 1.0);
                }
                assert!(previous.is_none_or(|previous| (previous - q).abs() < 0.01), "{h}, {g}");
                previous = Some(q);
            }
        }
        assert_eq!(factor(0.0, 1.0), (0.0, false));
        assert_eq!(factor(0.0, 0.0), (0.0, false));
    }

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
