//! Which tensors lie in host memory, and the kernels for those.
//!
//! A backend is recognised by its primitive, so no bound beside `B: Backend`
//! is needed. Every function answers `None` for a tensor that is elsewhere.

use core::any::Any;

use burn::tensor::{DType, Int, Tensor, TensorData, backend::Backend};

use super::cpu::{
    self, Clusters, Explainer, Question, Real, Relevance, Rows, Scorer, Sums, SupportExplainer,
    SupportRelevance, Table,
};
use super::{Affine, Decision, Explained, ExplainedSupports, Totals};

#[cfg(feature = "ndarray")]
use burn_ndarray::NdArrayTensor as N;

/// A tensor whose numbers the host reads in place.
enum Borrowed {
    #[cfg(feature = "flex")]
    Flex(burn_flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(burn_ndarray::NdArrayTensor),
    /// A copy, where a tensor is not in one piece.
    Copied(TensorData),
}

impl Borrowed {
    fn float<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<Self> {
        Self::of(tensor.clone().into_primitive().tensor(), || tensor.to_data())
    }

    fn int<B: Backend, const D: usize>(tensor: &Tensor<B, D, Int>) -> Option<Self> {
        Self::of(tensor.clone().into_primitive(), || tensor.to_data())
    }

    #[cfg_attr(not(any(feature = "flex", feature = "ndarray")), expect(unused_variables))]
    fn of<P: Any>(primitive: P, copy: impl FnOnce() -> TensorData) -> Option<Self> {
        let primitive: &dyn Any = &primitive;
        #[cfg(feature = "flex")]
        if let Some(tensor) = primitive.downcast_ref::<burn_flex::FlexTensor>() {
            return Some(if tensor.is_contiguous() {
                Self::Flex(tensor.clone())
            } else {
                Self::Copied(copy())
            });
        }
        #[cfg(feature = "ndarray")]
        if let Some(tensor) = primitive.downcast_ref::<burn_ndarray::NdArrayTensor>() {
            let whole = match tensor {
                N::F32(storage) => storage.view().to_slice().is_some(),
                N::F64(storage) => storage.view().to_slice().is_some(),
                _ => false,
            };
            return Some(if whole { Self::NdArray(tensor.clone()) } else { Self::Copied(copy()) });
        }
        None
    }

    /// The numbers, row-major; none where they are of another type.
    fn numbers<T: Real>(&self) -> Option<&[T]> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.as_slice(),
            #[cfg(feature = "ndarray")]
            Self::NdArray(tensor) => match (tensor, T::DTYPE) {
                (N::F32(storage), DType::F32) => {
                    storage.view().to_slice().map(bytemuck::cast_slice)
                }
                (N::F64(storage), DType::F64) => {
                    storage.view().to_slice().map(bytemuck::cast_slice)
                }
                _ => None,
            },
            Self::Copied(data) => data.as_slice().ok(),
        }
    }

    fn into_indices(self) -> Option<Vec<i32>> {
        let data = match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.into_data(),
            #[cfg(feature = "ndarray")]
            Self::NdArray(_) => return None,
            Self::Copied(data) => data,
        };
        data.convert::<i32>().into_vec().ok()
    }
}

pub(super) fn holds<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> bool {
    Borrowed::float(tensor).is_some()
}

/// A kernel for f32 and f64, called with the type that the tensor has.
macro_rules! in_precision {
    ($dtype:expr, $kernel:ident::<$backend:ident>($($argument:expr),*)) => {
        match $dtype {
            DType::F32 => $kernel::<$backend, f32>($($argument),*),
            DType::F64 => $kernel::<$backend, f64>($($argument),*),
            _ => None,
        }
    };
}

fn to_tensor<B: Backend, T: Real, const D: usize>(
    values: Vec<T>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values, shape), (device, T::DTYPE))
}

fn to_labels<B: Backend>(labels: Vec<i32>, device: &B::Device) -> Tensor<B, 1, Int> {
    let rows = labels.len();
    Tensor::from_data(TensorData::new(labels, [rows]), device)
}

/// The parts of an affine scorer in host memory.
struct Parts {
    center: Borrowed,
    weight: Borrowed,
    bias: Borrowed,
}

/// Labels pass through the kernels as floats: up to here an f32 is exact.
const MOST_CLUSTERS: usize = 1 << 24;

impl Parts {
    fn of<B: Backend>(affine: &Affine<B>) -> Option<Self> {
        if affine.clusters() > MOST_CLUSTERS {
            return None;
        }
        Some(Self {
            center: Borrowed::float(&affine.center)?,
            weight: Borrowed::float(&affine.scores.weight)?,
            bias: Borrowed::float(&affine.scores.bias)?,
        })
    }

    fn scorer<T: Real>(&self) -> Option<Scorer<T>> {
        Some(Scorer::new(self.weight.numbers()?, self.bias.numbers()?))
    }

