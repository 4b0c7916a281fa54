use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Case, Reference};

/// `f(x) − f(x with x_i = r_i)`, one feature after the other, for all rows.
pub(super) fn one_by_one<B: Backend>(case: &Case<'_, B>, to: Reference) -> Tensor<B, 2> {
    let [rows, features] = case.x.dims();
    if rows == 0 {
        return case.x.clone();
    }
    let reference = case.reference(to);
    let logit = case.logit();
    let lost = (0..features).map(|feature| {
        let value = reference.clone().narrow(1, feature, 1);
        let without = case.x.clone().slice_assign([0..rows, feature..feature + 1], value);
        logit.clone() - case.at(without).logit()
    });
    Tensor::cat(lost.collect(), 1)
}
