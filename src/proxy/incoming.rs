//! A delivery as it came, or as it is made.

use bytes::Bytes;

use crate::github::headers;
use crate::github::signature::Key;

/// A delivery: its headers and the exact bytes of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The numbers in the headers of an App's webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookIds {
    /// `X-GitHub-Hook-ID`, when it is known.
    pub hook: Option<i64>,
    /// `X-GitHub-Hook-Installation-Target-ID`: the App's id.
    pub app: i64,
}

impl Incoming {
    /// A delivery with all the headers that GitHub sends, signed with `key`. `body` is JSON.
    pub fn signed(event: &str, guid: &str, ids: HookIds, key: &Key, body: Bytes) -> Self {
        let mut headers = vec![
            ("accept".to_owned(), "*/*".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("user-agent".to_owned(), concat!("GitHub-Hookshot/pforge-", env!("CARGO_PKG_VERSION")).to_owned()),
            (headers::DELIVERY.to_owned(), guid.to_owned()),
            (headers::EVENT.to_owned(), event.to_owned()),
            (headers::HOOK_TARGET_ID.to_owned(), ids.app.to_string()),
            (headers::HOOK_TARGET_TYPE.to_owned(), "integration".to_owned()),
            (headers::SIGNATURE_256.to_owned(), key.sign(&body)),
        ];
        headers.extend(ids.hook.map(|hook| (headers::HOOK_ID.to_owned(), hook.to_string())));
        Self { headers, body }
    }

    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// `X-GitHub-Delivery`.
    pub fn guid(&self) -> Option<&str> {
        self.header(headers::DELIVERY)
    }

    /// `X-GitHub-Event`.
    pub fn event(&self) -> Option<&str> {
        self.header(headers::EVENT)
    }

    /// Puts `value` in the place of what the header `name` (in lower case) had.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(own, _)| own != name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Signs the body anew.
    pub fn sign(&mut self, key: &Key) {
        let signature = key.sign(&self.body);
        self.headers.retain(|(name, _)| name != headers::SIGNATURE_1);
        self.set_header(headers::SIGNATURE_256, signature);
    }

    /// Whether the signature fits the body and one of `keys`; `None` when there is none.
    pub fn verify(&self, keys: &[Key]) -> Option<bool> {
        let signature = self.header(headers::SIGNATURE_256)?;
        Some(keys.iter().any(|key| key.verify(signature.as_bytes(), &self.body)))
    }
}
