//! Figures of points that are images.

use plotters::style::text_anchor::{HPos, VPos};
use serde::{Deserialize, Serialize};

use super::axis::{extent, limit};
use super::figure::Figure;
use super::palette;
use super::sheet::{self, Picture, SMALL, error};
use super::subject::{check_case, heading};
use crate::cases::Cases;
use crate::error::{Error, Result};

/// The shape of an image whose features are pixels: value (y, x, channel) is feature
/// `(y · width + x) · channels + channel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Number of pixels from top to bottom.
    pub height: usize,
    /// Number of pixels from left to right.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

/// An image with the relevance of its pixels, as [`heat_maps`] shows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HeatMap {
    /// Text above the image.
    pub title: String,
    /// Values of the pixels.
    pub values: Vec<f64>,
    /// Relevances of the pixels; channels are summed.
    pub relevance: Vec<f64>,
}

impl HeatMap {
    /// An image and the relevance of its pixels, in the order of [`ImageShape`].
    pub fn new(title: impl Into<String>, values: Vec<f64>, relevance: Vec<f64>) -> Self {
        Self { title: title.into(), values, relevance }
    }

    /// The same image with its relevance by patches of `side` times `side` pixels: every pixel gets
    /// an equal part of the relevance of its patch, so that the sum stays. Patches at the right and
    /// at the bottom are smaller where the side does not divide the image.
    ///
    /// In a deep network, the relevances of neighbouring pixels have either sign and cancel; those
    /// of patches can be read and compared.
    ///
    /// # Errors
    ///
    /// If the shape does not match the number of relevances, or the side is 0.
    pub fn pooled(mut self, shape: ImageShape, side: usize) -> Result<Self> {
        shape.check(self.relevance.len())?;
        if side == 0 {
            return Err(Error::config("side", side, "a patch has at least one pixel"));
        }
        let ImageShape { height, width, channels } = shape;
        for top in (0..height).step_by(side) {
            for left in (0..width).step_by(side) {
                let rows = top..(top + side).min(height);
                let columns = left..(left + side).min(width);
                for channel in 0..channels {
                    let places = rows.clone().flat_map(|row| {
                        columns
                            .clone()
                            .map(move |column| (row * width + column) * channels + channel)
                    });
                    let places: Vec<usize> = places.collect();
                    let sum: f64 = places.iter().map(|place| self.relevance[*place]).sum();
                    let each = sum / places.len() as f64;
                    places.iter().for_each(|place| self.relevance[*place] = each);
                }
            }
        }
        Ok(self)
    }
}

/// Points that are images, each with the relevance of its pixels (summed over
/// channels) beside it: one, or a grid of them. Grey values and colours run from
/// the minimum to the maximum of the set, relevances from blue (against) through
/// white to red (for), with the same limits for all.
///
/// # Errors
///
/// If the shape does not match the number of features, its channels are neither 1
/// nor 3, the list of cases is empty, or one of the cases does not exist.
pub fn images(cases: &Cases, shape: ImageShape, chosen: &[usize]) -> Result<Figure> {
    shape.check(cases.n_features())?;
    if chosen.is_empty() {
        return Err(Error::Empty { what: "the list of cases" });
    }
    for &case in chosen {
        check_case(cases, case)?;
    }
    let title = match chosen {
        [case] => heading(cases, *case),
        _ => format!("{} points and the relevance of their pixels", chosen.len()),
    };
    let maps: Vec<HeatMap> = chosen
        .iter()
        .map(|&case| {
            let cluster = cases.cluster_title(cases.cluster[case]);
            HeatMap {
                title: format!("point {}, {cluster}", cases.case_title(case)),
                values: cases.values_of(case).to_vec(),
                relevance: cases.relevance_of(case).to_vec(),
            }
        })
        .collect();
    let limits = ColourLimits::of(&cases.values, &cases.relevance, shape);
    draw(&maps, shape, &title, &limits)
}

/// Images, each with the relevance of its pixels (summed over channels) beside it, in a grid: the
/// same as [`images`], for explanations from other sources, such as those of a
/// [`DeepKMeans`](crate::deep::DeepKMeans).
///
/// # Errors
///
/// If the shape does not match the number of values or relevances of an image, its
/// channels are neither 1 nor 3, a number is not finite, or there are no images.
pub fn heat_maps(maps: &[HeatMap], shape: ImageShape, title: &str) -> Result<Figure> {
    if maps.is_empty() {
        return Err(Error::Empty { what: "the list of images" });
    }
    for map in maps {
        shape.check(map.values.len())?;
        shape.check(map.relevance.len())?;
        if let Some(number) = map.values.iter().chain(&map.relevance).find(|v| !v.is_finite()) {
            return Err(Error::Figure { detail: format!("`{}` holds {number}", map.title) });
        }
    }
    let all = |part: fn(&HeatMap) -> &Vec<f64>| -> Vec<f64> {
        maps.iter().flat_map(|map| part(map).iter().copied()).collect()
    };
    let limits = ColourLimits::of(&all(|map| &map.values), &all(|map| &map.relevance), shape);
    draw(maps, shape, title, &limits)
}

