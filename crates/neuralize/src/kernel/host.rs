//! Which tensors lie in host memory, and the kernels for those.
//!
//! A backend is recognised by its primitive, so no bound other than `B: Backend`
//! is needed. Functions return `None` for a tensor that is not in host memory.

use core::any::Any;

use burn::tensor::{DType, Int, Tensor, TensorData, backend::Backend};

use super::affine::{Affine, Decision, Totals};
use super::answer::{Question, TensorAnswer, VecAnswer};
use super::cpu::{
    self, CenteredRows, CentroidPass, ClusterSums, PackedScorer, Quantity, Real, SupportClusters,
    SupportPass,
};

#[cfg(feature = "ndarray")]
use burn_ndarray::NdArrayTensor as N;

/// A tensor whose numbers the host reads in place.
enum Borrowed {
    #[cfg(feature = "flex")]
    Flex(burn_flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(burn_ndarray::NdArrayTensor),
    /// A copy, if the tensor is not contiguous.
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

    /// The numbers, row-major; `None` if they are of another type.
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

/// Whether the numbers of a tensor lie in host memory, where f64 is always
/// available and exact.
pub(crate) fn in_host_memory<B: Backend>(x: &Tensor<B, 2>) -> bool {
    Borrowed::float(&x.clone().slice([0..1, 0..1])).is_some()
}

/// Rows in host memory, and the centre that kernels subtract from them.
struct HostRows {
    x: Borrowed,
    center: Option<Borrowed>,
    features: usize,
}

impl HostRows {
    fn of<B: Backend>(x: &Tensor<B, 2>, center: Option<&Tensor<B, 2>>) -> Option<Self> {
        let [_, features] = x.dims();
        let center = match center {
            Some(center) => Some(Borrowed::float(center)?),
            None => None,
        };
        Some(Self { x: Borrowed::float(x)?, center, features })
    }

    fn numbers<T: Real>(&self) -> Option<CenteredRows<'_, T>> {
        let center = match &self.center {
            Some(center) => Some(center.numbers()?),
            None => None,
        };
        Some(CenteredRows { x: self.x.numbers()?, center, features: self.features })
    }
}

/// Rows and the layer that scores them, in host memory.
struct HostProblem {
    rows: HostRows,
    weight: Borrowed,
    bias: Borrowed,
}

/// Labels pass through the kernels as floats: up to here an f32 is exact.
const MAX_CLUSTERS: usize = 1 << 24;

impl HostProblem {
    fn of<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Self> {
        if affine.clusters() > MAX_CLUSTERS {
            return None;
        }
        Some(Self {
            rows: HostRows::of(x, Some(&affine.center))?,
            weight: Borrowed::float(&affine.scores.weight)?,
            bias: Borrowed::float(&affine.scores.bias)?,
        })
    }

    /// Rows, weight and bias.
    fn numbers<T: Real>(&self) -> Option<(CenteredRows<'_, T>, &[T], &[T])> {
        Some((self.rows.numbers()?, self.weight.numbers()?, self.bias.numbers()?))
    }
}

/// Runs the block with the given type name meaning f32 or f64, whichever is the
/// tensor's; `None` for any other type.
macro_rules! in_precision {
    ($dtype:expr, |$real:ident| $body:block) => {
        match $dtype {
            DType::F32 => {
                type $real = f32;
                $body
            }
            DType::F64 => {
                type $real = f64;
                $body
            }
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

fn to_tensors<B: Backend, T: Real>(
    answer: VecAnswer<T>,
    [rows, features]: [usize; 2],
    clusters: usize,
    device: &B::Device,
) -> TensorAnswer<B> {
    TensorAnswer {
        relevance: to_tensor(answer.relevance, [rows, features], device),
        logit: to_tensor(answer.logit, [rows], device),
        cluster: to_labels(answer.cluster, device),
        shares: to_tensor(answer.shares, [rows, clusters], device),
    }
}

pub(super) fn decide<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    with_logits: bool,
) -> Option<Decision<B>> {
    in_precision!(x.dtype(), |T| {
        let ([rows, _], device) = (x.dims(), x.device());
        let problem = HostProblem::of(x, affine)?;
        let (x, weight, bias) = problem.numbers::<T>()?;
        let mut labels = vec![0; rows];
        let mut logits = vec![T::default(); if with_logits { rows } else { 0 }];
        cpu::nearest(x, &PackedScorer::pruned(weight, bias), &mut labels, &mut logits);
        Some(Decision {
            labels: to_labels(labels, &device),
            logits: with_logits.then(|| to_tensor(logits, [rows], &device)),
        })
    })
}

pub(super) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    in_precision!(x.dtype(), |T| {
        let ([rows, features], device, clusters) = (x.dims(), x.device(), affine.clusters());
        let (problem, row_weights) = (HostProblem::of(x, affine)?, Borrowed::float(weights)?);
        let (x, weight, bias) = problem.numbers::<T>()?;
        let scorer = PackedScorer::pruned(weight, bias);
        let mut labels = vec![0; rows];
        let ClusterSums { points, weights } =
            cpu::assign_and_sum(x, row_weights.numbers()?, &scorer, &mut labels);
        let rounded = |sums: Vec<f64>| sums.into_iter().map(T::of).collect::<Vec<_>>();
        let totals = Totals {
            sums: to_tensor(rounded(points), [clusters, features], &device),
            weights: to_tensor(rounded(weights), [clusters], &device),
        };
        Some((to_labels(labels, &device), totals))
    })
}

pub(super) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    in_precision!(x.dtype(), |T| {
        let (shape, device, clusters) = (x.dims(), x.device(), affine.clusters());
        let problem = HostProblem::of(x, affine)?;
        let (x, weight, bias) = problem.numbers::<T>()?;
        let mut answer = VecAnswer::full(shape, clusters, T::default());
        CentroidPass::new(weight, bias).run(x, question, answer.slices());
        Some(to_tensors(answer, shape, clusters, &device))
    })
}

/// The whole relevance pass for clusters of several supports each, and what the
/// rule's guard keeps from the features, `[N]`: the relevances of a row and this
/// add up to the logit.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1; affine: of the M supports, ordered by cluster
/// - sizes: `[K]`, the numbers of supports, K at least 2
pub(crate) fn explain_supports<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
    in_precision!(x.dtype(), |T| {
        let (shape, device, clusters) = (x.dims(), x.device(), sizes.len());
        let [rows, _] = shape;
        if rows == 0 || clusters < 2 || !divided(sizes, affine.clusters()) {
            return None;
        }
        let problem = HostProblem::of(x, affine)?;
        let (x, weight, bias) = problem.numbers::<T>()?;
        let mut answer = VecAnswer::full(shape, clusters, T::default());
        let mut absorbed = vec![T::default(); rows];
        let pass = SupportPass::new(weight, bias, sizes, gamma);
        pass.run(x, question, answer.slices(), &mut absorbed);
        let absorbed = to_tensor(absorbed, [rows], &device);
        Some((to_tensors(answer, shape, clusters, &device), absorbed))
    })
}

