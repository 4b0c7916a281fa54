//! Composites as text, and serialised.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::composite::reader::split_outside_quotes;
use crate::composite::{Composite, Selector};
use crate::error::{Error, Result};
use crate::rule::Rule;

/// A composite as it is serialised.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entries {
    entries: Vec<String>,
    #[serde(default = "merged")]
    merge_normalization: bool,
}

fn merged() -> bool {
    true
}

const UNMERGED: &str = "merge-normalization=false";
const MERGED: &str = "merge-normalization=true";

/// An entry a line.
impl fmt::Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selectors: Vec<String> = self.entries.iter().map(|(s, _)| s.to_string()).collect();
        let width = selectors.iter().map(|s| s.chars().count()).max().unwrap_or(0);
        for (selector, (_, rule)) in selectors.iter().zip(&self.entries) {
            writeln!(f, "{selector:width$} -> {rule}")?;
        }
        match self.merge {
            true => Ok(()),
            false => writeln!(f, "{UNMERGED}"),
        }
    }
}

impl FromStr for Composite {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut composite = Self::new();
        // A remark goes to the end of its line, whatever is in it.
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let kept = kept.join("\n");
        for entry in split_outside_quotes(&kept, &["\n", ";"]) {
            match entry.trim() {
                "" => {}
                UNMERGED => composite.merge = false,
                MERGED => composite.merge = true,
                entry => composite.entries.push(read(entry)?),
            }
        }
        Ok(composite)
    }
}

fn read(entry: &str) -> Result<(Selector, Rule)> {
    match split_outside_quotes(entry, &["->"]).as_slice() {
        [selector, rule] => Ok((selector.parse()?, rule.trim().parse()?)),
        _ => Err(Error::Parse {
            text: entry.into(),
            what: "an entry of a composite",
            detail: format!("an entry is `selector -> rule`, or `{UNMERGED}`"),
        }),
    }
}

impl TryFrom<Entries> for Composite {
    type Error = Error;

    fn try_from(text: Entries) -> Result<Self> {
        let entries = text.entries.iter().map(|entry| read(entry.trim())).collect::<Result<_>>()?;
        Ok(Self { entries, merge: text.merge_normalization })
    }
}

impl From<Composite> for Entries {
    fn from(composite: Composite) -> Self {
        let entries = composite.entries.iter().map(|(s, rule)| format!("{s} -> {rule}")).collect();
        Self { entries, merge_normalization: composite.merge }
    }
}
