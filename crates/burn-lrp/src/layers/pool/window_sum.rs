//! Sums of windows as an affine layer, and lengths as images of one row.

use burn::tensor::{Tensor, backend::Backend};

use crate::affine::Affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layers::pool::windows::Windows;

/// Sums of windows, times a weight for every window: average and sum pooling.
#[derive(Debug)]
pub(super) struct WindowSum<B: Backend> {
    pub(super) windows: Windows,
    /// `[height, width]` of the output.
    pub(super) weight: AnyTensor<B>,
}

impl<B: Backend> Affine<B> for WindowSum<B> {
    fn weight(&self) -> AnyTensor<B> {
        self.weight.clone()
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        None
    }

    fn channel_dim(&self, _: &AnyTensor<B>) -> usize {
        1
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        Ok(weighted(&self.windows.sums(x), weight))
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        _: &[usize],
    ) -> Result<AnyTensor<B>> {
        Ok(self.windows.back(&weighted(s, weight)))
    }
}

fn weighted<B: Backend>(x: &AnyTensor<B>, weight: &AnyTensor<B>) -> AnyTensor<B> {
    let [windows, images] = [weight.len(), x.len() / weight.len().max(1)];
    let product = x.view([images, windows]) * weight.view([1, windows]);
    AnyTensor::from(product).shaped(&x.dims())
}

/// `[samples, channels, length]` as an image of one row; an image is returned unchanged.
///
/// # Errors
///
/// If the input has another rank or is empty.
pub(super) fn image<B: Backend>(
    name: &str,
    x: &AnyTensor<B>,
    space: usize,
) -> Result<AnyTensor<B>> {
    Ok(x.shaped(&image_dims(name, x.dims(), space)?))
}

/// The shape of [`image`].
///
/// # Errors
///
/// As [`image`].
pub(super) fn image_dims(name: &str, mut dims: Vec<usize>, space: usize) -> Result<Vec<usize>> {
    if dims.len() != space + 2 || dims.contains(&0) {
        let places = ["length", "height, width"][space - 1];
        return Err(Error::shape(name, format!("[samples, channels, {places}]"), &dims));
    }
    if space == 1 {
        dims.insert(2, 1);
    }
    Ok(dims)
}

/// An image of one row as `[samples, channels, length]` again.
pub(super) fn unimage<B: Backend>(x: &AnyTensor<B>, space: usize) -> AnyTensor<B> {
    let dims = x.dims();
    match space {
        1 => x.shaped(&[dims[0], dims[1], dims[3]]),
        _ => x.clone(),
    }
}
