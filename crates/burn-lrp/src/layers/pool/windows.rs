//! The windows of pooling layers, and sums over them.

use burn::tensor::{Bool, Tensor, TensorData, backend::Backend};

use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::space::{Axis, Padding, resized, spread, surrounded};

/// The windows of a pooling layer, over height and width.
///
/// A window is a rectangle, so sums over it are sums over one dimension after
/// the other.
#[derive(Debug, Clone)]
pub(super) enum Windows {
    /// Windows of one size, at equal distances.
    Regular([Axis; 2]),
    /// A given number of windows, from `⌊i n / m⌋` to `⌈(i + 1) n / m⌉`.
    Adaptive { input: [usize; 2], output: [usize; 2] },
}

/// Padding of a length as that of an image of one row.
pub(super) fn along_width([width]: Padding<1>) -> Padding<2> {
    [(0, 0), width]
}

/// The elements of every window: of the input, and with the padding counted.
fn counts(axis: &Axis) -> Vec<(usize, usize)> {
    let inside = |at: usize, from: usize, to: usize| {
        let places = (0..axis.kernel).map(|tap| at * axis.stride + tap * axis.dilation);
        places.filter(|place| (from..to).contains(place)).count()
    };
    (0..axis.output)
        .map(|at| {
            let input = inside(at, axis.before, axis.before + axis.input);
            (input, inside(at, 0, axis.padded()))
        })
        .collect()
}

/// The settings of a pooling layer with a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    pub(super) padding: Padding<2>,
    pub(super) ceil: bool,
}

impl Settings {
    /// The windows over an image of this size.
    ///
    /// # Errors
    ///
    /// If a setting is 0, if no window fits, or if a window is empty: it holds nothing
    /// of the input, and nothing of the padding if the padding counts.
    pub(super) fn windows(&self, name: &str, size: [usize; 2], padding: bool) -> Result<Windows> {
        if self.kernel.contains(&0) || self.stride.contains(&0) || self.dilation.contains(&0) {
            return Err(Error::layer(name, "kernel, stride and dilation must be at least 1"));
        }
        let mut axes = Vec::new();
        for d in 0..2 {
            let steps = [self.kernel[d], self.stride[d], self.dilation[d]];
            let axis = Axis::new(steps, self.padding[d], size[d], self.ceil).ok_or_else(|| {
                let expected = format!("room for a window of {:?}", self.kernel);
                Error::shape(name, expected, &size)
            })?;
            let empty = |(inside, padded): &(usize, usize)| {
                if padding { *padded == 0 } else { *inside == 0 }
            };
            if let Some(at) = counts(&axis).iter().position(empty) {
                let detail = format!(
                    "window {at} along a dimension of {} lies outside of the input; use less \
                     padding, or no ceil_mode",
                    size[d]
                );
                return Err(Error::layer(name, detail));
            }
            axes.push(axis);
        }
        Ok(Windows::Regular([axes[0], axes[1]]))
    }

    /// Whether the padding before and after is equal.
    pub(super) fn symmetric(&self) -> bool {
        self.padding.iter().all(|(before, after)| before == after)
    }

    /// The padding that is left to Burn's operation; none if an uneven padding is a part of the
    /// image.
    pub(super) fn remaining(&self) -> [usize; 2] {
        if self.symmetric() { self.padding.map(|(before, _)| before) } else { [0; 2] }
    }

    /// The image with an uneven padding around it; an even one is left to
    /// Burn's operation.
    ///
    /// Burn's `pad` takes its constant in the default precision, which may differ
    /// from that of the input.
    pub(super) fn uneven<B: Backend>(&self, image: &AnyTensor<B>, value: f64) -> AnyTensor<B> {
        if self.symmetric() {
            return image.clone();
        }
        let along = |x: AnyTensor<B>, d: usize| {
            let (before, after) = self.padding[d];
            surrounded(&x, 2 + d, before, after, value)
        };
        along(along(image.clone(), 0), 1)
    }
}

impl Windows {
    pub(super) fn output(&self) -> [usize; 2] {
        match self {
            Self::Regular(axes) => axes.map(|axis| axis.output),
            Self::Adaptive { output, .. } => *output,
        }
    }

