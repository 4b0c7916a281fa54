//! Backends: from the name to the type.

use anyhow::Result;
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::data::{Decimal, TableOptions};

use crate::args::{BackendName, Common, PrecisionName, Usage};
use crate::message::tell;

/// Device, precision and common options of a subcommand.
pub(crate) struct Session<B: Backend> {
    pub(crate) device: B::Device,
    pub(crate) dtype: DType,
    pub(crate) quiet: bool,
    pub(crate) delimiter: Option<u8>,
    decimal: Option<Decimal>,
    header: Option<bool>,
    encoding: Option<String>,
    skip: usize,
    sheet: Option<String>,
    missing_values: Vec<String>,
}

impl<B: Backend> Session<B> {
    /// The options, with those of files on the command line.
    pub(crate) fn table_options(&self, options: TableOptions) -> TableOptions {
        let options = self.text_options(options);
        let options = self.sheet.iter().fold(options, TableOptions::with_sheet);
        let options = self.missing_values.iter().fold(options, TableOptions::with_missing_value);
        options.with_skipped(self.skip)
    }

    /// The options, with how text is written: for a second table beside the data.
    pub(crate) fn text_options(&self, options: TableOptions) -> TableOptions {
        let options = self.delimiter.into_iter().fold(options, TableOptions::with_delimiter);
        let options = self.decimal.into_iter().fold(options, TableOptions::with_decimal);
        let options = self.header.into_iter().fold(options, TableOptions::with_header);
        self.encoding.iter().fold(options, TableOptions::with_text_encoding)
    }

    /// Prints a message that is not a result.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            tell(text);
        }
    }
}

/// A subcommand that computes, on any backend.
pub(crate) trait Job {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()>;
}

/// Runs a subcommand on the backend of the command line.
pub(crate) fn run(job: impl Job, common: &Common) -> Result<()> {
    let single = common.precision.unwrap_or(match common.backend {
        BackendName::Flex | BackendName::Ndarray => PrecisionName::F64,
        BackendName::Wgpu => PrecisionName::F32,
    }) == PrecisionName::F32;
    match common.backend {
        #[cfg(feature = "flex")]
        BackendName::Flex => run_on::<burn::backend::Flex>(job, common, single),
        #[cfg(feature = "ndarray")]
        BackendName::Ndarray if single => run_on::<burn::backend::NdArray<f32>>(job, common, true),
        #[cfg(feature = "ndarray")]
        BackendName::Ndarray => run_on::<burn::backend::NdArray<f64>>(job, common, false),
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu if !single => {
            let text = "the backend wgpu computes in f32; leave out `--precision f64` or use a CPU backend";
            Err(Usage(text.into()).into())
        }
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu => run_on::<burn::backend::Wgpu>(job, common, true),
        #[allow(unreachable_patterns)]
        missing => {
            let name = match missing {
                BackendName::Flex => "flex",
                BackendName::Ndarray => "ndarray",
                BackendName::Wgpu => "wgpu",
            };
            let text = format!(
                "this program was built without the backend `{name}`; build it with `cargo build --release --features {name}`"
            );
            Err(Usage(text).into())
        }
    }
}

fn run_on<B: Backend>(job: impl Job, common: &Common, single: bool) -> Result<()> {
    let device = B::Device::default();
    quietly(|| neuralize::check_device::<B>(&device))?;
    let dtype = if single { DType::F32 } else { DType::F64 };
    let Common { quiet, delimiter, decimal, header, skip, .. } = *common;
    job.run(&Session::<B> {
        device,
        dtype,
        quiet,
        delimiter,
        decimal,
        header,
        encoding: common.encoding.clone(),
        skip,
        sheet: common.sheet.clone(),
        missing_values: common.na.clone(),
    })
}

/// Runs without printing panics: a backend without a device panics, and the error that replaces the
/// panic is more informative.
fn quietly<T>(probe: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = probe();
    std::panic::set_hook(hook);
    found
}
