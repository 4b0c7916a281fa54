//! The figures of an explained clustering, as SVG (and, with the feature `png`, as
//! PNG too): the map with the
//! misplaced wines ringed, one of them explained, all explanations, profiles,
//! a decision that adds up, and images with the relevance of their pixels.
//!
//! `cargo run --release --example figures -- [FOLDER]`

use std::path::PathBuf;

use burn::backend::Flex;
use burn::tensor::DType;
use neuralize::cases::{Cases, Map};
use neuralize::plot::{self, Figure, ImageShape};
use neuralize::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "figures".into()));
    std::fs::create_dir_all(&folder)?;
    let save = |name: &str, figure: Figure| -> neuralize::Result<()> {
        figure.save(folder.join(format!("{name}.svg")))?;
        if cfg!(feature = "png") {
            figure.save(folder.join(format!("{name}.png")))?;
        }
        println!("{}", folder.join(format!("{name}.svg")).display());
        Ok(())
    };

    // From these rows Lloyd's iterations reach the published solution.
    let start = Init::Rows(vec![54, 98, 149]);
    let wine = explained(&Table::wine(), Scale::MinMax, &KMeansConfig::new(3).with_init(start))?;
    let map = Map::of::<Flex>(&wine, &Default::default(), DType::F64)?;
    save("clusters", plot::clusters(&wine, &map, &wine.misplaced())?)?;
    save("point_70", plot::point(&wine, 70)?)?;
    save("waterfall_70", plot::waterfall(&wine, 70, 8)?)?;
    save("matrix", plot::matrix(&wine)?)?;
    save("profile", plot::profile(&wine)?)?;

    let strokes = strokes()?;
    let images = explained(&strokes, Scale::None, &KMeansConfig::new(4))?;
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    save("images", plot::images(&images, shape, &[0, 1, 2, 3])?)?;
    Ok(())
}

/// Fits and explains a table.
fn explained(table: &Table, scale: Scale, config: &KMeansConfig) -> neuralize::Result<Cases> {
    let x = table.to_tensor::<Flex>(&Default::default(), DType::F64)?;
    let scaler = scale.fit(&x)?;
    let fit = config.fit(&scaler.transform(&x)?)?;
    let info = ModelInfo::new(table.features()).with_scale(scale);
    let model = Model::new(scaler, fit.model, info)?;
    Cases::explain(&model, table, Target::Assigned, Beta::Value(1.0))
}

/// Forty images of 8 × 8 pixels: a bar on the left, one on top, a diagonal and a
/// frame, in turn, with specks.
fn strokes() -> neuralize::Result<Table> {
    let names = (0..64).map(|pixel| format!("pixel {},{}", pixel / 8, pixel % 8)).collect();
    let mut values = Vec::new();
    for image in 0..40 {
        for pixel in 0..64 {
            let (y, x) = (pixel / 8, pixel % 8);
            let on = match image % 4 {
                0 => x == 1 || x == 2,
                1 => y == 1 || y == 2,
                2 => x == y || x == y + 1,
                _ => x.min(y) == 1 || x.max(y) == 6,
            };
            let speck = 0.5 + 0.5 * f64::from(image * 64 + pixel).powi(2).sin();
            values.push(if on { 1.0 - 0.3 * speck } else { 0.3 * speck });
        }
    }
    Table::new(names, values)
}
