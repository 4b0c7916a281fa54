//! Fills templates of HTML and escapes text for it.

/// The template with its marks, such as `{{title}}`, replaced by values. Values
/// are not searched for marks: names may hold anything.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let length: usize = values.iter().map(|(_, value)| value.len()).sum();
    let mut html = String::with_capacity(template.len() + length);
    let mut rest = template;
    while let Some((before, mark, after)) = next_mark(rest) {
        html.push_str(before);
        if let Some((_, value)) = values.iter().find(|(name, _)| *name == mark) {
            html.push_str(value);
        }
        rest = after;
    }
    html.push_str(rest);
    html
}

/// The text before a mark, the mark, and the text after it.
fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (mark, after) = rest.split_once("}}")?;
    Some((before, mark, after))
}

/// The text as HTML, for attributes too.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\0' => html.push('\u{fffd}'),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_searched_for_marks() {
        let values = [("a", "{{b}}"), ("b", "2")];
        assert_eq!(fill("<{{a}}|{{b}}|{{none}}|{{a}}>", &values), "<{{b}}|2||{{b}}>");
        assert_eq!(fill("{{b", &values), "{{b");
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escaped("<b> & \"it's\"\0"), "&lt;b&gt; &amp; &quot;it&#39;s&quot;\u{fffd}");
    }
}
