//! Reads a selector, character by character.

use crate::composite::Selector;
use crate::layer::Family;

/// Where something is wrong, in characters, and what.
pub(crate) type Wrong = (usize, String);

/// A place in a text.
pub(crate) struct Reader {
    text: Vec<char>,
    at: usize,
    /// Brackets that are open.
    depth: usize,
}

impl Reader {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.trim().chars().collect(), at: 0, depth: 0 }
    }

    /// The text as one selector.
    pub(crate) fn selector(mut self) -> Result<Selector, Wrong> {
        let selector = self.one()?;
        if self.at == self.text.len() {
            Ok(selector)
        } else {
            Err((self.at, "there is more after the selector".into()))
        }
    }

    fn one(&mut self) -> Result<Selector, Wrong> {
        self.space();
        let start = self.at;
        let word = self.word();
        let selector = match (word.as_str(), self.peek()) {
            ("all", _) => Selector::All,
            ("family", Some(':')) => {
                self.at += 1;
                let at = self.at;
                let name = self.name()?;
                let known = Family::ALL.iter().copied().find(|family| family.to_string() == name);
                Selector::Family(known.ok_or_else(|| {
                    let all: Vec<String> = Family::ALL.iter().map(ToString::to_string).collect();
                    (at, format!("there is no family `{name}`; there are {}", all.join(", ")))
                })?)
            }
            ("kind", Some(':')) => {
                self.at += 1;
                Selector::Kind(self.name()?)
            }
            ("path", Some(':')) => {
                self.at += 1;
                Selector::Path(self.name()?)
            }
            ("first", Some('(')) => self.single()?.first(),
            ("last", Some('(')) => self.single()?.last(),
            ("not", Some('(')) => !self.single()?,
            ("and", Some('(')) => Selector::And(self.list()?),
            ("or", Some('(')) => Selector::Or(self.list()?),
            _ => return Err((start, KNOWN.into())),
        };
        self.space();
        Ok(selector)
    }

    fn single(&mut self) -> Result<Selector, Wrong> {
        let open = self.at;
        let mut list = self.list()?;
        match (list.pop(), list.is_empty()) {
            (Some(inner), true) => Ok(inner),
            _ => Err((open, "one selector is needed in the brackets".into())),
        }
    }

    fn list(&mut self) -> Result<Vec<Selector>, Wrong> {
        const DEEPEST: usize = 64;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((self.at, format!("brackets are nested more than {DEEPEST} deep")));
        }
        self.at += 1;
        let mut list = Vec::new();
        loop {
            list.push(self.one()?);
            match self.peek() {
                Some(',') => self.at += 1,
                Some(')') => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(list);
                }
                Some(_) => return Err((self.at, "a `,` or `)` is needed".into())),
                None => return Err((self.at, "a `)` is missing".into())),
            }
        }
    }

    /// A name, plain or in quotes.
    fn name(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        if self.peek() != Some('"') {
            let name: String = self.text[start..].iter().take_while(|c| plain(**c)).collect();
            self.at += name.chars().count();
            return if name.is_empty() {
                Err((start, "a name is missing".into()))
            } else {
                Ok(name)
            };
        }
        self.at += 1;
        let mut name = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match (character, self.peek()) {
                ('"', _) => return Ok(name),
                ('\\', Some('n')) => {
                    name.push('\n');
                    self.at += 1;
                }
                ('\\', Some(escaped)) => {
                    name.push(escaped);
                    self.at += 1;
                }
                _ => name.push(character),
            }
        }
        Err((start, "the quotes are not closed".into()))
    }

    fn word(&mut self) -> String {
        let word: String =
            self.text[self.at..].iter().take_while(|c| c.is_ascii_lowercase()).collect();
        self.at += word.len();
        word
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }
}

const KNOWN: &str = "there are `all`, `family:..`, `kind:..`, `path:..`, `first(..)`, `last(..)`, \
                     `and(.., ..)`, `or(.., ..)` and `not(..)`";

fn plain(character: char) -> bool {
    character.is_alphanumeric() || "._-#*".contains(character)
}

/// A name as [`Reader`] reads it; `->` would end a selector, so it is quoted as well.
pub(crate) fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_string();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The parts of a text between separators that are not inside quotes.
pub(crate) fn split_outside_quotes<'a>(text: &'a str, separators: &[&str]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut at, mut inside) = (0, 0, false);
    while let Some(character) = text[at..].chars().next() {
        let separator = separators.iter().find(|s| !inside && text[at..].starts_with(**s));
        if let Some(separator) = separator {
            parts.push(&text[start..at]);
            at += separator.len();
            start = at;
            continue;
        }
        match character {
            '"' => inside = !inside,
            '\\' if inside => {
                at += 1;
                at += text[at..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            _ => {}
        }
        at += character.len_utf8();
    }
    parts.push(&text[start..]);
    parts
}
