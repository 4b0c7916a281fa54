//! The figure of where relevance flows in a network of supports.

use burn::tensor::{Tensor, backend::Backend};
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor};

use super::axis::limit;
use super::figure::Figure;
use super::palette;
use super::plane::{self, Mark, Shape};
use super::sheet::{self, Area, error};
use crate::error::{Error, Result};
use crate::explain::{Beta, Target};
use crate::network::{Network, NeuralizedKernelKMeans};
use crate::transfer;

/// Where relevance flows in the network of a clustering of points with two
/// features: from a few explained points, ringed, along lines to the supports that
/// carry it (stronger lines for more relevance), and from there to the features, as
/// arrows of the point along the axes.
///
/// Supports of competitors speak for the cluster because they are far away, red;
/// supports of the cluster itself speak against it because their distance is not 0,
/// blue.
///
/// # Shapes
///
/// - x: `[n, 2]`, a few points
///
/// # Errors
///
/// If the data do not have two features, or the points cannot be explained.
pub fn flow<B: Backend>(
    network: &NeuralizedKernelKMeans<B>,
    x: &Tensor<B, 2>,
    names: [&str; 2],
    beta: Beta,
) -> Result<Figure> {
    if network.n_features() != 2 {
        let detail = format!("it shows 2 features, but the data have {}", network.n_features());
        return Err(Error::Figure { detail });
    }
    let places = |table: Tensor<B, 2>| -> Vec<[f64; 2]> {
        transfer::download(table).chunks_exact(2).map(|place| [place[0], place[1]]).collect()
    };
    let found = Network::explain(network, x, Target::Assigned, beta)?;
    let carried = transfer::download(network.support_relevance(x, Target::Assigned, beta)?);
    let clusters = transfer::download_indices(found.cluster);
    let (points, relevance) = (places(x.clone()), places(found.relevance));
    let supports = places(network.supports());

    const PLOT: u32 = 620;
    let notes = [
        "lines: supports that carry relevance, red for the cluster, blue against it".to_owned(),
        "arrows of a ringed point: relevance of its two features, the longer one of equal length for all points"
            .to_owned(),
    ];
    let title = format!(
        "{} points explained by {} supports in {} clusters",
        points.len(),
        supports.len(),
        network.n_clusters()
    );
    sheet::draw((PLOT, PLOT), &title, &notes, |area| {
        let all = supports.iter().chain(&points).copied();
        let pixel = plane::axes(area, all, names.map(str::to_owned))?;
        let supports: Vec<(i32, i32)> = supports.iter().map(&pixel).collect();
        let sizes = network.sizes().into_iter().enumerate();
        let cluster_of = sizes.flat_map(|(cluster, size)| std::iter::repeat_n(cluster, size));
        for (&at, cluster) in supports.iter().zip(cluster_of) {
            let colour = pale(palette::cluster(cluster));
            Mark { face: colour, edge: colour, shape: Shape::of(cluster) }.draw(area, at)?;
        }
        for (point, carried) in points.iter().zip(carried.chunks_exact(supports.len().max(1))) {
            draw_lines(area, pixel(point), &supports, carried)?;
        }
        for ((point, relevance), &cluster) in points.iter().zip(&relevance).zip(&clusters) {
            draw_point(area, pixel(point), relevance, cluster)?;
        }
        Ok(Vec::new())
    })
}

/// Lines from a point to the supports that carry its relevance.
fn draw_lines(
    area: &Area<'_>,
    point: (i32, i32),
    supports: &[(i32, i32)],
    carried: &[f64],
) -> Result<()> {
    let limit = limit(carried);
    for (&support, &relevance) in supports.iter().zip(carried) {
        let share = relevance.abs() / limit;
        if share > 0.05 {
            draw_line(area, [point, support], palette::signed(relevance), 0.6 * share, 1)?;
        }
    }
    Ok(())
}

/// A ringed point with an arrow per feature.
fn draw_point(area: &Area<'_>, at: (i32, i32), relevance: &[f64; 2], cluster: usize) -> Result<()> {
    /// Pixels of the longer arrow.
    const ARROW: f64 = 64.0;
    let limit = limit(relevance);
    for (axis, &value) in relevance.iter().enumerate() {
        let length = (ARROW * value / limit).round() as i32;
        draw_arrow(area, at, axis, length, palette::signed(value))?;
    }
    let face = palette::cluster(cluster);
    Mark { face, edge: palette::INK, shape: Shape::of(cluster) }.draw(area, at)?;
    area.draw(&Circle::new(at, 9, palette::INK.stroke_width(2))).map_err(error)
}

/// An arrow along an axis: to the right or to the left along the first, up or down
/// along the second.
fn draw_arrow(
    area: &Area<'_>,
    (x, y): (i32, i32),
    axis: usize,
    length: i32,
    colour: RGBColor,
) -> Result<()> {
    const WING: i32 = 5;
    let (tip, wings) = match axis {
        0 => ((x + length, y), [(-1, -1), (-1, 1)]),
        _ => ((x, y - length), [(-1, 1), (1, 1)]),
    };
    draw_line(area, [(x, y), tip], colour, 1.0, 4)?;
    let back = length.signum();
    for (across, along) in wings {
        let wing = match axis {
            0 => (tip.0 + across * back * WING, tip.1 + along * WING),
            _ => (tip.0 + across * WING, tip.1 + along * back * WING),
        };
        draw_line(area, [tip, wing], colour, 1.0, 3)?;
    }
    Ok(())
}

fn draw_line(
    area: &Area<'_>,
    ends: [(i32, i32); 2],
    colour: RGBColor,
    opacity: f64,
    width: u32,
) -> Result<()> {
    area.draw(&PathElement::new(ends, colour.mix(opacity).stroke_width(width))).map_err(error)
}

/// A lighter colour, for marks behind lines.
fn pale(colour: RGBColor) -> RGBColor {
    let half = |part: u8| 128 + part / 2;
    RGBColor(half(colour.0), half(colour.1), half(colour.2))
}
