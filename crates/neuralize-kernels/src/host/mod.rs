//! The door to the kernels for data in host memory.
//!
//! A backend is recognised by its primitive ([`rows`]), so no bound other than
//! `B: Backend` is needed. What is generic over the backend only takes tensors
//! apart and puts results together; the work is done in [`compute`]. Functions
//! return `None` for a tensor that is not in host memory.

mod compute;
mod lloyd;
mod rows;

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use self::compute::DataAnswer;
pub(super) use self::lloyd::HostRun;
use self::rows::{Borrowed, HostProblem, HostRows};
use super::affine::{Affine, Decision, Totals};
use super::answer::{Question, TensorAnswer};
use super::cpu::Quantity;
use super::ends::Ends;

/// Whether the numbers of a tensor lie in host memory, where f64 is always
/// available and exact.
pub fn in_host_memory<B: Backend>(x: &Tensor<B, 2>) -> bool {
    Borrowed::float(&x.clone().slice([0..1, 0..1])).is_some()
}

/// Whether the host reads the tensors of a backend in place. The compiler decides it.
pub(super) fn serves<B: Backend>() -> bool {
    rows::is_in_host_memory::<B::FloatTensorPrimitive>()
}

fn to_tensor<B: Backend, const D: usize>(data: TensorData, device: &B::Device) -> Tensor<B, D> {
    let dtype = data.dtype;
    Tensor::from_data(data, (device, dtype))
}

fn to_labels<B: Backend>(labels: TensorData, device: &B::Device) -> Tensor<B, 1, Int> {
    Tensor::from_data(labels, device)
}

fn to_tensors<B: Backend>(answer: DataAnswer, device: &B::Device) -> TensorAnswer<B> {
    TensorAnswer {
        relevance: to_tensor(answer.relevance, device),
        logit: to_tensor(answer.logit, device),
        cluster: to_labels(answer.cluster, device),
        shares: to_tensor(answer.shares, device),
    }
}

pub(super) fn decide<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    with_logits: bool,
) -> Option<Decision<B>> {
    let (labels, logits) = HostProblem::of(x, affine)?.decide(with_logits)?;
    let device = x.device();
    Some(Decision {
        labels: to_labels(labels, &device),
        logits: logits.map(|logits| to_tensor(logits, &device)),
    })
}

pub(super) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    let weights = Borrowed::float(weights)?;
    let [labels, sums, weights] = HostProblem::of(x, affine)?.assign_and_sum(&weights)?;
    let device = x.device();
    let totals = Totals { sums: to_tensor(sums, &device), weights: to_tensor(weights, &device) };
    Some((to_labels(labels, &device), totals))
}

pub(super) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    let answer = HostProblem::of(x, affine)?.explain(question)?;
    Some(to_tensors(answer, &x.device()))
}

/// See [`dispatch`](crate::dispatch).
pub(crate) fn explain_supports<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    if x.dims()[0] == 0 || sizes.len() < 2 || !divided(sizes, affine.clusters()) {
        return None;
    }
    let problem = HostProblem::of(x, affine)?;
    let (answer, absorbed) = problem.explain_supports(sizes, gamma, question)?;
    let device = x.device();
    Some((to_tensors(answer, &device), to_tensor(absorbed, &device)))
}

/// See [`dispatch`](crate::dispatch).
pub(crate) fn explain_by_secants<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    ends: &Ends,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    let clusters = sizes.len();
    if x.dims()[0] == 0 || clusters < 2 || ends.clusters() != clusters {
        return None;
    }
    if !divided(sizes, affine.clusters()) {
        return None;
    }
    let problem = HostProblem::of(x, affine)?;
    let (answer, lost) = problem.explain_by_secants(sizes, gamma, ends, question)?;
    let device = x.device();
    Some((to_tensors(answer, &device), to_tensor(lost, &device)))
}

/// See [`dispatch`](crate::dispatch).
pub(crate) fn support_scores<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    if x.dims()[0] == 0 || !divided(sizes, affine.clusters()) {
        return None;
    }
    let scores = HostProblem::of(x, affine)?.support_scores(sizes, gamma)?;
    Some(to_tensor(scores, &x.device()))
}

/// Whether clusters of these sizes share all supports, each with at least one.
fn divided(sizes: &[usize], supports: usize) -> bool {
    !sizes.contains(&0) && sizes.iter().sum::<usize>() == supports
}

pub(super) fn quantities<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    quantity: Quantity,
) -> Option<Tensor<B, 2>> {
    if x.dims()[0] == 0 {
        return None;
    }
    let values = HostProblem::of(x, affine)?.quantities(quantity)?;
    Some(to_tensor(values, &x.device()))
}

pub(super) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    let (rows, centroids) = (HostRows::of(x, center)?, Borrowed::float(centroids)?);
    let labels = Borrowed::int(labels)?.into_indices()?;
    Some(to_tensor(rows.own_distances(&centroids, &labels)?, &x.device()))
}

pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    HostRows::of(x, center)?.feature_sums(&Borrowed::float(weights)?, squares)
}

/// Rows chosen as seeds by greedy k-means++; fewer if the others are equal to
/// them. Runs on the host; tensors on other devices are copied.
///
/// # Shapes
///
/// - x: `[n, D]`, center: `[1, D]`, weights: `[n]`
pub fn greedy_seeds<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    seeds: usize,
    mut uniform: impl FnMut() -> f64,
) -> Vec<usize> {
    let (rows, weights) = (HostRows::copied(x, center), Borrowed::or_copied(weights));
    rows.greedy_seeds(&weights, seeds, &mut uniform).unwrap_or_default()
}

pub(super) fn same_labels<B: Backend>(
    a: &Tensor<B, 1, Int>,
    b: &Tensor<B, 1, Int>,
) -> Option<bool> {
    Borrowed::int(a)?.same_bytes(&Borrowed::int(b)?)
}

pub(super) fn all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    HostRows::of(x, None)?.all_within(limit)
}
