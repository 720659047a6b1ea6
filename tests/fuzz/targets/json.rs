//! The reader and the writer of json.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::Format;

fuzz_target!(|bytes: &[u8]| {
    pforge_fuzz::stable(Format::Json, bytes);
    // An encrypted file is read by the same readers, with other rules.
    let _ = Format::Json.read_sealed(bytes);
});
