use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, TextStyle};

use super::sheet::{self, SMALL, TEXT, error};
use super::{Chosen, Figure, counted, largest, mean_magnitude, not_empty, palette};
use crate::cases::Cases;
use crate::error::Result;

/// All explanations at once: points as lines, grouped by cluster and sorted by
/// logit, features as columns; red for and blue against, the paler the less.
///
/// Of more points than there is room for, neighbours of one cluster share a
/// line, which is their mean; a line below the figure says so.
///
/// # Errors
///
/// If there is no case.
pub fn matrix(cases: &Cases) -> Result<Figure> {
    not_empty(cases)?;
    let Chosen { features, note } = Chosen::strongest(&mean_magnitude(cases));
    let (groups, together) = grouped(cases);
    let lines: usize = groups.iter().map(|group| group.lines.len()).sum();
    let line_height = (560 / lines as u32).clamp(2, 18);
    let limit = largest(groups.iter().flat_map(|group| group.lines.iter().flatten()));

    const COLUMN: u32 = 24;
    const GAP: u32 = 8;
    const BAR: u32 = 120;
    let names: Vec<String> =
        features.iter().map(|&i| sheet::fitted(&cases.features[i], TEXT, 250)).collect();
    let titles: Vec<String> = groups
        .iter()
        .map(|group| format!("{}: {}", cases.cluster_title(group.cluster), group.points))
        .collect();
    let widest = |texts: &[String]| {
        texts.iter().map(|text| sheet::width(text, TEXT)).max().unwrap_or(0) as u32
    };
    let (names_height, left) = (widest(&names) + 10, widest(&titles) + 14);
    let columns = COLUMN * features.len() as u32;
    // A group has room for its title.
    let height_of = |group: &Group| (line_height * group.lines.len() as u32).max(20);
    let body: u32 = groups.iter().map(|group| height_of(group) + GAP).sum();

    let mut notes: Vec<String> = note.into_iter().collect();
    if together > 1 {
        notes.push(format!("a line is the mean of up to {together} points, neighbours in logit"));
    }
    notes.push("rows: points by cluster, largest logit first; red for, blue against".into());
    let size = (left + columns + BAR, names_height + body.max(SCALE_HEIGHT + 16));
    let title = format!("Relevance of {}", counted(cases));
    sheet::draw(size, &title, &notes, |area| {
        let upright = TextStyle::from(("sans-serif", TEXT).into_font())
            .transform(FontTransform::Rotate270)
            .color(&palette::INK)
            .pos(Pos::new(HPos::Left, VPos::Center));
        for (column, name) in names.iter().enumerate() {
            let x = left + COLUMN * column as u32 + COLUMN / 2;
            area.draw_text(name, &upright, (x as i32, names_height as i32 - 4)).map_err(error)?;
        }
        let mut top = names_height;
        for (group, title) in groups.iter().zip(&titles) {
            let middle = (top + height_of(group) / 2) as i32;
            let at = (left as i32 - 8, middle);
            sheet::write(area, title, at, HPos::Right, VPos::Center, TEXT, palette::INK)?;
            let colour = palette::cluster(group.cluster).filled();
            let mark =
                [(left as i32 - 5, top as i32), (left as i32 - 2, (top + height_of(group)) as i32)];
            area.draw(&Rectangle::new(mark, colour)).map_err(error)?;
            for (line, relevance) in group.lines.iter().enumerate() {
                let y = (top + line_height * line as u32) as i32;
                for (column, &i) in features.iter().enumerate() {
                    let x = (left + COLUMN * column as u32) as i32;
                    let cell = [(x, y), (x + COLUMN as i32, y + line_height as i32)];
                    let colour = palette::diverging(relevance[i] / limit).filled();
                    area.draw(&Rectangle::new(cell, colour)).map_err(error)?;
                }
            }
            top += height_of(group) + GAP;
        }
        draw_scale(area, (left + columns + 24) as i32, names_height as i32, limit)?;
        Ok(Vec::new())
    })
}

/// The lines of one cluster.
struct Group {
    cluster: usize,
    points: usize,
    /// Relevances of a point, or their mean over neighbours.
    lines: Vec<Vec<f64>>,
}

/// Points by cluster and logit, and how many share a line.
fn grouped(cases: &Cases) -> (Vec<Group>, usize) {
    const MOST_LINES: usize = 240;
    let together = cases.len().div_ceil(MOST_LINES);
    let mut groups = Vec::new();
    for cluster in 0..cases.n_clusters() {
        let mut own: Vec<usize> =
            (0..cases.len()).filter(|&case| cases.cluster[case] == cluster).collect();
        own.sort_by(|a, b| cases.logit[*b].total_cmp(&cases.logit[*a]));
        if own.is_empty() {
            continue;
        }
        let mean = |part: &[usize]| {
            let mut sum = vec![0.0; cases.n_features()];
            for &case in part {
                for (sum, value) in sum.iter_mut().zip(cases.relevance_of(case)) {
                    *sum += value;
                }
            }
            sum.iter().map(|sum| sum / part.len() as f64).collect()
        };
        let lines = own.chunks(together).map(mean).collect();
        groups.push(Group { cluster, points: own.len(), lines });
    }
    (groups, together)
}

const SCALE_HEIGHT: u32 = 160;

/// Which colour is how much.
fn draw_scale(area: &sheet::Area<'_>, x: i32, top: i32, limit: f64) -> Result<()> {
    const STEPS: i32 = 40;
    const HEIGHT: i32 = SCALE_HEIGHT as i32;
    for step in 0..STEPS {
        let share = 1.0 - 2.0 * f64::from(step) / f64::from(STEPS - 1);
        let y = |step: i32| top + step * HEIGHT / STEPS;
        let cell = [(x, y(step)), (x + 14, y(step + 1))];
        area.draw(&Rectangle::new(cell, palette::diverging(share).filled())).map_err(error)?;
    }
    for (value, y) in [(limit, top), (0.0, top + HEIGHT / 2), (-limit, top + HEIGHT)] {
        let sign = if value > 0.0 { "+" } else { "" };
        let label = format!("{sign}{}", sheet::number(value));
        sheet::write(area, &label, (x + 20, y), HPos::Left, VPos::Center, SMALL, palette::GREY)?;
    }
    Ok(())
}
