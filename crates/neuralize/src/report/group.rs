//! Columns that a page shows as one.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::text;

/// Columns whose relevances are shown as one sum.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    name: String,
    /// Columns of the page, counted from 0, in ascending order.
    features: Vec<usize>,
}

impl Group {
    /// A group of columns, of which none is in a group before it.
    pub(super) fn of(
        name: String,
        columns: &[impl AsRef<str>],
        known: &[String],
        before: &[Group],
    ) -> Result<Self> {
        let refused =
            |rule: String| Err(Error::Config { name: "group", value: name.clone(), rule });
        if name.trim().is_empty() || known.contains(&name) || before.iter().any(|g| g.name == name)
        {
            return refused("give every group a name of its own, which no column has".to_owned());
        }
        let mut features = Vec::new();
        for column in columns {
            let column = column.as_ref();
            let Some(at) = known.iter().position(|name| name == column) else {
                let near = text::nearest(column, known);
                let near = near.map(|near| format!("; did you mean `{}`?", text::Shown(near)));
                return refused(format!(
                    "there is no column `{}`{}",
                    text::Shown(column),
                    near.unwrap_or_default()
                ));
            };
            if features.contains(&at) || before.iter().any(|group| group.features.contains(&at)) {
                return refused(format!(
                    "the column `{}` is in a group already",
                    text::Shown(column)
                ));
            }
            features.push(at);
        }
        if features.len() < 2 {
            return refused("a group has at least two columns".to_owned());
        }
        features.sort_unstable();
        Ok(Self { name, features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_checked() {
        let known = ["a", "b", "c", "weight"].map(str::to_owned);
        let first = Group::of("size".into(), &["c", "a"], &known, &[]).expect("a group");
        assert_eq!(first.features, [0, 2]);
        let before = [first];
        let refused = |name: &str, columns: &[&str]| {
            let found = Group::of(name.into(), columns, &known, &before);
            found.expect_err("an error").to_string()
        };
        assert!(refused("more", &["b", "wieght"]).contains("did you mean `weight`?"));
        assert!(refused("more", &["b", "a"]).contains("in a group already"));
        assert!(refused("more", &["b", "b"]).contains("in a group already"));
        assert!(refused("more", &["b"]).contains("at least two"));
        assert!(refused("size", &["b", "weight"]).contains("a name of its own"));
        assert!(refused("b", &["b", "weight"]).contains("a name of its own"));
    }
}
