//! Composites as text, and serialised.

use std::fmt;
use std::str::FromStr;

use crate::composite::entries::{Composite, SerializedComposite};
use crate::composite::quoting::split_outside_quotes;
use crate::composite::selector::Selector;
use crate::error::{Error, Result};
use crate::rule::Rule;

const UNMERGED: &str = "merge-normalization=false";
const MERGED: &str = "merge-normalization=true";

/// One entry per line.
impl fmt::Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selectors: Vec<String> = self.entries.iter().map(|(s, _)| s.to_string()).collect();
        let width = selectors.iter().map(|s| s.chars().count()).max().unwrap_or(0);
        for (selector, (_, rule)) in selectors.iter().zip(&self.entries) {
            writeln!(f, "{selector:width$} -> {rule}")?;
        }
        if self.merge { Ok(()) } else { writeln!(f, "{UNMERGED}") }
    }
}

impl Composite {
    /// Reads a composite from a text that may name rules of your own.
    ///
    /// ```
    /// use burn_lrp::{AffineRule, Bias, Composite, Rule};
    ///
    /// let terms = AffineRule::new().term(1.0, |a| a.abs(), |w| w.abs(), Bias::Ignore);
    /// let mine = Rule::custom("by-magnitude", terms)?;
    /// let text = "first(family:dense) -> flat; family:dense -> by-magnitude";
    /// let composite = Composite::parse_with(text, &[mine.clone()])?;
    /// assert_eq!(composite.entries()[1].1, mine);
    /// # Ok::<(), burn_lrp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not a composite, or names a rule that is neither built in nor one of these.
    pub fn parse_with(text: &str, rules: &[Rule]) -> Result<Self> {
        let mut composite = Self::new();
        // A comment goes to the end of its line, whatever it contains.
        let kept: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let kept = kept.join("\n");
        for entry in split_outside_quotes(&kept, &["\n", ";"]) {
            match entry.trim() {
                "" => {}
                UNMERGED => composite.merge = false,
                MERGED => composite.merge = true,
                entry => composite.entries.push(read(entry, rules)?),
            }
        }
        Ok(composite)
    }
}

/// A composite of built-in rules; [`Composite::parse_with`] reads others.
impl FromStr for Composite {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse_with(text, &[])
    }
}

fn read(entry: &str, rules: &[Rule]) -> Result<(Selector, Rule)> {
    match split_outside_quotes(entry, &["->"]).as_slice() {
        [selector, rule] => Ok((selector.parse()?, Rule::parse_with(rule, rules)?)),
        _ => Err(Error::Parse {
            text: entry.into(),
            what: "an entry of a composite",
            detail: format!("an entry is `selector -> rule`, or `{UNMERGED}`"),
        }),
    }
}

impl TryFrom<SerializedComposite> for Composite {
    type Error = Error;

    fn try_from(text: SerializedComposite) -> Result<Self> {
        let entries = text.entries.iter().map(|entry| read(entry.trim(), &[]));
        let entries = entries.collect::<Result<_>>()?;
        Ok(Self { entries, merge: text.merge_normalization })
    }
}

impl From<Composite> for SerializedComposite {
    fn from(composite: Composite) -> Self {
        let entries = composite.entries.iter().map(|(s, rule)| format!("{s} -> {rule}")).collect();
        Self { entries, merge_normalization: composite.merge }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composites_are_read_as_they_are_written() -> Result<()> {
        let text = "\
first(family:convolution)                 -> box=-1,1
and(kind:Conv2d, not(path:a.**.b*))       -> gamma=0.25
or(path:relu#2, last(all), family:dense)  -> epsilon=1e-6
path:\"a -> \\\"b\\\"; c\\\\\\nd\"                  -> flat
merge-normalization=false
";
        let composite: Composite = text.parse()?;
        assert_eq!(composite.entries().len(), 4);
        assert_eq!(composite.entries()[3].0, Selector::path("a -> \"b\"; c\\\nd"));
        assert!(!composite.merges_normalization());
        assert_eq!(composite.to_string().parse::<Composite>()?, composite);
        assert_eq!(composite.to_string().lines().count(), 5);

        let json = serde_json::to_string(&composite).expect("text");
        assert_eq!(serde_json::from_str::<Composite>(&json).expect("a composite"), composite);

        let short: Composite = "\n # all; of -> it\nall->zero;;kind:A -> flat;".parse()?;
        assert_eq!(short.to_string(), "all    -> zero\nkind:A -> flat\n");
        let json = serde_json::to_string(&short).expect("text");
        let written = r#"{"entries":["all -> zero","kind:A -> flat"],"merge_normalization":true}"#;
        assert_eq!(json, written);
        assert_eq!("".parse::<Composite>()?, Composite::default());
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text: &str| text.parse::<Composite>().expect_err(text).to_string();
        for (text, detail) in [
            ("all", "an entry is `selector -> rule`"),
            ("all -> zero -> zero", "an entry is `selector -> rule`"),
            ("al -> zero", "`al` is not a selector: at character 1, expected `all`,"),
            (
                "family:convolutions -> zero",
                "at character 8, there is no family `convolutions`; \
                                             families are dense, convolution,",
            ),
            (
                "first(all -> zero",
                "`first(all` is not a selector: at character 10, a `)` is missing",
            ),
            ("first(all, all) -> zero", "at character 6, the brackets must hold one selector"),
            ("and(all; all) -> zero", "an entry is"),
            ("and(all all) -> zero", "at character 9, expected `,` or `)`"),
            ("and() -> zero", "at character 5, expected `all`,"),
            ("all x -> zero", "at character 5, unexpected text after the selector"),
            ("path: -> zero", "at character 6, a name is missing"),
            ("path:\"a -> zero", "an entry is"),
            ("all -> zeros", "`zeros` is not a rule: the rules are zero, epsilon"),
            ("all -> gamma=-1", "gamma must be finite and at least 0"),
        ] {
            let found = said(text);
            assert!(found.contains(detail), "{text}: {found}");
        }
        assert!(serde_json::from_str::<Composite>(r#"{"entries":[],"merge":true}"#).is_err());
        assert!(serde_json::from_str::<Composite>(r#"{"entries":["all"]}"#).is_err());
    }
}
