//! The gain of every method on every data set, as dots.

use plotters::chart::ChartBuilder;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle, RGBColor, WHITE};

const INK: RGBColor = RGBColor(40, 40, 40);
const DOTS: RGBColor = RGBColor(120, 120, 120);
const MEAN: RGBColor = RGBColor(0, 90, 160);
const LINE: usize = 26;

pub(crate) fn gains(methods: &[(String, Vec<f64>)]) -> Result<String, Box<dyn std::error::Error>> {
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
    let mut methods: Vec<_> = methods.iter().filter(|(_, gains)| !gains.is_empty()).collect();
    methods.sort_by(|a, b| mean(&a.1).total_cmp(&mean(&b.1)));
    let all = || methods.iter().flat_map(|(_, gains)| gains.iter().copied());
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
    let margin = 0.04 * (high - low).max(1e-3);
    let mut svg = String::new();
    {
        let height = (methods.len() * LINE + 70) as u32;
        let area = plotters::backend::SVGBackend::with_string(&mut svg, (900, height));
        let area = area.into_drawing_area();
        area.fill(&WHITE)?;
        let names = methods.len();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(250)
            .build_cartesian_2d(low - margin..high + margin, -0.5..names as f64 - 0.5)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .disable_y_axis()
            .x_desc("symmetric relevance gain, flipping to the competing centroid: a dot a data set, the bar their mean")
            .draw()?;
        for (at, (name, gains)) in methods.iter().enumerate() {
            let y = at as f64;
            chart.draw_series(
                gains.iter().map(|gain| Circle::new((*gain, y), 3, DOTS.mix(0.7).filled())),
            )?;
            let middle = mean(gains);
            chart.draw_series([PathElement::new(
                vec![(middle, y - 0.3), (middle, y + 0.3)],
                MEAN.stroke_width(3),
            )])?;
            let (_, pixel) = chart.backend_coord(&(low, y));
            let style = ("sans-serif", 12).into_text_style(&area).color(&INK);
            let style = style.pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(name, &style, (250, pixel))?;
        }
        area.present()?;
    }
    Ok(svg)
}
