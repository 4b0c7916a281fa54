//! A finished figure, and its files.

use std::path::Path;

use crate::data::AtomicFile;
use crate::error::{Error, Result};

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    svg: String,
    size: (u32, u32),
}

impl Figure {
    pub(super) fn new(svg: String, size: (u32, u32)) -> Self {
        Self { svg, size }
    }

    /// The figure as SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Width and height in pixels, at a scale of 1.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The figure as the bytes of a PNG file, `scale` times as large: 2 suits screens,
    /// 4 suits print.
    ///
    /// # Errors
    ///
    /// If the scale is not positive or gives more than 2²⁸ pixels.
    #[cfg(feature = "png")]
    pub fn png(&self, scale: f32) -> Result<Vec<u8>> {
        use resvg::{tiny_skia, usvg};

        const MAX_PIXELS: f64 = (1u64 << 28) as f64;
        let (width, height) = (self.size.0 as f32 * scale, self.size.1 as f32 * scale);
        let pixels = f64::from(width) * f64::from(height);
        if !(scale > 0.0 && width >= 1.0 && height >= 1.0 && pixels <= MAX_PIXELS) {
            return Err(Error::Config {
                name: "scale",
                value: scale.to_string(),
                rule: "it must be positive and give at most 2^28 pixels".into(),
            });
        }
        let mut options = usvg::Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        let tree = usvg::Tree::from_str(&self.svg, &options)
            .map_err(|error| Error::Figure { detail: error.to_string() })?;
        let mut pixels = tiny_skia::Pixmap::new(width.round() as u32, height.round() as u32)
            .ok_or_else(|| Error::Figure { detail: "it has no size".into() })?;
        let transform = tiny_skia::Transform::from_scale(scale, scale);
        resvg::render(&tree, transform, &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| Error::Figure { detail: error.to_string() })
    }

    /// Writes the figure to a file, whole or not at all: as SVG if the name ends with
    /// `.svg`, as PNG (at a scale of 2) if it ends with `.png`.
    ///
    /// # Errors
    ///
    /// If the name has another ending, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().map(|end| end.to_ascii_lowercase());
        match extension.as_ref().and_then(|end| end.to_str()) {
            Some("svg") => AtomicFile::write(path, self.svg.as_bytes()),
            #[cfg(feature = "png")]
            Some("png") => AtomicFile::write(path, &self.png(2.0)?),
            #[cfg(not(feature = "png"))]
            Some("png") => Err(Error::Figure {
                detail: format!(
                    "{}: this program was built without the feature `png`; save it as .svg",
                    path.display()
                ),
            }),
            _ => Err(Error::Figure {
                detail: format!("{}: the name must end with .svg or .png", path.display()),
            }),
        }
    }
}
