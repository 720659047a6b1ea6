//! `pforge openapi`.

use crate::support::env::Env;

#[test]
fn the_document_needs_neither_config_nor_database() {
    let document = Env::new().line("openapi").success().json();
    assert!(document["openapi"].as_str().expect("version").starts_with("3."), "{document}");
    for path in ["/github/hooks/", "/feedstocks", "/jobs/{id}/retry"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}
