//! A place in a document: `github_app.private_key`, `hosts[0]`, or SOPS' `["a"]["b"][0]`.

mod parse;

use std::fmt;
use std::str::FromStr;

use super::error::Error;
use super::tree::{Item, Map, Node, Scalar, Seq, Tree, Value};

/// From this similarity on a key is worth suggesting.
const CLOSE: f64 = 0.75;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the entry of a mapping. Digits also lead to the value of a sequence.
    Key(String),
    /// To the value of a sequence, from 0; comments do not count.
    Index(usize),
}

/// A place in the first document of a file.
///
/// Parts are separated by full stops: `a.b`. A part in double quotes is a JSON string, for keys
/// with a full stop or a bracket in them: `"a.b".c`. Brackets hold an index or a key in quotes:
/// `hosts[0]`, `["a"]["b"][0]`. Of several entries with one key, the first is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(Vec<Step>);

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse::steps(text).map(Self).map_err(|reason| Error::BadPath { path: text.to_owned(), reason })
    }
}

/// The dotted form; [`FromStr`] reads it back.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(&self.0))
    }
}

/// Steps in their dotted form.
pub(super) fn dotted(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Index(index) => out.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                let plain = !key.is_empty()
                    && !key.starts_with(['"', '\''])
                    && !key.contains(['.', '[', ']'])
                    && !key.contains(char::is_control);
                if plain { out.push_str(key) } else { out.push_str(&serde_json::Value::from(key.as_str()).to_string()) }
            }
        }
    }
    out
}

