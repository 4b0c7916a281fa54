//! Which element of a window is the largest on the straight way between two images.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::Result;
use crate::layers::pool::windows::{Tap, Windows};

/// The multiplier of every element of the input of a max pooling: that of the output of a window,
/// times the share of the straight way from the root to x on which the element is the largest.
///
/// Shares are those of the upper envelope of the lines `x₀_i + t (x_i − x₀_i)`, so they lie between
/// 0 and 1, sum to 1 and do not depend on the order of elements. Equal lines count as the first.
pub(super) fn enveloped<B: Backend>(
    windows: &Windows,
    [x, root]: [&AnyTensor<B>; 2],
    multiplier: &AnyTensor<B>,
) -> Result<AnyTensor<B>> {
    let m = multiplier.tensor::<4>()?;
    let mut taps = windows.taps(&[x, root])?;
    lower_padding(&mut taps);
    let lines: Vec<[Tensor<B, 4>; 2]> = taps
        .iter()
        .map(|tap| {
            let [x, root] = [tap.elements[0].clone(), tap.elements[1].clone()];
            [x - root.clone(), root]
        })
        .collect();
    let mut sum = x.filled(0.0);
    for (at, tap) in taps.iter().enumerate() {
        let share = share(at, &lines);
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

/// The share of the way on which one line, `[slope, start]`, is above all others.
fn share<B: Backend>(at: usize, lines: &[[Tensor<B, 4>; 2]]) -> Tensor<B, 4> {
    let [slope, start] = &lines[at];
    let mut from = slope.zeros_like();
    let mut to = slope.ones_like();
    for (other, [other_slope, other_start]) in lines.iter().enumerate().filter(|(j, _)| *j != at) {
        // Above the other line where `t steeper ≥ gap`.
        let steeper = slope.clone() - other_slope.clone();
        let gap = other_start.clone() - start.clone();
        let parallel = steeper.clone().equal_elem(0.0);
        let crossing = gap.clone() / steeper.clone().mask_fill(parallel.clone(), 1.0);
        let rises = steeper.clone().greater_elem(0.0);
        let falls = steeper.lower_elem(0.0);
        let below = if other < at { gap.greater_equal_elem(0.0) } else { gap.greater_elem(0.0) };
        from = from.clone().mask_where(rises, from.max_pair(crossing.clone()));
        to = to.clone().mask_where(falls, to.min_pair(crossing));
        to = to.mask_fill(parallel.bool_and(below), -1.0);
    }
    (to - from).clamp_min(0.0)
}
