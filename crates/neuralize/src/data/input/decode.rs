//! The bytes of a file as UTF-8 text: unpacked, and decoded.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::bufread::GzDecoder;

/// So much is looked at before the first row is read, in bytes.
const SAMPLE: usize = 1 << 17;

/// Where lines are long, so many are looked at, until they have so many bytes together; what is looked at
/// doubles, up to twice as many.
const LINES: usize = 20;
const LARGEST: usize = 1 << 24;

/// What a reader or a writer of text holds in memory, in bytes.
const BUFFER: usize = 1 << 16;

/// A text, and how it begins.
pub(super) struct Decoded<'a> {
    /// All of the text, in valid UTF-8. Bytes that are none are an error when they are reached.
    pub(super) source: Box<dyn Read + 'a>,
    /// How the text begins, cut at a character; `source` has it too.
    pub(super) sample: Vec<u8>,
    /// Whether the sample is all there is.
    pub(super) whole: bool,
    /// What was guessed.
    pub(super) notes: Vec<String>,
}

/// Unpacks and decodes a file, in the encoding named or in that which its first bytes show. A byte
/// order mark is stronger than both.
pub(super) fn decoded<'a>(
    source: Box<dyn Read + 'a>,
    encoding: Option<&'static Encoding>,
) -> io::Result<Decoded<'a>> {
    let mut bytes = unpacked(source)?;
    let start = beginning(&mut bytes, SAMPLE)?;
    check_kind(&start)?;
    let mut notes = Vec::new();
    let (encoding, mark) = encoding_of(&start, encoding, &mut notes)?;
    let mut start = Cursor::new(start);
    start.set_position(mark);
    let mut text = Text::new(start.chain(bytes), encoding, mark);
    let mut begun = beginning(&mut text, SAMPLE + 1)?;
    let mut whole = begun.len() <= SAMPLE;
    while !whole && begun.len() < LARGEST && memchr::memchr_iter(b'\n', &begun).count() < LINES {
        let more = begun.len();
        begun.extend(beginning(&mut text, more)?);
        whole = begun.len() < 2 * more;
    }
    let sample = match begun.split_last() {
        Some((_, cut)) if !whole => cut.get(..characters(cut)).unwrap_or_default().to_vec(),
        _ => begun.clone(),
    };
    Ok(Decoded { source: Box::new(Cursor::new(begun).chain(text)), sample, whole, notes })
}

/// Up to `limit` bytes; fewer only at the end of the source.
fn beginning(source: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The length of the text without a character that is cut at its end.
fn characters(text: &[u8]) -> usize {
    std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

// Compression ------------------------------------------------------------------------------------

/// The source without its compression, if it has one.
fn unpacked<'a>(mut source: Box<dyn Read + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    let magic = beginning(&mut source, 4)?;
    let packed = Cursor::new(magic.clone()).chain(source);
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            let source = Members::of(BufReader::with_capacity(BUFFER, packed));
            Ok(Box::new(Unpacked { source, method: "gzip" }))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => zstandard(packed),
        _ => Ok(Box::new(packed)),
    }
}

#[cfg(feature = "zstd")]
fn zstandard<'a>(packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let source = zstd::stream::read::Decoder::new(packed)?;
    Ok(Box::new(Unpacked { source, method: "Zstandard" }))
}

#[cfg(not(feature = "zstd"))]
fn zstandard<'a>(_: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let message =
        "is compressed with Zstandard, which needs the feature `zstd`; decompress it first";
    Err(io::Error::new(ErrorKind::Unsupported, message))
}

