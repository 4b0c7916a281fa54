//! Figures of explained clusterings, one function per figure, as SVG and PNG.
//!
//! Figures are drawn from [`Cases`](crate::cases::Cases), a set of explained points; limits and
//! order are the same for all points of a set. Red speaks for a cluster, blue against it. Clusters
//! have the colours of Okabe and Ito, which colour-blind readers can tell apart, and beyond eight
//! clusters other shapes. Text is measured with a font that is part of the library, DejaVu Sans,
//! which is wide: PNG files are drawn with it, SVG files name it and narrower ones. If there are
//! more than 30 features, a figure shows the strongest ones and says so. The same holds for
//! clusters.
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::DType;
//! use neuralize::cases::Cases;
//! use neuralize::{plot, prelude::*};
//!
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let wine = Table::wine();
//! let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
//! let scaler = Scale::MinMax.fit(&x)?;
//! let fit = KMeansConfig::new(3).fit(&scaler.transform(&x)?)?;
//! let info = ModelInfo::new(wine.features());
//! let model = Model::new(scaler, fit.model, info)?;
//!
//! let cases = Cases::explain(&model, &wine, Target::Assigned, Beta::Heuristic)?;
//! let figure = plot::point(&cases, 70)?;
//! figure.save(folder.path().join("point_70.svg"))?;
//! assert!(figure.svg().contains("proline"));
//! # Ok::<(), neuralize::Error>(())
//! ```

#[cfg(feature = "autodiff")]
mod agreement;
mod axis;
mod bars;
mod cards;
mod choice;
mod clusters;
mod figure;
#[cfg(feature = "autodiff")]
mod flipping;
mod flow;
mod image;
mod matrix;
mod palette;
mod plane;
mod point;
mod profile;
mod set;
mod sheet;
mod subject;
mod waterfall;

#[cfg(feature = "autodiff")]
pub use agreement::agreement;
pub use cards::cards;
pub use choice::choice;
pub use clusters::clusters;
pub use figure::Figure;
#[cfg(feature = "autodiff")]
pub use flipping::flipping;
pub use flow::flow;
pub use image::{HeatMap, ImageShape, heat_maps, images};
pub use matrix::matrix;
pub use point::point;
pub use profile::profile;
pub use set::FigureSet;
pub use waterfall::waterfall;
