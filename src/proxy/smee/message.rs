//! The data of an event on a channel: headers and body of a delivery in one JSON object.
//!
//! smee's servers put the lower-cased headers beside `body`, `query` and `timestamp`. Others, ours
//! among them, give the exact bytes as base64 in `bodyB`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::proxy::Incoming;
use crate::proxy::envelope::{self, Identity};

/// Why an event is no delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDelivery {
    /// It is not a JSON object.
    #[error("the server sent an event that is no JSON object")]
    NotAnObject,
    /// It has no body: a word of the server itself.
    #[error("the server sent an event without a body")]
    NoBody,
    /// `bodyB` is not base64.
    #[error("the server sent a body that is not base64")]
    NotBase64,
}

/// The fields of an object in their order, values as they were written; a name may repeat.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads the delivery out of an event's `data`. The body is a piece of `data` as it stands there.
///
/// # Errors
/// See [`NoDelivery`].
pub fn read(data: &str) -> Result<Incoming, NoDelivery> {
    let Fields(fields) = serde_json::from_str(data).map_err(|_| NoDelivery::NotAnObject)?;
    let (mut headers, mut body, mut bytes) = (Vec::new(), None, None);
    for (name, value) in fields {
        match name.as_str() {
            "body" => body = Some(value.get()),
            "bodyB" => bytes = Some(value.get()),
            // What the server adds.
            "query" | "timestamp" => {}
            _ => headers.extend(header(value).map(|value| (name.to_ascii_lowercase(), value))),
        }
    }
    let body = match (bytes, body) {
        (Some(text), _) => {
            let text: String = serde_json::from_str(text).map_err(|_| NoDelivery::NotBase64)?;
            STANDARD.decode(text).map_err(|_| NoDelivery::NotBase64)?.into()
        }
        (None, Some(body)) => Bytes::copy_from_slice(body.as_bytes()),
        (None, None) => return Err(NoDelivery::NoBody),
    };
    Ok(Incoming { headers, body })
}

/// Opens an encrypted event of a `pforge relay`: the data of a plain one, as an age file in `age`.
pub fn open(data: &str, identity: &Identity) -> Option<Incoming> {
    #[derive(Deserialize)]
    struct Sealed {
        age: String,
    }
    let Sealed { age } = serde_json::from_str(data).ok()?;
    let plain = envelope::open(identity, &STANDARD.decode(age).ok()?).ok()?;
    read(std::str::from_utf8(&plain).ok()?).ok()
}

/// A header's value: a text, or several that came under one name.
fn header(value: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Values {
        One(String),
        Several(Vec<String>),
    }
    match serde_json::from_str(value.get()).ok()? {
        Values::One(value) => Some(value),
        Values::Several(values) => Some(values.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, Identity, NoDelivery, STANDARD, envelope, open, read};

    #[test]
    fn the_body_keeps_its_bytes() {
        for body in [
            r#"{"a":1.0,"b":12345678901234567890123,"a":2}"#,
            r#"{"e":"\u00e9 \/ \ud83d\ude00 é","n":1E400}"#,
            r#"{ "spaces" : [ ] }"#,
            r#"{"body":{"body":1},"timestamp":2}"#,
            "{}",
        ] {
            let data = format!(
                r#"{{"host":"smee.io","x-github-event":"push","n":7,"body":{body},"query":{{}},"timestamp":1700000000000}}"#
            );
            let incoming = read(&data).expect("a delivery");
            assert_eq!(incoming.body, body.as_bytes());
            let expected = [("host", "smee.io"), ("x-github-event", "push")].map(|(n, v)| (n.to_owned(), v.to_owned()));
            assert_eq!(incoming.headers, expected);
        }
    }

    #[test]
    fn exact_bytes_win() {
        let incoming = read(r#"{"body":{"a":1},"bodyB":"eyJhIjoxLjB9Cg==","X-GitHub-Event":"push"}"#).expect("one");
        assert_eq!(incoming.body, b"{\"a\":1.0}\n"[..]);
        assert_eq!(incoming.event(), Some("push"));
        assert_eq!(read(r#"{"set-cookie":["a","b"],"body":1}"#).expect("one").header("set-cookie"), Some("a, b"));
    }

    #[test]
    fn an_encrypted_event_is_opened_by_its_owner_only() {
        let (owner, other) = (Identity::generate(), Identity::generate());
        let plain = r#"{"x-github-event":"push","bodyB":"e30K"}"#;
        let sealed = envelope::seal(&owner.recipient(), plain.as_bytes()).expect("sealed");
        let data = format!(r#"{{"x-github-event":"push","age":"{}"}}"#, STANDARD.encode(sealed));
        assert_eq!(open(&data, &owner).expect("opened").body, b"{}\n"[..]);
        assert!(open(&data, &other).is_none());
        assert!(open(r#"{"age":"?"}"#, &owner).is_none());
    }

    #[test]
    fn what_is_no_delivery() {
        for (data, expected) in [
            ("{}", NoDelivery::NoBody),
            (r#"{"message":"connected"}"#, NoDelivery::NoBody),
            ("", NoDelivery::NotAnObject),
            ("[1]", NoDelivery::NotAnObject),
            (r#"{"body":"#, NoDelivery::NotAnObject),
            (r#"{"bodyB":"!"}"#, NoDelivery::NotBase64),
            (r#"{"bodyB":7,"body":{}}"#, NoDelivery::NotBase64),
        ] {
            assert_eq!(read(data), Err(expected), "{data:?}");
        }
    }
}
