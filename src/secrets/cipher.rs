//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! AES-256-GCM with a random IV of 32 bytes; the additional data bind a value to its place.

use std::fmt;

use aes::Aes256;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aead::rand_core::RngCore;
use aes_gcm::aead::{AeadInPlace, OsRng};
use aes_gcm::{AesGcm, KeyInit};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::error::Error;
use super::leaf::{Kind, Plain};
use super::text::Text;

const OPENING: &str = "ENC[AES256_GCM,data:";
const IV: usize = 32;
const TAG: usize = 16;

/// Base64 as Go reads it: padded, but the bits that the last digit has too many may be anything.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The key that all values of a document are encrypted with.
#[derive(Clone)]
pub(super) struct DataKey {
    bytes: Zeroizing<[u8; 32]>,
    /// The expanded key; it zeroises itself.
    cipher: Box<AesGcm<Aes256, U32>>,
}

/// Whether `text` has the outer form of an encrypted value.
pub(super) fn looks_encrypted(text: &str) -> bool {
    fields(text).is_some()
}

impl DataKey {
    /// `None` unless `bytes` are 32.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes).ok()?);
        let cipher = Box::new(AesGcm::new(GenericArray::from_slice(bytes.as_slice())));
        Some(Self { bytes, cipher })
    }

    /// A new one from the generator of the operating system.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        random(bytes.as_mut_slice())?;
        let cipher = Box::new(AesGcm::new(GenericArray::from_slice(bytes.as_slice())));
        Ok(Self { bytes, cipher })
    }

    /// The key itself, to be wrapped.
    pub(super) fn expose(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Decrypts `text` under the additional data `aad`.
    pub(super) fn decrypt(&self, text: &str, aad: &str) -> Result<Plain, &'static str> {
        let fields = fields(text).ok_or("is not an encrypted value")?;
        let decode = |field: &str| {
            // Go skips line breaks; a line feed cannot be here.
            let decoded =
                if field.contains('\r') { BASE64.decode(field.replace('\r', "")) } else { BASE64.decode(field) };
            decoded.map_err(|_| "is not valid Base64")
        };
        let iv = decode(fields.iv)?;
        // SOPS puts data and tag together before it looks at their lengths.
        let mut data = decode(fields.data)?;
        data.extend(decode(fields.tag)?);
        let length = data.len().checked_sub(TAG).ok_or("does not decrypt: it was changed or moved")?;
        let tag = data.split_off(length);
        let mut data = Zeroizing::new(data);
        let opened = match iv.len() {
            IV => open(&*self.cipher, &iv, &tag, aad, &mut data),
            12 => open(&self.other::<U12>(), &iv, &tag, aad, &mut data),
            16 => open(&self.other::<U16>(), &iv, &tag, aad, &mut data),
            _ => return Err("has an IV of unsupported length"),
        };
        opened.ok_or("does not decrypt: it was changed or moved")?;
        Plain::read(fields.kind, Text::from(std::mem::take(&mut *data)))
    }

    /// Encrypts `plain` for the place `aad` with a fresh IV.
    pub(super) fn encrypt(&self, plain: &[u8], kind: Kind, aad: &str, ivs: &mut Ivs) -> Result<String, Error> {
        self.encrypt_with(plain, kind, aad, ivs.next()?)
    }

    /// Encrypts `plain` with a given IV, which must never have been used with this key for
    /// another text.
    pub(super) fn encrypt_with(&self, plain: &[u8], kind: Kind, aad: &str, iv: [u8; IV]) -> Result<String, Error> {
        let mut data = plain.to_vec();
        let tag = self
            .cipher
            .encrypt_in_place_detached(GenericArray::from_slice(&iv), aad.as_bytes(), &mut data)
            .map_err(|_| Error::Refused {
                place: String::new(),
                what: "holds a value that is too long to be encrypted".into(),
            })?;
        // 4 Base64 digits for 3 bytes, and the names of the fields.
        let mut text = String::with_capacity(OPENING.len() + (data.len() + IV + TAG) * 4 / 3 + 40);
        text.push_str(OPENING);
        BASE64.encode_string(&data, &mut text);
        text.push_str(",iv:");
        BASE64.encode_string(iv, &mut text);
        text.push_str(",tag:");
        BASE64.encode_string(tag, &mut text);
        text.push_str(",type:");
        text.push_str(kind.name());
        text.push(']');
        Ok(text)
    }

    fn other<N: ArrayLength<u8>>(&self) -> AesGcm<Aes256, N> {
        AesGcm::new(GenericArray::from_slice(self.bytes.as_slice()))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

fn open<N: ArrayLength<u8>>(
    cipher: &AesGcm<Aes256, N>,
    iv: &[u8],
    tag: &[u8],
    aad: &str,
    data: &mut [u8],
) -> Option<()> {
    cipher
        .decrypt_in_place_detached(GenericArray::from_slice(iv), aad.as_bytes(), data, GenericArray::from_slice(tag))
        .ok()
}

/// A supply of random IVs, fetched many at a time.
pub(super) struct Ivs {
    bytes: Vec<u8>,
    used: usize,
}

impl Ivs {
    const BATCH: usize = 64 * IV;

    /// Nothing is fetched before the first is needed.
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), used: 0 }
    }

    fn next(&mut self) -> Result<[u8; IV], Error> {
        if self.used == self.bytes.len() {
            self.bytes.resize(Self::BATCH, 0);
            self.used = 0;
            random(&mut self.bytes)?;
        }
        let mut iv = [0; IV];
        iv.copy_from_slice(&self.bytes[self.used..self.used + IV]);
        self.used += IV;
        Ok(iv)
    }
}

