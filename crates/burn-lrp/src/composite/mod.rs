//! Which rule goes to which layer.

mod selector;

pub use selector::Selector;

use crate::layer::Kind;
use crate::rule::Rule;

/// An ordered list of selectors with their rules; the first that matches wins.
///
/// A layer that nothing matches follows its own default rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    entries: Vec<(Selector, Rule)>,
    merge: bool,
}

/// A layer, as selectors see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// Every layer by its own default rule.
impl Default for Composite {
    fn default() -> Self {
        Self { entries: Vec::new(), merge: true }
    }
}

impl Composite {
    /// No entries yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more entry, after those before.
    pub fn with(mut self, selector: Selector, rule: Rule) -> Self {
        self.entries.push((selector, rule));
        self
    }

    /// Whether a batch normalisation becomes one layer with the layer before it
    /// (the default) or is a layer of its own.
    pub fn with_merged_normalization(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// The entries in their order.
    pub fn entries(&self) -> &[(Selector, Rule)] {
        &self.entries
    }

    pub(crate) fn merges_normalization(&self) -> bool {
        self.merge
    }

    /// The rule of every layer, where an entry matches.
    pub(crate) fn choose(&self, sites: &[Site]) -> Vec<Option<Rule>> {
        let mut chosen = vec![None; sites.len()];
        for (selector, rule) in &self.entries {
            for (place, matches) in chosen.iter_mut().zip(selector.matches(sites)) {
                if matches && place.is_none() {
                    *place = Some(*rule);
                }
            }
        }
        chosen
    }
}