/// The score of every cluster, `[N, K]`: the soft maximum, of stiffness γ, of
/// the scores of its supports.
///
/// # Shapes
///
/// As of [`explain_supports`], K at least 1.
pub(crate) fn support_scores<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    in_precision!(x.dtype(), |T| {
        let ([rows, _], device, clusters) = (x.dims(), x.device(), sizes.len());
        if rows == 0 || !divided(sizes, affine.clusters()) {
            return None;
        }
        let problem = HostProblem::of(x, affine)?;
        let (x, weight, bias) = problem.numbers::<T>()?;
        let mut scores = vec![T::default(); rows * clusters];
        SupportClusters::new(weight, bias, sizes, gamma).scores(x, &mut scores);
        Some(to_tensor(scores, [rows, clusters], &device))
    })
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
    in_precision!(x.dtype(), |T| {
        let ([rows, _], device, clusters) = (x.dims(), x.device(), affine.clusters());
        if rows == 0 {
            return None;
        }
        let problem = HostProblem::of(x, affine)?;
        let (x, weight, bias) = problem.numbers::<T>()?;
        let mut values = vec![T::default(); rows * clusters];
        cpu::quantities(x, &PackedScorer::new(weight, bias), quantity, &mut values);
        Some(to_tensor(values, [rows, clusters], &device))
    })
}

pub(super) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    in_precision!(x.dtype(), |T| {
        let [rows, _] = x.dims();
        let (host_rows, centroids) = (HostRows::of(x, center)?, Borrowed::float(centroids)?);
        let labels = Borrowed::int(labels)?.into_indices()?;
        let mut distances = vec![T::default(); rows];
        let centroids = centroids.numbers()?;
        cpu::own_distances(host_rows.numbers()?, centroids, &labels, &mut distances);
        Some(to_tensor(distances, [rows], &x.device()))
    })
}

pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Option<Vec<f64>> {
    in_precision!(x.dtype(), |T| {
        let (rows, weights) = (HostRows::of(x, center)?, Borrowed::float(weights)?);
        Some(cpu::feature_sums::<T>(rows.numbers()?, weights.numbers()?, squares))
    })
}

/// Rows chosen as seeds by greedy k-means++; fewer if the others are equal to
/// them. Runs on the host; tensors on other devices are copied.
///
/// # Shapes
///
/// - x: `[n, D]`, center: `[1, D]`, weights: `[n]`
pub(crate) fn greedy_seeds<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    seeds: usize,
    uniform: impl FnMut() -> f64,
) -> Vec<usize> {
    let [_, features] = x.dims();
    let dtype = x.dtype();
    let x = Borrowed::float(x).unwrap_or_else(|| Borrowed::Copied(x.to_data()));
    let center = Borrowed::float(center).unwrap_or_else(|| Borrowed::Copied(center.to_data()));
    let weights = Borrowed::float(weights).unwrap_or_else(|| Borrowed::Copied(weights.to_data()));
    let rows = HostRows { x, center: Some(center), features };
    let choose = || {
        in_precision!(dtype, |T| {
            Some(cpu::greedy_seeds::<T>(rows.numbers()?, weights.numbers()?, seeds, uniform))
        })
    };
    choose().unwrap_or_default()
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

pub(super) fn all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Option<bool> {
    in_precision!(x.dtype(), |T| {
        Some(cpu::all_within(Borrowed::float(x)?.numbers()?, T::of(limit)))
    })
}
