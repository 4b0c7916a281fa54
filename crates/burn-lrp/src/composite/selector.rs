//! Which layers of a network an entry of a composite chooses.

use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::composite::quoting::quoted;
use crate::composite::site::Site;
use crate::kind::Family;

/// Which layers of a network an entry of a composite chooses.
///
/// | text | layers |
/// |---|---|
/// | `all` | all layers |
/// | `family:convolution` | the layers of a [`Family`] |
/// | `kind:Conv2d` | the layers of a kind, by the name of its type |
/// | `path:encoder.*.conv` | the layers whose path fits: `*` is any part of a name, `**` any names |
/// | `first(..)`, `last(..)` | the first or last layer of another selector, in the order in which they run |
/// | `and(.., ..)`, `or(.., ..)`, `not(..)` | the layers of all, any or none of the selectors |
///
/// A path with other characters than letters, digits and `._-#*` is quoted: `path:"my layer"`.
///
/// ```
/// use burn_lrp::Selector;
///
/// let selector: Selector = "first(and(kind:Conv2d, not(path:stem.**)))".parse()?;
/// assert_eq!(selector, Selector::kind("Conv2d").and(!Selector::path("stem.**")).first());
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Selector {
    /// All layers.
    All,
    /// Layers of a family.
    Family(Family),
    /// Layers of a kind, by the name of their type.
    Kind(String),
    /// Layers whose path fits a pattern: `*` is any part of a name, `**` any names.
    Path(String),
    /// The first layer of another selector, in the order in which they run.
    First(Box<Selector>),
    /// The last one.
    Last(Box<Selector>),
    /// Layers of all selectors.
    And(Vec<Selector>),
    /// Layers of at least one of the selectors.
    Or(Vec<Selector>),
    /// Layers that are not of another selector.
    Not(Box<Selector>),
}

impl Selector {
    /// The first layer of this selector.
    pub fn first(self) -> Self {
        Self::First(Box::new(self))
    }

    /// The last layer of this selector.
    pub fn last(self) -> Self {
        Self::Last(Box::new(self))
    }

    /// Layers of a kind, by the name of their type.
    pub fn kind(name: &str) -> Self {
        Self::Kind(name.to_string())
    }

    /// Layers whose path fits a pattern.
    pub fn path(pattern: &str) -> Self {
        Self::Path(pattern.to_string())
    }

    /// Layers of both selectors.
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }

    /// Layers of one or both of the selectors.
    pub fn or(self, other: Self) -> Self {
        Self::Or(vec![self, other])
    }

    pub(crate) fn matches(&self, sites: &[Site]) -> Vec<bool> {
        let each = |fits: &dyn Fn(&Site) -> bool| sites.iter().map(fits).collect();
        match self {
            Self::All => vec![true; sites.len()],
            Self::Family(family) => each(&|site| site.kind.family() == *family),
            Self::Kind(name) => each(&|site| site.kind.name() == name),
            Self::Path(pattern) => each(&|site| path_fits(pattern, &site.path)),
            Self::First(inner) => only(inner.matches(sites), |all| all.iter().position(|m| *m)),
            Self::Last(inner) => only(inner.matches(sites), |all| all.iter().rposition(|m| *m)),
            Self::And(parts) => fold(parts, sites, true, |a, b| a && b),
            Self::Or(parts) => fold(parts, sites, false, |a, b| a || b),
            Self::Not(inner) => inner.matches(sites).into_iter().map(|m| !m).collect(),
        }
    }

    /// Whether it must choose a layer of the network: it has a path, or a kind that is spelled
    /// differently in the network.
    pub(crate) fn must_match(&self, sites: &[Site]) -> bool {
        match self {
            Self::All | Self::Family(_) => false,
            Self::Kind(name) => sites
                .iter()
                .any(|site| site.kind.name() != name && letters(site.kind.name()) == letters(name)),
            Self::Path(_) => true,
            Self::First(inner) | Self::Last(inner) | Self::Not(inner) => inner.must_match(sites),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.must_match(sites)),
        }
    }

    /// The first part, at any depth, with a path that no layer has or a misspelled kind.
    pub(crate) fn lost(&self, sites: &[Site]) -> Option<&Self> {
        match self {
            Self::All | Self::Family(_) => None,
            Self::Kind(_) | Self::Path(_) => {
                (self.must_match(sites) && !self.matches(sites).contains(&true)).then_some(self)
            }
            Self::First(inner) | Self::Last(inner) | Self::Not(inner) => inner.lost(sites),
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(|part| part.lost(sites)),
        }
    }

    fn has_no_path(&self) -> bool {
        match self {
            Self::Path(_) => false,
            Self::All | Self::Family(_) | Self::Kind(_) => true,
            Self::First(inner) | Self::Last(inner) | Self::Not(inner) => inner.has_no_path(),
            Self::And(parts) | Self::Or(parts) => parts.iter().all(Self::has_no_path),
        }
    }

    /// The paths or kinds of the network, for a selector that chooses none; similar ones come first.
    pub(crate) fn alternatives(&self, sites: &[Site]) -> String {
        const SHOWN: usize = 5;
        let (what, mut names): (_, Vec<String>) = if self.has_no_path() {
            ("kinds", sites.iter().map(|site| site.kind.name().to_string()).collect())
        } else {
            ("paths", sites.iter().map(|site| site.path.clone()).collect())
        };
        let text = self.to_string();
        let wanted = text.rsplit(':').next().unwrap_or_default().trim_end_matches(')');
        // A stable sort keeps the order of layers that are equally similar.
        names.sort_by_key(|name| distance(wanted, name));
        let mut distinct: Vec<String> = Vec::new();
        for name in names {
            if !distinct.contains(&name) {
                distinct.push(name);
            }
        }
        let more = if distinct.len() > SHOWN { ", .." } else { "" };
        let listed: Vec<String> =
            distinct.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        format!("the network has the {what} {}{more}", listed.join(", "))
    }
}

