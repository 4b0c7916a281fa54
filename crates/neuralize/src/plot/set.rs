//! All figures of a clustering or an evaluation, saved to a folder.

use std::path::Path;

use burn::tensor::{DType, backend::Backend};

#[cfg(feature = "autodiff")]
use super::agreement::agreement;
use super::cards::cards;
use super::choice::choice;
use super::clusters::clusters;
use super::figure::Figure;
#[cfg(feature = "autodiff")]
use super::flipping::flipping;
use super::matrix::matrix;
use super::point::point;
use super::profile::profile;
use super::waterfall::waterfall;
use crate::cases::{Cases, Map};
use crate::choose::Choice;
use crate::error::Result;
#[cfg(feature = "autodiff")]
use crate::evaluate::Evaluation;
use crate::profile::ModelProfile;

/// Figures with the names of their files, without extension.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FigureSet {
    /// The figures, each with its name.
    pub figures: Vec<(String, Figure)>,
    /// Number of points without a figure of their own, because there are too many.
    pub left_out: usize,
}

impl FigureSet {
    /// The map of the clusters, the matrix and the profile of all cases, and two
    /// figures each, `point_N` and `waterfall_N`, of at most 50 points N: of the
    /// misplaced ones or, if there are none, of the case with the smallest logit in
    /// every cluster.
    ///
    /// The principal components of the map are computed on the device.
    ///
    /// # Errors
    ///
    /// If there are no cases.
    pub fn of_cases<B: Backend>(cases: &Cases, device: &B::Device, dtype: DType) -> Result<Self> {
        const MAX_POINTS: usize = 50;
        const STEPS: usize = 12;
        let mut points = cases.misplaced();
        if points.is_empty() {
            points = most_ambiguous(cases);
        }
        let left_out = points.len().saturating_sub(MAX_POINTS);
        points.truncate(MAX_POINTS);
        let map = Map::of::<B>(cases, device, dtype)?;
        let mut figures = vec![
            ("clusters".to_owned(), clusters(cases, &map, &points)?),
            ("matrix".to_owned(), matrix(cases)?),
            ("profile".to_owned(), profile(cases)?),
        ];
        for case in points {
            let row = cases.rows[case];
            figures.push((format!("point_{row}"), point(cases, case)?));
            figures.push((format!("waterfall_{row}"), waterfall(cases, case, STEPS)?));
        }
        Ok(Self { figures, left_out })
    }

    /// The figure `choice`: how many clusters there are.
    ///
    /// # Errors
    ///
    /// As [`choice`](super::choice()).
    pub fn of_choice(found: &Choice) -> Result<Self> {
        Ok(Self { figures: vec![("choice".to_owned(), choice(found)?)], left_out: 0 })
    }

    /// The figure `cards`: what every cluster is.
    ///
    /// # Errors
    ///
    /// As [`cards`](super::cards()).
    pub fn of_profile(profile: &ModelProfile) -> Result<Self> {
        Ok(Self { figures: vec![("cards".to_owned(), cards(profile)?)], left_out: 0 })
    }

    /// The curves of feature flipping for every reference, and the agreement of the
    /// methods.
    ///
    /// # Errors
    ///
    /// If a figure cannot be drawn.
    #[cfg(feature = "autodiff")]
    pub fn of_evaluation(evaluation: &Evaluation) -> Result<Self> {
        let mut figures = Vec::new();
        for reference in evaluation.references() {
            let figure = flipping(evaluation, reference)?;
            figures.push((format!("flipping_{reference}"), figure));
        }
        if !evaluation.agreement.methods.is_empty() {
            figures.push(("agreement".to_owned(), agreement(evaluation)?));
        }
        Ok(Self { figures, left_out: 0 })
    }

    /// Saves every figure to an existing folder, once for every extension (`svg`,
    /// `png`).
    ///
    /// # Errors
    ///
    /// As [`Figure::save`].
    pub fn save(&self, folder: impl AsRef<Path>, extensions: &[&str]) -> Result<()> {
        for (name, figure) in &self.figures {
            for extension in extensions {
                figure.save(folder.as_ref().join(format!("{name}.{extension}")))?;
            }
        }
        Ok(())
    }
}

/// The case with the smallest logit in every cluster.
fn most_ambiguous(cases: &Cases) -> Vec<usize> {
    let of = |cluster: usize| {
        let own = (0..cases.len()).filter(move |&case| cases.cluster[case] == cluster);
        own.min_by(|a, b| cases.logit[*a].total_cmp(&cases.logit[*b]))
    };
    let mut found: Vec<usize> = (0..cases.n_clusters()).filter_map(of).collect();
    found.sort_unstable();
    found
}
