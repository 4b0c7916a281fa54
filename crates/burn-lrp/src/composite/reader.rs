//! Reads a selector, character by character.

use std::str::FromStr;

use crate::composite::quoting::plain;
use crate::composite::selector::Selector;
use crate::error::Error;
use crate::kind::Family;

/// The position of an error, in characters, and what is wrong.
type SyntaxError = (usize, String);

/// A position in a text.
struct Reader {
    text: Vec<char>,
    at: usize,
    /// The number of open brackets.
    depth: usize,
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Reader::new(text).selector().map_err(|(at, detail)| Error::Parse {
            text: text.trim().into(),
            what: "a selector",
            detail: format!("at character {}, {detail}", at + 1),
        })
    }
}

impl TryFrom<String> for Selector {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl Reader {
    fn new(text: &str) -> Self {
        Self { text: text.trim().chars().collect(), at: 0, depth: 0 }
    }

    /// The text as one selector.
    fn selector(mut self) -> Result<Selector, SyntaxError> {
        let selector = self.one()?;
        if self.at == self.text.len() {
            Ok(selector)
        } else {
            Err((self.at, "unexpected text after the selector".into()))
        }
    }

    fn one(&mut self) -> Result<Selector, SyntaxError> {
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
                    (at, format!("there is no family `{name}`; families are {}", all.join(", ")))
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

    fn single(&mut self) -> Result<Selector, SyntaxError> {
        let open = self.at;
        let mut list = self.list()?;
        match (list.pop(), list.is_empty()) {
            (Some(inner), true) => Ok(inner),
            _ => Err((open, "the brackets must hold one selector".into())),
        }
    }

    fn list(&mut self) -> Result<Vec<Selector>, SyntaxError> {
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
                Some(_) => return Err((self.at, "expected `,` or `)`".into())),
                None => return Err((self.at, "a `)` is missing".into())),
            }
        }
    }

    /// A name, plain or in quotes.
    fn name(&mut self) -> Result<String, SyntaxError> {
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

const KNOWN: &str = "expected `all`, `family:..`, `kind:..`, `path:..`, `first(..)`, `last(..)`, \
                     `and(.., ..)`, `or(.., ..)` or `not(..)`";
