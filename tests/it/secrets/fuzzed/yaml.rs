//! Generated YAML: what people write and what they should not, as text with a layout of its own.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::text;

/// A file: documents, and how all of it is laid out.
#[derive(Clone, Debug)]
pub struct File {
    documents: Vec<Vec<Line<Entry>>>,
    layout: Layout,
}

#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Spaces per level.
    indent: usize,
    /// Whether a list stands below its key, or at its column.
    indented_lists: bool,
    crlf: bool,
    bom: bool,
}

/// What stands before and at a line of a collection.
#[derive(Clone, Debug)]
struct Line<T> {
    blank_before: bool,
    comments: Vec<String>,
    item: Option<T>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    value: Value,
    remark: Option<String>,
}

#[derive(Clone, Debug)]
struct Element {
    value: Value,
    remark: Option<String>,
}

#[derive(Clone, Debug)]
enum Value {
    /// On one line, as it is written.
    Inline(String),
    /// The header of a block scalar and its lines.
    Block(&'static str, Vec<String>),
    Map(Vec<Line<Entry>>),
    Seq(Vec<Line<Element>>),
}

/// Any file.
pub fn file() -> impl Strategy<Value = File> {
    let layout = (
        prop_oneof![5 => Just(2_usize), 3 => Just(4), 1 => 1_usize..8],
        any::<bool>(),
        prop_oneof![30 => Just(false), 1 => Just(true)],
        prop_oneof![30 => Just(false), 1 => Just(true)],
    )
        .prop_map(|(indent, indented_lists, crlf, bom)| Layout { indent, indented_lists, crlf, bom });
    let documents = prop_oneof![8 => vec(map(), 1..=1), 1 => vec(map(), 2..=3)];
    (documents, layout).prop_map(|(documents, layout)| File { documents, layout })
}

impl File {
    /// Its text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (number, document) in self.documents.iter().enumerate() {
            if number > 0 {
                out += "---\n";
            }
            let writer = Writer { layout: self.layout };
            if document.iter().all(|line| line.item.is_none()) {
                out += "{}\n";
            } else {
                writer.map(&mut out, document, 0, None);
            }
        }
        if self.layout.crlf {
            out = out.replace('\n', "\r\n");
        }
        if self.layout.bom {
            out.insert(0, '\u{feff}');
        }
        out
    }
}

fn map() -> BoxedStrategy<Vec<Line<Entry>>> {
    let leaf = prop_oneof![8 => inline().prop_map(Value::Inline), 2 => block()];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => lines(entry(inner.clone()), 1..4).prop_map(Value::Map),
            3 => lines(element(inner.clone()), 1..4).prop_map(Value::Seq),
            4 => inner,
        ]
    });
    // A collection must hold something, or it is another kind of node.
    lines(entry(value), 1..7).prop_map(distinct).boxed()
}

fn lines<T: Clone + std::fmt::Debug + 'static>(
    item: impl Strategy<Value = T> + 'static,
    size: std::ops::Range<usize>,
) -> BoxedStrategy<Vec<Line<T>>> {
    let line = |item: BoxedStrategy<Option<T>>| {
        let comments = prop_oneof![4 => Just(Vec::new()), 1 => vec(text::comment(), 1..3)];
        (prop_oneof![5 => Just(false), 1 => Just(true)], comments, item)
            .prop_map(|(blank_before, comments, item)| Line { blank_before, comments, item })
    };
    let items = vec(line(item.prop_map(Some).boxed()), size);
    // Comments after the last item.
    let tail = prop_oneof![8 => Just(None), 1 => line(Just(None).boxed()).prop_map(Some)];
    (items, tail)
        .prop_map(|(mut items, tail)| {
            items.extend(tail);
            items
        })
        .boxed()
}

/// Keys of one mapping differ, as YAML demands.
fn distinct(mut lines: Vec<Line<Entry>>) -> Vec<Line<Entry>> {
    let mut seen = std::collections::BTreeSet::new();
    for (number, line) in lines.iter_mut().enumerate() {
        if let Some(entry) = &mut line.item {
            if !seen.insert(text::meaning(&entry.key)) {
                entry.key = format!("again{number}");
                seen.insert(entry.key.clone());
            }
            entry.value = distinct_below(std::mem::replace(&mut entry.value, Value::Inline(String::new())));
        }
    }
    lines
}

fn distinct_below(value: Value) -> Value {
    match value {
        Value::Map(lines) => Value::Map(distinct(lines)),
        Value::Seq(mut lines) => {
            for element in lines.iter_mut().filter_map(|line| line.item.as_mut()) {
                element.value = distinct_below(std::mem::replace(&mut element.value, Value::Inline(String::new())));
            }
            Value::Seq(lines)
        }
        other => other,
    }
}

