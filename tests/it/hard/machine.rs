//! The machine has no terminal, no browser, no free port.

use std::net::TcpListener;

use super::stage::{Stage, steady};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_nothing_waits_for_a_person() {
    let stage = Stage::set().await;
    insta::assert_snapshot!("no terminal", stage.shown(&["proxy start https://smee.io/abc", "new-app"]));
    assert_eq!(stage.asked("/app/hook/config").await, 0, "the webhook URL was left alone");
    stage.emulator.stop().await;
}

/// In a terminal of its own (`script` of util-linux), with a screen and nothing that could open a browser on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_browser_the_address_is_told() {
    let stage = Stage::set().await;
    std::fs::remove_dir_all(stage.env.root().join("secrets")).unwrap();
    // The binary comes last, as the shell's $0.
    let line = "exec script -qec \"env DISPLAY=:99 PATH=/nonexistent $0 new-app developer local --port 0 --timeout 1s\" /dev/null";
    let mut command = stage.env.command_under(&["sh", "-c", line], &[]);
    command.env_remove("PANGEO_FORGE_DEPLOYMENT").env("NO_COLOR", "1");
    let output =
        tokio::task::block_in_place(|| stage.env.run(command, &["new-app developer local --port 0 --timeout 1s"]));
    let text = steady(&output.to_string()).replace('\r', "");
    let port = regex::Regex::new(r"localhost:\d+").unwrap();
    insta::assert_snapshot!("no browser", port.replace_all(&text, "localhost:[PORT]"));
    stage.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken() {
    let stage = Stage::set().await;
    std::fs::remove_dir_all(stage.env.root().join("secrets")).unwrap();
    // Whoever else has the port that new-app takes unless told: it is taken.
    let _held = TcpListener::bind("127.0.0.1:3000");
    insta::assert_snapshot!("port 3000 is taken", stage.shown(&["new-app developer local --timeout 30s"]));
    stage.emulator.stop().await;
}
