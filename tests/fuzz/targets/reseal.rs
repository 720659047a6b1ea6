//! An encrypted document is edited into any other: it opens to that one, and the text that is
//! spliced is a whole document.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use pforge_fuzz::secrets::{Format, Identities, MacPolicy, Sealed, seal};

static IDENTITIES: LazyLock<Identities> = LazyLock::new(pforge_fuzz::identities);

/// Between the old document and the new one.
const BETWEEN: &[u8] = b"\n=====\n";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(at) = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN) else { return Corpus::Reject };
    let (old, new) = (&bytes[..at + 1], &bytes[at + BETWEEN.len()..]);
    let format = Format::Yaml;
    let (Ok(old), Ok(new)) = (format.read_plain(old), format.read_plain(new)) else { return Corpus::Reject };
    let now = chrono::DateTime::UNIX_EPOCH;
    let Ok(first) = seal(format, &old, &pforge_fuzz::sealing(), now) else { return Corpus::Reject };
    let sealed = Sealed::read(format, first).expect("what was sealed can be read");
    let opened = sealed.open(&IDENTITIES, MacPolicy::Verify).expect("and opened");
    match sealed.reseal(&opened, &new, now) {
        Ok(Some(second)) => {
            let sealed = Sealed::read(format, second).expect("an edited document can be read");
            let opened = sealed.open(&IDENTITIES, MacPolicy::Verify).expect("and opened");
            assert_eq!(pforge_fuzz::written(format, &opened.tree), pforge_fuzz::written(format, &new));
        }
        Ok(None) => assert_eq!(pforge_fuzz::written(format, &opened.tree), pforge_fuzz::written(format, &new)),
        Err(_) => {}
    }
    Corpus::Keep
});