fn entry(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Entry> {
    (text::yaml_key(), value, weighted(0.08, text::comment())).prop_map(|(key, value, remark)| {
        // sops writes such a key as `? key`, and moves the comments of a collection below it to
        // where it cannot decrypt them any more.
        let explicit = key.len() > 100 || key.contains("\\n");
        let collection = matches!(value, Value::Map(_) | Value::Seq(_));
        let value = if explicit && collection { Value::Inline("text".to_owned()) } else { value };
        Entry { key, value, remark }
    })
}

fn element(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Element> {
    (value, weighted(0.08, text::comment())).prop_map(|(value, remark)| Element { value, remark })
}

/// A scalar or a flow collection.
fn inline() -> BoxedStrategy<String> {
    let scalar = text::yaml_scalar();
    let flow = text::yaml_scalar().prop_filter("plain in flow", |text| {
        !text.is_empty() && !text.contains(['[', ']', '{', '}', ',', '#', '!', '&', '*', '\n']) && !text.contains(": ")
    });
    let list = vec(flow.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
    let map = vec((text::word(), flow), 0..3).prop_map(|items| {
        let items: Vec<String> =
            items.into_iter().enumerate().map(|(n, (key, value))| format!("{key}{n}: {value}")).collect();
        format!("{{{}}}", items.join(", "))
    });
    prop_oneof![16 => scalar, 1 => list, 1 => map].boxed()
}

fn block() -> impl Strategy<Value = Value> {
    let header = select(vec!["|", "|", "|", "|-", "|+", ">", ">-", ">+"]);
    (header, vec(text::block_line(), 1..6)).prop_map(|(header, mut lines)| {
        // An indicator would be needed: there are separate cases for that.
        while lines.first().is_some_and(|line| line.is_empty() || line.starts_with([' ', '\t'])) {
            lines.remove(0);
        }
        if lines.is_empty() { Value::Inline("\"\"".to_owned()) } else { Value::Block(header, lines) }
    })
}

struct Writer {
    layout: Layout,
}

impl Writer {
    /// Lines of a mapping at `column`; the first key is written at `started`, where a dash stands.
    fn map(&self, out: &mut String, lines: &[Line<Entry>], column: usize, mut started: Option<()>) {
        for line in lines {
            self.before(out, line, column, &mut started);
            let Some(entry) = &line.item else { continue };
            if started.take().is_none() {
                out.extend(std::iter::repeat_n(' ', column));
            }
            let _ = write!(out, "{}:", entry.key);
            self.value(out, &entry.value, column, entry.remark.as_deref(), false);
        }
    }

    fn seq(&self, out: &mut String, lines: &[Line<Element>], column: usize, mut started: Option<()>) {
        for line in lines {
            self.before(out, line, column, &mut started);
            let Some(element) = &line.item else { continue };
            if started.take().is_none() {
                out.extend(std::iter::repeat_n(' ', column));
            }
            *out += "-";
            self.value(out, &element.value, column, element.remark.as_deref(), true);
        }
    }

    fn before<T>(&self, out: &mut String, line: &Line<T>, column: usize, started: &mut Option<()>) {
        if started.is_some() {
            return;
        }
        if line.blank_before {
            *out += "\n";
        }
        for comment in &line.comments {
            let _ = writeln!(out, "{:column$}#{comment}", "");
        }
    }

    /// A value after its key or dash at `column`, to the end of its last line.
    fn value(&self, out: &mut String, value: &Value, column: usize, remark: Option<&str>, in_list: bool) {
        let remark = remark.map(|text| format!(" #{text}")).unwrap_or_default();
        match value {
            // sops encrypts the comment of an empty collection, and loses it when it decrypts.
            Value::Inline(text) if text == "{}" || text == "[]" => *out += &format!(" {text}\n"),
            Value::Inline(text) if text.is_empty() => *out += &format!("{remark}\n"),
            Value::Inline(text) => *out += &format!(" {text}{remark}\n"),
            Value::Block(header, lines) => {
                *out += &format!(" {header}{remark}\n");
                let column = column + self.layout.indent.max(1);
                for line in lines {
                    if line.is_empty() {
                        *out += "\n";
                    } else {
                        let _ = writeln!(out, "{:column$}{line}", "");
                    }
                }
            }
            Value::Map(lines) if in_list => {
                *out += " ";
                self.map(out, lines, column + 2, Some(()));
            }
            Value::Seq(lines) if in_list => {
                *out += " ";
                self.seq(out, lines, column + 2, Some(()));
            }
            Value::Map(lines) => {
                *out += &format!("{remark}\n");
                self.map(out, lines, column + self.layout.indent, None);
            }
            Value::Seq(lines) => {
                *out += &format!("{remark}\n");
                let inner = if self.layout.indented_lists { column + self.layout.indent } else { column };
                self.seq(out, lines, inner, None);
            }
        }
    }
}