impl Selector {
    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What stands there.
    ///
    /// # Errors
    /// [`Error::NoSuchPath`], naming the first part that is missing.
    pub fn get<'a>(&self, tree: &'a Tree) -> Result<&'a Node, Error> {
        let mut place = Place::Document(tree.documents.first());
        for depth in 0..self.0.len() {
            place = Place::Node(place.step(&self.0[depth]).ok_or_else(|| self.missing(depth, place))?);
        }
        match place {
            Place::Node(node) => Ok(node),
            Place::Document(_) => Err(self.missing(0, place)),
        }
    }

    /// Puts `node` there: replaces what stands there, appends to a mapping or a sequence, makes
    /// missing mappings on the way (and a sequence for the index 0). Refuses to turn a scalar into
    /// a mapping; an empty value may become one.
    ///
    /// # Errors
    /// [`Error::NoSuchPath`] for an index beyond the end, [`Error::Refused`].
    pub fn set(&self, tree: &mut Tree, mut node: Node) -> Result<(), Error> {
        node.forget();
        self.check_set(tree)?;
        if tree.documents.is_empty() {
            tree.documents.push(Map::default());
        }
        if let (Some(map), Some((first, rest))) = (tree.documents.first_mut(), self.0.split_first()) {
            put_in_map(map, first, rest, node);
        }
        Ok(())
    }

    /// Walks the way of [`Selector::set`] before anything is changed.
    fn check_set(&self, tree: &Tree) -> Result<(), Error> {
        let mut place = Place::Document(tree.documents.first());
        for depth in 0..self.0.len() {
            match place.kind() {
                Kind::Scalar => {
                    return Err(Error::Refused {
                        place: dotted(&self.0[..depth]),
                        what: "is a single value, so nothing can be put into it; unset it first".to_owned(),
                    });
                }
                Kind::Map if matches!(self.0[depth], Step::Index(_)) => {
                    return Err(Error::Refused {
                        place: if depth == 0 { String::new() } else { dotted(&self.0[..depth]) },
                        what: "is a mapping, so an index leads nowhere; name a key".to_owned(),
                    });
                }
                Kind::Seq(len) => match index_of(&self.0[depth]) {
                    Some(index) if index <= len => {}
                    Some(_) => return Err(self.missing(depth, place)),
                    None => {
                        return Err(Error::Refused {
                            place: dotted(&self.0[..depth]),
                            what: "is a list, so a key leads nowhere; name an index".to_owned(),
                        });
                    }
                },
                Kind::Map | Kind::Nothing => {}
            }
            match place.step(&self.0[depth]) {
                Some(node) => place = Place::Node(node),
                None => return self.check_new(depth + 1),
            }
        }
        Ok(())
    }

    /// Checks the steps from `depth` on, below which nothing exists yet.
    fn check_new(&self, depth: usize) -> Result<(), Error> {
        match self.0[depth..].iter().position(|step| matches!(step, Step::Index(index) if *index > 0)) {
            Some(at) => Err(Error::NoSuchPath(dotted(&self.0[..=depth + at]))),
            None => Ok(()),
        }
    }

    /// Takes away what stands there. Comments stay, as with SOPS, unless nothing else is left around
    /// them: no format can write a collection of comments.
    ///
    /// # Errors
    /// [`Error::NoSuchPath`].
    pub fn unset(&self, tree: &mut Tree) -> Result<(), Error> {
        self.get(tree)?;
        match (self.0.split_last(), tree.documents.first_mut()) {
            (Some((Step::Key(key), [])), Some(map)) => {
                map.remove(key);
            }
            (Some((last, way)), Some(map)) => {
                if let Some(node) = walk(map, way) {
                    take_out(node, last);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Says that the step at `depth` leads nowhere from `place`, and what may have been meant.
    fn missing(&self, depth: usize, place: Place<'_>) -> Error {
        let mut text = dotted(&self.0[..=depth.min(self.0.len().saturating_sub(1))]);
        let parent = dotted(&self.0[..depth]);
        match (place.kind(), self.0.get(depth)) {
            (Kind::Map, Some(Step::Key(key))) => {
                if let Some(close) = place.keys().filter_map(|k| similar(key, k)).max_by(|a, b| a.0.total_cmp(&b.0)) {
                    text.push_str(&format!("; did you mean {}?", dotted(&[Step::Key(close.1.to_owned())])));
                }
            }
            (Kind::Map, Some(Step::Index(_))) if depth > 0 => text.push_str(&format!("; {parent} is a mapping")),
            (Kind::Seq(0), _) => text.push_str(&format!("; {parent} is an empty list")),
            (Kind::Seq(1), Some(step)) if index_of(step).is_some() => {
                text.push_str(&format!("; {parent} has 1 value"));
            }
            (Kind::Seq(len), Some(step)) if index_of(step).is_some() => {
                text.push_str(&format!("; {parent} has {len} values"));
            }
            (Kind::Seq(_), _) => text.push_str(&format!("; {parent} is a list")),
            (Kind::Scalar, _) => text.push_str(&format!("; {parent} is a single value")),
            (Kind::Nothing, _) if depth > 0 => text.push_str(&format!("; {parent} is empty")),
            _ => {}
        }
        Error::NoSuchPath(text)
    }
}

/// How close `have` is to `wanted`, when it is close.
fn similar<'a>(wanted: &str, have: &'a str) -> Option<(f64, &'a str)> {
    let score = strsim::jaro_winkler(&wanted.to_lowercase(), &have.to_lowercase());
    (score >= CLOSE).then_some((score, have))
}

/// Where a walk is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Document(Option<&'a Map>),
    Node(&'a Node),
}

enum Kind {
    /// Null, or no document.
    Nothing,
    Scalar,
    Map,
    /// With the number of values.
    Seq(usize),
}

impl<'a> Place<'a> {
    fn kind(self) -> Kind {
        match self {
            Self::Document(None) => Kind::Nothing,
            Self::Document(Some(_)) => Kind::Map,
            Self::Node(node) => match &node.value {
                Value::Scalar(Scalar::Null) => Kind::Nothing,
                Value::Scalar(_) => Kind::Scalar,
                Value::Map(_) => Kind::Map,
                Value::Seq(seq) => Kind::Seq(values(seq).count()),
            },
        }
    }

    fn map(self) -> Option<&'a Map> {
        match self {
            Self::Document(map) => map,
            Self::Node(Node { value: Value::Map(map), .. }) => Some(map),
            Self::Node(_) => None,
        }
    }

    fn keys(self) -> impl Iterator<Item = &'a str> {
        self.map().into_iter().flat_map(|map| map.entries().map(|entry| entry.key.as_str()))
    }

    fn step(self, step: &Step) -> Option<&'a Node> {
        match (self, step) {
            (Self::Node(Node { value: Value::Seq(seq), .. }), step) => values(seq).nth(index_of(step)?),
            (place, Step::Key(key)) => place.map()?.get(key),
            (_, Step::Index(_)) => None,
        }
    }
}

fn values(seq: &Seq) -> impl Iterator<Item = &Node> {
    seq.items.iter().filter_map(|item| match item {
        Item::Value(node) => Some(node),
        Item::Comment(_) => None,
    })
}

fn values_mut(seq: &mut Seq) -> impl Iterator<Item = &mut Node> {
    seq.items.iter_mut().filter_map(|item| match item {
        Item::Value(node) => Some(node),
        Item::Comment(_) => None,
    })
}

/// Where the value number `index` stands among values and comments.
fn position(seq: &Seq, index: usize) -> Option<usize> {
    let values = seq.items.iter().enumerate().filter(|(_, item)| matches!(item, Item::Value(_)));
    values.map(|(at, _)| at).nth(index)
}

