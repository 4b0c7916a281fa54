//! The question that a relevance pass answers for every row, and its answer.

use burn::tensor::{Int, Tensor};

/// The guard of the summed rule: the bound of the factor `h / g` by which it
/// multiplies a competitor's share.
///
/// h is the difference of the scores of two clusters with many supports, g that of
/// their supports' means. g may vanish, or have the other sign, while h does not, so
/// the quotient needs a bound. The rule is exact as long as g is at least an eighth
/// of h; below, the factor falls linearly in g from this bound to 1. Kernels and
/// tensor operations have to agree on it.
pub const STEEPEST: f64 = 8.0;

/// Competitors whose share of a logit is a smaller part of the largest share are left out of passes
/// that treat each of them by itself, and the others share all of it.
pub const COUNTS: f64 = 1e-2;

/// Parts of a line of which the first that leads across the boundary is searched. A line through
/// clusters of any shape may cross the boundary more than once.
pub const PARTS: usize = 4;

/// Steps of the search for a root; every fourth halves what is left of the part.
pub const STEPS: usize = 80;

/// What to explain about every row.
#[derive(Clone, Copy)]
pub struct Question {
    /// The explained cluster; `None` for the one with the largest score.
    pub cluster: Option<usize>,
    /// The only competitor; `None` for all of them.
    pub versus: Option<usize>,
    /// Stiffness of the softmin over competitors; may be infinite.
    pub beta: f64,
}

/// The answers of a relevance pass for N rows: matrices `M`, vectors `V` and
/// indices `I`, which are tensors or host memory.
#[derive(PartialEq)]
pub struct Answer<M, V, I> {
    /// `[N, D]`
    pub relevance: M,
    /// `[N]`
    pub logit: V,
    /// The explained cluster, `[N]`.
    pub cluster: I,
    /// The competitors' shares of the logit, `[N, K]`.
    pub shares: M,
}

/// In tensors of a backend.
pub type TensorAnswer<B> = Answer<Tensor<B, 2>, Tensor<B, 1>, Tensor<B, 1, Int>>;

/// In host memory.
pub(crate) type VecAnswer<T> = Answer<Vec<T>, Vec<T>, Vec<i32>>;

/// Borrowed, for a kernel to fill.
pub(crate) type SliceAnswer<'a, T> = Answer<&'a mut [T], &'a mut [T], &'a mut [i32]>;

impl<T: Copy> VecAnswer<T> {
    /// Not computed yet: every number is `value`, every cluster 0.
    pub fn full([rows, features]: [usize; 2], clusters: usize, value: T) -> Self {
        Self {
            relevance: vec![value; rows * features],
            logit: vec![value; rows],
            cluster: vec![0; rows],
            shares: vec![value; rows * clusters],
        }
    }

    pub(crate) fn slices(&mut self) -> SliceAnswer<'_, T> {
        Answer {
            relevance: &mut self.relevance,
            logit: &mut self.logit,
            cluster: &mut self.cluster,
            shares: &mut self.shares,
        }
    }
}

impl<'a, T> SliceAnswer<'a, T> {
    /// Cut into blocks of at most `rows` rows, for D features and K clusters.
    pub fn blocks(
        self,
        rows: usize,
        [features, clusters]: [usize; 2],
    ) -> impl Iterator<Item = SliceAnswer<'a, T>> {
        self.relevance
            .chunks_mut(rows * features)
            .zip(self.logit.chunks_mut(rows))
            .zip(self.cluster.chunks_mut(rows))
            .zip(self.shares.chunks_mut(rows * clusters))
            .map(|(((relevance, logit), cluster), shares)| Answer {
                relevance,
                logit,
                cluster,
                shares,
            })
    }
}