    /// One over the number of elements of every window, `[height, width]`.
    pub(super) fn shares<B: Backend>(&self, padding: bool, like: &AnyTensor<B>) -> AnyTensor<B> {
        let sizes = |d: usize| -> Vec<usize> {
            match self {
                Self::Regular(axes) => counts(&axes[d])
                    .into_iter()
                    .map(|(inside, padded)| if padding { padded } else { inside })
                    .collect(),
                Self::Adaptive { input, output } => (0..output[d])
                    .map(|at| adaptive(at, input[d], output[d]))
                    .map(|(start, end)| end - start)
                    .collect(),
            }
        };
        let (rows, columns) = (sizes(0), sizes(1));
        let shares = rows.iter().flat_map(|r| columns.iter().map(move |c| 1.0 / (r * c) as f64));
        constant(shares.collect(), [rows.len(), columns.len()], like).into()
    }

    /// The sum of every window.
    ///
    /// # Shapes
    ///
    /// - image: `[samples, channels, height, width]`
    pub(super) fn sums<B: Backend>(&self, image: &AnyTensor<B>) -> AnyTensor<B> {
        (0..2).fold(image.clone(), |x, d| match self {
            Self::Regular(axes) => {
                let Axis { before, after, stride, .. } = axes[d];
                // Room for the last window, and for a whole step after it.
                let end = (axes[d].output - 1) * stride + axes[d].reach() + stride;
                let more = end.saturating_sub(axes[d].padded());
                let x = surrounded(&x, 2 + d, before, after + more, 0.0);
                window_sums(&x, 2 + d, &axes[d])
            }
            Self::Adaptive { input, output } => {
                let inside = members(input[d], output[d], &x);
                along(&x, 2 + d, inside)
            }
        })
    }

    /// The sum of the values of its windows at every element: the adjoint of
    /// [`sums`](Self::sums).
    pub(super) fn back<B: Backend>(&self, s: &AnyTensor<B>) -> AnyTensor<B> {
        (0..2).fold(s.clone(), |s, d| match self {
            Self::Regular(axes) => {
                let axis = axes[d];
                let wide = spread(&s, 2 + d, axis.stride);
                let wide = surrounded(&wide, 2 + d, axis.reach(), axis.reach(), 0.0);
                let reached = wide.dims()[2 + d] - axis.reach();
                let each = Axis { stride: 1, output: reached, ..axis };
                let whole = window_sums(&wide, 2 + d, &each);
                let missing = (axis.before + axis.input).saturating_sub(reached);
                let whole = surrounded(&whole, 2 + d, 0, missing, 0.0);
                narrowed(&whole, 2 + d, axis.before, axis.input)
            }
            Self::Adaptive { input, output } => {
                let inside = members(input[d], output[d], &s);
                along(&s, 2 + d, inside.transpose())
            }
        })
    }
}

impl Axis {
    /// The elements at one place of every window, along a dimension; 0 in the padding.
    fn tap<B: Backend>(&self, x: &AnyTensor<B>, dim: usize, tap: usize) -> AnyTensor<B> {
        // Room for the last window, and for a whole step after it.
        let end = (self.output - 1) * self.stride + self.reach() + self.stride;
        let more = end.saturating_sub(self.padded());
        let x = surrounded(x, dim, self.before, self.after + more, 0.0);
        let one = Self { kernel: 1, ..*self };
        window_sums(&narrowed(&x, dim, tap * self.dilation, self.output * self.stride), dim, &one)
    }

    /// Elements put back at one place of every window: the adjoint of [`tap`](Self::tap).
    fn untap<B: Backend>(&self, s: &AnyTensor<B>, dim: usize, tap: usize) -> AnyTensor<B> {
        let start = tap * self.dilation;
        let wide = spread(s, dim, self.stride);
        let end = start + wide.dims()[dim];
        let wide = surrounded(&wide, dim, start, self.padded().saturating_sub(end), 0.0);
        narrowed(&wide, dim, self.before, self.input)
    }

    /// Whether one place of every window lies inside of the input.
    fn inside(&self, tap: usize) -> Vec<bool> {
        let places = (0..self.output).map(|at| at * self.stride + tap * self.dilation);
        places.map(|place| (self.before..self.before + self.input).contains(&place)).collect()
    }
}

/// One place of every window.
pub(super) struct Tap<B: Backend> {
    at: [usize; 2],
    /// The elements there, in the shape of the output; 0 in the padding.
    pub(super) elements: Vec<Tensor<B, 4>>,
    /// Whether they lie in the padding, `[1, 1, height, width]`; `None` if none does.
    pub(super) padding: Option<Tensor<B, 4, Bool>>,
}

