//! Occlusion: one feature at a time is replaced.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Query, Reference};

/// `f(x) − f(x with x_i = r_i)`, feature by feature for all rows.
pub(super) fn one_by_one<B: Backend>(query: &Query<'_, B>, to: Reference) -> Tensor<B, 2> {
    let [rows, features] = query.x.dims();
    if rows == 0 {
        return query.x.clone();
    }
    let reference = query.reference(to);
    let logit = query.logit();
    let losses = (0..features).map(|feature| {
        let value = reference.clone().narrow(1, feature, 1);
        let without = query.x.clone().slice_assign([0..rows, feature..feature + 1], value);
        logit.clone() - query.at(without).logit()
    });
    Tensor::cat(losses.collect(), 1)
}
