//! The choice of a kernel: data in host memory go to fused kernels, data on a GPU
//! to theirs, everything else to tensor operations.

use burn::tensor::{Int, Tensor, backend::Backend};

use super::affine::{Affine, Decision, Totals};
use super::answer::{Question, TensorAnswer};
use super::cpu::Quantity;
use super::ends::Ends;
use super::flag::Flag;
#[cfg(feature = "cubecl")]
use super::gpu;
use super::wrapped::{self, Wrapping, in_wrappings};
use super::{host, tensor};
use crate::transfer;

/// The nearest centroid of every row, `[N]`.
pub fn nearest<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 1, Int> {
    decide(x, affine, false).labels
}

/// The nearest centroid of every row, and its logit; K at least 2.
pub fn nearest_with_logit<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Tensor<B, 1>) {
    let Decision { labels, logits } = decide(x, affine, true);
    let none = || transfer::zeros([0], &x.device(), affine.center.dtype());
    (labels, logits.unwrap_or_else(none))
}

fn decide<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>, with_logits: bool) -> Decision<B> {
    if x.dims()[0] == 0 {
        return tensor::decide(x, affine, with_logits);
    }
    fused_decision(x, affine, with_logits).unwrap_or_else(|| tensor::decide(x, affine, with_logits))
}

fn fused_decision<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    with_logits: bool,
) -> Option<Decision<B>> {
    let decision = host::decide(x, affine, with_logits);
    #[cfg(feature = "cubecl")]
    let decision = decision.or_else(|| {
        let (labels, logits) = gpu::nearest(x, affine)?;
        Some(Decision { labels, logits: Some(logits) })
    });
    decision.or_else(|| in_wrappings!(wrapped_decision(x, affine, with_logits)))
}

fn wrapped_decision<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    with_logits: bool,
) -> Option<Decision<B>> {
    let x = wrapped::inside::<W, B, 2>(x)?;
    let affine = wrapped::affine_inside::<W, B>(affine)?;
    let Decision { labels, logits } = fused_decision(&x, &affine, with_logits)?;
    Some(Decision {
        labels: wrapped::indices_outside::<W, B>(labels)?,
        logits: match logits {
            Some(logits) => Some(wrapped::outside::<W, B, 1>(logits)?),
            None => None,
        },
    })
}

/// One Lloyd step: the nearest centroid of every row, and the totals per
/// cluster of the rows around the centre.
///
/// # Shapes
///
/// - x: `[N, D]`, weights: `[N]`
/// - output: labels `[N]`, totals `[K, D]` and `[K]`
pub fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Totals<B>) {
    fused_step(x, weights, affine).unwrap_or_else(|| tensor::assign_and_sum(x, weights, affine))
}

/// The rows of a run of Lloyd's algorithm, if they are in host memory.
pub(super) fn host_run<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    center: &Tensor<B, 2>,
) -> Option<host::HostRun> {
    host::HostRun::of(x, weights, center).or_else(|| in_wrappings!(wrapped_run(x, weights, center)))
}

fn wrapped_run<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    center: &Tensor<B, 2>,
) -> Option<host::HostRun> {
    let (x, center) = rows_on_host::<W, B>(x, Some(center))?;
    host_run(&x, &wrapped::inside::<W, B, 1>(weights)?, &center?)
}

/// Labels and totals.
type Step<B> = (Tensor<B, 1, Int>, Totals<B>);

fn fused_step<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<Step<B>> {
    let step = host::assign_and_sum(x, weights, affine);
    #[cfg(feature = "cubecl")]
    let step = step.or_else(|| gpu::assign_and_sum(x, weights, affine));
    step.or_else(|| in_wrappings!(wrapped_step(x, weights, affine)))
}

fn wrapped_step<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<Step<B>> {
    let x = wrapped::inside::<W, B, 2>(x)?;
    let weights = wrapped::inside::<W, B, 1>(weights)?;
    let (labels, totals) = fused_step(&x, &weights, &wrapped::affine_inside::<W, B>(affine)?)?;
    let totals = Totals {
        sums: wrapped::outside::<W, B, 2>(totals.sums)?,
        weights: wrapped::outside::<W, B, 1>(totals.weights)?,
    };
    Some((wrapped::indices_outside::<W, B>(labels)?, totals))
}

