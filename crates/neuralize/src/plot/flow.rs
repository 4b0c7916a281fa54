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
    let flow = Flow::of(network, x, beta)?;
    let notes = [
        "lines: supports that carry relevance, red for the cluster, blue against it".to_owned(),
        "arrows of a ringed point: relevance of its two features, the longer one of equal length for all points"
            .to_owned(),
    ];
    let title = format!(
        "{} points explained by {} supports in {} clusters",
        flow.points.len(),
        flow.supports.len(),
        network.n_clusters()
    );
    const PLOT: u32 = 620;
    sheet::draw((PLOT, PLOT), &title, &notes, |area| {
        let places = flow.supports.iter().map(|support| support.place);
        let places = places.chain(flow.points.iter().map(|point| point.place));
        let pixel = plane::axes(area, places, names.map(str::to_owned))?;
        flow.draw_supports(area, &pixel)?;
        flow.draw_lines(area, &pixel)?;
        for point in &flow.points {
            point.draw(area, pixel(&point.place))?;
        }
        Ok(Vec::new())
    })
}

struct Flow {
    supports: Vec<Support>,
    points: Vec<ExplainedPoint>,
}

struct Support {
    place: [f64; 2],
    cluster: usize,
}

struct ExplainedPoint {
    place: [f64; 2],
    cluster: usize,
    /// Of the two features.
    relevance: [f64; 2],
    /// Of every support.
    support_relevance: Vec<f64>,
}

impl Flow {
    fn of<B: Backend>(
        network: &NeuralizedKernelKMeans<B>,
        x: &Tensor<B, 2>,
        beta: Beta,
    ) -> Result<Self> {
        let pairs = |table: Tensor<B, 2>| -> Vec<[f64; 2]> {
            transfer::download(table).chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
        };
        let found = Network::explain(network, x, Target::Assigned, beta)?;
        let carried = transfer::download(network.support_relevance(x, Target::Assigned, beta)?);
        let sizes = network.sizes().into_iter().enumerate();
        let cluster_of = sizes.flat_map(|(cluster, size)| std::iter::repeat_n(cluster, size));
        let supports: Vec<Support> = pairs(network.supports())
            .into_iter()
            .zip(cluster_of)
            .map(|(place, cluster)| Support { place, cluster })
            .collect();
        let points = pairs(x.clone())
            .into_iter()
            .zip(transfer::download_indices(found.cluster))
            .zip(pairs(found.relevance))
            .zip(carried.chunks_exact(supports.len().max(1)))
            .map(|(((place, cluster), relevance), carried)| ExplainedPoint {
                place,
                cluster,
                relevance,
                support_relevance: carried.to_vec(),
            })
            .collect();
        Ok(Self { supports, points })
    }

    fn draw_supports(
        &self,
        area: &Area<'_>,
        pixel: &impl Fn(&[f64; 2]) -> (i32, i32),
    ) -> Result<()> {
        for support in &self.supports {
            let colour = pale(palette::cluster(support.cluster));
            Mark { face: colour, edge: colour, shape: Shape::of(support.cluster) }
                .draw(area, pixel(&support.place))?;
        }
        Ok(())
    }

    /// Lines from every point to the supports that carry its relevance.
    fn draw_lines(&self, area: &Area<'_>, pixel: &impl Fn(&[f64; 2]) -> (i32, i32)) -> Result<()> {
        for point in &self.points {
            let limit = limit(&point.support_relevance);
            for (support, relevance) in self.supports.iter().zip(&point.support_relevance) {
                let share = relevance.abs() / limit;
                if share > 0.05 {
                    let ends = [pixel(&point.place), pixel(&support.place)];
                    draw_line(area, ends, palette::signed(*relevance), 0.6 * share, 1)?;
                }
            }
        }
        Ok(())
    }
}

impl ExplainedPoint {
    /// Draws the point, ringed, with an arrow per feature.
    fn draw(&self, area: &Area<'_>, at: (i32, i32)) -> Result<()> {
        /// Pixels of the longer arrow.
        const ARROW: f64 = 64.0;
        let limit = limit(&self.relevance);
        for (axis, &value) in self.relevance.iter().enumerate() {
            let length = (ARROW * value / limit).round() as i32;
            draw_arrow(area, at, axis, length, palette::signed(value))?;
        }
        let face = palette::cluster(self.cluster);
        Mark { face, edge: palette::INK, shape: Shape::of(self.cluster) }.draw(area, at)?;
        area.draw(&Circle::new(at, 9, palette::INK.stroke_width(2))).map_err(error)
    }
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