impl Windows {
    /// The elements of windows of one size, place by place, of several images; none of adaptive
    /// windows.
    pub(super) fn taps<B: Backend>(&self, images: &[&AnyTensor<B>]) -> Result<Vec<Tap<B>>> {
        let Self::Regular(axes) = self else { return Ok(Vec::new()) };
        let places = (0..axes[0].kernel).flat_map(|row| (0..axes[1].kernel).map(move |c| [row, c]));
        places
            .map(|at| {
                let elements = images.iter().map(|image| {
                    axes[1].tap(&axes[0].tap(image, 2, at[0]), 3, at[1]).tensor::<4>()
                });
                let elements = elements.collect::<Result<Vec<_>>>()?;
                let [rows, columns] = [0, 1].map(|d| axes[d].inside(at[d]));
                let outside: Vec<bool> = rows
                    .iter()
                    .flat_map(|row| columns.iter().map(move |c| !(*row && *c)))
                    .collect();
                let padding = outside.contains(&true).then(|| {
                    let data = TensorData::new(outside, [1, 1, rows.len(), columns.len()]);
                    Tensor::from_data(data, &images[0].device())
                });
                Ok(Tap { at, elements, padding })
            })
            .collect()
    }

    /// Numbers put back at one place of every window.
    pub(super) fn untap<B: Backend>(&self, s: Tensor<B, 4>, tap: &Tap<B>) -> AnyTensor<B> {
        let s = AnyTensor::from(s);
        match self {
            Self::Regular(axes) => axes[0].untap(&axes[1].untap(&s, 3, tap.at[1]), 2, tap.at[0]),
            Self::Adaptive { .. } => s,
        }
    }
}

/// The start and end of a window of adaptive pooling.
fn adaptive(at: usize, input: usize, output: usize) -> (usize, usize) {
    (at * input / output, ((at + 1) * input).div_ceil(output))
}

/// 1 for the elements of every window of adaptive pooling, else 0, `[windows, elements]`.
fn members<B: Backend>(input: usize, output: usize, like: &AnyTensor<B>) -> Tensor<B, 2> {
    let inside = (0..output).flat_map(|at| {
        let (start, end) = adaptive(at, input, output);
        (0..input).map(move |place| f64::from(u8::from((start..end).contains(&place))))
    });
    constant(inside.collect(), [output, input], like)
}

fn constant<B: Backend>(values: Vec<f64>, dims: [usize; 2], like: &AnyTensor<B>) -> Tensor<B, 2> {
    let data = TensorData::new(values, dims).convert_dtype(like.dtype());
    Tensor::from_data(data, (&like.device(), like.dtype()))
}

/// A matrix `[to, from]` applied along a dimension.
fn along<B: Backend>(x: &AnyTensor<B>, dim: usize, matrix: Tensor<B, 2>) -> AnyTensor<B> {
    let dims = x.dims();
    let [before, from, after] = around(&dims, dim);
    let [to, _] = matrix.dims();
    let applied = matrix.unsqueeze::<3>().matmul(x.view([before, from, after]));
    AnyTensor::from(applied).shaped(&resized(dims, dim, to))
}

/// The sums of windows along a dimension that has room for a step after the last.
fn window_sums<B: Backend>(x: &AnyTensor<B>, dim: usize, axis: &Axis) -> AnyTensor<B> {
    let dims = x.dims();
    let [before, size, after] = around(&dims, dim);
    let x = x.view([before, size, after]);
    let tap = |tap: usize| {
        let part = x.clone().narrow(1, tap * axis.dilation, axis.output * axis.stride);
        if axis.stride == 1 {
            return part;
        }
        // Every stride-th element, from the first.
        let steps = part.reshape([before, axis.output, axis.stride, after]);
        steps.narrow(2, 0, 1).reshape([before, axis.output, after])
    };
    let sum = (1..axis.kernel).fold(tap(0), |sum, at| sum + tap(at));
    AnyTensor::from(sum).shaped(&resized(dims, dim, axis.output))
}

fn narrowed<B: Backend>(x: &AnyTensor<B>, dim: usize, start: usize, size: usize) -> AnyTensor<B> {
    let dims = x.dims();
    let part = x.view(around(&dims, dim)).narrow(1, start, size);
    AnyTensor::from(part).shaped(&resized(dims, dim, size))
}
