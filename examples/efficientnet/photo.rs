//! Photographs: reading, cropping, resizing and normalising.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Pixels along a side of the network's input.
pub const SIZE: usize = 224;
/// Mean and standard deviation of red, green and blue in the network's training.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// A photograph: red, green and blue of every pixel, 0 to 1, row by row.
pub struct Photo {
    pub name: String,
    pub height: usize,
    pub width: usize,
    pixels: Vec<f64>,
}

/// A square of a photograph, `SIZE` pixels each way.
pub struct Crop {
    /// The index of the photograph.
    pub photo: usize,
    /// Red, green and blue of every pixel, 0 to 1, row by row.
    pub pixels: Vec<f64>,
}

impl Photo {
    /// Reads a PNG in colours of 8 bits.
    pub fn read(folder: &Path, name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let path = folder.join(format!("{name}.png"));
        let mut reader = png::Decoder::new(BufReader::new(File::open(&path)?)).read_info()?;
        let mut bytes = vec![0; reader.output_buffer_size().ok_or("the image is too large")?];
        let info = reader.next_frame(&mut bytes)?;
        if (info.color_type, info.bit_depth) != (png::ColorType::Rgb, png::BitDepth::Eight) {
            return Err(format!("{} is not in colours of 8 bits", path.display()).into());
        }
        bytes.truncate(info.buffer_size());
        Ok(Self {
            name: name.to_string(),
            height: info.height as usize,
            width: info.width as usize,
            pixels: bytes.iter().map(|byte| f64::from(*byte) / 255.0).collect(),
        })
    }

    /// The largest square in the middle.
    pub fn middle(&self, photo: usize) -> Crop {
        let side = self.height.min(self.width);
        self.crop(photo, (self.height - side) / 2, (self.width - side) / 2, side)
    }

    /// A grid of overlapping squares, whose side is a share of the shorter side.
    pub fn grid(&self, photo: usize, share: f64, [down, across]: [usize; 2]) -> Vec<Crop> {
        let side = (self.height.min(self.width) as f64 * share) as usize;
        let place = |at: usize, of: usize, size: usize| at * (size - side) / (of - 1).max(1);
        (0..down * across)
            .map(|at| {
                let top = place(at / across, down, self.height);
                self.crop(photo, top, place(at % across, across, self.width), side)
            })
            .collect()
    }

    /// A square, resized by a triangle filter as wide as a pixel of the coarser side.
    fn crop(&self, photo: usize, top: usize, left: usize, side: usize) -> Crop {
        let filter = triangle(side);
        let at = |y: usize, x: usize, channel: usize| {
            self.pixels[((top + y) * self.width + left + x) * 3 + channel]
        };
        // Across first, then down.
        let mut narrow = vec![0.0; side * SIZE * 3];
        for y in 0..side {
            for (x, weights) in filter.iter().enumerate() {
                for channel in 0..3 {
                    let sum = weights.iter().map(|(from, weight)| at(y, *from, channel) * weight);
                    narrow[(y * SIZE + x) * 3 + channel] = sum.sum();
                }
            }
        }
        let mut pixels = vec![0.0; SIZE * SIZE * 3];
        for (y, weights) in filter.iter().enumerate() {
            for x in 0..SIZE * 3 {
                let sum = weights.iter().map(|(from, weight)| narrow[from * SIZE * 3 + x] * weight);
                pixels[y * SIZE * 3 + x] = sum.sum();
            }
        }
        Crop { photo, pixels }
    }
}

/// The patches of a crop that become grey, by their relevance.
#[derive(Clone, Copy)]
pub enum Mask {
    Most,
    Evenly,
    Least,
}

impl Mask {
    pub const ALL: [Self; 3] = [Self::Most, Self::Evenly, Self::Least];
}

/// Pixels along a side of a patch; a mask takes one of `ONE_OF` patches.
pub const PATCH: usize = 16;
const ONE_OF: usize = 5;

impl Crop {
    /// The crop with a fifth of its patches in the mean colour, chosen by relevance.
    pub fn masked(&self, relevance: &[f64], mask: Mask) -> Self {
        let across = SIZE / PATCH;
        let patch = |pixel: usize| pixel / SIZE / PATCH * across + pixel % SIZE / PATCH;
        let mut sums = vec![0.0; across * across];
        for (pixel, relevance) in relevance.iter().enumerate() {
            sums[patch(pixel)] += relevance;
        }
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let count = order.len() / ONE_OF;
        let chosen: Vec<usize> = match mask {
            Mask::Most => order[..count].to_vec(),
            Mask::Evenly => order.iter().copied().skip(ONE_OF / 2).step_by(ONE_OF).collect(),
            Mask::Least => order[order.len() - count..].to_vec(),
        };
        let mut pixels = self.pixels.clone();
        for (at, value) in pixels.iter_mut().enumerate() {
            if chosen.contains(&patch(at / 3)) {
                *value = MEAN[at % 3];
            }
        }
        Self { photo: self.photo, pixels }
    }
}

/// The old pixels along a side, with weights, that every one of the `SIZE` new ones sums.
fn triangle(side: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = side as f64 / SIZE as f64;
    let reach = scale.max(1.0);
    (0..SIZE)
        .map(|at| {
            let centre = (at as f64 + 0.5) * scale;
            let mut weights: Vec<(usize, f64)> = (0..side)
                .map(|from| (from, 1.0 - (from as f64 + 0.5 - centre).abs() / reach))
                .filter(|(_, weight)| *weight > 0.0)
                .collect();
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            weights.iter_mut().for_each(|(_, weight)| *weight /= sum);
            weights
        })
        .collect()
}

/// The input of the network, `[crops, 3, SIZE, SIZE]` row by row.
pub fn normalised(crops: &[&Crop]) -> Vec<f32> {
    let mut all = Vec::with_capacity(crops.len() * 3 * SIZE * SIZE);
    for crop in crops {
        for channel in 0..3 {
            let values = crop.pixels.iter().skip(channel).step_by(3);
            all.extend(values.map(|v| ((v - MEAN[channel]) / DEVIATION[channel]) as f32));
        }
    }
    all
}
