//! References in the values of a scenario: `${pr.pull_request.number}`, `${env:NAME|default}`.
//!
//! A reference that is the whole text has the type of what it refers to. `$${` is a `${` that
//! refers to nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::github::payloads::Path;

/// What a reference refers to.
enum Target<'t> {
    /// A variable of the environment, and what to take without it.
    Env(&'t str, Option<&'t str>),
    /// A place in the payload of an earlier step.
    Step(&'t str, Path),
}

/// A piece of a text.
enum Piece<'t> {
    Text(&'t str),
    Reference(&'t str, Target<'t>),
}

/// Payloads of earlier steps, by their ids.
pub type Payloads = BTreeMap<String, Value>;

/// Whether every reference in `value` is one, and refers to one of the steps `ids`.
///
/// # Errors
/// For the first one that is not.
pub fn check(value: &Value, ids: &BTreeSet<&str>) -> Result {
    match value {
        Value::String(text) => {
            for piece in pieces(text)? {
                if let Piece::Reference(written, Target::Step(id, _)) = piece
                    && !ids.contains(id)
                {
                    let told = Error::usage(format!("{written}: there is no step {id} before this one"));
                    let known: Vec<&str> = ids.iter().copied().collect();
                    return Err(if known.is_empty() {
                        told
                    } else {
                        told.because(format!("there is {}", known.join(", ")))
                    });
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| check(item, ids)),
        Value::Object(fields) => fields.values().try_for_each(|field| check(field, ids)),
        _ => Ok(()),
    }
}

/// `value` with what its references refer to.
///
/// # Errors
/// When a variable is not set, or a payload has nothing at the path.
pub fn resolve(value: &Value, payloads: &Payloads, env: &Env) -> Result<Value> {
    match value {
        Value::String(text) => {
            let pieces = pieces(text)?;
            if let [Piece::Reference(written, target)] = pieces.as_slice() {
                return look_up(written, target, payloads, env);
            }
            let mut out = String::new();
            for piece in &pieces {
                match piece {
                    Piece::Text(text) => out += text,
                    Piece::Reference(written, target) => match look_up(written, target, payloads, env)? {
                        Value::String(text) => out += &text,
                        other => out += &other.to_string(),
                    },
                }
            }
            Ok(Value::String(out))
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, payloads, env)).collect(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| Ok((key.clone(), resolve(value, payloads, env)?));
            fields.iter().map(field).collect::<Result<serde_json::Map<_, _>>>().map(Value::Object)
        }
        other => Ok(other.clone()),
    }
}

fn look_up(written: &str, target: &Target<'_>, payloads: &Payloads, env: &Env) -> Result<Value> {
    match target {
        Target::Env(name, default) => env.get(name).or(*default).map(Value::from).ok_or_else(|| {
            let told = Error::usage(format!("{written}: {name} is not set"));
            told.hint(format!("export {name}=…")).hint(format!("write ${{env:{name}|DEFAULT}} in the scenario"))
        }),
        Target::Step(id, path) => {
            let found = payloads.get(*id).and_then(|payload| path.find(payload)).cloned();
            found.ok_or_else(|| Error::usage(format!("{written}: the payload of {id} has nothing there")))
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let escaped = rest[..at].ends_with('$');
        let before = if escaped { &rest[..at - 1] } else { &rest[..at] };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if escaped {
            pieces.push(Piece::Text("${"));
            rest = &rest[at + 2..];
            continue;
        }
        let inside = &rest[at + 2..];
        let wrong = || {
            let told = Error::usage(format!("{:?} is not a reference", &rest[at..]));
            told.because("it is written ${STEP.PATH}, ${env:NAME} or ${env:NAME|DEFAULT}; $${ is no reference")
        };
        let end = inside.find('}').ok_or_else(wrong)?;
        let name = &inside[..end];
        let target = match name.strip_prefix("env:") {
            Some(variable) => {
                let (variable, default) = variable.split_once('|').map_or((variable, None), |(v, d)| (v, Some(d)));
                Target::Env(variable, default)
            }
            None => {
                let (id, path) = name.split_once('.').ok_or_else(wrong)?;
                Target::Step(id, path.parse().map_err(|_| wrong())?)
            }
        };
        pieces.push(Piece::Reference(&rest[at..at + 3 + end], target));
        rest = &inside[end + 1..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Env, Payloads, resolve};

    #[test]
    fn references_are_followed() {
        let payloads: Payloads = [("pr".to_owned(), json!({"number": 7, "labels": [{"name": "x"}]}))].into();
        let env: Env = [("SHA", "abc")].into();
        for (text, expected) in [
            ("${pr.number}", Some(json!(7))),
            ("#${pr.number}: ${pr.labels[0].name}", Some(json!("#7: x"))),
            ("${env:SHA}", Some(json!("abc"))),
            ("${env:NONE|a|b}", Some(json!("a|b"))),
            ("${env:NONE|}", Some(json!(""))),
            ("$${pr.number}", Some(json!("${pr.number}"))),
            ("", Some(json!(""))),
            ("$5 {x}", Some(json!("$5 {x}"))),
            ("${env:NONE}", None),
            ("${pr.nothing}", None),
            ("${pr}", None),
            ("${pr.number", None),
        ] {
            assert_eq!(resolve(&json!(text), &payloads, &env).ok(), expected, "{text}");
        }
    }
}
