//! `pforge emulate`.

use crate::support::env::Env;

#[test]
fn it_says_where_and_ends_on_request() {
    let env = Env::new();
    let emulator = env.start(&["emulate", "--listen", "127.0.0.1:0"]);
    assert_eq!(emulator.ready["type"], "ready");
    let answer = std::net::TcpStream::connect(emulator.url().trim_start_matches("http://"));
    assert!(answer.is_ok());
    let (_, stderr, code) = emulator.stop();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_seed_that_cannot_be_used_is_refused() {
    let env = Env::new();
    insta::assert_snapshot!("missing seed", env.line("emulate --listen 127.0.0.1:0 --seed world.yaml"));
    env.write("world.yaml", "people: []\n");
    insta::assert_snapshot!("bad seed", env.line("emulate --listen 127.0.0.1:0 --seed world.yaml"));
}
