//! Whose a delivery is: its signature, and the bytes that the sender signed.

use bytes::Bytes;

use super::incoming::Incoming;
use crate::github::signature::Key;

/// Whom a session believes.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Deliveries signed with one of these secrets: the current one first, then previous ones.
    Keys(Vec<Key>),
    /// Everybody: the target checks by itself, or nobody does.
    Everybody,
}

/// What a signature is worth, and which bytes it was checked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits the bytes that came.
    Raw,
    /// It fits bytes that the relay has spelled differently, and that were spelled back.
    Rebuilt,
    /// The relay changed the bytes for good: GitHub's own copy is forwarded instead, signed anew.
    Refetched,
    /// It came from GitHub's log and is signed anew, because the log does not keep bytes.
    Resigned,
    /// Nobody checked.
    Unchecked,
    /// It has none.
    Unsigned,
    /// It is wrong.
    Wrong,
}

impl Verdict {
    /// Whether the delivery may be forwarded.
    pub fn forwards(self) -> bool {
        !matches!(self, Self::Unsigned | Self::Wrong)
    }

    /// In words, for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::Raw => "sig ok (raw bytes)",
            Self::Rebuilt => "sig ok (relay re-serialised; bytes restored)",
            Self::Refetched => "sig ok (relay re-serialised; verified against GitHub)",
            Self::Resigned => "re-signed (from GitHub's log)",
            Self::Unchecked => "not verified",
            Self::Unsigned => "unsigned, not forwarded",
            Self::Wrong => "signature WRONG, not forwarded",
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "ok",
            Self::Rebuilt => "ok_rebuilt",
            Self::Refetched => "ok_refetched",
            Self::Resigned => "resigned",
            Self::Unchecked => "unchecked",
            Self::Unsigned => "unsigned",
            Self::Wrong => "wrong",
        }
    }
}

impl Trust {
    /// Judges `delivery`. When its body was spelled differently than what was signed, and the
    /// spelling of the sender can be found, it gets that body.
    pub fn judge(&self, delivery: &mut Incoming) -> Verdict {
        let Self::Keys(keys) = self else { return Verdict::Unchecked };
        match delivery.verify(keys) {
            None => return Verdict::Unsigned,
            Some(true) => return Verdict::Raw,
            Some(false) => {}
        }
        let mut probe = delivery.clone();
        for respell in RESPELLINGS {
            probe.body = respell(&delivery.body);
            if probe.body != delivery.body && probe.verify(keys) == Some(true) {
                delivery.body = probe.body;
                return Verdict::Rebuilt;
            }
        }
        Verdict::Wrong
    }

    /// The secret to sign with.
    pub fn signing_key(&self) -> Option<&Key> {
        match self {
            Self::Keys(keys) => keys.first(),
            Self::Everybody => None,
        }
    }
}

/// What senders and relays are known to do with one and the same JSON value. The numbers stay as
/// they are: what a relay has rounded cannot be found again.
const RESPELLINGS: [fn(&[u8]) -> Bytes; 5] = [
    compact,
    |json| [json, b"\n"].concat().into(),
    // JSON that may stand in a page.
    |json| respell(&compact(json), |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')),
    // Python's encoder, and others that trust nothing but ASCII.
    |json| respell(&compact(json), |c| !c.is_ascii()),
    |json| respell(json, |c| !c.is_ascii()),
];

/// JSON without the white space between its tokens; everything else keeps its spelling.
pub fn compact(json: &[u8]) -> Bytes {
    let (mut out, mut inside, mut escaped) = (Vec::with_capacity(json.len()), false, false);
    for byte in json {
        if !inside && matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => inside = !inside,
            _ => {}
        }
        out.push(*byte);
    }
    out.into()
}

/// JSON with the characters that `wants` names as `\uXXXX`. They occur inside of strings only.
fn respell(json: &[u8], wants: impl Fn(char) -> bool) -> Bytes {
    let Ok(text) = std::str::from_utf8(json) else { return Bytes::copy_from_slice(json) };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if wants(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Key, Trust, Verdict, compact};
    use crate::github::headers;
    use crate::proxy::Incoming;

    fn signed(key: &Key, signed: &str, arrived: &str) -> Incoming {
        Incoming {
            headers: vec![(headers::SIGNATURE_256.to_owned(), key.sign(signed.as_bytes()))],
            body: Bytes::copy_from_slice(arrived.as_bytes()),
        }
    }

    #[test]
    fn the_bytes_that_were_signed_are_found() {
        let (current, previous) = (Key::new(b"current"), Key::new(b"previous"));
        let trust = Trust::Keys(vec![current.clone(), previous.clone()]);
        let table = [
            (r#"{"a":1.0}"#, r#"{"a":1.0}"#, Verdict::Raw),
            (r#"{"a":"b c"}"#, r#"{ "a" : "b c" }"#, Verdict::Rebuilt),
            ("{\"a\":1}\n", r#"{"a":1}"#, Verdict::Rebuilt),
            (r#"{"a":"\u003cb\u003e \u0026"}"#, r#"{"a":"<b> &"}"#, Verdict::Rebuilt),
            (r#"{"a":"\u00e9\ud83d\ude00"}"#, r#"{"a":"é😀"}"#, Verdict::Rebuilt),
            (r#"{"a": "\u00e9"}"#, r#"{"a": "é"}"#, Verdict::Rebuilt),
            (r#"{"a":1.0}"#, r#"{"a":1}"#, Verdict::Wrong),
        ];
        for key in [&current, &previous] {
            for (sent, arrived, verdict) in table {
                let mut delivery = signed(key, sent, arrived);
                assert_eq!(trust.judge(&mut delivery), verdict, "{sent}");
                let body = if verdict == Verdict::Wrong { arrived } else { sent };
                assert_eq!(delivery.body, body.as_bytes(), "{sent}");
            }
        }
        assert_eq!(trust.judge(&mut signed(&Key::new(b"other"), "{}", "{}")), Verdict::Wrong);
        let bare = Incoming { headers: Vec::new(), body: Bytes::from_static(b"{}") };
        assert_eq!(trust.judge(&mut bare.clone()), Verdict::Unsigned);
        assert_eq!(Trust::Everybody.judge(&mut bare.clone()), Verdict::Unchecked);
        assert!(!Verdict::Wrong.forwards() && !Verdict::Unsigned.forwards() && Verdict::Unchecked.forwards());
    }

    #[test]
    fn white_space_goes_only_where_it_means_nothing() {
        for (json, expected) in [
            ("{ \"a b\" : [ 1 , 2 ] }\n", r#"{"a b":[1,2]}"#),
            (r#"{"a\" b" : "c \\" , "d" : 1}"#, r#"{"a\" b":"c \\","d":1}"#),
            (r#" "x" "#, r#""x""#),
        ] {
            assert_eq!(compact(json.as_bytes()), expected.as_bytes());
        }
    }
}
