//! The kernels for f32 and f64, on data in host memory.
//!
//! Nothing here is generic, so all of it is compiled in this crate and as well
//! optimised as it is, whatever the profile of the crate that uses it. The
//! precision is that of the tensors, at run time; functions return `None` for any
//! other than f32 and f64.

use burn::tensor::{DType, TensorData};

use super::rows::{Borrowed, HostProblem, HostRows};
use crate::answer::{Answer, Question, VecAnswer};
use crate::cpu::{
    self, CentroidPass, ClusterSums, PackedScorer, Quantity, Real, SecantPass, SupportClusters,
    SupportPass,
};
use crate::ends::Ends;

/// The answers of a relevance pass, not yet on a backend.
pub(super) type DataAnswer = Answer<TensorData, TensorData, TensorData>;

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

fn labels_data(labels: Vec<i32>) -> TensorData {
    let rows = labels.len();
    TensorData::new(labels, [rows])
}

fn answer_data<T: Real>(
    answer: VecAnswer<T>,
    [rows, features]: [usize; 2],
    clusters: usize,
) -> DataAnswer {
    Answer {
        relevance: TensorData::new(answer.relevance, [rows, features]),
        logit: TensorData::new(answer.logit, [rows]),
        cluster: labels_data(answer.cluster),
        shares: TensorData::new(answer.shares, [rows, clusters]),
    }
}

/// Nothing but weight and bias.
const ALONE: (&[usize], f64) = (&[], 0.0);

impl HostProblem {
    /// Labels, and logits on request.
    pub(super) fn decide(&self, with_logits: bool) -> Option<(TensorData, Option<TensorData>)> {
        in_precision!(self.dtype(), |T| {
            let [rows, _] = self.shape();
            self.with_packed(ALONE, PackedScorer::pruned, |x, scorer| {
                let mut labels = vec![0; rows];
                let mut logits = vec![T::default(); if with_logits { rows } else { 0 }];
                cpu::nearest(x, scorer, &mut labels, &mut logits);
                let logits = with_logits.then(|| TensorData::new(logits, [rows]));
                (labels_data(labels), logits)
            })
        })
    }

    /// Labels, sums of points and sums of weights.
    pub(super) fn assign_and_sum(&self, row_weights: &Borrowed) -> Option<[TensorData; 3]> {
        in_precision!(self.dtype(), |T| {
            let ([rows, features], clusters) = (self.shape(), self.clusters());
            let row_weights = row_weights.numbers()?;
            self.with_packed(ALONE, PackedScorer::<T>::pruned, |x, scorer| {
                let mut labels = vec![0; rows];
                let ClusterSums { points, weights } =
                    cpu::assign_and_sum(x, row_weights, scorer, &mut labels);
                let rounded = |sums: Vec<f64>| sums.into_iter().map(T::of).collect::<Vec<_>>();
                [
                    labels_data(labels),
                    TensorData::new(rounded(points), [clusters, features]),
                    TensorData::new(rounded(weights), [clusters]),
                ]
            })
        })
    }

    pub(super) fn explain(&self, question: Question) -> Option<DataAnswer> {
        in_precision!(self.dtype(), |T| {
            let (shape, clusters) = (self.shape(), self.clusters());
            self.with_packed(ALONE, CentroidPass::<T>::new, |x, pass| {
                let mut answer = VecAnswer::full(shape, clusters, T::default());
                pass.run(x, question, answer.slices());
                answer_data(answer, shape, clusters)
            })
        })
    }

    /// The answer, and what the guard absorbs.
    pub(super) fn explain_supports(
        &self,
        sizes: &[usize],
        gamma: f64,
        question: Question,
    ) -> Option<(DataAnswer, TensorData)> {
        in_precision!(self.dtype(), |T| {
            let (shape, clusters) = (self.shape(), sizes.len());
            let make = |weight: &[T], bias: &[T]| SupportPass::new(weight, bias, sizes, gamma);
            self.with_packed((sizes, gamma), make, |x, pass| {
                let mut answer = VecAnswer::full(shape, clusters, T::default());
                let mut absorbed = vec![T::default(); shape[0]];
                pass.run(x, question, answer.slices(), &mut absorbed);
                let absorbed = TensorData::new(absorbed, [shape[0]]);
                (answer_data(answer, shape, clusters), absorbed)
            })
        })
    }

