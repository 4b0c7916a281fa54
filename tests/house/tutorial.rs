//! The tutorial shows the example `encoder`, which is compiled and run with the others.

/// The code blocks of the page, one after the other, are the example.
#[test]
fn the_tutorial_is_the_example() {
    let page = include_str!("../../docs/ENCODERS.md");
    let example = include_str!("../../examples/encoder.rs");
    let mut shown = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```rust" => inside = true,
            "```" => inside = false,
            line if inside && !line.trim().is_empty() => shown.push(line),
            _ => {}
        }
    }
    let code: Vec<&str> = example
        .lines()
        .filter(|line| !line.starts_with("//!") && !line.trim().is_empty())
        .collect();
    assert!(code.len() > 60, "the example is empty");
    for (number, (shown, code)) in shown.iter().zip(&code).enumerate() {
        assert_eq!(shown, code, "line {number} of the code");
    }
    assert_eq!(shown.len(), code.len());
}
