use burn::tensor::{Tensor, backend::Backend};
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor};

use super::plane::{self, Mark, Shape};
use super::sheet::{self, error};
use super::{Figure, largest, palette};
use crate::error::{Error, Result};
use crate::explain::{Beta, Target};
use crate::network::{Network, NeuralizedKernelKMeans};
use crate::transfer;

/// Where relevance flows in the network of a clustering of points of two
/// features: from some explained points, ringed, to the supports that carry it,
/// a line each, the stronger the more, and from there to the features, an arrow
/// of the point along each axis.
///
/// Supports of competitors speak for the cluster because they are far away, red,
/// supports of the cluster itself against it because they are not at distance 0,
/// blue.
///
/// # Shapes
///
/// - x: `[n, 2]`, a few points
///
/// # Errors
///
/// If the data have not two features, or the points cannot be explained.
pub fn flow<B: Backend>(
    network: &NeuralizedKernelKMeans<B>,
    x: &Tensor<B, 2>,
    names: [&str; 2],
    beta: Beta,
) -> Result<Figure> {
    if network.n_features() != 2 {
        let detail = format!("a plane has 2 features, the data have {}", network.n_features());
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
    let cluster_of: Vec<usize> = network
        .sizes()
        .into_iter()
        .enumerate()
        .flat_map(|(cluster, size)| std::iter::repeat_n(cluster, size))
        .collect();

    const PLOT: u32 = 620;
    /// Pixels of the longer arrow of a point.
    const ARROW: f64 = 64.0;
    let notes = [
        "lines: supports that carry relevance, red for the cluster, blue against it".to_owned(),
        "arrows of a ringed point: relevance of the two features, the larger as long for every point"
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
        for (place, &cluster) in supports.iter().zip(&cluster_of) {
            let colour = pale(palette::cluster(cluster));
            Mark { face: colour, edge: colour, shape: Shape::of(cluster) }
                .draw(area, pixel(place))?;
        }
        let line = |ends: Vec<(i32, i32)>, colour: RGBColor, opacity: f64, width: u32| {
            area.draw(&PathElement::new(ends, colour.mix(opacity).stroke_width(width)))
                .map_err(error)
        };
        for (point, carried) in points.iter().zip(carried.chunks_exact(supports.len().max(1))) {
            let most = largest(carried);
            for (support, carried) in supports.iter().zip(carried) {
                let share = carried.abs() / most;
                if share > 0.05 {
                    let ends = vec![pixel(point), pixel(support)];
                    line(ends, palette::signed(*carried), 0.6 * share, 1)?;
                }
            }
        }
        for ((point, relevance), &cluster) in points.iter().zip(&relevance).zip(&clusters) {
            let (x, y) = pixel(point);
            let longest = largest(relevance);
            for (axis, &value) in relevance.iter().enumerate() {
                let length = (ARROW * value / longest).round() as i32;
                let (tip, wings) = match axis {
                    0 => ((x + length, y), [(-1, -1), (-1, 1)]),
                    _ => ((x, y - length), [(-1, 1), (1, 1)]),
                };
                let colour = palette::signed(value);
                line(vec![(x, y), tip], colour, 1.0, 4)?;
                let (back, size) = (length.signum(), 5);
                for (across, along) in wings {
                    let wing = match axis {
                        0 => (tip.0 + across * back * size, tip.1 + along * size),
                        _ => (tip.0 + across * size, tip.1 + along * back * size),
                    };
                    line(vec![tip, wing], colour, 1.0, 3)?;
                }
            }
            let face = palette::cluster(cluster);
            Mark { face, edge: palette::INK, shape: Shape::of(cluster) }.draw(area, (x, y))?;
            area.draw(&Circle::new((x, y), 9, palette::INK.stroke_width(2))).map_err(error)?;
        }
        Ok(Vec::new())
    })
}

/// Seen behind lines.
fn pale(colour: RGBColor) -> RGBColor {
    let half = |part: u8| 128 + part / 2;
    RGBColor(half(colour.0), half(colour.1), half(colour.2))
}
