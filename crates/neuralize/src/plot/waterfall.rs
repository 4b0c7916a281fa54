use super::bars::{self, Bar, Bars};
use super::point::signed;
use super::{Figure, check_case, heading, palette, sheet};
use crate::cases::Cases;
use crate::error::Result;
use crate::explain::by_strength;

/// How one decision adds up: from 0 through the features in order of |R| to the
/// logit. Beyond the `most` strongest features the rest is summed as "other".
/// What biases absorb comes last.
///
/// # Errors
///
/// If there is no such case, `most` is 0, or the values do not fit an axis.
pub fn waterfall(cases: &Cases, case: usize, most: usize) -> Result<Figure> {
    check_case(cases, case)?;
    if most == 0 {
        return Err(crate::Error::Config {
            name: "most",
            value: "0".into(),
            rule: "a waterfall needs a feature at least".into(),
        });
    }
    let relevance = cases.relevance_of(case);
    let order = by_strength(relevance);
    // An "other" of one feature is that feature.
    let shown = if order.len() <= most + 1 { order.len() } else { most };
    let mut steps: Vec<(String, f64)> =
        order[..shown].iter().map(|&i| (cases.features[i].clone(), relevance[i])).collect();
    if shown < order.len() {
        let rest = order[shown..].iter().map(|&i| relevance[i]).sum();
        steps.push((format!("other ({} features)", order.len() - shown), rest));
    }
    let absorbed = cases.absorbed.iter().map(|part| (part.name.clone(), part.amounts[case]));
    steps.extend(absorbed);

    let mut sum = 0.0;
    let (mut least, mut largest) = (0.0f64, 0.0f64);
    let mut lines = Vec::new();
    for (_, step) in &steps {
        let before = sum;
        sum += step;
        (least, largest) = (least.min(sum), largest.max(sum));
        lines.push(signed(before, sum, *step));
    }
    lines.push(Bar { colour: palette::INK, ..signed(0.0, cases.logit[case], cases.logit[case]) });
    let mut names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    names.push("logit");
    if least == largest {
        largest = 1.0;
    }

    let bars = Bars {
        title: "relevance, summed".into(),
        range: (least, largest),
        label_room: sheet::label_room(
            steps.iter().map(|(_, step)| step).chain([&cases.logit[case]]),
        ),
        goes_back: true,
        bars: lines,
    };
    let column = bars::names_width(&names);
    let notes = ["red speaks for the cluster, blue against it; the last bar is their sum".into()];
    let size = (column + 520, bars::height(names.len()));
    sheet::draw(size, &heading(cases, case), &notes, |area| {
        let (left, right) = area.split_horizontally(column);
        bars::names(&left, &names)?;
        bars.draw(&right)?;
        Ok(Vec::new())
    })
}
