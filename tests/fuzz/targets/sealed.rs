//! Whole encrypted documents, with the identity that opens the seeds.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::{Format, Identities, MacPolicy, Sealed};

static IDENTITIES: LazyLock<Identities> = LazyLock::new(pforge_fuzz::identities);

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
        let Ok(sealed) = Sealed::read(format, bytes.to_vec()) else { continue };
        let Ok(opened) = sealed.open(&IDENTITIES, MacPolicy::Report) else { continue };
        let _ = pforge_fuzz::written(format, &opened.tree);
        // Nothing changed, so there is nothing to write.
        if opened.mac.is_ok() {
            let same = sealed.reseal(&opened, &opened.tree, chrono::DateTime::UNIX_EPOCH);
            assert!(same.is_err() || same.is_ok_and(|bytes| bytes.is_none()), "an edit that changes nothing");
        }
    }
});
