//! A sheet of crops, each with two heat maps.

use std::io::Write;
use std::path::Path;

use neuralize::data::AtomicFile;

use crate::photo::{Crop, SIZE};

const GAP: usize = 8;
/// The gap between a crop with its heat maps and the next one.
const WIDE_GAP: usize = 24;
/// A crop and two heat maps.
const GROUP: usize = 3 * SIZE + 2 * GAP;
const RED: [f64; 3] = [0.79, 0.0, 0.13];
const BLUE: [f64; 3] = [0.02, 0.31, 0.68];
/// The share of pixels beyond the end of the colour scale, because single pixels are much
/// stronger than all others.
const BEYOND: f64 = 0.005;

/// Rows of groups: a crop, and its heat maps.
pub struct Sheet {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Sheet {
    pub fn new(rows: usize, pairs: usize) -> Self {
        let width = pairs * GROUP + (pairs + 1) * WIDE_GAP;
        let height = rows * (SIZE + WIDE_GAP) + WIDE_GAP;
        Self { width, height, bytes: vec![255; width * height * 3] }
    }

    /// Draws a crop and the relevance of its pixels, in two ways.
    pub fn draw(&mut self, row: usize, pair: usize, crop: &Crop, relevance: [&[f64]; 2]) {
        let top = WIDE_GAP + row * (SIZE + WIDE_GAP);
        let left = WIDE_GAP + pair * (GROUP + WIDE_GAP);
        let ends = relevance.map(end_of_scale);
        for (at, pixel) in crop.pixels.chunks_exact(3).enumerate() {
            let pixel: [f64; 3] = std::array::from_fn(|channel| pixel[channel]);
            self.set(top, left, at, pixel);
            for (way, (map, end)) in relevance.iter().zip(ends).enumerate() {
                let left = left + (way + 1) * (SIZE + GAP);
                self.set(top, left, at, heat(pixel, map[at] / end));
            }
        }
    }

    pub fn save(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let mut encoded = Vec::new();
        let mut encoder = png::Encoder::new(&mut encoded, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.bytes)?;
        writer.finish()?;
        let mut file = AtomicFile::create(path)?;
        file.write_all(&encoded)?;
        file.finish()?;
        Ok(())
    }

    fn set(&mut self, top: usize, left: usize, at: usize, colour: [f64; 3]) {
        let place = ((top + at / SIZE) * self.width + left + at % SIZE) * 3;
        for (byte, value) in self.bytes[place..place + 3].iter_mut().zip(colour) {
            *byte = (value * 255.0).round() as u8;
        }
    }
}

/// Red for positive relevance, blue for negative, over a pale copy of the pixel; the scale
/// goes from -1 to 1.
fn heat(pixel: [f64; 3], relevance: f64) -> [f64; 3] {
    let grey = 0.3 * pixel[0] + 0.59 * pixel[1] + 0.11 * pixel[2];
    let pale = 0.75 + 0.25 * grey;
    let colour = if relevance > 0.0 { RED } else { BLUE };
    let share = relevance.abs().min(1.0);
    colour.map(|colour| pale + (colour - pale) * share)
}

fn end_of_scale(relevance: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = relevance.iter().map(|r| r.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let at = ((1.0 - BEYOND) * sizes.len() as f64) as usize;
    sizes[at.min(sizes.len() - 1)].max(f64::MIN_POSITIVE)
}