    fn pruned_scorer<T: Real>(&self) -> Option<Scorer<T>> {
        Some(Scorer::pruned(self.weight.numbers()?, self.bias.numbers()?))
    }
}

pub(super) fn decide<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    margins: bool,
) -> Option<Decision<B>> {
    in_precision!(x.dtype(), decide_in::<B>(x, affine, margins))
}

fn decide_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    margins: bool,
) -> Option<Decision<B>> {
    let ([rows, features], device) = (x.dims(), x.device());
    let (x, parts) = (Borrowed::float(x)?, Parts::of(affine)?);
    let mut labels = vec![0; rows];
    let mut logits = vec![T::default(); if margins { rows } else { 0 }];
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    cpu::nearest(rows_of, &parts.pruned_scorer::<T>()?, &mut labels, &mut logits);
    Some(Decision {
        labels: to_labels(labels, &device),
        logits: margins.then(|| to_tensor(logits, [rows], &device)),
    })
}

pub(super) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    in_precision!(x.dtype(), assign_and_sum_in::<B>(x, weights, affine))
}

fn assign_and_sum_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    let ([rows, features], device) = (x.dims(), x.device());
    let (x, weights, parts) = (Borrowed::float(x)?, Borrowed::float(weights)?, Parts::of(affine)?);
    let mut labels = vec![0; rows];
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    let scorer = parts.pruned_scorer::<T>()?;
    let Sums { points, weights } =
        cpu::assign_and_sum(rows_of, weights.numbers()?, &scorer, &mut labels);
    let rounded = |sums: Vec<f64>| sums.into_iter().map(T::of).collect::<Vec<_>>();
    let clusters = weights.len();
    let totals = Totals {
        sums: to_tensor(rounded(points), [clusters, features], &device),
        weights: to_tensor(rounded(weights), [clusters], &device),
    };
    Some((to_labels(labels, &device), totals))
}

pub(super) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<Explained<B>> {
    in_precision!(x.dtype(), explain_in::<B>(x, affine, question))
}

fn explain_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<Explained<B>> {
    let ([rows, features], device, clusters) = (x.dims(), x.device(), affine.clusters());
    let (x, parts) = (Borrowed::float(x)?, Parts::of(affine)?);
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    let explainer = Explainer::<T>::new(parts.weight.numbers()?, parts.bias.numbers()?);
    let mut relevance = vec![T::default(); rows * features];
    let mut logit = vec![T::default(); rows];
    let mut cluster = vec![0; rows];
    let mut shares = vec![T::default(); rows * clusters];
    explainer.explain(
        rows_of,
        question,
        Relevance {
            relevance: &mut relevance,
            logit: &mut logit,
            cluster: &mut cluster,
            shares: &mut shares,
        },
    );
    Some(Explained {
        relevance: to_tensor(relevance, [rows, features], &device),
        logit: to_tensor(logit, [rows], &device),
        cluster: to_labels(cluster, &device),
        shares: to_tensor(shares, [rows, clusters], &device),
    })
}

pub(super) fn explain_supports<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<ExplainedSupports<B>> {
    in_precision!(x.dtype(), explain_supports_in::<B>(x, affine, sizes, gamma, question))
}

fn explain_supports_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<ExplainedSupports<B>> {
    let ([rows, features], device, clusters) = (x.dims(), x.device(), sizes.len());
    if rows == 0 || clusters < 2 || !divided(sizes, affine.clusters()) {
        return None;
    }
    let (x, parts) = (Borrowed::float(x)?, Parts::of(affine)?);
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    let (weight, bias) = (parts.weight.numbers()?, parts.bias.numbers()?);
    let explainer = SupportExplainer::<T>::new(weight, bias, sizes, gamma);
    let mut relevance = vec![T::default(); rows * features];
    let mut logit = vec![T::default(); rows];
    let mut cluster = vec![0; rows];
    let mut shares = vec![T::default(); rows * clusters];
    let mut absorbed = vec![T::default(); rows];
    explainer.explain(
        rows_of,
        question,
        SupportRelevance {
            relevance: &mut relevance,
            logit: &mut logit,
            cluster: &mut cluster,
            shares: &mut shares,
            absorbed: &mut absorbed,
        },
    );
    Some(ExplainedSupports {
        relevance: to_tensor(relevance, [rows, features], &device),
        logit: to_tensor(logit, [rows], &device),
        cluster: to_labels(cluster, &device),
        shares: to_tensor(shares, [rows, clusters], &device),
        absorbed: to_tensor(absorbed, [rows], &device),
    })
}

pub(super) fn support_scores<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    in_precision!(x.dtype(), support_scores_in::<B>(x, affine, sizes, gamma))
}

fn support_scores_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    let ([rows, features], device, clusters) = (x.dims(), x.device(), sizes.len());
    if rows == 0 || !divided(sizes, affine.clusters()) {
        return None;
    }
    let (x, parts) = (Borrowed::float(x)?, Parts::of(affine)?);
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    let (weight, bias) = (parts.weight.numbers()?, parts.bias.numbers()?);
    let mut scores = vec![T::default(); rows * clusters];
    Clusters::<T>::new(weight, bias, sizes, gamma).scores(rows_of, &mut scores);
    Some(to_tensor(scores, [rows, clusters], &device))
}