/// Layers that are not of the selector.
impl Not for Selector {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |parts: &[Self]| {
            parts.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Family(family) => write!(f, "family:{family}"),
            Self::Kind(name) => write!(f, "kind:{}", quoted(name)),
            Self::Path(pattern) => write!(f, "path:{}", quoted(pattern)),
            Self::First(inner) => write!(f, "first({inner})"),
            Self::Last(inner) => write!(f, "last({inner})"),
            Self::And(parts) => write!(f, "and({})", list(parts)),
            Self::Or(parts) => write!(f, "or({})", list(parts)),
            Self::Not(inner) => write!(f, "not({inner})"),
        }
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

/// A name without its capitals and underscores.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn only(all: Vec<bool>, which: impl Fn(&[bool]) -> Option<usize>) -> Vec<bool> {
    let kept = which(&all);
    (0..all.len()).map(|at| Some(at) == kept).collect()
}

fn fold(
    parts: &[Selector],
    sites: &[Site],
    start: bool,
    f: impl Fn(bool, bool) -> bool,
) -> Vec<bool> {
    parts.iter().fold(vec![start; sites.len()], |all, part| {
        all.into_iter().zip(part.matches(sites)).map(|(a, b)| f(a, b)).collect()
    })
}

/// A pattern without a number fits every use of a layer: `cell` fits `cell#2`, too.
fn path_fits(pattern: &str, path: &str) -> bool {
    let (base, _) = path.rsplit_once('#').unwrap_or((path, ""));
    fits(pattern, path) || (!pattern.contains('#') && fits(pattern, base))
}

fn fits(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let path: Vec<&str> = path.split('.').collect();
    names_fit(&pattern, &path)
}

fn names_fit(pattern: &[&str], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((&"**", rest)) => (0..=path.len()).any(|skip| names_fit(rest, &path[skip..])),
        Some((name, rest)) => match path.split_first() {
            Some((first, others)) => {
                name_fits(name.as_bytes(), first.as_bytes()) && names_fit(rest, others)
            }
            None => false,
        },
    }
}

fn name_fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| name_fits(rest, &name[skip..])),
        Some((first, rest)) => name.first() == Some(first) && name_fits(rest, &name[1..]),
    }
}

/// The number of characters to change, add or remove (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (to, other) in b.iter().enumerate() {
            let changed = before + usize::from(from != *other);
            before = row[to + 1];
            row[to + 1] = changed.min(row[to] + 1).min(before + 1);
        }
    }
    row[b.len()]
}