/// The step as an index: also a key of digits, for `hosts.0`.
fn index_of(step: &Step) -> Option<usize> {
    match step {
        Step::Index(index) => Some(*index),
        Step::Key(key) if key.bytes().all(|byte| byte.is_ascii_digit()) => key.parse().ok(),
        Step::Key(_) => None,
    }
}

/// Puts `node` where `rest` leads to from the entry that `step` names. `check_set` saw that it can be.
fn put_in_map(map: &mut Map, step: &Step, rest: &[Step], node: Node) {
    let Step::Key(key) = step else { return };
    match map.get_mut(key) {
        Some(slot) => put(slot, rest, node),
        None => map.push(key.as_str(), made(rest, node)),
    }
}

fn put(slot: &mut Node, steps: &[Step], node: Node) {
    let Some((step, rest)) = steps.split_first() else {
        *slot = node;
        return;
    };
    match &mut slot.value {
        Value::Scalar(_) => *slot = made(steps, node),
        Value::Map(map) => put_in_map(map, step, rest, node),
        Value::Seq(seq) => match index_of(step).and_then(|index| values_mut(seq).nth(index)) {
            Some(slot) => put(slot, rest, node),
            None => seq.items.push(Item::Value(made(rest, node))),
        },
    }
}

/// New collections along `steps`, with `node` in the last one.
fn made(steps: &[Step], node: Node) -> Node {
    match steps.split_first() {
        None => node,
        Some((Step::Key(key), rest)) => {
            let mut map = Map::default();
            map.push(key.as_str(), made(rest, node));
            map.into()
        }
        Some((Step::Index(_), rest)) => Seq { items: vec![Item::Value(made(rest, node))], ..Seq::default() }.into(),
    }
}

/// The value that `way` leads to, to be changed.
fn walk<'a>(map: &'a mut Map, way: &[Step]) -> Option<&'a mut Node> {
    let (Step::Key(first), rest) = way.split_first()? else { return None };
    rest.iter().try_fold(map.get_mut(first)?, |node, step| match &mut node.value {
        Value::Seq(seq) => values_mut(seq).nth(index_of(step)?),
        Value::Map(map) => match step {
            Step::Key(key) => map.get_mut(key),
            Step::Index(_) => None,
        },
        Value::Scalar(_) => None,
    })
}

