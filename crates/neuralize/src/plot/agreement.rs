//! The figure of how far methods agree.

use plotters::element::Rectangle;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::figure::Figure;
use super::palette::{self, INK};
use super::sheet::{self, SMALL, TEXT, error};
use crate::error::{Error, Result};
use crate::evaluate::Evaluation;

/// How far methods agree: for every pair of methods the mean rank correlation of
/// the relevances of a point, as numbers on red (the same order) to blue (the
/// opposite order).
///
/// # Errors
///
/// If there are no methods to compare.
pub fn agreement(evaluation: &Evaluation) -> Result<Figure> {
    let found = &evaluation.agreement;
    if found.methods.is_empty() {
        return Err(Error::Figure { detail: "there are no methods to compare".into() });
    }
    let names: Vec<String> =
        found.methods.iter().map(|name| sheet::fitted(name, TEXT, 260)).collect();
    let widest = names.iter().map(|name| sheet::width(name, TEXT)).max().unwrap_or(0) as u32;

    const CELL: (u32, u32) = (46, 24);
    let (left, top) = (widest + 12, widest + 12);
    let count = names.len() as u32;
    let size = (left + CELL.0 * count + 8, top + CELL.1 * count + 10);
    let title = format!("Agreement of the methods, {} points", evaluation.agreement.points);
    let notes = [
        "mean rank correlation of the relevances of a point".to_owned(),
        "1: the same order of the features, 0: unrelated, −1: the opposite order".to_owned(),
    ];
    sheet::draw(size, &title, &notes, |area| {
        for (index, name) in names.iter().enumerate() {
            let x = (left + CELL.0 * index as u32 + CELL.0 / 2) as i32;
            sheet::write_upright(area, name, (x, top as i32 - 6))?;
            let y = (top + CELL.1 * index as u32 + CELL.1 / 2) as i32;
            let at = (left as i32 - 8, y);
            sheet::write(area, name, at, HPos::Right, VPos::Center, TEXT, INK)?;
        }
        for (row, values) in found.rank_correlation.iter().enumerate() {
            for (column, &value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
                let x = (left + CELL.0 * column as u32) as i32;
                let y = (top + CELL.1 * row as u32) as i32;
                let corner = (x + CELL.0 as i32 - 1, y + CELL.1 as i32 - 1);
                // Paler than elsewhere, so that numbers can be read on it.
                let colour = palette::diverging(0.55 * value).filled();
                area.draw(&Rectangle::new([(x, y), corner], colour)).map_err(error)?;
                let at = (x + CELL.0 as i32 / 2, y + CELL.1 as i32 / 2);
                let text = correlation(value);
                sheet::write(area, &text, at, HPos::Center, VPos::Center, SMALL, INK)?;
            }
        }
        Ok(Vec::new())
    })
}

/// Two decimals, without a sign on zero.
fn correlation(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.strip_prefix('-') {
        Some("0.00") => "0.00".to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}
