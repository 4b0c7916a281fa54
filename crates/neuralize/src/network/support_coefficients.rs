//! What the rules for pairs of supports pass on.

use burn::tensor::{Tensor, backend::Backend};

use crate::explain::Absorbed;

/// What a rule passes from the competitors to the supports.
pub(crate) struct SupportCoefficients<B: Backend> {
    /// Coefficients of the per-feature distances to every support, `[n, M]`.
    pub(crate) coefficients: Tensor<B, 2>,
    /// The part of the logit that no feature carries.
    pub(crate) absorbed: Absorbed<B>,
}

impl<B: Backend> SupportCoefficients<B> {
    /// The name is that of the absorbed part.
    ///
    /// # Shapes
    ///
    /// - coefficients: `[n, M]`, absorbed: `[n, 1]`
    pub(crate) fn of(
        name: &'static str,
        coefficients: Tensor<B, 2>,
        absorbed: Tensor<B, 2>,
    ) -> Self {
        Self { coefficients, absorbed: Absorbed { name, amount: absorbed.squeeze_dim(1) } }
    }
}
