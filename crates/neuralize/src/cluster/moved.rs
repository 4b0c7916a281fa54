//! Clusterers with other parameters of the same meaning: for data that are
//! moved, and with what was learnt taken away.

use burn::module::{Param, ParamId};
use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::{Clusterer, GaussianMixture, KMeans, KernelKMeans, SeparableKMeans};
use crate::cluster::{random_stream, uniform};
use crate::error::Result;
use crate::{transfer, validate};

impl<B: Backend> Clusterer<B> {
    /// The same clusterer for data that are `scale · x + shift` in every
    /// feature, β with it; none where its distance knows no such change.
    ///
    /// # Errors
    ///
    /// If parameters leave the precision in use.
    pub(crate) fn moved(&self, scale: f64, shift: f64) -> Result<Option<Self>> {
        let moved = |table: Tensor<B, 2>| -> Result<Tensor<B, 2>> {
            let table = table * scale + shift;
            validate::values("the table of moved centroids", &table)?;
            Ok(table)
        };
        Ok(Some(match self {
            Self::KMeans(model) => {
                let beta = model.beta().map(|beta| beta / scale.powi(2));
                KMeans::new(moved(model.centroids())?, beta).checked()?.into()
            }
            Self::Kernel(model) => KernelKMeans {
                supports: parameter(moved(model.supports())?),
                gamma: parameter(model.gamma.val() / scale.powi(2)),
                beta: parameter(model.beta.val() / scale.powi(2)),
                ..model.clone()
            }
            .checked()?
            .into(),
            // A logit in nats has no units: β stays.
            Self::Mixture(model) => GaussianMixture {
                means: parameter(moved(model.means())?),
                variances: parameter(model.variances() * scale.powi(2)),
                ..model.clone()
            }
            .checked()?
            .into(),
            Self::Separable(model) => {
                let Some(power) = model.distance().degree() else { return Ok(None) };
                let beta = model.beta().map(|beta| beta / scale.abs().powf(power));
                let centroids = moved(model.centroids())?;
                SeparableKMeans::new(centroids, model.distance(), model.weights(), beta)
                    .checked()?
                    .into()
            }
        }))
    }

    /// The clusterer with every column of its table of centroids (means,
    /// supports) shuffled by itself: values stay in the features' ranges, and
    /// nothing of the clusters is left.
    ///
    /// # Errors
    ///
    /// If what comes out is no clusterer.
    pub(crate) fn shuffled(&self, seed: u64) -> Result<Self> {
        Ok(match self {
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
        })
    }
}

fn parameter<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Param<Tensor<B, D>> {
    Param::initialized(ParamId::new(), tensor)
}

/// A table with the rows of every column in another order, in which no value
/// stays where there are three or more.
///
/// Two rows that change places in every column are the same rows: there, some
/// columns change and some do not.
pub(crate) fn shuffled_columns<B: Backend>(table: &Tensor<B, 2>, seed: u64) -> Tensor<B, 2> {
    let [rows, columns] = table.dims();
    let mut rng = random_stream(seed, SHUFFLE);
    let mut moves = vec![rows > 1; columns];
    if rows == 2 && columns > 1 {
        moves.iter_mut().for_each(|moves| *moves = uniform(&mut rng) < 0.5);
        if moves.iter().all(|is| *is == moves[0]) {
            let odd = ((uniform(&mut rng) * columns as f64) as usize).min(columns - 1);
            moves[odd] = !moves[odd];
        }
    }
    let old = transfer::download(table.clone());
    let mut new = old.clone();
    for column in (0..columns).filter(|column| moves[*column]) {
        let mut order: Vec<usize> = (0..rows).collect();
        for place in (1..rows).rev() {
            // Sattolo's algorithm: one cycle, so that no value stays.
            let other = (uniform(&mut rng) * place as f64) as usize;
            order.swap(place, other);
        }
        for (row, from) in order.into_iter().enumerate() {
            new[row * columns + column] = old[from * columns + column];
        }
    }
    transfer::upload(new, [rows, columns], &table.device(), table.dtype())
}

/// The stream of random numbers that shuffles.
const SHUFFLE: usize = 3;