/// The whole relevance pass in one kernel; `None` if there is none for this tensor.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1, K at least 2
pub fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    let answer = host::explain(x, affine, question);
    #[cfg(feature = "cubecl")]
    let answer = answer.or_else(|| gpu::explain(x, affine, question));
    answer.or_else(|| in_wrappings!(wrapped_answer(x, affine, question)))
}

fn wrapped_answer<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    let x = wrapped::inside::<W, B, 2>(x)?;
    outside::<W, B>(explain(&x, &wrapped::affine_inside::<W, B>(affine)?, question)?)
}

fn outside<W: Wrapping, B: Backend>(answer: TensorAnswer<W::Inner>) -> Option<TensorAnswer<B>> {
    Some(TensorAnswer {
        relevance: wrapped::outside::<W, B, 2>(answer.relevance)?,
        logit: wrapped::outside::<W, B, 1>(answer.logit)?,
        cluster: wrapped::indices_outside::<W, B>(answer.cluster)?,
        shares: wrapped::outside::<W, B, 2>(answer.shares)?,
    })
}

/// The relevance pass for clusters of several supports each, and what the rule's
/// guard keeps from the features, `[N]`; `None` if there is no kernel for this tensor.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1; affine: of the M supports, ordered by cluster
/// - sizes: `[K]`, the numbers of supports, K at least 2
pub fn explain_supports<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    host::explain_supports(x, affine, sizes, gamma, question)
        .or_else(|| in_wrappings!(wrapped_supports(x, affine, sizes, gamma, question)))
}

fn wrapped_supports<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    let x = inside_on_host::<W, B, 2>(x)?;
    let affine = wrapped::affine_inside::<W, B>(affine)?;
    let (answer, absorbed) = explain_supports(&x, &affine, sizes, gamma, question)?;
    Some((outside::<W, B>(answer)?, wrapped::outside::<W, B, 1>(absorbed)?))
}

/// As [`explain_supports`], by secants from the boundary on lines that end at `ends`; the second part
/// is what has no root.
pub fn explain_by_secants<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    ends: &Ends,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    host::explain_by_secants(x, affine, sizes, gamma, ends, question)
        .or_else(|| in_wrappings!(wrapped_secants(x, affine, sizes, gamma, ends, question)))
}

fn wrapped_secants<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    ends: &Ends,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    let x = inside_on_host::<W, B, 2>(x)?;
    let affine = wrapped::affine_inside::<W, B>(affine)?;
    let (answer, lost) = explain_by_secants(&x, &affine, sizes, gamma, ends, question)?;
    Some((outside::<W, B>(answer)?, wrapped::outside::<W, B, 1>(lost)?))
}

/// The score of every cluster of several supports, `[N, K]`: the soft maximum, of
/// stiffness γ, of the scores of its supports. `None` if there is no kernel for this
/// tensor.
///
/// # Shapes
///
/// As of [`explain_supports`], K at least 1.
pub fn support_scores<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    host::support_scores(x, affine, sizes, gamma)
        .or_else(|| in_wrappings!(wrapped_scores(x, affine, sizes, gamma)))
}

fn wrapped_scores<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    let x = inside_on_host::<W, B, 2>(x)?;
    let affine = wrapped::affine_inside::<W, B>(affine)?;
    wrapped::outside::<W, B, 2>(support_scores(&x, &affine, sizes, gamma)?)
}

/// The logit of every cluster, `[N, K]`, in one kernel; `None` if there is none
/// for this tensor. K at least 2.
pub fn logits<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Tensor<B, 2>> {
    quantities(x, affine, Quantity::Logit)
}

/// Squared distances to every centroid, `[N, K]`.
pub fn squared_distances<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 2> {
    quantities(x, affine, Quantity::SquaredDistance)
        .unwrap_or_else(|| tensor::squared_distances(x, affine))
}

fn quantities<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    quantity: Quantity,
) -> Option<Tensor<B, 2>> {
    host::quantities(x, affine, quantity)
        .or_else(|| in_wrappings!(wrapped_quantities(x, affine, quantity)))
}

