use super::bars::{self, Bar, Bars};
use super::{Chosen, Figure, check_case, heading, largest, palette, sheet};
use crate::cases::Cases;
use crate::error::Result;

/// Why one point is in its cluster: its scaled values and their relevances side
/// by side, red for and blue against. Limits are symmetric where there are
/// values of either sign, and the same for every case of the set.
///
/// Values are labelled in the units of the data.
///
/// # Errors
///
/// If there is no such case, or the values do not fit an axis.
pub fn point(cases: &Cases, case: usize) -> Result<Figure> {
    check_case(cases, case)?;
    let (relevance, scaled) = (cases.relevance_of(case), cases.scaled_of(case));
    let Chosen { features, note } = Chosen::strongest(relevance);
    let names: Vec<&str> = features.iter().map(|&i| cases.features[i].as_str()).collect();

    let most = largest(&cases.scaled);
    let least = if cases.scaled.iter().any(|value| *value < 0.0) { -most } else { 0.0 };
    let values = Bars {
        title: "value, scaled (label: as in the data)".into(),
        range: (least, most),
        label_room: sheet::label_room(&cases.values),
        goes_back: false,
        bars: features
            .iter()
            .map(|&i| Bar {
                from: 0.0,
                to: scaled[i],
                colour: palette::VALUE,
                whisker: None,
                label: sheet::number(cases.values_of(case)[i]),
            })
            .collect(),
    };
    let limit = largest(&cases.relevance);
    let relevances = Bars {
        title: "relevance".into(),
        range: (-limit, limit),
        label_room: sheet::label_room(&cases.relevance),
        goes_back: false,
        bars: features.iter().map(|&i| signed(0.0, relevance[i], relevance[i])).collect(),
    };

    const PANELS: (u32, u32) = (350, 430);
    let column = bars::names_width(&names);
    let mut notes: Vec<String> = note.into_iter().collect();
    let parts: Vec<String> = cases
        .absorbed
        .iter()
        .map(|part| format!("{} {}", part.name, sheet::number(part.amounts[case])))
        .collect();
    notes.push(if parts.is_empty() {
        "red speaks for the cluster, blue against it; relevances sum to the logit".into()
    } else {
        format!(
            "red speaks for the cluster, blue against it; with {} relevances sum to the logit",
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

/// A bar of relevance `value` with its number at the end.
pub(super) fn signed(from: f64, to: f64, value: f64) -> Bar {
    let sign = if value > 0.0 { "+" } else { "" };
    Bar {
        from,
        to,
        colour: palette::signed(value),
        whisker: None,
        label: format!("{sign}{}", sheet::number(value)),
    }
}
