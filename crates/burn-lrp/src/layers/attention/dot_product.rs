//! Scaled dot-product attention.

use burn::tensor::activation::{quiet_softmax, softmax};
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step};
use crate::layers::attention::masks::Masks;
use crate::layers::softmax::{log_softmax, softmax_secant};
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::slope::exponential;

/// The stabiliser of every denominator, as in LRP-ε.
const EPSILON: f64 = 1e-6;

/// Scaled dot-product attention of several heads, without projections.
///
/// Of a head, with queries q_i, keys k_j and values v_j of size d:
///
/// `x_ij = q_i·k_j / √d`, `A_ij = softmax_j x_ij`, `o_i = Σ_j A_ij v_j`
///
/// Masked scores are a low constant. The inputs are queries `[n, t, h d]`, keys
/// and values `[n, s, h d]`; the output is `[n, t, h d]`, head by head, as in Burn's
/// `MultiHeadAttention`.
///
/// - `halves`, the default: the relevance of `A v` and `q kᵀ` is shared between their factors
///   (Achtibat et al. 2024, propositions 3.3 and 3.1):
///   - `R_jp(v) = Σ_i A_ij v_jp / (2 o_ip + ε) R_ip`,
///     `R_ij(A) = Σ_p A_ij v_jp / (2 o_ip + ε) R_ip`: each half of the relevance
///   - `R_ij(x) = x_ij (R_ij(A) − A_ij Σ_k R_ik(A))`, the softmax by its Taylor expansion, which
///     does not conserve relevance: the share of the expansion's constant is lost, and a report
///     shows it as `rest`
///   - `R_ip(q) = Σ_j q_ip k_jp / √d / (2 x_ij + ε) R_ij(x)`, and k likewise: half of it each
/// - `signal-take-all`: A is a constant, and relevance flows through the values alone,
///   `R_jp(v) = Σ_i A_ij v_jp / (o_ip + ε) R_ip` (Ali et al. 2022). It conserves relevance, except
///   for what ε absorbs; queries and keys get nothing
///
/// ε is 10⁻⁶, with the sign of what it is added to. Masked scores are constants and
/// pass nothing on to queries and keys. Masked values get nothing, since their weights
/// are 0; but if all keys of a query are masked, softmax gives them equal weights, and
/// values get what they contributed.
#[derive(Debug, Clone)]
pub struct Attention<B: Backend> {
    n_heads: usize,
    min_float: f64,
    quiet_softmax: bool,
    masks: Masks<B>,
}

impl<B: Backend> Attention<B> {
    /// Attention without masks.
    pub fn new(n_heads: usize) -> Self {
        Self { n_heads, min_float: -1e4, quiet_softmax: false, masks: Masks::none() }
    }

    /// The score in place of masked ones; −10⁴ unless set.
    pub fn with_min_float(mut self, min_float: f64) -> Self {
        self.min_float = min_float;
        self
    }

    /// Softmax with one more score, 0, that has no value, so that weights may sum to
    /// less than 1; off unless set.
    pub fn with_quiet_softmax(mut self, quiet: bool) -> Self {
        self.quiet_softmax = quiet;
        self
    }

    /// The keys that queries ignore.
    pub fn with_masks(mut self, masks: Masks<B>) -> Self {
        self.masks = masks;
        self
    }

    /// Refuses roots that ran under other masks than the samples.
    fn check_roots(&self, root: &Heads<B>, step: &SecantStep<'_, B>) -> Result<()> {
        if self.masks.are_none() {
            return Ok(());
        }
        let [_, ran] = step.output();
        let found = join_heads(root.weights.clone().matmul(root.value.clone()));
        let size = found.flat().abs().max();
        let differences = found.zip(&ran, |found, ran| (found - ran).abs())?.flat().max();
        let read = |t: Tensor<B, 1>| t.into_data().iter::<f64>().next().unwrap_or(0.0);
        let precision = ran.dtype().finfo().map_or(1e-3, |info| info.epsilon);
        if read(differences) <= read(size) * precision.sqrt() {
            return Ok(());
        }
        let detail = "the roots ran under other masks than the samples; run them under the same";
        Err(Error::layer("Attention", detail))
    }

    /// The logarithms of the weights of these scores, and of what the quiet softmax leaves out.
    fn log_weights(&self, scores: &Tensor<B, 4>) -> (Tensor<B, 4>, Option<Tensor<B, 4>>) {
        if !self.quiet_softmax {
            return (log_softmax(scores.clone(), 3), None);
        }
        // With one more score, 0.
        let [samples, heads, queries, keys] = scores.dims();
        let nothing = (&scores.device(), scores.dtype());
        let nothing = Tensor::zeros([samples, heads, queries, 1], nothing);
        let all = log_softmax(Tensor::cat(vec![scores.clone(), nothing], 3), 3);
        (all.clone().narrow(3, 0, keys), Some(all.narrow(3, keys, 1)))
    }

