//! What the fuzz targets share: the properties that hold for any input.
//!
//! The two rooms are compiled alone (by links to their files), without the server and its databases: the sanitizers make
//! every crate slow to build.
#![allow(dead_code)]

pub mod secrets;
pub mod util;

use secrets::{Format, Identities, Recipient, Sealing, Style, Tree};

/// A throw-away identity of the test vectors.
pub const IDENTITY: &str = include_str!("../../fixtures/sops/keys/age-A.txt");
/// Its public key.
pub const RECIPIENT: &str = "age199jqq85txcpsrwt62dhscc26eytacuf4jr46a2pkqts2nxur5qesslpru5";

/// Whatever can be read can be written, and what was written reads as what it was.
pub fn stable(format: Format, bytes: &[u8]) {
    let Ok(tree) = format.read_plain(bytes) else { return };
    let Ok(once) = format.write_plain(&tree, Style::default()) else { return };
    let again = format.read_plain(once.expose()).expect("what was written can be read");
    let twice = format.write_plain(&again, Style::default()).expect("what was written once can be written again");
    // A negative zero comes back as an integer, and in ini `;# x` becomes `# x` and then `; x`, as
    // with sops.
    if format != Format::Ini && !contains(once.expose(), b"-0") {
        assert_eq!(text(once.expose()), text(twice.expose()), "it changes when it is read again");
    }
}

/// The identity alone.
pub fn identities() -> Identities {
    let mut identities = Identities::new(Box::new(|_| None));
    identities.add("the key", IDENTITY.as_bytes());
    identities
}

/// For the identity alone.
pub fn sealing() -> Sealing {
    let recipient: Recipient = RECIPIENT.parse().expect("a recipient");
    Sealing { groups: vec![vec![recipient]], ..Sealing::default() }
}

/// As it is printed.
pub fn written(format: Format, tree: &Tree) -> Option<Vec<u8>> {
    format.write_plain(tree, Style::default()).ok().map(|text| text.expose().to_vec())
}

/// Whether `part` is in `bytes`.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
