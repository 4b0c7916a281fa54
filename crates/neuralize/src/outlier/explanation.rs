//! The explanation of why a point is an outlier.

use burn::tensor::{Tensor, backend::Backend};

use crate::data::Encoding;
use crate::error::Result;
use crate::explain::summed_by_column;

/// Why every point has its outlier score: the relevance of every feature, and the score that the
/// relevances sum to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutlierExplanation<B: Backend> {
    /// R: what every feature contributed to the score, `[N, D]`, in squared units of the data;
    /// never negative, except for rounding.
    pub relevance: Tensor<B, 2>,
    /// The outlier score, `[N]`.
    pub score: Tensor<B, 1>,
}

impl<B: Backend> OutlierExplanation<B> {
    /// The explanation by columns of a table, as
    /// [`Explanation::by_column`](crate::explain::Explanation::by_column).
    ///
    /// # Errors
    ///
    /// If the features are not those of the encoding.
    pub fn by_column(mut self, encoding: Option<&Encoding>) -> Result<Self> {
        self.relevance = summed_by_column(self.relevance, encoding)?;
        Ok(self)
    }

    /// The number of points, N.
    pub fn len(&self) -> usize {
        self.relevance.dims()[0]
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the relevances of every point, `[N]`.
    pub fn sums(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            self.score.clone()
        } else {
            self.relevance.clone().sum_dim(1).squeeze_dim(1)
        }
    }

    /// How far the relevances of every point are from summing to its score,
    /// `|Σ R − o| / Σ |R|`, `[N]`; where all relevances are 0, `|o|`.
    pub fn conservation_error(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.score.clone();
        }
        let difference = (self.sums() - self.score.clone()).abs();
        let size = self.relevance.clone().abs().sum_dim(1).squeeze_dim::<1>(1);
        let none = size.clone().equal_elem(0.0);
        difference / size.mask_fill(none, 1.0)
    }
}
