use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Case, Reference};

/// `f(x) − f(x with x_i = r_i)`, one feature after the other.
pub(super) fn one_by_one<B: Backend>(case: &Case<'_, B>, to: Reference) -> Tensor<B, 2> {
    unimplemented!()
}
