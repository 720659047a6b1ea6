//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::consts::{U12, U32};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const OPENING: &str = "ENC[AES256_GCM,data:";

/// The key that all values of a document are encrypted with.
pub(super) struct DataKey(Zeroizing<[u8; 32]>);

/// A decrypted value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    /// `str`, and `time` in its text form.
    Text(String),
    /// `int`.
    Int(i64),
    /// `float`.
    Float(f64),
    /// `bool`.
    Bool(bool),
    /// `comment`: an item of a list that was a comment line.
    Comment,
}

/// Whether `text` has the outer form of an encrypted value.
pub(super) fn looks_encrypted(text: &str) -> bool {
    text.starts_with(OPENING)
}

impl DataKey {
    /// `None` unless `bytes` are 32.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|key| Self(Zeroizing::new(key)))
    }

    /// Decrypts `text` under the additional data `aad`.
    pub(super) fn decrypt(&self, text: &str, aad: &str) -> Result<Plain, &'static str> {
        const FORM: &str = "is not an encrypted value";
        // As the original's greedy pattern reads it: what follows the last bracket is ignored.
        let inner = text.strip_prefix(OPENING).and_then(|rest| rest.rsplit_once(']')).ok_or(FORM)?.0;
        let (inner, kind) = inner.rsplit_once(",type:").ok_or(FORM)?;
        let (inner, tag) = inner.rsplit_once(",tag:").ok_or(FORM)?;
        let (data, iv) = inner.rsplit_once(",iv:").ok_or(FORM)?;
        let decode = |field: &str| STANDARD.decode(field).map_err(|_| "is not valid Base64");
        let (mut data, iv, tag) = (Zeroizing::new(decode(data)?), decode(iv)?, decode(tag)?);
        let opened = match iv.len() {
            32 => self.open::<U32>(&iv, &tag, aad, &mut data),
            12 => self.open::<U12>(&iv, &tag, aad, &mut data),
            _ => return Err("has an IV of unsupported length"),
        };
        opened.ok_or("does not decrypt: it was changed or moved")?;
        let plain = std::str::from_utf8(&data).map_err(|_| "is not UTF-8")?;
        Plain::read(kind, plain)
    }

    fn open<N: ArrayLength<u8>>(&self, iv: &[u8], tag: &[u8], aad: &str, data: &mut [u8]) -> Option<()> {
        if tag.len() != 16 {
            return None;
        }
        let cipher = AesGcm::<Aes256, N>::new(GenericArray::from_slice(self.0.as_slice()));
        let (iv, tag) = (GenericArray::from_slice(iv), GenericArray::from_slice(tag));
        cipher.decrypt_in_place_detached(iv, aad.as_bytes(), data, tag).ok()
    }
}

impl Plain {
    fn read(kind: &str, text: &str) -> Result<Self, &'static str> {
        match kind {
            "str" | "time" => Ok(Self::Text(text.to_owned())),
            "int" => text.parse().map(Self::Int).map_err(|_| "is not an integer"),
            "float" => text.parse().map(Self::Float).map_err(|_| "is not a number"),
            "bool" => match text {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Self::Bool(true)),
                "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Self::Bool(false)),
                _ => Err("is not a boolean"),
            },
            "comment" => Ok(Self::Comment),
            _ => Err("has an unknown type"),
        }
    }
}
