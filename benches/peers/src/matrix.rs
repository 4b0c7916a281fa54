use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A table of f32, row by row; on disk the same, little-endian and without a header.
pub struct Matrix {
    pub values: Vec<f32>,
    pub rows: usize,
    pub columns: usize,
}

impl Matrix {
    pub fn read(path: &Path, rows: usize, columns: usize) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let values: Vec<f32> =
            bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect();
        ensure!(values.len() == rows * columns, "{}: not {rows} x {columns}", path.display());
        Ok(Self { values, rows, columns })
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(path, bytes).with_context(|| path.display().to_string())
    }
}
