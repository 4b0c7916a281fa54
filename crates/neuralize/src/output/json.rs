//! Results as JSON.

use std::io::{BufWriter, Write};

use crate::error::Result;
use crate::output::layout::Layout;
use crate::output::row::{Destination, Relevance, Row, Sink, failed};

/// Writes an array of objects, one on every line.
pub(super) struct JsonSink<'a> {
    name: String,
    writer: BufWriter<Destination<'a>>,
    layout: Layout,
    /// Names of the features, quoted.
    keys: Vec<String>,
    empty: bool,
    text: String,
}

impl<'a> JsonSink<'a> {
    pub(super) fn new(name: String, destination: Destination<'a>, layout: Layout) -> Self {
        let quoted = |name: &String| serde_json::Value::from(name.as_str()).to_string();
        Self {
            name,
            writer: BufWriter::with_capacity(1 << 16, destination),
            keys: layout.features().iter().map(quoted).collect(),
            layout,
            empty: true,
            text: String::new(),
        }
    }

    fn object(&mut self, row: &Row<'_>) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{{\"index\":{}", row.index);
        if self.layout.id.is_some() {
            let name = serde_json::Value::from(row.id.as_deref());
            let _ = write!(self.text, ",\"name\":{name}");
        }
        if let Some(cluster) = row.cluster {
            let name = self.layout.cluster(cluster).map(serde_json::Value::from);
            let name = name.map_or_else(|| cluster.to_string(), |name| name.to_string());
            let _ = write!(self.text, ",\"cluster\":{name}");
        }
        self.field(self.layout.kind.sum(), row.sum);
        if let Some(probability) = row.probability() {
            self.field("probability", probability);
        }
        match &row.relevance {
            Relevance::None => {}
            Relevance::All(values) => self.relevance(values.iter().copied().enumerate()),
            Relevance::Strongest { features, other } => {
                self.relevance(features.iter().copied());
                self.field("other", *other);
            }
        }
        self.text.push('}');
    }

    fn field(&mut self, key: &str, value: f64) {
        self.text.push_str(",\"");
        self.text.push_str(key);
        self.text.push_str("\":");
        self.number(value);
    }

    fn relevance(&mut self, features: impl Iterator<Item = (usize, f64)>) {
        self.text.push_str(",\"relevance\":{");
        for (order, (feature, value)) in features.enumerate() {
            if order > 0 {
                self.text.push(',');
            }
            self.text.push_str(&self.keys[feature]);
            self.text.push(':');
            self.number(value);
        }
        self.text.push('}');
    }

    /// JSON has no numbers that are not finite.
    fn number(&mut self, value: f64) {
        if value.is_finite() {
            self.layout.number(&mut self.text, value)
        } else {
            self.text.push_str("null")
        }
    }
}

impl Sink for JsonSink<'_> {
    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        self.text.clear();
        self.text.push_str(if self.empty { "[\n" } else { ",\n" });
        self.empty = false;
        self.object(row);
        self.writer.write_all(self.text.as_bytes()).map_err(failed(&self.name))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let end: &[u8] = if self.empty { b"[]\n" } else { b"\n]\n" };
        self.writer.write_all(end).and_then(|()| self.writer.flush()).map_err(failed(&self.name))
    }
}