/// Takes the value at `step` out of a collection.
fn take_out(node: &mut Node, step: &Step) {
    match (&mut node.value, step) {
        (Value::Map(map), Step::Key(key)) => {
            map.remove(key);
            if map.entries().next().is_none() {
                map.items.clear();
            }
        }
        (Value::Seq(seq), step) => {
            if let Some(at) = index_of(step).and_then(|index| position(seq, index)) {
                seq.items.remove(at);
            }
            if seq.items.iter().all(|item| matches!(item, Item::Comment(_))) {
                seq.items.clear();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut app = Map::default();
        app.push("private_key", Node::text("pem"));
        app.push("webhook.secret", Node::text("s"));
        app.push("empty", Scalar::Null);
        let comment = || Item::Comment(Default::default());
        let hosts = Seq {
            items: vec![
                comment(),
                Item::Value(Node { sealed: Some("ENC[a]".into()), ..Node::text("one") }),
                comment(),
                Item::Value(Node::text("two")),
            ],
            flow: false,
        };
        let mut map = Map::default();
        map.push("github_app", app);
        map.push("hosts", hosts);
        map.push("0", Node::text("digit"));
        Tree { documents: vec![map] }
    }

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    fn get(tree: &Tree, path: &str) -> String {
        match selector(path).get(tree) {
            Ok(node) => node.as_str().unwrap_or("(other)").to_owned(),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn parses_both_notations() {
        let key = |text: &str| Step::Key(text.to_owned());
        for (text, steps) in [
            ("a", vec![key("a")]),
            ("a.b-c.d_e", vec![key("a"), key("b-c"), key("d_e")]),
            ("hosts[0].name", vec![key("hosts"), Step::Index(0), key("name")]),
            ("hosts.0", vec![key("hosts"), key("0")]),
            (r#""a.b".c"#, vec![key("a.b"), key("c")]),
            (r#"["a"]["b"][10]"#, vec![key("a"), key("b"), Step::Index(10)]),
            (r#"["q\"\u0041]"]"#, vec![key("q\"A]")]),
            (r"['a']['b\n']", vec![key("a"), key(r"b\n")]),
            (r#""""#, vec![key("")]),
            (r#"a["b.c"].d"#, vec![key("a"), key("b.c"), key("d")]),
            ("a b.ü", vec![key("a b"), key("ü")]),
        ] {
            assert_eq!(selector(text).steps(), steps, "{text}");
            let shown = selector(text).to_string();
            assert_eq!(selector(&shown), selector(text), "{text} shown as {shown}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_told() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a[",
            "a[0",
            "a[-1]",
            "a[x]",
            "a]",
            "[]",
            r#"["a"#,
            r#""a"#,
            r#"["a"]b"#,
            "['a",
            "a[99999999999999999999999]",
            r#""\x""#,
        ] {
            let result = text.parse::<Selector>();
            assert!(matches!(&result, Err(Error::BadPath { path, .. }) if path == text), "{text}: {result:?}");
        }
    }

    #[test]
    fn finds_values_and_says_what_is_missing() {
        let tree = tree();
        for (path, expected) in [
            ("github_app.private_key", "pem"),
            (r#"github_app."webhook.secret""#, "s"),
            (r#"["github_app"]["webhook.secret"]"#, "s"),
            ("hosts[0]", "one"),
            ("hosts.1", "two"),
            ("0", "digit"),
            ("hosts", "(other)"),
            ("github_app.privat_key", "there is no github_app.privat_key; did you mean private_key?"),
            ("github_ap.private_key", "there is no github_ap; did you mean github_app?"),
            ("github_app.webhook_secret", r#"there is no github_app.webhook_secret; did you mean "webhook.secret"?"#),
            ("zzz.b", "there is no zzz"),
            ("hosts[2]", "there is no hosts[2]; hosts has 2 values"),
            ("hosts.name", "there is no hosts.name; hosts is a list"),
            ("github_app[0]", "there is no github_app[0]; github_app is a mapping"),
            (
                "github_app.private_key.x",
                "there is no github_app.private_key.x; github_app.private_key is a single value",
            ),
            ("github_app.empty.x", "there is no github_app.empty.x; github_app.empty is empty"),
        ] {
            assert_eq!(get(&tree, path), expected, "{path}");
        }
        assert_eq!(get(&Tree::default(), "a"), "there is no a");
    }

    #[test]
    fn sets_replaces_appends_and_makes_the_way() {
        let mut tree = tree();
        for (path, value) in [
            ("github_app.private_key", "new"),
            ("hosts[0]", "first"),
            ("hosts[2]", "third"),
            ("hosts.3", "fourth"),
            ("a.b.c", "deep"),
            ("list[0].x", "in a new list"),
            ("github_app.empty.x", "filled"),
        ] {
            selector(path).set(&mut tree, Node::text(value)).unwrap();
            assert_eq!(get(&tree, path), value, "{path}");
        }
        assert!(selector("hosts[0]").get(&tree).unwrap().sealed.is_none());
        assert_eq!(get(&tree, "hosts[1]"), "two");
        assert!(matches!(&selector("list").get(&tree).unwrap().value, Value::Seq(_)));

        let mut whole = Map::default();
        whole.push("k", Node { sealed: Some("ENC[old]".into()), ..Node::text("v") });
        selector("moved").set(&mut tree, whole.into()).unwrap();
        assert!(selector("moved.k").get(&tree).unwrap().sealed.is_none());
        let mut empty = Tree::default();
        selector("a").set(&mut empty, Node::text("v")).unwrap();
        assert_eq!(get(&empty, "a"), "v");
    }

    #[test]
    fn refuses_to_set_through_a_scalar_and_changes_nothing() {
        for path in [
            "github_app.private_key.x",
            "hosts[3]",
            "hosts.name",
            "github_app[0]",
            "[0]",
            "new[1]",
            "new.a[0].b[2]",
            "hosts[2].a[1]",
        ] {
            let mut tree = tree();
            let before = format!("{tree:?}");
            assert!(selector(path).set(&mut tree, Node::text("v")).is_err(), "{path}");
            assert_eq!(format!("{tree:?}"), before, "{path}");
        }
    }

    #[test]
    fn unsets_an_entry_and_a_list_item() {
        let mut tree = tree();
        selector("hosts[0]").unset(&mut tree).unwrap();
        assert_eq!(get(&tree, "hosts[0]"), "two");
        selector("github_app.private_key").unset(&mut tree).unwrap();
        selector("0").unset(&mut tree).unwrap();
        assert!(get(&tree, "github_app.private_key").starts_with("there is no"));
        assert!(matches!(selector("0").unset(&mut tree), Err(Error::NoSuchPath(_))));
        assert!(matches!(selector("hosts[1]").unset(&mut tree), Err(Error::NoSuchPath(_))));
    }
}
