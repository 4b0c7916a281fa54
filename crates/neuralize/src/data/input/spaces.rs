//! Text whose cells are aligned by spaces: runs of them count as one.

use std::borrow::Cow;
use std::io::{self, Read};

/// Text with one space for every run of them, and none at the ends of lines; spaces in quotes stay.
pub(super) struct SingleSpaces<R> {
    source: R,
    squeeze: Squeeze,
    /// Text that is not handed on yet, and how much of it is.
    ready: Vec<u8>,
    taken: usize,
}

/// What has been seen of a line.
struct Squeeze {
    /// Whether the line has a cell, and spaces behind it.
    has_cell: bool,
    has_space: bool,
    in_quotes: bool,
    /// Whether a quote was closed by the last character; another one opens it again.
    has_closed: bool,
}

impl Squeeze {
    fn new() -> Self {
        Self { has_cell: false, has_space: false, in_quotes: false, has_closed: false }
    }

    fn push(&mut self, byte: u8, text: &mut Vec<u8>) {
        let has_closed = std::mem::take(&mut self.has_closed);
        match byte {
            b'"' if self.in_quotes => (self.in_quotes, self.has_closed) = (false, true),
            b'"' if has_closed => self.in_quotes = true,
            _ if self.in_quotes => {}
            b' ' => {
                self.has_space = self.has_cell;
                return;
            }
            b'\n' | b'\r' => (self.has_cell, self.has_space) = (false, false),
            _ => {
                let starts = self.has_space || !self.has_cell;
                if std::mem::take(&mut self.has_space) {
                    text.push(b' ');
                }
                self.has_cell = true;
                self.in_quotes = starts && byte == b'"';
            }
        }
        text.push(byte);
    }
}

impl<R: Read> SingleSpaces<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, squeeze: Squeeze::new(), ready: Vec::new(), taken: 0 }
    }
}

impl<R: Read> Read for SingleSpaces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !buffer.is_empty() {
            let count = self.source.read(buffer)?;
            if count == 0 {
                return Ok(0);
            }
            self.taken = 0;
            self.ready.clear();
            for byte in buffer.iter().take(count) {
                self.squeeze.push(*byte, &mut self.ready);
            }
        }
        let rest = self.ready.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}

/// A text as it is read with this delimiter.
pub(super) fn squeezed(text: &str, delimiter: u8) -> Cow<'_, str> {
    if delimiter != b' ' {
        return Cow::Borrowed(text);
    }
    let (mut squeeze, mut plain) = (Squeeze::new(), Vec::with_capacity(text.len()));
    for byte in text.bytes() {
        squeeze.push(byte, &mut plain);
    }
    // Only spaces were taken out.
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_spaces_count_as_one() {
        for (text, plain) in [
            ("  year   sun \n1700    69\n", "year sun\n1700 69\n"),
            ("a b\r\n   \r\n 1  2\r\n", "a b\r\n\r\n1 2\r\n"),
            ("\"a  b\"   c\n\" \"\"  \"  1", "\"a  b\" c\n\" \"\"  \" 1"),
            ("5\"  x  y", "5\" x y"),
            ("ä  é", "ä é"),
            ("", ""),
        ] {
            assert_eq!(squeezed(text, b' '), plain, "{text:?}");
            assert_eq!(squeezed(text, b','), text);
            for step in 1..5 {
                let mut source = SingleSpaces::new(text.as_bytes());
                let (mut read, mut part) = (Vec::<u8>::new(), vec![0; step]);
                while let Ok(count @ 1..) = source.read(&mut part) {
                    read.extend(&part[..count]);
                }
                assert_eq!(read, plain.as_bytes(), "{text:?} {step}");
            }
        }
    }
}
