//! Modules as files of Burn's recorders.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::record::{FileRecorder, PrecisionSettings};
use burn::tensor::{DType, Element, backend::Backend};

use crate::data::AtomicFile;
use crate::error::{Error, Result};
use crate::load::{Numbers, Shapes, parameters};
use crate::record::module::{Stored, cast};

/// Saves a module by one of Burn's file recorders and returns the file's path: the given one, with
/// the recorder's extension appended if it is missing.
///
/// The file is read back before it takes its place. Some backends give a recorder fewer digits than
/// its precision has; that is an error here, not a rounded model.
///
/// # Errors
///
/// If the file cannot be written, or does not hold the module to within the recorder's precision.
pub fn save_record<B, M, R>(module: &M, path: impl AsRef<Path>, recorder: &R) -> Result<PathBuf>
where
    B: Backend,
    M: Stored<B>,
    R: FileRecorder<B>,
{
    let path = with_extension::<B, R>(path.as_ref());
    let folder = tempfile::tempdir().map_err(Error::io(&path))?;
    let stem = folder.path().join("record");
    let written = stem.with_extension(R::file_extension());
    recorder
        .record(module.clone().into_record(), stem)
        .map_err(|error| Error::model(&path, format!("cannot be written: {error}")))?;

    let original = parameters::<B, M>(module);
    let device = module.devices().into_iter().next().unwrap_or_default();
    let dtype = original.first().map_or(DType::F32, |(dtype, _)| *dtype);
    let read: M = read(&path, &written, recorder, &device, dtype)?;
    let tolerance = match <R::Settings as PrecisionSettings>::FloatElem::dtype() {
        DType::F64 => f64::EPSILON,
        DType::F32 => f64::from(f32::EPSILON),
        _ => 2.0 * 2f64.powi(-11),
    };
    if !same(&original, &parameters::<B, M>(&read), tolerance) {
        let detail = format!(
            "this recorder does not keep the {dtype:?} parameters of this model on this backend (they are too large or too \
             fine for it); use burnpack or safetensors, which do"
        );
        return Err(Error::model(&path, detail));
    }
    let mut file = AtomicFile::create(&path)?;
    let mut source = fs::File::open(&written).map_err(Error::io(&path))?;
    std::io::copy(&mut source, &mut file).map_err(Error::io(&path))?;
    file.finish()?;
    Ok(path)
}

/// Loads a module saved by [`save_record`], or by Burn itself, in the given
/// precision.
///
/// # Errors
///
/// If the file is missing, damaged, of another recorder or precision, or holds
/// another module.
pub fn load_record<B, M, R>(
    path: impl AsRef<Path>,
    recorder: &R,
    device: &B::Device,
    dtype: DType,
) -> Result<M>
where
    B: Backend,
    M: Stored<B>,
    R: FileRecorder<B>,
{
    let path = with_extension::<B, R>(path.as_ref());
    // Recorders replace what follows the last dot of a name, so the file is copied to a name
    // without dots.
    let folder = tempfile::tempdir().map_err(Error::io(&path))?;
    let copy = folder.path().join("record").with_extension(R::file_extension());
    fs::copy(&path, &copy).map_err(Error::io(&path))?;
    read(&path, &copy, recorder, device, dtype)
}

fn read<B, M, R>(
    path: &Path,
    copy: &Path,
    recorder: &R,
    device: &B::Device,
    dtype: DType,
) -> Result<M>
where
    B: Backend,
    M: Stored<B>,
    R: FileRecorder<B>,
{
    let fail =
        |detail: String| Error::model(path, format!("is not a usable {}: {detail}", M::NAME));
    let blank = M::blank(&Shapes::default(), device, dtype).map_err(&fail)?;
    let stem = copy.parent().unwrap_or(copy).join("record");
    // Burn's recorders panic on some damaged files.
    let loaded = catch_unwind(AssertUnwindSafe(|| {
        let record = recorder.load::<M::Record>(stem, device)?;
        Ok::<M, burn::record::RecorderError>(blank.load_record(record))
    }));
    match loaded {
        Ok(Ok(module)) => cast(module, dtype).checked().map_err(fail),
        Ok(Err(error)) => Err(fail(error.to_string())),
        Err(_) => Err(fail("it is damaged, or holds another module".into())),
    }
}

/// Appends, and never replaces, so that `model.v1` stays `model.v1.mpk`.
fn with_extension<B: Backend, R: FileRecorder<B>>(path: &Path) -> PathBuf {
    let suffix = format!(".{}", R::file_extension());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(&suffix) {
        path.to_path_buf()
    } else {
        path.with_file_name(format!("{name}{suffix}"))
    }
}

/// Whether parameters are equal up to rounding. Below f32, numbers that are small compared with the
/// parameter's largest may be lost. NaN, an unknown value, equals NaN. Whole numbers that half
/// precision cannot hold may be counts, so they must be equal.
fn same(a: &[Numbers], b: &[Numbers], tolerance: f64) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((_, a), (_, b))| {
            let largest = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            let floor = if tolerance > 1e-4 { tolerance * largest } else { 0.0 };
            let close = |(a, b): (&f64, &f64)| {
                let same = a == b || (a.is_nan() && b.is_nan());
                let counts = a.fract() == 0.0 && a.abs() > 2048.0 && floor > 0.0;
                same || (!counts && (a - b).abs() <= tolerance * a.abs() + floor)
            };
            a.len() == b.len() && a.iter().zip(b).all(close)
        })
}
