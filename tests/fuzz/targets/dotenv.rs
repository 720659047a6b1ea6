//! The reader and the writer of dotenv.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::Format;

fuzz_target!(|bytes: &[u8]| {
    pforge_fuzz::stable(Format::Dotenv, bytes);
    // An encrypted file is read by the same readers, with other rules.
    let _ = Format::Dotenv.read_sealed(bytes);
});