/// Fills `bytes` from the generator of the operating system. The one of aws-lc first measures
/// the jitter of the processor, which takes longer than encrypting a usual document.
///
/// # Errors
/// When the system has no random bytes.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    OsRng.try_fill_bytes(bytes).map_err(|_| Error::Refused {
        place: String::new(),
        what: "cannot be encrypted: the system has no random numbers".into(),
    })
}

struct Fields<'a> {
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    kind: &'a str,
}

/// The fields as SOPS' greedy pattern finds them: each separator is the last one, what follows
/// the last bracket of the first line is ignored, and no field is empty.
fn fields(text: &str) -> Option<Fields<'_>> {
    let line = text.split('\n').next()?.strip_prefix(OPENING)?;
    let (rest, _) = line.rsplit_once(']')?;
    let (rest, kind) = rest.rsplit_once(",type:")?;
    let (rest, tag) = rest.rsplit_once(",tag:")?;
    let (data, iv) = rest.rsplit_once(",iv:")?;
    let full = ![data, iv, tag, kind].iter().any(|field| field.is_empty());
    full.then_some(Fields { data, iv, tag, kind })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::{BASE64, DataKey, Ivs, fields, looks_encrypted};
    use crate::secrets::leaf::{Kind, Plain};
    use crate::secrets::tree::Scalar;

    fn text(text: &str) -> Result<Plain, &'static str> {
        Ok(Plain::Scalar(Scalar::Text(text.into())))
    }

    #[test]
    fn the_form_is_read_as_leniently_as_by_sops() {
        let key = DataKey::random().unwrap();
        let sealed = key.encrypt(b"hello", Kind::Str, "a:", &mut Ivs::new()).unwrap();
        let with = |from: &str, to: &str| sealed.replace(from, to);
        for (changed, expected) in [
            (sealed.clone(), text("hello")),
            (format!("{sealed}junk"), text("hello")),
            (format!("{sealed}\nmore]"), text("hello")),
            (format!(" {sealed}"), Err("is not an encrypted value")),
            (with("data:", "data:\n"), Err("is not an encrypted value")),
            (with("AES256_GCM", "AES128_GCM"), Err("is not an encrypted value")),
            (with(",type:str", ""), Err("is not an encrypted value")),
            (with("type:str", "type:"), Err("is not an encrypted value")),
            (with("type:str", "type:bytes"), Err("has the type bytes, which sops never writes")),
            (with("iv:", "iv:\r"), text("hello")),
            (with("type:str", "type:int"), Err("is not an integer")),
            (with("=,iv", ",iv"), Err("is not valid Base64")),
            (with("iv:", "iv:AAAA"), Err("has an IV of unsupported length")),
            (with("]", ",tag:AAAA]"), Err("has an unknown type")),
        ] {
            assert_eq!(key.decrypt(&changed, "a:"), expected, "{changed}");
        }
        assert!(key.decrypt(&sealed, "b:").is_err());
        assert!(DataKey::random().unwrap().decrypt(&sealed, "a:").is_err());
    }

    #[test]
    fn the_border_between_data_and_tag_does_not_matter() {
        let key = DataKey::random().unwrap();
        let sealed = key.encrypt(b"abc", Kind::Str, "a:", &mut Ivs::new()).unwrap();
        let parts = fields(&sealed).unwrap();
        let all = [BASE64.decode(parts.data).unwrap(), BASE64.decode(parts.tag).unwrap()].concat();
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        let moved =
            format!("ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]", encode(&all[..7]), parts.iv, encode(&all[7..]));
        assert_eq!(key.decrypt(&moved, "a:"), text("abc"));
    }

    #[test]
    fn ivs_are_never_used_twice() {
        let mut ivs = Ivs::new();
        let all: std::collections::HashSet<_> = (0..1000).map(|_| ivs.next().unwrap()).collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn what_only_looks_encrypted_does_not_look_encrypted() {
        for text in ["ENC[", "ENC[AES256_GCM,data:,iv:,tag:,type:]", "ENC[AES256_GCM,data:x]", ""] {
            assert!(!looks_encrypted(text), "{text}");
        }
        assert!(looks_encrypted("ENC[AES256_GCM,data:x,iv:x,tag:x,type:x]"));
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_decrypted(bytes in prop::collection::vec(any::<u8>(), 1..200), aad in ".{0,20}") {
            let key = DataKey::random().unwrap();
            let sealed = key.encrypt(&bytes, Kind::Str, &aad, &mut Ivs::new()).unwrap();
            prop_assert_eq!(key.decrypt(&sealed, &aad), Ok(Plain::Scalar(Scalar::Text(bytes.into()))));
        }

        #[test]
        fn nothing_makes_the_parser_fail(text in "(ENC\\[AES256_GCM,data:)?[A-Za-z0-9+/=,:\\]ivtagype\n]{0,80}") {
            let _ = DataKey::random().unwrap().decrypt(&text, "a:");
        }
    }
}
