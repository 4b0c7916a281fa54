//! The continuity: how fast an explanation changes between points.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Background, Query};
use crate::error::Result;
use crate::evaluate::ranking::rows_of;
use crate::explain::Target;
use crate::random::{self, Stream};
use crate::transfer;

/// The maximum rate of change of an explanation (after Montavon, Samek, Müller
/// 2018): on straight paths from points to other points of the data,
///
/// `mean over paths of max over steps of |R(x') − R(x)|₁ / |x' − x|₂`,
///
/// in units of the mean |R|₁ of all points of the paths over the root mean square
/// distance of the data from their mean. Larger is worse; at a jump it grows as steps
/// get shorter.
///
/// If the target is the assigned cluster, a path ends where the assignment changes:
/// the question must stay the same. `None` if no path has two points; 0 if all relevances
/// are 0.
///
/// # Errors
///
/// Those of the method.
pub fn continuity<B: Backend>(
    query: &Query<'_, B>,
    method: &dyn Attribute<B>,
    paths: usize,
) -> Result<Option<f64>> {
    let background: &Background<'_, B> = query.background;
    let [rows, features] = query.x.dims();
    if rows == 0 || paths == 0 {
        return Ok(None);
    }
    let mut rng = Stream::ContinuityPaths.generator(background.seed());
    let mut draw = |count| random::index(count, &mut rng);
    let others = background.data().dims()[0];
    let (from, to): (Vec<usize>, Vec<usize>) =
        (0..paths).map(|_| (draw(rows), draw(others))).unzip();
    let device = query.x.device();
    let pick = |table: &Tensor<B, 2>, rows: &[usize]| {
        table.clone().select(0, transfer::upload_indices(rows, &device))
    };
    let start = pick(&query.x, &from);
    let difference = pick(background.data(), &to) - start.clone();
    // The points of the first path, then those of the next.
    let shape = [paths, POINTS, features];
    let at = (0..POINTS).map(|step| step as f64 / (POINTS - 1) as f64).collect();
    let at = transfer::upload::<B, 3>(at, [1, POINTS, 1], &device, query.x.dtype());
    let points = start.unsqueeze_dim::<3>(1).expand(shape)
        + difference.unsqueeze_dim::<3>(1).expand(shape) * at.expand(shape);
    let points = points.reshape([paths * POINTS, features]);

    let all = background.query(&points, query.target)?;
    let relevance = rows_of(&method.attribute(&all)?.relevance);
    let clusters = transfer::download_indices(all.pinned.cluster());
    let points = rows_of(&points);
    let one = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let two =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let steepest = |path: usize| -> Option<f64> {
        let first = path * POINTS;
        let steps = (first..first + POINTS - 1)
            .take_while(|at| match query.target {
                Target::Assigned => clusters[at + 1] == clusters[first],
                Target::AssignedVersus(_) => clusters[at + 1] == clusters[first],
                _ => true,
            })
            .filter_map(|at| {
                let length = two(&points[at], &points[at + 1]);
                (length > 0.0).then(|| one(&relevance[at], &relevance[at + 1]) / length)
            });
        steps.reduce(f64::max)
    };
    let rates: Vec<f64> = (0..paths).filter_map(steepest).collect();
    if rates.is_empty() {
        return Ok(None);
    }
    let steepness = rates.iter().sum::<f64>() / rates.len() as f64;

    let nothing = vec![0.0; features];
    let size = relevance.iter().map(|row| one(row, &nothing)).sum::<f64>() / relevance.len() as f64;
    let spread = transfer::download(background.deviation().square()).iter().sum::<f64>().sqrt();
    Ok(Some(if size > 0.0 { steepness * spread / size } else { 0.0 }))
}

/// Points of a path, both ends included.
const POINTS: usize = 33;