    /// The answer, and what has no root.
    pub(super) fn explain_by_secants(
        &self,
        sizes: &[usize],
        gamma: f64,
        ends: &Ends,
        question: Question,
    ) -> Option<(DataAnswer, TensorData)> {
        in_precision!(self.dtype(), |T| {
            let (shape, clusters) = (self.shape(), sizes.len());
            let make = |weight: &[T], bias: &[T]| {
                SecantPass::new(weight, bias, sizes, gamma, ends.clone())
            };
            let is_right = |pass: &SecantPass<T>| pass.leads_to(ends);
            self.with_packed_if((sizes, gamma), is_right, make, |x, pass| {
                let mut answer = VecAnswer::full(shape, clusters, T::default());
                let mut lost = vec![T::default(); shape[0]];
                pass.run(x, question, answer.slices(), &mut lost);
                (answer_data(answer, shape, clusters), TensorData::new(lost, [shape[0]]))
            })
        })
    }

    pub(super) fn support_scores(&self, sizes: &[usize], gamma: f64) -> Option<TensorData> {
        in_precision!(self.dtype(), |T| {
            let ([rows, _], clusters) = (self.shape(), sizes.len());
            let make = |weight: &[T], bias: &[T]| SupportClusters::new(weight, bias, sizes, gamma);
            self.with_packed((sizes, gamma), make, |x, supports| {
                let mut scores = vec![T::default(); rows * clusters];
                supports.scores(x, &mut scores);
                TensorData::new(scores, [rows, clusters])
            })
        })
    }

    pub(super) fn quantities(&self, quantity: Quantity) -> Option<TensorData> {
        /// Without bounds, which [`PackedScorer::pruned`] has: another type, so that both are kept.
        struct Plain<T>(PackedScorer<T>);
        in_precision!(self.dtype(), |T| {
            let ([rows, _], clusters) = (self.shape(), self.clusters());
            let make = |weight: &[T], bias: &[T]| Plain(PackedScorer::new(weight, bias));
            self.with_packed(ALONE, make, |x, Plain(scorer)| {
                let mut values = vec![T::default(); rows * clusters];
                cpu::quantities(x, scorer, quantity, &mut values);
                TensorData::new(values, [rows, clusters])
            })
        })
    }
}

impl HostRows {
    pub(super) fn own_distances(&self, centroids: &Borrowed, labels: &[i32]) -> Option<TensorData> {
        in_precision!(self.dtype(), |T| {
            let mut distances = vec![T::default(); labels.len()];
            let centroids = centroids.numbers()?;
            cpu::own_distances(self.numbers()?, centroids, labels, &mut distances);
            Some(TensorData::new(distances, [labels.len()]))
        })
    }

    pub(super) fn feature_sums(&self, weights: &Borrowed, squares: bool) -> Option<Vec<f64>> {
        in_precision!(self.dtype(), |T| {
            Some(cpu::feature_sums::<T>(self.numbers()?, weights.numbers()?, squares))
        })
    }

    pub(super) fn greedy_seeds(
        &self,
        weights: &Borrowed,
        seeds: usize,
        uniform: &mut dyn FnMut() -> f64,
    ) -> Option<Vec<usize>> {
        in_precision!(self.dtype(), |T| {
            Some(cpu::greedy_seeds::<T>(self.numbers()?, weights.numbers()?, seeds, uniform))
        })
    }

    pub(super) fn all_within(&self, limit: f64) -> Option<bool> {
        in_precision!(self.dtype(), |T| {
            Some(cpu::all_within(self.numbers::<T>()?.x, T::of(limit)))
        })
    }
}
