//! What replaces a feature that is removed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What replaces a feature that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reference {
    /// The centroid of the competing cluster.
    Competitor,
    /// The mean of the data.
    Mean,
    /// Zero, which is arbitrary unless the data give it a meaning.
    Zero,
    /// A random point of the competing cluster, another one for every row.
    Sample,
}

impl Reference {
    /// All references.
    pub const ALL: [Self; 4] = [Self::Competitor, Self::Mean, Self::Zero, Self::Sample];

    /// The name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Competitor => "competitor",
            Self::Mean => "mean",
            Self::Zero => "zero",
            Self::Sample => "sample",
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|reference| reference.name() == name).ok_or_else(|| {
            Error::Config {
                name: "reference",
                value: name.to_owned(),
                rule: "it must be `competitor`, `mean`, `zero` or `sample`".into(),
            }
        })
    }
}
