//! The sheet that figures are drawn on: the one place that knows how text is
//! measured and what a finished SVG looks like.

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::Figure;
use super::palette::{GREY, INK};
use crate::error::{Error, Result};

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Sizes of text, as plotters counts them: about 1.24 times the pixels of an em.
pub(super) const SMALL: f64 = 14.0;
pub(super) const TEXT: f64 = 15.5;
pub(super) const TITLE: f64 = 19.0;

/// Draws a figure: a title, below it the body in an area of the given size (or
/// somewhat wider), and notes in small print at the bottom.
pub(super) fn draw(
    body_size: (u32, u32),
    title: &str,
    notes: &[String],
    body: impl FnOnce(&Area<'_>) -> Result<Vec<Picture>>,
) -> Result<Figure> {
    const MARGIN: i32 = 12;
    const MIN_WIDTH: u32 = 480;
    let below_title = MARGIN + 34;
    let note_height = 18 * notes.len() as i32 + 8;
    let width = (body_size.0 + 2 * MARGIN as u32).max(MIN_WIDTH);
    let height = body_size.1 as i32 + below_title + note_height;
    let size = (width, height as u32);
    let mut svg = String::new();
    let pictures = {
        font();
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(error)?;
        let title = fitted(title, TITLE, width as i32 - 2 * MARGIN);
        write(&root, &title, (MARGIN, MARGIN), HPos::Left, VPos::Top, TITLE, INK)?;
        for (line, note) in notes.iter().enumerate() {
            let note = fitted(note, SMALL, width as i32 - 2 * MARGIN);
            let y = height - note_height + 18 * line as i32;
            write(&root, &note, (MARGIN, y), HPos::Left, VPos::Top, SMALL, GREY)?;
        }
        let inner = root.margin(below_title, note_height, MARGIN, MARGIN);
        let pictures = body(&inner)?;
        root.present().map_err(error)?;
        pictures
    };
    Ok(Figure::new(completed(&svg, title, &pictures), size))
}

/// A bitmap inside a figure; position and size are in pixels.
pub(super) struct Picture {
    pub(super) at: (i32, i32),
    pub(super) size: (u32, u32),
    /// The bytes of a PNG file.
    pub(super) png: Vec<u8>,
}

/// Opacity that marks lines to be dashed: plotters would draw every dash as a line
/// of its own, while SVG can dash one line.
pub(super) const DASHED: f64 = 0.999;

/// The SVG with a title for screen readers, with dashed lines and with its bitmaps.
fn completed(svg: &str, title: &str, pictures: &[Picture]) -> String {
    let mut images = String::new();
    for Picture { at, size, png } in pictures {
        let data = base64::engine::general_purpose::STANDARD.encode(png);
        // Writing to a string cannot fail.
        let _ = writeln!(
            images,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering: pixelated\" image-rendering=\"optimizeSpeed\" \
             href=\"data:image/png;base64,{data}\"/>",
            at.0, at.1, size.0, size.1
        );
    }
    let escaped = plain(title).replace('&', "&amp;").replace('<', "&lt;");
    // The font that text was measured with, and narrower ones in case it is missing.
    let svg = svg.replace(
        "font-family=\"sans-serif\"",
        "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\"",
    );
    let svg =
        svg.replace(&format!("opacity=\"{DASHED}\""), "opacity=\"1\" stroke-dasharray=\"7 4\"");
    let svg = match svg.split_once('>') {
        Some((head, rest)) => format!("{head} role=\"img\">\n<title>{escaped}</title>{rest}"),
        None => svg,
    };
    match svg.rsplit_once("</svg>") {
        Some((body, tail)) => format!("{body}{images}</svg>{tail}"),
        None => svg,
    }
}

/// Writes text at a pixel.
pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    horizontal: HPos,
    vertical: VPos,
    size: f64,
    colour: RGBColor,
) -> Result<()> {
    let style = font().resize(size).color(&colour).pos(Pos::new(horizontal, vertical));
    area.draw(&Text::new(plain(text), at, style)).map_err(error)
}

/// Writes text upwards from a pixel.
pub(super) fn write_upright(area: &Area<'_>, text: &str, at: (i32, i32)) -> Result<()> {
    let style = TextStyle::from(font())
        .transform(FontTransform::Rotate270)
        .color(&INK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    area.draw_text(text, &style, at).map_err(error)
}

/// The text without characters that XML does not allow.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), "\u{fffd}")
}

/// The width of a text in pixels.
pub(super) fn width(text: &str, size: f64) -> i32 {
    let measured = font().resize(size).layout_box(&plain(text));
    measured.map_or(0, |(_, (width, _))| width)
}

/// The text, cut to end in `…` if it is too wide for the room.
pub(super) fn fitted(text: &str, size: f64, room: i32) -> String {
    let text = &plain(text);
    // Longer texts are wider than any figure and need not be measured.
    const MAX_CHARACTERS: usize = 400;
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).take(MAX_CHARACTERS).collect();
    if ends.len() < MAX_CHARACTERS && width(text, size) <= room {
        return text.to_owned();
    }
    let cut = |end: usize| format!("{}…", text[..end].trim_end());
    let fits = ends.partition_point(|&end| width(&cut(end), size) <= room);
    match fits {
        0 => String::new(),
        _ => cut(ends[fits - 1]),
    }
}

/// The font that text is measured with.
struct Font;

fn font() -> FontDesc<'static> {
    static READY: OnceLock<Font> = OnceLock::new();
    READY.get_or_init(|| {
        // The font is part of the library and valid: a test measures with it.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        Font
    });
    ("sans-serif", TEXT).into_font()
}

pub(super) fn error(error: impl std::fmt::Display) -> Error {
    Error::Figure { detail: error.to_string() }
}
