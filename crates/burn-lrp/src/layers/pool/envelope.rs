//! Which element of a window is the largest on the straight way between two images.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::Result;
use crate::layers::pool::windows::{Tap, Windows};

/// The multiplier of every element of the input of a max pooling: that of the output of a window,
/// times the share of the straight way from the root to x on which the element is the largest.
///
/// Shares are those of the upper envelope of the lines `x₀_i + t (x_i − x₀_i)`, so they lie between
/// 0 and 1, sum to 1 and do not depend on the order of elements, but for equal lines: these count as
/// the first.
pub(super) fn enveloped<B: Backend>(
    windows: &Windows,
    [x, root]: [&AnyTensor<B>; 2],
    multiplier: &AnyTensor<B>,
) -> Result<AnyTensor<B>> {
    let m = multiplier.tensor::<4>()?;
    let mut taps = windows.taps(&[x, root])?;
    lower_padding(&mut taps);
    // One row for every place in a window.
    let stacked = |end: usize| -> Tensor<B, 2> {
        let rows = taps
            .iter()
            .map(|tap| tap.elements[end].clone().reshape([1, m.dims().iter().product()]));
        Tensor::cat(rows.collect(), 0)
    };
    let (ends, starts) = (stacked(0), stacked(1));
    let slopes = ends - starts.clone();
    let mut sum = x.filled(0.0);
    for (at, tap) in taps.iter().enumerate() {
        let share = share(at, &slopes, &starts).reshape(m.dims());
        let share = match &tap.padding {
            Some(padding) => share.mask_fill(padding.clone().expand(m.dims()), 0.0),
            None => share,
        };
        sum = sum.plus(&windows.untap(m.clone() * share, tap))?;
    }
    Ok(sum)
}

/// Elements in the padding lie below all others of their window, at both ends of the way.
fn lower_padding<B: Backend>(taps: &mut [Tap<B>]) {
    if taps.iter().all(|tap| tap.padding.is_none()) {
        return;
    }
    let all = taps.iter().flat_map(|tap| &tap.elements).cloned();
    let Some(least) = all.reduce(|a, b| a.min_pair(b)) else { return };
    let low = least.clone() - least.abs() - 1.0;
    for tap in taps {
        if let Some(padding) = &tap.padding {
            let padding = padding.clone().expand(low.dims());
            for elements in &mut tap.elements {
                *elements = elements.clone().mask_where(padding.clone(), low.clone());
            }
        }
    }
}

/// The share of the way on which one line is above all others, of every window.
///
/// # Shapes
///
/// - slopes, starts: `[places, windows]`
/// - output: `[1, windows]`
fn share<B: Backend>(at: usize, slopes: &Tensor<B, 2>, starts: &Tensor<B, 2>) -> Tensor<B, 2> {
    let [places, _] = slopes.dims();
    // Above another line where `t steeper ≥ gap`.
    let steeper = slopes.clone().narrow(0, at, 1) - slopes.clone();
    let gap = starts.clone() - starts.clone().narrow(0, at, 1);
    let parallel = steeper.clone().equal_elem(0.0);
    let crossing = gap.clone() / steeper.clone().mask_fill(parallel.clone(), 1.0);
    let (rises, falls) = (steeper.clone().greater_elem(0.0), steeper.lower_elem(0.0));
    let from = crossing.zeros_like().mask_where(rises, crossing.clone());
    let to = crossing.ones_like().mask_where(falls, crossing);
    // Of equal lines, the first is above.
    let mut below = vec![gap.clone().narrow(0, at, places - at).greater_elem(0.0)];
    if at > 0 {
        below.insert(0, gap.narrow(0, 0, at).greater_equal_elem(0.0));
    }
    let below = Tensor::cat(below, 0);
    let to = to.mask_fill(parallel.bool_and(below), -1.0);
    (to.min_dim(0).clamp_max(1.0) - from.max_dim(0).clamp_min(0.0)).clamp_min(0.0)
}
