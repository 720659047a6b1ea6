//! Paths: reading them, and going where they lead.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::tree::Node;
use pforge_fuzz::secrets::{Format, Selector};

const PLAIN: &[u8] = b"a:\n  b: [1, {c: x}]\n  '': y\n\"a.b\": [[]]\n0: z\n";

fuzz_target!(|text: &str| {
    let Ok(selector) = text.parse::<Selector>() else { return };
    // The key 0 is refused: without it.
    let plain = &PLAIN[..PLAIN.len() - 5];
    let mut tree = Format::Yaml.read_plain(plain).expect("a document");
    let _ = selector.get(&tree);
    if selector.set(&mut tree, Node::text("new")).is_ok() {
        let found = selector.get(&tree).expect("what was set is there");
        assert_eq!(found.as_str(), Some("new"));
        selector.unset(&mut tree).expect("what is there can be taken away");
    }
});