/// What one gzip file after the other holds, up to the end.
struct Members<R> {
    /// None behind the last.
    current: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    fn of(source: R) -> Self {
        Self { current: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.current {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let has_more = match member.get_mut().fill_buf()?.first() {
                None => false,
                Some(0x1f) => true,
                Some(_) => {
                    let what = "behind its end follows something that is not gzip; remove that";
                    return Err(invalid(what.into()));
                }
            };
            let rest = self.current.take().map(GzDecoder::into_inner);
            self.current = rest.filter(|_| has_more).map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// A decompressor whose errors say that it is one.
struct Unpacked<R> {
    source: R,
    method: &'static str,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let method = self.method;
        self.source.read(buffer).map_err(|error| {
            let detail = match error.kind() {
                ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("cannot be decompressed ({method}): {detail}"))
        })
    }
}

/// Refuses files that are no text, but that a reader of text might find some in.
fn check_kind(start: &[u8]) -> io::Result<()> {
    const KINDS: [(usize, &[u8], &str); 8] = [
        (0, b"%PDF-", "a PDF file"),
        (0, b"\xd0\xcf\x11\xe0", "an Excel workbook"),
        (0, b"\x1f\x8b", "compressed with gzip twice"),
        (0, b"\xfd7zXZ\0", "compressed with xz"),
        (4, b"1AY&SY", "compressed with bzip2"),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (257, b"ustar", "a tar archive"),
        (0, b"\xff\xfe\0\0", "in UTF-32"),
    ];
    // Files of these kinds can be read, but not as text: more of the magic bytes than text may begin with.
    const TABLES: [(usize, &[u8], &str); 4] = [
        (0, b"PAR1\x15", "Apache Parquet"),
        (0, b"\x93NUMPY", "a NumPy array"),
        (0, b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
        (0, b"ARROW1\0", "Arrow"),
    ];
    let is = |(at, magic, _): &&(usize, &[u8], &str)| {
        start.get(*at..).is_some_and(|bytes| bytes.starts_with(magic))
    };
    if let Some((_, _, kind)) = TABLES.iter().find(is) {
        return Err(invalid(format!(
            "holds {kind}, but standard input and compressed files are read as text; name the file itself, uncompressed"
        )));
    }
    match KINDS.iter().find(is) {
        Some((_, _, kind)) => Err(invalid(format!("is {kind}; make it a plain text file first"))),
        None => Ok(()),
    }
}

// Encodings --------------------------------------------------------------------------------------

/// The encoding of a text that begins so, and the length of its byte order mark.
fn encoding_of(
    start: &[u8],
    named: Option<&'static Encoding>,
    notes: &mut Vec<String>,
) -> io::Result<(&'static Encoding, u64)> {
    if let Some((encoding, length)) = Encoding::for_bom(start) {
        if let Some(named) = named.filter(|named| *named != encoding) {
            let (is, not) = (encoding.name(), named.name());
            notes.push(format!("begins with the mark of {is}: read as that, not as {not}"));
        }
        return Ok((encoding, length as u64));
    }
    if let Some(encoding) = named {
        return Ok((encoding, 0));
    }
    if let Some(encoding) = unmarked(start) {
        notes.push(format!("has no byte order mark: read as {}", encoding.name()));
        return Ok((encoding, 0));
    }
    let encoding = one_byte_or_utf8(start)?;
    if encoding == WINDOWS_1252 {
        notes.push("is not UTF-8: read as Windows-1252".to_owned());
    }
    Ok((encoding, 0))
}

/// UTF-16 without a mark: every second byte of digits and Latin letters is NUL.
fn unmarked(start: &[u8]) -> Option<&'static Encoding> {
    let (pairs, _) = start.get(..4096).unwrap_or(start).as_chunks::<2>();
    if pairs.len() < 2 {
        return None;
    }
    let zeros = |count: fn(&[u8; 2]) -> u8| pairs.iter().filter(|pair| count(pair) == 0).count();
    let (first, second) = (zeros(|pair| pair[0]), zeros(|pair| pair[1]));
    let mostly = |many: usize, few: usize| many * 2 > pairs.len() && few * 4 < many;
    if mostly(second, first) {
        Some(UTF_16LE)
    } else if mostly(first, second) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// UTF-8 if the bytes are that, else Windows-1252 if they can be.
fn one_byte_or_utf8(start: &[u8]) -> io::Result<&'static Encoding> {
    let Err(error) = std::str::from_utf8(start) else {
        return Ok(UTF_8);
    };
    // A character may be cut at the end of what was looked at, but not at that of the file.
    if error.error_len().is_none() && start.len() == SAMPLE {
        return Ok(UTF_8);
    }
    // Text in another encoding is hardly ever UTF-8 by chance: this is UTF-8 with a few bad bytes,
    // and all other characters would be mistaken.
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in start.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good > bad {
        return Err(not_valid(UTF_8, error.valid_up_to() as u64));
    }
    let unknown = |byte: &u8| match byte {
        b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a => false,
        byte => matches!(byte, ..0x20 | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d),
    };
    match start.iter().position(unknown) {
        None => Ok(WINDOWS_1252),
        Some(at) => {
            let number = at + 1;
            Err(invalid(format!(
                "is neither UTF-8 nor Windows-1252, by byte {number}; if it is text, say `--encoding` and its encoding"
            )))
        }
    }
}

/// The error at so many bytes from the start.
fn not_valid(encoding: &'static Encoding, at: u64) -> io::Error {
    let (name, number) = (encoding.name(), at.saturating_add(1));
    invalid(format!(
        "is not valid {name} from byte {number} on; if it is in another encoding, say `--encoding` and that, for example `--encoding windows-1252`"
    ))
}

/// Bytes in some encoding, read as UTF-8.
struct Text<R> {
    bytes: BufReader<R>,
    encoding: &'static Encoding,
    /// None once it has seen the end; it must not be asked again.
    decoder: Option<Decoder>,
    /// How many bytes the decoder has seen, with those of the mark.
    seen: u64,
    /// Where the first bad byte is. It stays an error, however often one asks.
    bad: Option<u64>,
    text: Vec<u8>,
    /// Of the text, from where on it has not been handed out, and to where it is filled.
    from: usize,
    to: usize,
}

impl<R: Read> Text<R> {
    fn new(source: R, encoding: &'static Encoding, mark: u64) -> Self {
        Self {
            bytes: BufReader::with_capacity(BUFFER, source),
            encoding,
            decoder: Some(encoding.new_decoder_without_bom_handling()),
            seen: mark,
            bad: None,
            text: vec![0; BUFFER],
            from: 0,
            to: 0,
        }
    }

    /// Decodes until there is text, or none is left.
    fn fill(&mut self) -> io::Result<()> {
        while self.from == self.to {
            if let Some(at) = self.bad {
                return Err(not_valid(self.encoding, at));
            }
            let Some(decoder) = &mut self.decoder else {
                break;
            };
            let bytes = self.bytes.fill_buf()?;
            let last = bytes.is_empty();
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, last);
            self.bytes.consume(read);
            self.seen += read as u64;
            (self.from, self.to) = (0, written);
            match result {
                DecoderResult::InputEmpty if last => self.decoder = None,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    let since = u64::from(length) + u64::from(after);
                    self.bad = Some(self.seen.saturating_sub(since));
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.fill()?;
        let mut text = self.text.get(self.from..self.to).unwrap_or_default();
        let count = text.read(buffer)?;
        self.from += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use encoding_rs::{GBK, SHIFT_JIS};
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A source that gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    fn open<'a>(bytes: &'a [u8], encoding: Option<&'static Encoding>) -> io::Result<Decoded<'a>> {
        decoded(Box::new(bytes), encoding)
    }

    /// The text and the notes.
    fn read(bytes: &[u8], encoding: Option<&'static Encoding>) -> (String, Vec<String>) {
        let mut decoded = open(bytes, encoding).expect("text");
        let mut text = String::new();
        decoded.source.read_to_string(&mut text).expect("UTF-8");
        if decoded.whole {
            assert_eq!(decoded.sample, text.as_bytes());
        } else {
            assert!(text.as_bytes().starts_with(&decoded.sample));
            assert!(decoded.sample.len() > SAMPLE - 4 && decoded.sample.len() <= 2 * LARGEST);
            assert!(text.len() > SAMPLE);
            std::str::from_utf8(&decoded.sample).expect("UTF-8");
        }
        (text, decoded.notes)
    }

    fn text(bytes: &[u8]) -> String {
        let (text, notes) = read(bytes, None);
        assert_eq!(notes, [""; 0]);
        text
    }

    /// The error at the start or later.
    fn error(bytes: &[u8], encoding: Option<&'static Encoding>) -> io::Error {
        let sink = |mut decoded: Decoded<'_>| io::copy(&mut decoded.source, &mut io::sink());
        open(bytes, encoding).and_then(sink).expect_err("an error")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn utf8_stays_what_it_is() {
        for expected in ["", "a", "a,b\r\n1,2", "größe,\u{1f600}\n1,2\n", "a\0b\n"] {
            assert_eq!(text(expected.as_bytes()), expected);
            assert_eq!(text(format!("\u{feff}{expected}").as_bytes()), expected);
            assert_eq!(read(expected.as_bytes(), Some(UTF_8)).0, expected);
        }
        // One mark is removed.
        assert_eq!(text("\u{feff}\u{feff}a".as_bytes()), "\u{feff}a");
    }

    #[test]
    fn sample_is_cut_at_a_character() {
        for before in 0..5 {
            let expected = format!("{}{}", "x".repeat(SAMPLE - before), "€€€");
            assert_eq!(text(expected.as_bytes()), expected);
        }
        for length in SAMPLE - 1..SAMPLE + 3 {
            let expected = "y\n".repeat(LINES) + &"y".repeat(length - 2 * LINES);
            let decoded = open(expected.as_bytes(), None).expect("text");
            assert_eq!(decoded.whole, length <= SAMPLE);
            assert_eq!(decoded.sample.len(), length.min(SAMPLE));
        }
    }

    #[test]
    fn slow_sources_and_small_buffers_make_no_difference() {
        let expected = "größe;\u{1f600}\n".repeat(20);
        let wide = utf16(&expected, u16::to_le_bytes);
        let packed = gzip(expected.as_bytes());
        for bytes in [expected.as_bytes(), &wide, &packed] {
            for step in [1, 2, 3, 7] {
                let mut decoded = decoded(Box::new(Slow(bytes, step)), None).expect("text");
                let mut found = Vec::new();
                let mut buffer = vec![0; step];
                loop {
                    let count = decoded.source.read(&mut buffer).expect("text");
                    if count == 0 {
                        break;
                    }
                    found.extend_from_slice(&buffer[..count]);
                }
                assert_eq!(found, expected.as_bytes());
            }
        }
    }

    #[test]
    fn utf16_with_a_mark_and_without() {
        let expected = "größe,\u{1f600}\n1,2\n";
        for (order, name) in
            [(u16::to_le_bytes as fn(u16) -> [u8; 2], "UTF-16LE"), (u16::to_be_bytes, "UTF-16BE")]
        {
            assert_eq!(text(&utf16(&format!("\u{feff}{expected}"), order)), expected);
            let (found, notes) = read(&utf16(expected, order), None);
            assert_eq!(found, expected);
            assert_eq!(notes, [format!("has no byte order mark: read as {name}")]);
            // Longer than a sample.
            let long = "größe,1,2\n".repeat(50_000);
            assert_eq!(text(&utf16(&format!("\u{feff}{long}"), order)), long);
        }
        let cut = utf16("\u{feff}ab", u16::to_le_bytes);
        let message = error(&cut[..cut.len() - 1], None).to_string();
        assert!(message.starts_with("is not valid UTF-16LE from byte 5 on"), "{message}");
        let lone = [0xff, 0xfe, b'a', 0, 0x00, 0xd8, b'b', 0];
        assert!(error(&lone, None).to_string().starts_with("is not valid UTF-16LE from byte 5 on"));
        let message = error(b"\xff\xfe\0\0a\0\0\0", None).to_string();
        assert!(message.starts_with("is in UTF-32"), "{message}");
    }

    #[test]
    fn windows_1252_is_noted() {
        let (found, notes) = read(b"gr\xf6\xdfe,\x80\n1,2\n", None);
        assert_eq!(found, "größe,€\n1,2\n");
        assert_eq!(notes, ["is not UTF-8: read as Windows-1252"]);
        // A file that ends with a letter whose byte begins a character of UTF-8.
        assert_eq!(read(b"a,caf\xe9", None).0, "a,café");
        // Longer than a sample, with bytes in it that are UTF-8 by chance.
        let (found, _) = read(&b"\xe9t\xe9,\xc9\xa0\n".repeat(100_000), None);
        assert_eq!(found, "été,É\u{a0}\n".repeat(100_000));
    }

    #[test]
    fn nothing_is_mistaken_in_silence() {
        let mut late = "a,b\n".repeat(100_000).into_bytes();
        let at = late.len() + 1;
        late.extend_from_slice(b"caf\xe9,1\n");
        let failed = error(&late, None);
        assert_eq!(failed.kind(), ErrorKind::InvalidData);
        let expected = format!("is not valid UTF-8 from byte {} on", at + 3);
        assert!(failed.to_string().starts_with(&expected), "{failed}");
        assert_eq!(read(&late, Some(WINDOWS_1252)).0.len(), late.len() + 1);
        // It stays an error, and what stands before it is read.
        let mut decoded = open(&late, None).expect("a sample");
        let mut found = Vec::new();
        decoded.source.read_to_end(&mut found).expect_err("an error");
        assert_eq!(found.len(), at + 2);
        decoded.source.read_to_end(&mut found).expect_err("an error");
        assert_eq!(found.len(), at + 2);

        // UTF-8 with one bad byte; cut in a character.
        let message = error("größe,größe\n\u{e9}".as_bytes().split_last().expect("bytes").1, None);
        assert!(message.to_string().starts_with("is not valid UTF-8 from byte 17 on"), "{message}");
        let message = error(b"\xef\xbb\xbfa,\xff\n", None).to_string();
        assert!(message.starts_with("is not valid UTF-8 from byte 6 on"), "{message}");
        let message = error(b"a,\xff\n", Some(UTF_8)).to_string();
        assert!(message.starts_with("is not valid UTF-8 from byte 3 on"), "{message}");
        for bytes in [&b"a\x00b\xff\n"[..], b"\x89PNG\r\n\x1a\n\0\0", b"a,\x81\x81\n"] {
            let message = error(bytes, None).to_string();
            assert!(
                message.starts_with("is neither UTF-8 nor Windows-1252, by byte "),
                "{message}"
            );
        }
    }

    #[test]
    fn named_encodings_beat_guesses() {
        let (bytes, _, _) = SHIFT_JIS.encode("身長,体重\n");
        assert_eq!(read(&bytes, Some(SHIFT_JIS)), ("身長,体重\n".to_owned(), vec![]));
        let message = error(b"a,\xff\xff\n", Some(GBK)).to_string();
        assert!(message.starts_with("is not valid GBK from byte 3 on"), "{message}");
        assert_eq!(read(b"a\0b\0", Some(WINDOWS_1252)).0, "a\0b\0");
        assert_eq!(read("größe".as_bytes(), Some(WINDOWS_1252)).0, "grÃ¶ÃŸe");
        let (found, notes) = read("\u{feff}größe".as_bytes(), Some(WINDOWS_1252));
        assert_eq!(found, "größe");
        assert_eq!(notes, ["begins with the mark of UTF-8: read as that, not as windows-1252"]);
    }

    #[test]
    fn gzip_with_all_its_members() {
        let expected = "größe,b\n".repeat(60_000);
        let packed = gzip(expected.as_bytes());
        assert_eq!(text(&packed), expected);
        let mut two = gzip(b"a,b\n1,");
        two.extend(gzip(b"2\n"));
        assert_eq!(text(&two), "a,b\n1,2\n");
        assert_eq!(text(&gzip(b"")), "");
        assert_eq!(text(&gzip("\u{feff}a".as_bytes())), "a");
        assert_eq!(read(&gzip(b"caf\xe9\n"), None).0, "café\n");
        assert_eq!(text(b"\x1f"), "\x1f");

        // Cut anywhere, it is an error.
        for length in (2..two.len()).filter(|length| *length != gzip(b"a,b\n1,").len()) {
            let message = error(&two[..length], None).to_string();
            assert!(message.starts_with("cannot be decompressed (gzip): "), "{length}: {message}");
        }
        let failed = error(&packed[..packed.len() / 2], None);
        assert_eq!(failed.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(failed.to_string(), "cannot be decompressed (gzip): it is cut off");
        // Something else behind it, however little.
        for more in [&b"\0"[..], b"a,b\n", b"a,b\n1,2\n3,4\n5,6\n"] {
            let message = error(&[&packed[..], more].concat(), None).to_string();
            assert_eq!(
                message,
                "cannot be decompressed (gzip): behind its end follows something that is not gzip; remove that"
            );
        }
        let mut damaged = packed;
        if let Some(sum) = damaged.iter_mut().rev().nth(5) {
            *sum ^= 1;
        }
        assert!(error(&damaged, None).to_string().starts_with("cannot be decompressed (gzip): "));
    }

    #[test]
    fn a_bomb_is_not_unpacked_at_once() {
        let lines = gzip(&b"1\n".repeat(1 << 25));
        let decoded = open(&lines, None).expect("text");
        assert_eq!((decoded.sample.len(), decoded.whole), (SAMPLE, false));
        let one_line = gzip(&vec![b'1'; 1 << 26]);
        let decoded = open(&one_line, None).expect("text");
        assert!(!decoded.whole && decoded.sample.len() <= 2 * LARGEST);
    }

    #[test]
    fn more_is_looked_at_where_lines_are_long() {
        let line = "y".repeat(SAMPLE / 4) + "\n";
        for (lines, whole) in [(2, true), (8, true), (40, false)] {
            let expected = line.repeat(lines);
            let decoded = open(expected.as_bytes(), None).expect("text");
            assert_eq!(decoded.whole, whole, "{lines}");
            assert!(
                decoded.sample.iter().filter(|byte| **byte == b'\n').count() >= lines.min(LINES)
            );
            assert_eq!(text(expected.as_bytes()), expected);
        }
    }

    #[cfg(not(feature = "zstd"))]
    #[test]
    fn zstandard_needs_its_feature() {
        let message = error(b"\x28\xb5\x2f\xfd\x04\x00", None).to_string();
        assert!(message.contains("Zstandard") && message.contains("`zstd`"), "{message}");
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn zstandard_is_unpacked() {
        let expected = "größe,b\n".repeat(60_000);
        let packed = zstd::encode_all(expected.as_bytes(), 1).expect("memory");
        assert_eq!(text(&packed), expected);
        let failed = error(&packed[..packed.len() - 5], None);
        assert!(failed.to_string().starts_with("cannot be decompressed (Zstandard): "), "{failed}");
    }

    #[test]
    fn other_files_are_refused() {
        let mut tar = vec![b'a'; 257];
        tar.extend_from_slice(b"ustar\x0000");
        for (bytes, kind) in [
            (&b"\xd0\xcf\x11\xe0"[..], "an Excel workbook"),
            (b"\xfd7zXZ\0\0", "compressed with xz"),
            (b"BZh91AY&SY", "compressed with bzip2"),
            (&gzip(&gzip(b"a")), "compressed with gzip twice"),
            (&gzip(&tar), "a tar archive"),
        ] {
            let message = error(bytes, None).to_string();
            assert_eq!(message, format!("is {kind}; make it a plain text file first"));
        }
        for (bytes, kind) in [
            (&b"PK\x03\x04\x14\0"[..], "a ZIP archive or an Excel workbook"),
            (b"PAR1\x15\x04\x15", "Apache Parquet"),
            (b"\x93NUMPY\x01\0v\0", "a NumPy array"),
            (&gzip(b"ARROW1\0\0"), "Arrow"),
        ] {
            let message = error(bytes, None).to_string();
            let says = format!("holds {kind}, but standard input");
            assert!(message.starts_with(&says) && message.contains("name the file"), "{message}");
        }
        assert_eq!(text(b"PAR1,PAR2\n1,2\n"), "PAR1,PAR2\n1,2\n");
    }

    #[test]
    fn errors_of_the_source_are_handed_on() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let failed = decoded(Box::new(b"a,b\n".chain(Broken)), None).err().expect("an error");
        assert_eq!(failed.to_string(), "the disk is gone");
    }

    #[test]
    fn no_bytes_panic() {
        let mut state = 3_u64;
        for round in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..round % 24 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let kinds = [0, b',', b'1', 0xe9, 0xff, 0xfe, 0x1f, 0x8b, (state >> 40) as u8];
                bytes.push(kinds[(state >> 33) as usize % kinds.len()]);
            }
            for encoding in [None, Some(UTF_8), Some(UTF_16LE), Some(SHIFT_JIS)] {
                if let Ok(mut decoded) = open(&bytes, encoding) {
                    let mut text = String::new();
                    decoded.source.read_to_string(&mut text).expect("a whole sample is valid");
                    assert_eq!(text.as_bytes(), decoded.sample);
                }
            }
        }
    }
}
