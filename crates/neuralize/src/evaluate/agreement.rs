use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

/// How far methods say the same, pair by pair.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// The methods.
    pub methods: Vec<String>,
    /// Mean rank correlation (Spearman) of the relevances of a point, −1 to 1.
    pub rank_correlation: Vec<Vec<f64>>,
    /// Mean share of common features among the `top` of largest |R|, 0 to 1.
    pub overlap: Vec<Vec<f64>>,
    /// Features that the overlap looks at.
    pub top: usize,
}

/// `[N, D]` each.
pub fn agreement<B: Backend>(relevances: &[(String, Tensor<B, 2>)], top: usize) -> Agreement {
    unimplemented!()
}