/// Whether clusters of these sizes share out all supports, every one getting some.
fn divided(sizes: &[usize], supports: usize) -> bool {
    !sizes.contains(&0) && sizes.iter().sum::<usize>() == supports
}

pub(super) fn table<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    table: Table,
) -> Option<Tensor<B, 2>> {
    in_precision!(x.dtype(), table_in::<B>(x, affine, table))
}

fn table_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    table: Table,
) -> Option<Tensor<B, 2>> {
    let ([rows, features], device, clusters) = (x.dims(), x.device(), affine.clusters());
    if rows == 0 {
        return None;
    }
    let (x, parts) = (Borrowed::float(x)?, Parts::of(affine)?);
    let rows_of = Rows { x: x.numbers()?, center: Some(parts.center.numbers()?), features };
    let mut values = vec![T::default(); rows * clusters];
    cpu::table(rows_of, &parts.scorer::<T>()?, table, &mut values);
    Some(to_tensor(values, [rows, clusters], &device))
}

pub(super) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    in_precision!(x.dtype(), own_distances_in::<B>(x, center, centroids, labels))
}

fn own_distances_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    let ([rows, features], device) = (x.dims(), x.device());
    let (x, centroids) = (Borrowed::float(x)?, Borrowed::float(centroids)?);
    let center = center.map(Borrowed::float);
    let center = match &center {
        None => None,
        Some(center) => Some(center.as_ref()?.numbers()?),
    };
    let labels = Borrowed::int(labels)?.into_indices()?;
    let mut distances = vec![T::default(); rows];
    let rows_of = Rows { x: x.numbers()?, center, features };
    cpu::own_distances(rows_of, centroids.numbers()?, &labels, &mut distances);
    Some(to_tensor(distances, [rows], &device))
}

pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    in_precision!(x.dtype(), feature_sums_in::<B>(x, center, weights, squares))
}

fn feature_sums_in<B: Backend, T: Real>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    let [_, features] = x.dims();
    let (x, weights) = (Borrowed::float(x)?, Borrowed::float(weights)?);
    let center = center.map(Borrowed::float);
    let center = match &center {
        None => None,
        Some(center) => Some(center.as_ref()?.numbers()?),
    };
    let rows_of = Rows::<T> { x: x.numbers()?, center, features };
    Some(cpu::feature_sums(rows_of, weights.numbers()?, squares))
}

/// Runs on the host wherever the tensors are; those that are elsewhere are
/// copied.
pub(super) fn greedy_seeds<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    seeds: usize,
    uniform: impl FnMut() -> f64,
) -> Vec<usize> {
    fn choose<T: Real>(
        parts: [&Borrowed; 3],
        seeds: usize,
        uniform: impl FnMut() -> f64,
    ) -> Option<Vec<usize>> {
        let [x, center, weights] = parts.map(Borrowed::numbers::<T>);
        let center = center?;
        let rows = Rows { x: x?, center: Some(center), features: center.len() };
        Some(cpu::greedy_seeds(rows, weights?, seeds, uniform))
    }
    let x_data = Borrowed::float(x).unwrap_or_else(|| Borrowed::Copied(x.to_data()));
    let center = Borrowed::float(center).unwrap_or_else(|| Borrowed::Copied(center.to_data()));
    let weights = Borrowed::float(weights).unwrap_or_else(|| Borrowed::Copied(weights.to_data()));
    let parts = [&x_data, &center, &weights];
    match x.dtype() {
        DType::F64 => choose::<f64>(parts, seeds, uniform),
        _ => choose::<f32>(parts, seeds, uniform),
    }
    .unwrap_or_default()
}

pub(super) fn same_labels<B: Backend>(
    a: &Tensor<B, 1, Int>,
    b: &Tensor<B, 1, Int>,
) -> Option<bool> {
    match (Borrowed::int(a)?, Borrowed::int(b)?) {
        #[cfg(feature = "flex")]
        (Borrowed::Flex(a), Borrowed::Flex(b)) => {
            // A slice of a larger tensor has more bytes than its own.
            let own = |tensor: &burn_flex::FlexTensor| {
                tensor.bytes().len() == tensor.layout().num_elements() * tensor.dtype().size()
            };
            (own(&a) && own(&b)).then(|| a.bytes() == b.bytes())
        }
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        (Borrowed::Copied(a), Borrowed::Copied(b)) => Some(a.as_bytes() == b.as_bytes()),
        _ => None,
    }
}

/// Whether all values are finite and of at most this magnitude.
pub(super) fn all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    in_precision!(x.dtype(), all_within_in::<B>(x, limit))
}

fn all_within_in<B: Backend, T: Real>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    Some(cpu::all_within::<T>(Borrowed::float(x)?.numbers()?, T::of(limit)))
}
