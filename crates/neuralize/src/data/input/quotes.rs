//! Quotes of text files: a quote that is not closed swallows the rows behind it.

use std::io;

use crate::text::Shown;

/// Checks the quotes of a text as it passes by, as the parser understands them: a quote opens at the
/// first character of a cell, and a doubled quote is one of the text.
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
    line: u64,
    /// The line of the last quote that opened, and the text behind it.
    opened: u64,
    text: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first character of a cell.
    Start,
    Plain,
    Quoted,
    /// Behind a quote that closes, or is the first of two.
    Closed,
}

impl Quotes {
    /// For text that begins on this line.
    pub(super) fn new(delimiter: u8, line: u64) -> Self {
        Self { delimiter, state: State::Start, line, opened: line, text: Vec::new() }
    }

    /// Checks the next bytes.
    pub(super) fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Start | State::Plain => self.pass_plain(rest),
                State::Quoted => self.pass_quoted(rest),
                State::Closed => self.pass_closed(rest)?,
            };
        }
        Ok(())
    }

    /// At the end of the text.
    pub(super) fn finish(&self) -> io::Result<()> {
        match self.state {
            State::Quoted => Err(self.error("is never closed")),
            _ => Ok(()),
        }
    }

    /// Goes to the next quote that opens.
    fn pass_plain<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(at) = memchr::memchr(b'"', bytes) else {
            self.leave(bytes);
            return &[];
        };
        self.leave(&bytes[..at]);
        if self.state == State::Start {
            self.state = State::Quoted;
            self.opened = self.line;
            self.text.clear();
        } else {
            self.state = State::Plain;
        }
        &bytes[at + 1..]
    }

    /// Leaves text without quotes behind.
    fn leave(&mut self, bytes: &[u8]) {
        self.count(bytes);
        if let Some(&last) = bytes.last() {
            self.state = if self.ends_cell(last) { State::Start } else { State::Plain };
        }
    }

    fn pass_quoted<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr::memchr(b'"', bytes);
        let inside = &bytes[..end.unwrap_or(bytes.len())];
        self.count(inside);
        const SHOWN: usize = 400;
        let kept = inside.len().min(SHOWN.saturating_sub(self.text.len()));
        self.text.extend_from_slice(&inside[..kept]);
        match end {
            Some(at) => {
                self.state = State::Closed;
                &bytes[at + 1..]
            }
            None => &[],
        }
    }

    fn pass_closed<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        match bytes[0] {
            b'"' => self.state = State::Quoted,
            byte if self.ends_cell(byte) => {
                self.count(&bytes[..1]);
                self.state = State::Start;
            }
            b' ' | b'\t' => {}
            _ => return Err(self.error("is followed by text where it closes")),
        }
        Ok(&bytes[1..])
    }

    fn ends_cell(&self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\n' | b'\r')
    }

    fn count(&mut self, bytes: &[u8]) {
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
    }

    fn error(&self, what: &str) -> io::Error {
        let text = String::from_utf8_lossy(&self.text);
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "line {}: the quote before `{}` {what}; close it, double the quotes inside of a cell, or remove it",
                self.opened,
                Shown(&text)
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, step: usize) -> Result<(), String> {
        let mut quotes = Quotes::new(b',', 1);
        let parts = text.as_bytes().chunks(step).try_for_each(|part| quotes.check(part));
        parts.and_then(|()| quotes.finish()).map_err(|error| error.to_string())
    }

    #[test]
    fn quotes_are_closed_or_an_error() {
        for step in [1, 2, 3, 100] {
            for text in [
                "",
                "a,b\n1,2\n",
                "\"a\",\"b\"\r\n\"1\",\"2\"",
                "a\n\"x \"\"y\"\" z\"\n",
                "a\n\"two\nlines\" \n",
                "a\n5\" disk\n",
                "a,b\n1,\"\"\n",
                "\"\"\"\"",
            ] {
                assert_eq!(check(text, step), Ok(()), "{text:?}");
            }
            for (text, line) in [
                ("a,b\n1,\"2\n3,4\n", 2),
                ("\"", 1),
                ("a\n\n\"x\"\"", 3),
                ("a,b\n\"two\nlines\",1\n2,\"x\n", 4),
                ("a,n\n1,\"Smith\n2,\"Jones\n", 2),
                ("a,n\n1,\"x\"y\n", 2),
            ] {
                let error = check(text, step).expect_err(text);
                assert!(error.starts_with(&format!("line {line}: the quote before")), "{error}");
            }
        }
    }
}