/// The limits of the colour scales, the same for all images of a figure.
struct ColourLimits {
    values: (f64, f64),
    relevance: f64,
}

impl ColourLimits {
    fn of(values: &[f64], relevance: &[f64], shape: ImageShape) -> Self {
        let pixels: Vec<f64> = relevance.chunks(shape.channels).map(|p| p.iter().sum()).collect();
        Self { values: extent(values), relevance: limit(&pixels) }
    }
}

fn draw(maps: &[HeatMap], shape: ImageShape, title: &str, limits: &ColourLimits) -> Result<Figure> {
    const GAP: u32 = 14;
    const HEADING: u32 = 22;
    let side = shape.height.max(shape.width) as f64;
    let scale = 112.0 / side;
    // Long and thin images stay visible.
    let pixels = |side: usize| (side as f64 * scale).round().max(4.0) as u32;
    let (width, height) = (pixels(shape.width), pixels(shape.height));
    let across = (maps.len() as f64).sqrt().ceil().min(4.0) as u32;
    let down = (maps.len() as u32).div_ceil(across);
    let (cell_width, cell_height) = ((2 * width + 2 * GAP).max(200), height + HEADING + GAP);
    let notes = ["right: relevance of the pixels, red for the cluster, blue against it".into()];
    let size = (across * cell_width, down * cell_height);
    sheet::draw(size, title, &notes, |area| {
        let (left, top) = area.get_base_pixel();
        let mut pictures = Vec::new();
        for (index, map) in maps.iter().enumerate() {
            let (row, column) = (index as u32 / across, index as u32 % across);
            let (x, y) = ((column * cell_width) as i32, (row * cell_height) as i32);
            let name = sheet::fitted(&map.title, SMALL, cell_width as i32 - 8);
            sheet::write(area, &name, (x, y), HPos::Left, VPos::Top, SMALL, palette::INK)?;
            let y = top + y + HEADING as i32;
            let input = shape.input(&map.values, limits.values)?;
            let size = (width, height);
            pictures.push(Picture { at: (left + x, y), size, png: input });
            let relevance = shape.relevance(&map.relevance, limits.relevance)?;
            pictures.push(Picture {
                at: (left + x + (width + GAP / 2) as i32, y),
                size,
                png: relevance,
            });
        }
        Ok(pictures)
    })
}

impl ImageShape {
    fn check(self, features: usize) -> Result<()> {
        let Self { height, width, channels } = self;
        let pixels = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        if pixels == Some(features) && (channels == 1 || channels == 3) {
            return Ok(());
        }
        let expected = format!("height · width · channels = {features}, channels 1 or 3");
        Err(Error::shape(
            "the image, [height, width, channels],",
            expected,
            &[height, width, channels],
        ))
    }

    fn input(self, values: &[f64], (low, high): (f64, f64)) -> Result<Vec<u8>> {
        let byte = |value: &f64| {
            if low < high { ((value - low) / (high - low) * 255.0).round() as u8 } else { 128 }
        };
        let colour =
            if self.channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale };
        self.encode(colour, &values.iter().map(byte).collect::<Vec<u8>>())
    }

    fn relevance(self, relevance: &[f64], limit: f64) -> Result<Vec<u8>> {
        let pixels: Vec<u8> = relevance
            .chunks(self.channels)
            .map(|pixel| palette::diverging(pixel.iter().sum::<f64>() / limit))
            .flat_map(|colour| [colour.0, colour.1, colour.2])
            .collect();
        self.encode(png::ColorType::Rgb, &pixels)
    }

    fn encode(self, colour: png::ColorType, pixels: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(colour);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(error)?;
        writer.write_image_data(pixels).map_err(error)?;
        writer.finish().map_err(error)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_keep_the_sum() -> Result<()> {
        // Patches of 2 × 2 pixels are cut at the right and below.
        let shape = ImageShape { height: 3, width: 5, channels: 3 };
        let relevance: Vec<f64> = (0..45).map(f64::from).collect();
        let map = HeatMap::new("image", relevance.clone(), relevance.clone());
        let pooled = map.clone().pooled(shape, 2)?;
        assert_eq!(pooled.values, relevance);
        let at = |row: usize, column: usize, channel: usize| (row * 5 + column) * 3 + channel;
        // The first patch, channel by channel: rows 0 and 1, columns 0 and 1.
        for channel in 0..3 {
            let places =
                [at(0, 0, channel), at(0, 1, channel), at(1, 0, channel), at(1, 1, channel)];
            let mean = places.iter().map(|place| relevance[*place]).sum::<f64>() / 4.0;
            assert!(places.iter().all(|place| pooled.relevance[*place] == mean));
        }
        // The last one is a single pixel.
        assert_eq!(pooled.relevance[44], 44.0);
        let sum = |map: &HeatMap| map.relevance.iter().sum::<f64>();
        assert!((sum(&pooled) - sum(&map)).abs() < 1e-9);
        assert_eq!(map.clone().pooled(shape, 1)?, map);
        assert!(map.clone().pooled(shape, 0).is_err());
        let wide = ImageShape { width: 6, ..shape };
        assert!(map.pooled(wide, 2).is_err());
        Ok(())
    }
}
