//! Values as environment variables.
//!
//! `github_app.private_key` becomes `GITHUB_APP_PRIVATE_KEY`: the keys of the path and the numbers
//! of list items, joined by `_`, in capitals, with `_` for whatever is no letter or digit of ASCII.
//! A dotenv file holds names already, and they stay as they are.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::cli::error::{Error, Result};
use crate::secrets::tree::{Item, Map, Node, Scalar, Value};
use crate::secrets::{Format, Selector, Step, Style, Text, Tree};

/// How names are made.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Put in front of every name.
    pub prefix: String,
    /// Whether nested values get a name of their whole path; else only top-level values have one,
    /// their own key, as with `sops exec-env`.
    pub flatten: bool,
    /// Whether keys are names already.
    pub verbatim: bool,
}

/// A variable: its name and its value, `None` for null: not set.
pub type Variable = (String, Option<Text>);

/// The variables of the first document of `tree`; with `only`, those at or below these places.
///
/// # Errors
/// When two values get one name, a value cannot be in an environment, or a place is not there. No
/// value is repeated.
pub fn variables(tree: &Tree, naming: &Naming, only: &[Selector]) -> Result<Vec<Variable>> {
    let mut found = Found { naming, by_name: BTreeMap::new(), variables: Vec::new() };
    if only.is_empty() {
        found.map(tree.documents.first().unwrap_or(&Map::default()), &[])?;
    }
    for place in only {
        let above: Vec<String> = place.steps().iter().map(part).collect();
        found.node(place.get(tree).map_err(Error::from)?, &above)?;
    }
    Ok(found.variables)
}

struct Found<'a> {
    naming: &'a Naming,
    /// The path of the value that has a name.
    by_name: BTreeMap<String, String>,
    variables: Vec<Variable>,
}

impl Found<'_> {
    fn map(&mut self, map: &Map, above: &[String]) -> Result {
        map.entries().try_for_each(|entry| self.node(&entry.value, &below(above, &entry.key)))
    }

    fn node(&mut self, node: &Node, path: &[String]) -> Result {
        match &node.value {
            Value::Scalar(scalar) => self.variable(scalar, path),
            _ if !self.naming.flatten => Ok(()),
            Value::Map(map) => self.map(map, path),
            Value::Seq(seq) => {
                let values = seq.items.iter().filter_map(|item| match item {
                    Item::Value(node) => Some(node),
                    Item::Comment(_) => None,
                });
                values.enumerate().try_for_each(|(at, node)| self.node(node, &below(path, &at.to_string())))
            }
        }
    }

    fn variable(&mut self, scalar: &Scalar, path: &[String]) -> Result {
        let (name, shown) = (self.name(path), path.join("."));
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(Error::failure(format!("{shown:?} cannot be the name of a variable")));
        }
        let value = value(scalar)?;
        if value.as_ref().is_some_and(|text| text.expose().contains(&0)) {
            return Err(Error::failure(format!("{shown} holds a NUL byte, which no variable can")));
        }
        match self.by_name.insert(name.clone(), shown.clone()) {
            Some(other) if other != shown => {
                return Err(Error::failure(format!("{other} and {shown} would both be the variable {name}"))
                    .because("--only PATH leaves one of them out"));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        self.variables.push((name, value));
        Ok(())
    }

    fn name(&self, path: &[String]) -> String {
        if self.naming.verbatim || !self.naming.flatten {
            return self.naming.prefix.clone() + &path.join("_");
        }
        let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = self.naming.prefix.chars().chain(path.join("_").chars().map(fits)).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    }
}

fn below(above: &[String], part: &str) -> Vec<String> {
    above.iter().map(String::as_str).chain([part]).map(str::to_owned).collect()
}

fn part(step: &Step) -> String {
    match step {
        Step::Key(key) => key.clone(),
        Step::Index(at) => at.to_string(),
    }
}

/// A value as `sops exec-env` spells it.
fn value(scalar: &Scalar) -> Result<Option<Text>> {
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Text(text) => Ok(Some(text.clone())),
        // Numbers, booleans and times are spelled as in a dotenv file.
        other => {
            let mut map = Map::default();
            map.push("x", Node::from(other.clone()));
            let line = Format::Dotenv.write_plain(&Tree { documents: vec![map] }, Style::default())?;
            let text = line.expose_str().unwrap_or_default().trim_end_matches('\n');
            Ok(Some(Text::from(text.strip_prefix("x=").unwrap_or(text))))
        }
    }
}

/// The bytes of a value as the operating system takes them; `None` when they are no text there.
#[cfg(unix)]
pub fn os_string(text: &Text) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(text.expose().to_vec()))
}

/// The bytes of a value as the operating system takes them; `None` when they are no text there.
#[cfg(not(unix))]
pub fn os_string(text: &Text) -> Option<OsString> {
    text.expose_str().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::{Naming, Tree, variables};
    use crate::secrets::tree::{Item, Map, Node, Scalar, Seq};

    fn tree() -> Tree {
        let mut app = Map::default();
        app.push("private_key", Node::text("a\nb"));
        app.push("id", Scalar::Int(7));
        let hosts = ["x", "y"].map(|host| Item::Value(Node::text(host))).into();
        let mut top = Map::default();
        top.push("github_app", app);
        top.push("hosts", Seq { items: hosts, flow: false });
        top.push("a.b-c", Scalar::Bool(true));
        top.push("gone", Scalar::Null);
        top.push("1st", Scalar::Float(20.0));
        Tree { documents: vec![top] }
    }

    fn shown(tree: &Tree, naming: &Naming, only: &[&str]) -> Result<Vec<String>, String> {
        let only: Vec<_> = only.iter().map(|path| path.parse().expect("a path")).collect();
        let shown = |(name, value): (String, Option<crate::secrets::Text>)| {
            format!(
                "{name}={}",
                value.map_or("(unset)".to_owned(), |text| text.expose_str().expect("UTF-8").to_owned())
            )
        };
        let found = variables(tree, naming, &only).map_err(|error| error.message)?;
        Ok(found.into_iter().map(shown).collect())
    }

    #[test]
    fn paths_become_names() {
        let naming = Naming { prefix: String::new(), flatten: true, verbatim: false };
        let all = [
            "GITHUB_APP_PRIVATE_KEY=a\nb",
            "GITHUB_APP_ID=7",
            "HOSTS_0=x",
            "HOSTS_1=y",
            "A_B_C=true",
            "GONE=(unset)",
            "_1ST=20.0",
        ];
        assert_eq!(shown(&tree(), &naming, &[]).expect("all"), all);
        assert_eq!(shown(&tree(), &naming, &["github_app", "hosts[1]"]).expect("some"), [all[0], all[1], all[3]]);
        let prefixed = Naming { prefix: "My_".to_owned(), ..naming.clone() };
        assert_eq!(shown(&tree(), &prefixed, &["github_app.id"]).expect("one"), ["My_GITHUB_APP_ID=7"]);
        let top = Naming { flatten: false, ..naming };
        assert_eq!(shown(&tree(), &top, &[]).expect("top"), ["a.b-c=true", "gone=(unset)", "1st=20.0"]);
    }

    #[test]
    fn two_values_never_share_a_name() {
        let mut tree = tree();
        tree.documents[0].push("hosts_0", Node::text("z"));
        let naming = Naming { prefix: String::new(), flatten: true, verbatim: false };
        let error = shown(&tree, &naming, &[]).expect_err("a collision");
        assert_eq!(error, "hosts.0 and hosts_0 would both be the variable HOSTS_0");
    }
}