fn wrapped_quantities<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    quantity: Quantity,
) -> Option<Tensor<B, 2>> {
    let x = inside_on_host::<W, B, 2>(x)?;
    let affine = wrapped::affine_inside::<W, B>(affine)?;
    wrapped::outside::<W, B, 2>(quantities(&x, &affine, quantity)?)
}

/// Weighted sum of every feature, or of its squares, around the centre if there is one.
pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Vec<f64> {
    fused_sums(x, center, weights, squares)
        .unwrap_or_else(|| tensor::feature_sums(x, center, weights, squares))
}

fn fused_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    host::feature_sums(x, center, weights, squares)
        .or_else(|| in_wrappings!(wrapped_sums(x, center, weights, squares)))
}

fn wrapped_sums<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    let (x, center) = rows_on_host::<W, B>(x, center)?;
    fused_sums(&x, center.as_ref(), &wrapped::inside::<W, B, 1>(weights)?, squares)
}

/// Squared distance of every row to the centroid it is assigned to, from the
/// differences: exact where the expanded form loses digits.
///
/// # Shapes
///
/// - x: `[N, D]`, center, if the centroids are relative to one: `[1, D]`,
///   centroids: `[K, D]`, labels: `[N]`
/// - output: `[N]`
pub fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    fused_own_distances(x, center, centroids, labels)
        .unwrap_or_else(|| tensor::own_distances(x, center, centroids, labels))
}

fn fused_own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    host::own_distances(x, center, centroids, labels)
        .or_else(|| in_wrappings!(wrapped_own_distances(x, center, centroids, labels)))
}

fn wrapped_own_distances<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    let (x, center) = rows_on_host::<W, B>(x, center)?;
    let centroids = wrapped::inside::<W, B, 2>(centroids)?;
    let labels = wrapped::indices_inside::<W, B>(labels)?;
    wrapped::outside::<W, B, 1>(fused_own_distances(&x, center.as_ref(), &centroids, &labels)?)
}

/// The tensor inside of a wrapping, for kernels that the host alone has: on a GPU it
/// is not asked for, which would have the device compute all that it waits for.
fn inside_on_host<W: Wrapping, B: Backend, const D: usize>(
    tensor: &Tensor<B, D>,
) -> Option<Tensor<W::Inner, D>> {
    if host::serves::<W::Inner>() { wrapped::inside::<W, B, D>(tensor) } else { None }
}

/// Rows and their centre, if they have one.
type CenteredTensors<B> = (Tensor<B, 2>, Option<Tensor<B, 2>>);

fn rows_on_host<W: Wrapping, B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
) -> Option<CenteredTensors<W::Inner>> {
    let x = inside_on_host::<W, B, 2>(x)?;
    Some(match center {
        Some(center) => (x, Some(wrapped::inside::<W, B, 2>(center)?)),
        None => (x, None),
    })
}

/// Whether two tensors of labels are equal.
pub(super) fn same_labels<B: Backend>(a: &Tensor<B, 1, Int>, b: &Tensor<B, 1, Int>) -> bool {
    host::same_labels(a, b).unwrap_or_else(|| transfer::all_true(a.clone().equal(b.clone())))
}

/// Whether all values are finite and their magnitudes at most `limit`.
pub fn within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Flag<B> {
    fused_all_within(x, limit).map_or_else(|| tensor::within(x, limit), Flag::Known)
}

fn fused_all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    host::all_within(x, limit).or_else(|| in_wrappings!(wrapped_all_within(x, limit)))
}

fn wrapped_all_within<W: Wrapping, B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    fused_all_within(&inside_on_host::<W, B, 2>(x)?, limit)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::DType;

    /// A kernel would cut the graph.
    #[test]
    fn no_kernel_takes_a_tracked_tensor() {
        type Tracked = Autodiff<Flex>;
        let device = Default::default();
        let table = || transfer::upload::<Tracked, 2>(vec![1.0; 6], [3, 2], &device, DType::F64);
        let affine = Affine::of(&table());
        let question = Question { cluster: None, versus: None, beta: 1.0 };
        assert!(explain(&table(), &affine, question).is_some());
        let x = table().require_grad();
        assert!(explain(&(x.clone() * 2.0), &affine, question).is_none());
        assert!(logits(&x, &affine).is_none());
        assert!(logits(&table(), &Affine::of(&x)).is_none());
    }
}
