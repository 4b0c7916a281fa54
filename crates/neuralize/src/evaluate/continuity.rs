use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Case, Scene};
use crate::error::Result;
use crate::evaluate::ranking::rows_of;
use crate::explain::Target;
use crate::random::{self, Stream};
use crate::transfer;

/// How fast an explanation changes at worst (after Montavon, Samek, Müller
/// 2018): on straight ways from points to other points of the data,
///
/// `mean over ways of max over steps of |R(x') − R(x)|₁ / |x' − x|₂`,
///
/// in units of the mean |R|₁ of all points of the ways over the root mean square distance
/// of the data from their mean. Larger is worse; a jump makes it as large
/// as the steps are short.
///
/// Where the cluster of the point itself is explained, only the part of a way
/// on which it does not change counts: the question must stay the same.
/// None if there is no way of two points or more; 0 without any relevance.
///
/// # Errors
///
/// Those of the method.
pub fn continuity<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    ways: usize,
) -> Result<Option<f64>> {
    let scene: &Scene<'_, B> = case.scene;
    let [rows, features] = case.x.dims();
    if rows == 0 || ways == 0 {
        return Ok(None);
    }
    let mut rng = Stream::ContinuityPaths.generator(scene.seed());
    let mut draw = |count| random::index(count, &mut rng);
    let others = scene.data().dims()[0];
    let (from, to): (Vec<usize>, Vec<usize>) =
        (0..ways).map(|_| (draw(rows), draw(others))).unzip();
    let device = case.x.device();
    let pick = |table: &Tensor<B, 2>, rows: &[usize]| {
        table.clone().select(0, transfer::upload_indices(rows, &device))
    };
    let start = pick(&case.x, &from);
    let way = pick(scene.data(), &to) - start.clone();
    // Every way with all of its points, one way after the other.
    let shape = [ways, POINTS, features];
    let at = (0..POINTS).map(|step| step as f64 / (POINTS - 1) as f64).collect();
    let at = transfer::upload::<B, 3>(at, [1, POINTS, 1], &device, case.x.dtype());
    let points = start.unsqueeze_dim::<3>(1).expand(shape)
        + way.unsqueeze_dim::<3>(1).expand(shape) * at.expand(shape);
    let points = points.reshape([ways * POINTS, features]);

    let all = scene.ask(&points, case.target)?;
    let relevance = rows_of(&method.attribute(&all)?.relevance);
    let clusters = transfer::download_indices(all.pinned.cluster());
    let points = rows_of(&points);
    let one = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let two =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let steepest = |way: usize| -> Option<f64> {
        let first = way * POINTS;
        let steps = (first..first + POINTS - 1)
            .take_while(|at| match case.target {
                Target::Assigned => clusters[at + 1] == clusters[first],
                Target::AssignedVersus(_) => clusters[at + 1] == clusters[first],
                _ => true,
            })
            .filter_map(|at| {
                let length = two(&points[at], &points[at + 1]);
                (length > 0.0).then(|| one(&relevance[at], &relevance[at + 1]) / length)
            });
        steps.fold(None, |most: Option<f64>, step| Some(most.map_or(step, |most| most.max(step))))
    };
    let found: Vec<f64> = (0..ways).filter_map(steepest).collect();
    if found.is_empty() {
        return Ok(None);
    }
    let steepness = found.iter().sum::<f64>() / found.len() as f64;

    // The size of explanations, at the starts of the ways and on them.
    let nothing = vec![0.0; features];
    let size = relevance.iter().map(|row| one(row, &nothing)).sum::<f64>() / relevance.len() as f64;
    let spread = transfer::download(scene.deviation().square()).iter().sum::<f64>().sqrt();
    Ok(Some(if size > 0.0 { steepness * spread / size } else { 0.0 }))
}

/// Points of a way, both ends included.
const POINTS: usize = 33;
