//! Names in quotes, and texts that are split outside of them.

/// Whether a character may stand outside of quotes.
pub(super) fn plain(character: char) -> bool {
    character.is_alphanumeric() || "._-#*".contains(character)
}

/// A name as it stands in a text: in quotes if it has other characters than plain ones.
pub(super) fn quoted(name: &str) -> String {
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_string();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The parts of a text between separators that are not inside quotes.
pub(super) fn split_outside_quotes<'a>(text: &'a str, separators: &[&str]) -> Vec<&'a str> {
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
