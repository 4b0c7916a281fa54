//! The colours of figures.

use plotters::style::RGBColor;

/// Text and lines.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text.
pub(super) const GREY: RGBColor = RGBColor(105, 105, 105);
/// Secondary lines.
pub(super) const FAINT: RGBColor = RGBColor(221, 221, 221);
/// Values of features.
pub(super) const VALUE: RGBColor = RGBColor(140, 140, 140);
/// Relevance for the cluster.
pub(super) const FOR: RGBColor = RGBColor(178, 24, 43);
/// Relevance against it.
pub(super) const AGAINST: RGBColor = RGBColor(33, 102, 172);

/// Above all rows, as on the page of a report.
pub(super) const HIGH: RGBColor = RGBColor(179, 88, 6);
/// Below all rows.
pub(super) const LOW: RGBColor = RGBColor(106, 81, 163);

/// Okabe and Ito, *Color Universal Design*, 2008. The page of a report uses the
/// same colours.
const CLUSTERS: [RGBColor; 8] = [
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(240, 228, 66),
    RGBColor(34, 34, 34),
];

pub(super) fn cluster(index: usize) -> RGBColor {
    CLUSTERS[index % CLUSTERS.len()]
}

/// Number of colours; clusters beyond it get another shape.
pub(super) const COLOURS: usize = CLUSTERS.len();

pub(super) fn signed(value: f64) -> RGBColor {
    if value < 0.0 { AGAINST } else { FOR }
}

/// From blue (−1) through a pale grey (0) to red (1).
pub(super) fn diverging(share: f64) -> RGBColor {
    let colour = colorous::RED_BLUE.eval_continuous((1.0 - share.clamp(-1.0, 1.0)) / 2.0);
    RGBColor(colour.r, colour.g, colour.b)
}
