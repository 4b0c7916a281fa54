//! The figure of one point: its values and relevances.

use super::axis::{label_room, limit};
use super::bars::{self, Bar, BarPanel};
use super::figure::Figure;
use super::subject::{StrongestFeatures, check_case, heading};
use super::{palette, sheet};
use crate::cases::Cases;
use crate::error::Result;
use crate::text::words::number;

/// Why one point is in its cluster: its scaled values and their relevances side
/// by side, red for and blue against. Limits are the same for every case of the
/// set, and symmetric if there are values of both signs.
///
/// Values are labelled in the units of the data.
///
/// # Errors
///
/// If there is no such case, or the values do not fit on an axis.
pub fn point(cases: &Cases, case: usize) -> Result<Figure> {
    check_case(cases, case)?;
    let (relevance, scaled) = (cases.relevance_of(case), cases.scaled_of(case));
    let StrongestFeatures { features, note } = StrongestFeatures::by(relevance);
    let names: Vec<&str> = features.iter().map(|&i| cases.features[i].as_str()).collect();

    let high = limit(&cases.scaled);
    let low = if cases.scaled.iter().any(|value| *value < 0.0) { -high } else { 0.0 };
    let values = BarPanel {
        title: "scaled value (label: original value)".into(),
        range: (low, high),
        label_room: label_room(&cases.values),
        backwards: false,
        bars: features
            .iter()
            .map(|&i| Bar {
                from: 0.0,
                to: scaled[i],
                colour: palette::VALUE,
                whisker: None,
                label: cases.value_text(case, i),
            })
            .collect(),
    };
    let limit = limit(&cases.relevance);
    let relevances = BarPanel {
        title: "relevance".into(),
        range: (-limit, limit),
        label_room: label_room(&cases.relevance),
        backwards: false,
        bars: features.iter().map(|&i| Bar::relevance(0.0, relevance[i], relevance[i])).collect(),
    };

    const PANELS: (u32, u32) = (350, 430);
    let column = bars::names_width(&names);
    let mut notes: Vec<String> = note.into_iter().collect();
    let parts: Vec<String> = cases
        .absorbed
        .iter()
        .map(|part| format!("{} {}", part.name, number(part.amounts[case])))
        .collect();
    notes.push(if parts.is_empty() {
        "red speaks for the cluster, blue against it; relevances sum to the logit".into()
    } else {
        format!(
            "red speaks for the cluster, blue against it; with {} they sum to the logit",
            parts.join(" and ")
        )
    });
    let size = (column + PANELS.0 + PANELS.1, bars::height(features.len()));
    sheet::draw(size, &heading(cases, case), &notes, |area| {
        let (left, panels) = area.split_horizontally(column);
        let (middle, right) = panels.split_horizontally(PANELS.0);
        bars::names(&left, &names)?;
        values.draw(&middle)?;
        relevances.draw(&right)?;
        Ok(Vec::new())
    })
}
