//! The reader and the writer of yaml.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::Format;

fuzz_target!(|bytes: &[u8]| {
    pforge_fuzz::stable(Format::Yaml, bytes);
    // An encrypted file is read by the same readers, with other rules.
    let _ = Format::Yaml.read_sealed(bytes);
});
