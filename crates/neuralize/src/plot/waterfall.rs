//! The figure of one decision: how its relevances add up to the logit.

use super::axis::label_room;
use super::bars::{self, Bar, BarPanel};
use super::figure::Figure;
use super::subject::{check_case, heading};
use super::{palette, sheet};
use crate::cases::Cases;
use crate::error::{Error, Result};
use crate::explain::by_strength;

/// How one decision adds up: from 0 through the features, in order of |R|, to the
/// logit. The `max_features` strongest features have a bar each, the others are
/// summed as "other". Relevance that biases absorb comes last.
///
/// # Errors
///
/// If there is no such case, `max_features` is 0, or the values do not fit on an
/// axis.
pub fn waterfall(cases: &Cases, case: usize, max_features: usize) -> Result<Figure> {
    check_case(cases, case)?;
    if max_features == 0 {
        return Err(Error::Config {
            name: "max_features",
            value: "0".into(),
            rule: "a waterfall shows at least one feature".into(),
        });
    }
    let relevance = cases.relevance_of(case);
    let order = by_strength(relevance);
    // A single other feature is shown as itself.
    let shown = if order.len() <= max_features + 1 { order.len() } else { max_features };
    let mut steps: Vec<(String, f64)> =
        order[..shown].iter().map(|&i| (cases.features[i].clone(), relevance[i])).collect();
    if shown < order.len() {
        let rest = order[shown..].iter().map(|&i| relevance[i]).sum();
        steps.push((format!("other ({} features)", order.len() - shown), rest));
    }
    let absorbed = cases.absorbed.iter().map(|part| (part.name.clone(), part.amounts[case]));
    steps.extend(absorbed);

    let mut sum = 0.0;
    let (mut low, mut high) = (0.0f64, 0.0f64);
    let mut bars = Vec::new();
    for (_, step) in &steps {
        let before = sum;
        sum += step;
        (low, high) = (low.min(sum), high.max(sum));
        bars.push(Bar::relevance(before, sum, *step));
    }
    let logit = cases.logit[case];
    bars.push(Bar { colour: palette::INK, ..Bar::relevance(0.0, logit, logit) });
    let mut names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    names.push("logit");
    if low == high {
        high = 1.0;
    }

    let panel = BarPanel {
        title: "cumulative relevance".into(),
        range: (low, high),
        label_room: label_room(steps.iter().map(|(_, step)| step).chain([&logit])),
        backwards: true,
        bars,
    };
    let column = bars::names_width(&names);
    let notes = ["red speaks for the cluster, blue against it; the last bar is their sum".into()];
    let size = (column + 520, bars::height(names.len()));
    sheet::draw(size, &heading(cases, case), &notes, |area| {
        let (left, right) = area.split_horizontally(column);
        bars::names(&left, &names)?;
        panel.draw(&right)?;
        Ok(Vec::new())
    })
}
