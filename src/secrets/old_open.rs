//! Opening a whole document: walk it in order, decrypt, and check the MAC.

use aws_lc_rs::{constant_time, digest};
use serde_yaml::{Mapping, Number, Value};

use super::old_cipher::{DataKey, Plain};
use super::old_error::Error;
use super::old_identity::Identities;
use super::old_metadata::{Metadata, Rule};

const SECTION: &str = "sops";

/// Whether `document` is encrypted: it has a top-level `sops` section.
pub fn is_encrypted(document: &Value) -> bool {
    document.get(SECTION).is_some()
}

/// The age recipients that `document` is encrypted for.
///
/// # Errors
/// When it is not encrypted or its `sops` section is damaged.
pub fn recipients(document: &Value) -> Result<Vec<String>, Error> {
    Ok(Metadata::read(document.get(SECTION).ok_or(Error::NotEncrypted)?)?.recipients())
}

/// Decrypts `document` and checks that it is what was sealed.
///
/// # Errors
/// See [`Error`]; no value is given out unless all of them are genuine.
pub fn open(document: Value, identities: &Identities) -> Result<Value, Error> {
    let Value::Mapping(mut map) = document else { return Err(Error::NotEncrypted) };
    let metadata = Metadata::read(&map.remove(SECTION).ok_or(Error::NotEncrypted)?)?;
    let key = metadata.data_key(identities)?;
    let mut walk = Walk {
        key: &key,
        rule: &metadata.rule,
        only_encrypted: metadata.mac_only_encrypted,
        hash: digest::Context::new(&digest::SHA512),
        path: Vec::new(),
    };
    if metadata.mac_only_encrypted {
        // Keeps such a MAC apart from one over all values.
        walk.hash.update(digest::digest(&digest::SHA256, SECTION.as_bytes()).as_ref());
    }
    let opened = walk.mapping(map)?;
    let computed = hex::encode_upper(walk.hash.finish());
    let sealed = key.decrypt(&metadata.mac, &metadata.lastmodified).map_err(|_| Error::Mac)?;
    match sealed {
        Plain::Text(sealed)
            if constant_time::verify_slices_are_equal(sealed.as_bytes(), computed.as_bytes()).is_ok() =>
        {
            Ok(Value::Mapping(opened))
        }
        _ => Err(Error::Mac),
    }
}

struct Walk<'a> {
    key: &'a DataKey,
    rule: &'a Rule,
    only_encrypted: bool,
    hash: digest::Context,
    path: Vec<String>,
}

impl Walk<'_> {
    fn mapping(&mut self, map: Mapping) -> Result<Mapping, Error> {
        let mut opened = Mapping::with_capacity(map.len());
        for (key, value) in map {
            let Value::String(name) = key else { return Err(self.error("has a key that is not text")) };
            self.path.push(name.clone());
            if let Some(value) = self.value(value)? {
                opened.insert(Value::String(name), value);
            }
            self.path.pop();
        }
        Ok(opened)
    }

    /// `None` for what was a comment.
    fn value(&mut self, value: Value) -> Result<Option<Value>, Error> {
        Ok(match value {
            Value::Mapping(map) => Some(Value::Mapping(self.mapping(map)?)),
            Value::Sequence(items) => {
                let items: Result<Vec<_>, _> = items.into_iter().map(|item| self.value(item)).collect();
                // The place in a list is not part of the path.
                Some(Value::Sequence(items?.into_iter().flatten().collect()))
            }
            Value::Tagged(tagged) => return self.value(tagged.value),
            Value::Null => Some(Value::Null),
            leaf => self.leaf(leaf)?,
        })
    }

    fn leaf(&mut self, leaf: Value) -> Result<Option<Value>, Error> {
        if !self.rule.encrypts(&self.path, leaf.as_str()) {
            if !self.only_encrypted {
                self.hash.update(clear_bytes(&leaf).as_bytes());
            }
            return Ok(Some(leaf));
        }
        let Value::String(text) = &leaf else { return Err(self.error("is not encrypted")) };
        if text.is_empty() {
            // The empty text is never encrypted.
            return Ok(Some(leaf));
        }
        let aad: String = self.path.iter().flat_map(|key| [key.as_str(), ":"]).collect();
        let plain = self.key.decrypt(text, &aad).map_err(|reason| self.error(reason))?;
        let value = match plain {
            Plain::Comment => return Ok(None),
            Plain::Text(text) => Value::String(text),
            Plain::Int(number) => Value::Number(Number::from(number)),
            Plain::Float(number) => Value::Number(Number::from(number)),
            Plain::Bool(flag) => Value::Bool(flag),
        };
        self.hash.update(clear_bytes(&value).as_bytes());
        Ok(Some(value))
    }

    fn error(&self, reason: &'static str) -> Error {
        Error::Value { path: if self.path.is_empty() { "the root".into() } else { self.path.join(".") }, reason }
    }
}

/// The bytes of a leaf that count for the MAC: the form in which SOPS encrypts it.
fn clear_bytes(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => integer.to_string(),
            (_, Some(integer), _) => integer.to_string(),
            (.., Some(float)) if float == f64::INFINITY => "+Inf".to_owned(),
            (.., Some(float)) if float == f64::NEG_INFINITY => "-Inf".to_owned(),
            // Rust's form is the shortest one without an exponent, as Go's 'f' with precision -1.
            (.., Some(float)) => float.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
