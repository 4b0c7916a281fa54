use crate::composite::Site;
use crate::layer::Family;

/// Which layers an entry of a composite means.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The first layer that another selector means, in the order in which they run.
    First(Box<Selector>),
    /// The last one.
    Last(Box<Selector>),
}

impl Selector {
    /// The first of the layers that this selector means.
    pub fn first(self) -> Self {
        Self::First(Box::new(self))
    }

    /// The last of the layers that this selector means.
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

    pub(crate) fn matches(&self, sites: &[Site]) -> Vec<bool> {
        match self {
            Self::All => vec![true; sites.len()],
            Self::Family(family) => {
                sites.iter().map(|site| site.kind.family() == *family).collect()
            }
            Self::Kind(name) => sites.iter().map(|site| site.kind.name() == name).collect(),
            Self::Path(pattern) => sites.iter().map(|site| fits(pattern, &site.path)).collect(),
            Self::First(inner) => only(inner.matches(sites), |all| all.iter().position(|m| *m)),
            Self::Last(inner) => only(inner.matches(sites), |all| all.iter().rposition(|m| *m)),
        }
    }
}

fn only(all: Vec<bool>, which: impl Fn(&[bool]) -> Option<usize>) -> Vec<bool> {
    let kept = which(&all);
    (0..all.len()).map(|at| Some(at) == kept).collect()
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
