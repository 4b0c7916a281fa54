use plotters::element::{Circle, PathElement};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::bars::{self, Bar, Bars};
use super::sheet::{self, Area, SMALL, error};
use super::{Chosen, Figure, largest, mean_magnitude, not_empty, palette};
use crate::cases::Cases;
use crate::error::Result;

/// What the clusters are: for each the mean relevance of every feature with its
/// spread (a standard deviation to either side), and where its centroid lies
/// between the least and the largest value of the feature in the cases, labelled
/// in the units of the data.
///
/// # Errors
///
/// If there is no case.
pub fn profile(cases: &Cases) -> Result<Figure> {
    not_empty(cases)?;
    let Chosen { features, note } = Chosen::strongest(&mean_magnitude(cases));
    let names: Vec<&str> = features.iter().map(|&i| cases.features[i].as_str()).collect();
    let clusters: Vec<Member> = (0..cases.n_clusters()).map(|k| Member::of(cases, k)).collect();
    let reach = clusters.iter().flat_map(|member| {
        let ends = member.mean.iter().zip(&member.deviation);
        ends.flat_map(|(mean, deviation)| [mean - deviation, mean + deviation])
    });
    let limit = largest(&reach.collect::<Vec<f64>>());

    const SIDE_BY_SIDE: usize = 3;
    const RELEVANCE: u32 = 260;
    const SCALE: u32 = 130;
    let column = bars::names_width(&names);
    let height = bars::height(features.len());
    let across = clusters.len().min(SIDE_BY_SIDE) as u32;
    let down = clusters.len().div_ceil(SIDE_BY_SIDE) as u32;
    let mut notes: Vec<String> = note.into_iter().collect();
    notes.push(
        "bars: mean relevance; lines over them: one standard deviation to either side".into(),
    );
    notes.push("dots: the centroid between the feature's least and largest value".into());
    let size = (column + across * (RELEVANCE + SCALE), down * (height + 10));
    let title = format!("Profiles of {} clusters", clusters.len());
    sheet::draw(size, &title, &notes, |area| {
        for (index, member) in clusters.iter().enumerate() {
            let (row, place) = (index / SIDE_BY_SIDE, (index % SIDE_BY_SIDE) as u32);
            let top = row as u32 * (height + 10);
            let (_, below) = area.split_vertically(top);
            let (line, _) = below.split_vertically(height);
            let (left, panels) = line.split_horizontally(column);
            if place == 0 {
                bars::names(&left, &names)?;
            }
            let (_, panels) = panels.split_horizontally(place * (RELEVANCE + SCALE));
            let (relevance, rest) = panels.split_horizontally(RELEVANCE);
            let (scale, _) = rest.split_horizontally(SCALE);
            member.bars(cases, index, &features, limit).draw(&relevance)?;
            draw_scales(&scale, cases, index, &features)?;
        }
        Ok(Vec::new())
    })
}

/// What is known of the points of one cluster.
struct Member {
    points: usize,
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Member {
    fn of(cases: &Cases, cluster: usize) -> Self {
        let own: Vec<&[f64]> = (0..cases.len())
            .filter(|&case| cases.cluster[case] == cluster)
            .map(|case| cases.relevance_of(case))
            .collect();
        let points = own.len().max(1) as f64;
        let mean_of =
            |of: &dyn Fn(&[f64]) -> f64| own.iter().map(|row| of(row)).sum::<f64>() / points;
        let features = 0..cases.n_features();
        let mean: Vec<f64> = features.clone().map(|i| mean_of(&|row| row[i])).collect();
        let deviation =
            features.map(|i| mean_of(&|row| (row[i] - mean[i]).powi(2)).sqrt()).collect();
        Self { points: own.len(), mean, deviation }
    }

    fn bars(&self, cases: &Cases, cluster: usize, features: &[usize], limit: f64) -> Bars {
        let bar = |&i: &usize| Bar {
            from: 0.0,
            to: self.mean[i],
            colour: palette::signed(self.mean[i]),
            whisker: Some((self.mean[i] - self.deviation[i], self.mean[i] + self.deviation[i])),
            label: String::new(),
        };
        Bars {
            title: format!("{}: {} points", cases.cluster_title(cluster), self.points),
            range: (-limit, limit),
            bars: features.iter().map(bar).collect(),
        }
    }
}

/// A line a feature, from its least to its largest value, with the centroid on it.
fn draw_scales(area: &Area<'_>, cases: &Cases, cluster: usize, features: &[usize]) -> Result<()> {
    const START: i32 = 6;
    const LENGTH: f64 = 50.0;
    let title = "centroid";
    let middle = (START + LENGTH as i32 / 2 + 16, 2);
    sheet::write(area, title, middle, HPos::Center, VPos::Top, SMALL, palette::GREY)?;
    for (line, &i) in features.iter().enumerate() {
        let values = cases.values.iter().skip(i).step_by(cases.n_features());
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), v| {
            (least.min(*v), most.max(*v))
        });
        let centroid = cases.centroid_of(cluster)[i];
        let share = if least < most { (centroid - least) / (most - least) } else { 0.5 };
        let y = bars::middle(line);
        let at = |share: f64| (START + (share.clamp(0.0, 1.0) * LENGTH).round() as i32, y);
        area.draw(&PathElement::new([at(0.0), at(1.0)], palette::FAINT.stroke_width(2)))
            .map_err(error)?;
        let colour = palette::cluster(cluster).filled();
        area.draw(&Circle::new(at(share), 4, colour)).map_err(error)?;
        let label = sheet::number(centroid);
        let beside = (START + LENGTH as i32 + 10, y);
        sheet::write(area, &label, beside, HPos::Left, VPos::Center, SMALL, palette::GREY)?;
    }
    Ok(())
}
