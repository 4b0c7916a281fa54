//! Variants of a fitted clusterer that measures of explanations compare with: for
//! data that are rescaled and shifted, and with parameters at random.

use burn::module::{Param, ParamId};
use burn::tensor::{Tensor, backend::Backend};

use super::clusterer::Clusterer;
use super::kernel_kmeans::KernelKMeans;
use super::kmeans::KMeans;
use super::mixture::GaussianMixture;
use super::separable::SeparableKMeans;
use crate::error::Result;
use crate::host_param::HostParam;
use crate::random::{self, Stream, uniform};
use crate::{transfer, validate};

impl<B: Backend> Clusterer<B> {
    /// The same clusterer and β for data that are `scale · x + shift` in every
    /// feature; `None` if its distance is not invariant to that.
    ///
    /// # Errors
    ///
    /// If parameters leave the precision in use.
    pub(crate) fn transformed(&self, scale: f64, shift: f64) -> Result<Option<Self>> {
        let transform = |table: Tensor<B, 2>| -> Result<Tensor<B, 2>> {
            let table = table * scale + shift;
            validate::values("the table of transformed centroids", &table)?;
            Ok(table)
        };
        Ok(Some(match self {
            Self::KMeans(model) => {
                let beta = model.beta().map(|beta| beta / scale.powi(2));
                KMeans::new(transform(model.centroids())?, beta).checked()?.into()
            }
            Self::Kernel(model) => KernelKMeans {
                supports: parameter(transform(model.supports())?),
                gamma: HostParam::of(model.gamma.val() / scale.powi(2)),
                beta: HostParam::of(model.beta.val() / scale.powi(2)),
                ..model.clone()
            }
            .checked()?
            .into(),
            // A logit in nats has no units: β stays.
            Self::Mixture(model) => GaussianMixture {
                means: parameter(transform(model.means())?),
                variances: parameter(model.variances() * scale.powi(2)),
                ..model.clone()
            }
            .checked()?
            .into(),
            Self::Separable(model) => {
                let Some(power) = model.distance().degree() else { return Ok(None) };
                let beta = model.beta().map(|beta| beta / scale.abs().powf(power));
                let centroids = transform(model.centroids())?;
                SeparableKMeans::new(centroids, model.distance(), model.weights(), beta)
                    .checked()?
                    .into()
            }
        }))
    }

    /// The clusterer with the values of every column of its centroids (means,
    /// supports) in a random order: they stay in the range of the feature, and
    /// nothing of the clusters is left.
    pub(crate) fn randomised(&self, seed: u64) -> Self {
        match self {
            Self::KMeans(model) => {
                KMeans::new(shuffled_columns(&model.centroids(), seed), model.beta()).into()
            }
            Self::Separable(model) => {
                let centroids = shuffled_columns(&model.centroids(), seed);
                SeparableKMeans::new(centroids, model.distance(), model.weights(), model.beta())
                    .into()
            }
            Self::Kernel(model) => KernelKMeans {
                supports: parameter(shuffled_columns(&model.supports(), seed)),
                ..model.clone()
            }
            .into(),
            Self::Mixture(model) => GaussianMixture {
                means: parameter(shuffled_columns(&model.means(), seed)),
                variances: parameter(shuffled_columns(&model.variances(), seed)),
                ..model.clone()
            }
            .into(),
        }
    }
}

fn parameter<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Param<Tensor<B, D>> {
    Param::initialized(ParamId::new(), tensor)
}

/// A table with the values of every column in a random order. Of three or more
/// values, none stays in its row.
///
/// If two rows changed places in every column, the table would have the same rows
/// as before: of two rows, only some columns change.
pub(crate) fn shuffled_columns<B: Backend>(table: &Tensor<B, 2>, seed: u64) -> Tensor<B, 2> {
    let [rows, columns] = table.dims();
    let mut rng = Stream::RandomisedModel.generator(seed);
    let mut moves = vec![rows > 1; columns];
    if rows == 2 && columns > 1 {
        moves.iter_mut().for_each(|moves| *moves = uniform(&mut rng) < 0.5);
        if moves.iter().all(|is| *is == moves[0]) {
            let odd = random::index(columns, &mut rng);
            moves[odd] = !moves[odd];
        }
    }
    let old = transfer::download(table.clone());
    let mut new = old.clone();
    for column in (0..columns).filter(|column| moves[*column]) {
        let mut order: Vec<usize> = (0..rows).collect();
        for place in (1..rows).rev() {
            // Sattolo's algorithm: one cycle, so that no value stays.
            order.swap(place, random::index(place, &mut rng));
        }
        for (row, from) in order.into_iter().enumerate() {
            new[row * columns + column] = old[from * columns + column];
        }
    }
    transfer::upload(new, [rows, columns], &table.device(), table.dtype())
}