    fn heads(&self, inputs: &[AnyTensor<B>]) -> Result<Heads<B>> {
        let [query, key, value] = inputs else {
            let detail =
                format!("it needs a query, a key and a value, not {} inputs", inputs.len());
            return Err(Error::layer("Attention", detail));
        };
        let dims = query.dims();
        let [samples, queries, width] = dims[..] else {
            return Err(Error::shape("query", "[samples, queries, width]", &dims));
        };
        if dims.contains(&0) {
            return Err(Error::shape("query", "at least one sample and one query", &dims));
        }
        if self.n_heads == 0 || width % self.n_heads != 0 {
            let expected = format!("a width that {} divides, the number of heads", self.n_heads);
            return Err(Error::shape("query", expected, &dims));
        }
        let keys = key.dims().get(1).copied().unwrap_or(0);
        for (name, input) in [("key", key), ("value", value)] {
            if keys == 0 || input.dims() != [samples, keys, width] {
                let expected = format!("[{samples}, keys, {width}], as many keys as values");
                return Err(Error::shape(name, expected, &input.dims()));
            }
        }
        self.masks.check(samples, queries, keys)?;

        let size = width / self.n_heads;
        let query = split_heads(query, self.n_heads);
        let key = split_heads(key, self.n_heads);
        let root = (size as f64).sqrt().recip();
        let scores = query.clone().matmul(key.clone().transpose()) * root;
        let scores = self.masks.fill(scores, self.min_float);
        let weights = if self.quiet_softmax {
            quiet_softmax(scores.clone(), 3)
        } else {
            softmax(scores.clone(), 3)
        };
        Ok(Heads { query, key, value: split_heads(value, self.n_heads), scores, weights, root })
    }
}

/// All heads, `[samples, heads, tokens, size]`.
struct Heads<B: Backend> {
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
    /// x.
    scores: Tensor<B, 4>,
    /// A.
    weights: Tensor<B, 4>,
    /// 1 / √d.
    root: f64,
}

/// `[n, t, h d]` as `[n, h, t, d]`.
fn split_heads<B: Backend>(x: &AnyTensor<B>, heads: usize) -> Tensor<B, 4> {
    let dims = x.dims();
    x.view([dims[0], dims[1], heads, dims[2] / heads]).swap_dims(1, 2)
}

/// `[n, h, t, d]` as `[n, t, h d]`.
fn join_heads<B: Backend>(x: Tensor<B, 4>) -> AnyTensor<B> {
    let [samples, heads, tokens, size] = x.dims();
    AnyTensor::from(x.swap_dims(1, 2)).shaped(&[samples, tokens, heads * size])
}

impl<B: Backend> Layer<B> for Attention<B> {
    fn kind(&self) -> Kind {
        Kind::new("Attention", Family::Attention)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let heads = self.heads(inputs)?;
        Ok(join_heads(heads.weights.matmul(heads.value)))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Halves, RuleName::SignalTakeAll]
    }

    fn default_rule(&self) -> Rule {
        Rule::HALVES
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let Heads { query, key, value, scores, weights, root } = self.heads(step.inputs)?;
        let output = split_heads(step.output, self.n_heads);
        let relevance = split_heads(step.relevance, self.n_heads);
        if rule.name() != RuleName::Halves {
            let s = quotient(relevance, output, EPSILON);
            let values = join_heads(value * weights.transpose().matmul(s));
            let [queries, keys] = [0, 1].map(|at| step.inputs[at].filled(0.0));
            let inputs = vec![queries, keys, values];
            return Ok(Redistribution { inputs, bias: None });
        }

        let s = quotient(relevance, output * 2.0, EPSILON);
        let to_value = value.clone() * weights.clone().transpose().matmul(s.clone());
        let to_weights = weights.clone() * s.matmul(value.transpose());
        let sum = to_weights.clone().sum_dim(3);
        let to_scores = scores.clone() * (to_weights - weights * sum);
        let to_scores = self.masks.fill(to_scores, 0.0);
        let s = quotient(to_scores, scores * 2.0, EPSILON) * root;
        let to_query = query.clone() * s.clone().matmul(key.clone());
        let to_key = key * s.transpose().matmul(query);
        Ok(Redistribution {
            inputs: [to_query, to_key, to_value].map(join_heads).into(),
            bias: None,
        })
    }

    fn has_secant(&self) -> bool {
        true
    }

    /// Either factor of a product gets the other midway, and the softmax follows
    /// [`Softmax`](crate::Softmax). Masked scores are constants.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let [query, key, value] = [step.input(0)?, step.input(1)?, step.input(2)?];
        let ends = [0, 1].map(|at: usize| [&query, &key, &value].map(|input| input[at].clone()));
        let layer = Self { masks: self.masks.select(step.samples()), ..self.clone() };
        let [x, root] = [layer.heads(&ends[0])?, layer.heads(&ends[1])?];
        self.check_roots(&root, step)?;
        let m = split_heads(step.multiplier(), self.n_heads);
        let midway = |x: &Tensor<B, 4>, root: &Tensor<B, 4>| (x.clone() + root.clone()) * 0.5;

        let of_weights = m.clone().matmul(midway(&x.value, &root.value).transpose());
        let of_value = midway(&x.weights, &root.weights).transpose().matmul(m);
        let (logs, rest) = self.log_weights(&x.scores);
        let (root_logs, root_rest) = self.log_weights(&root.scores);
        let rest = rest.zip(root_rest).map(|(rest, root)| exponential(rest, root));
        let of_scores = softmax_secant(logs, root_logs, of_weights, 3, rest);
        let of_scores = layer.masks.fill(of_scores, 0.0) * x.root;
        let of_query = of_scores.clone().matmul(midway(&x.key, &root.key));
        let of_key = of_scores.transpose().matmul(midway(&x.query, &root.query));
        Ok([of_query, of_key, of_value].map(join_heads).into())
    }
}
