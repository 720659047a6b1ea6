//! The command, as a person and as a script run it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use pforge::github::signature::Key;
use serde_json::{Value, json};

use crate::support::env::{Env, Output};

/// What a receiver that is not pforge got.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }
}

/// A plain HTTP server that answers everything with `answer`; it ends with the test's process.
fn receiver(answer: &'static str) -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let _ = tell.send(read(&stream));
                let _ = (&stream).write_all(
                    format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").as_bytes(),
                );
            });
        }
    });
    (url, told)
}

fn read(mut stream: &TcpStream) -> Request {
    let mut bytes = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut request = Request { head, body: bytes[end + 4..].to_vec() };
        if request.body.len() >= request.header("content-length").parse().unwrap() || count == 0 {
            request.body.shrink_to_fit();
            return request;
        }
    }
}

fn ends(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    for part in parts {
        assert!(output.stderr.contains(part), "lacks {part:?}\n{output}");
    }
}

#[test]
fn a_foreign_receiver_gets_what_github_would_send() {
    let env = Env::new();
    env.write("secret.txt", "of the receiver\n");
    let (url, requests) = receiver("202 Accepted");
    let output = env.pforge(&[
        "trigger",
        "pull_request.opened",
        "--to",
        &url,
        "--webhook-secret-file",
        "secret.txt",
        "--repo",
        "o/r",
        "--header",
        "X-GitHub-Hook-ID: 12",
        "--header",
        "x-extra: yes",
        "--guid",
        "0f9e2a3c-0000-4000-8000-000000000001",
    ]);
    let output = output.success();
    assert!(output.stdout.contains("→ pull_request.opened  0f9e2a3c-0000-4000-8000-000000000001\n← 202  "), "{output}");
    let request = requests.recv().unwrap();
    assert!(Key::new(b"of the receiver").verify(request.header("x-hub-signature-256").as_bytes(), &request.body));
    for (name, value) in [
        ("x-github-event", "pull_request"),
        ("x-github-delivery", "0f9e2a3c-0000-4000-8000-000000000001"),
        ("x-github-hook-id", "12"),
        ("x-github-hook-installation-target-type", "integration"),
        ("content-type", "application/json"),
        ("x-extra", "yes"),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert!(request.header("user-agent").starts_with("GitHub-Hookshot/"));
    let payload: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(payload["repository"]["full_name"], "o/r");

    // Many at once, each with a GUID of its own.
    let output = env
        .line(&format!("trigger push --to {url} --webhook-secret-file secret.txt --repeat 20 --concurrency 4 --json"));
    assert_eq!(output.success().json()["outcomes"], json!({ "202": 20 }));
    let guids: std::collections::BTreeSet<String> =
        (0..20).map(|_| requests.recv().unwrap().header("x-github-delivery").to_owned()).collect();
    assert_eq!(guids.len(), 20);
}

#[test]
fn what_the_target_says_decides_the_exit_code() {
    let env = Env::new();
    env.write("secret.txt", "s");
    let (url, _requests) = receiver("401 Unauthorized");
    let send = |more: &str| env.line(&format!("trigger push --webhook-secret-file secret.txt {more}"));
    ends(&send(&format!("--to {url}")), 1, &["push was answered 401", "another webhook secret"]);
    ends(&send(&format!("--to {url} --repeat 2")), 1, &["2 of 2 were not accepted"]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = format!("--to http://{nobody}/github/hooks/");
    ends(&send(&down), 6, &["no answer from http://", "connection refused", "try: pforge serve"]);
    ends(&send(&format!("{down} --repeat 3")), 6, &["no answer", "try: pforge serve"]);
    ends(&send("--to ftp://x"), 2, &["--to must be the URL of a webhook"]);
    ends(&send(&format!("--to {url} --header nonsense")), 2, &["is not a header"]);
    ends(&env.line("trigger push"), 3, &["there is no webhook secret", "--webhook-secret-file", "--dry-run"]);
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    let env = Env::new();
    let dry = |more: &[&str]| env.pforge(&[&["trigger", "--dry-run"], more].concat());
    let set = |change| dry(&["pull_request.opened", "--set", change]);
    for (output, parts) in [
        (dry(&["pull_requst"]), ["there is no event pull_requst", "did you mean pull_request"]),
        (dry(&["pull_request.opned"]), ["has no action opned", "did you mean opened?"]),
        (dry(&["push.made"]), ["has no action made", "push has no actions at all"]),
        (set("pull_request.nummer=7"), ["there is no nummer in pull_request", "did you mean pull_request.number?"]),
        (set("pull_request.hed.sha=7"), ["there is no hed in pull_request", "did you mean pull_request.head.sha?"]),
        (set("nonsense=7"), ["there is no nonsense in the payload", "the payload has action, "]),
        (set("pull_request.number=x"), ["must be a whole number, not “x”", "--set-json"]),
        (set("pull_request.draft=yes"), ["must be true or false", "--set-json"]),
        (set("pull_request.state=closed"), ["cannot be “closed”", "it may be open"]),
        (set("pull_request.labels=x"), ["must be a list", "as JSON"]),
        (set("pull_request.labels[3].name=x"), ["pull_request.labels has 0 items", "[0]"]),
        (set("pull_request.labels.name=x"), ["is a list", "[0]"]),
        (set("pull_request.title.x=x"), ["pull_request.title is a text", "nothing below"]),
        (set("pull_request"), ["there is no =", "PATH=VALUE"]),
        (set("a..b=1"), ["is not a path", "labels[0].name"]),
        (dry(&["push", "--set-json", "ref={"]), ["is not JSON", "--set ref=VALUE"]),
        (dry(&["push", "--unset", "reff"]), ["there is no reff", "did you mean ref?"]),
        (dry(&["push", "--repo", "x"]), ["\"x\" is no repository", "OWNER/NAME"]),
        (dry(&[]), ["EVENT", "required"]),
    ] {
        ends(&output, 2, &parts);
    }
    let output = dry(&["push", "--set-json", "ref=7", "--unset", "compare", "--json"]).success();
    let made = output.json();
    assert_eq!((&made["payload"]["ref"], &made["payload"]["compare"]), (&json!(7), &Value::Null));
    assert_eq!(made["headers"], Value::Null, "there is no secret");
    assert_eq!(made["payload"], serde_json::from_str::<Value>(made["body"].as_str().unwrap()).unwrap());
}

#[test]
fn everything_is_listed() {
    let env = Env::new();
    let all = env.line("trigger --list --json").success().json();
    assert!(all.as_object().unwrap().len() >= 75);
    assert_eq!(all["push"], json!([]));
    let table = env.line("trigger --list").success();
    assert!(table.stdout.contains("\ninstallation ") && table.stdout.lines().count() > 75, "{table}");
    assert_eq!(env.line("trigger --list check-suite").success().stdout.lines().next(), Some("check_suite.completed"));
    ends(&env.line("trigger --list nothing"), 2, &["there is no event nothing"]);
}

#[test]
fn a_file_can_be_the_beginning() {
    let env = Env::configured();
    let (url, requests) = receiver("200 OK");
    // Bytes that no serialiser writes: unchanged, they arrive as they are.
    let raw = "{ \"action\": \"opened\",\t\"repository\": {\"full_name\": \"a/b\", \"name\": \"b\", \"owner\": {\"login\": \"a\"}, \
               \"url\": \"https://api.github.com/repos/a/b\"}, \"odd\": 1.0e2, \"sender\": {\"login\": \"bob\"} }";
    env.write("payload.json", raw);
    env.line(&format!("trigger issues --from payload.json --to {url}")).success();
    let request = requests.recv().unwrap();
    assert_eq!((request.header("x-github-event"), request.body.as_slice()), ("issues", raw.as_bytes()));
    env.line(&format!("trigger issues.closed --from payload.json --to {url} --repo x/y --sender eve --set odd=7"))
        .success();
    let payload: Value = serde_json::from_slice(&requests.recv().unwrap().body).unwrap();
    assert_eq!(
        payload,
        json!({
            "action": "closed",
            "repository": {"full_name": "x/y", "name": "y", "owner": {"login": "x"}, "url": "https://api.github.com/repos/x/y"},
            "odd": 7,
            "sender": {"login": "eve"},
        })
    );
    env.write("whole.json", &format!("{{\"event\": \"issues\", \"payload\": {raw}}}"));
    let output = env.line("trigger --from whole.json --dry-run --json").success();
    assert_eq!(output.json()["event"], "issues.opened");
    ends(&env.line("trigger --from payload.json --dry-run"), 2, &["does not say which event", "trigger EVENT --from"]);
    ends(&env.line("trigger --from nothing.json --dry-run"), 1, &["cannot read nothing.json"]);
}

#[test]
fn an_editor_changes_the_payload_and_vi_needs_a_terminal() {
    let mut env = Env::new();
    let editor = env.write("edit.sh", "#!/bin/sh\nsed -i 's/\"Add a recipe\"/\"Edited\"/' \"$1\"\n");
    let run = |env: &mut Env, editor: &str| {
        env.set("EDITOR", editor);
        env.line("trigger pull_request.opened --dry-run --edit --json")
    };
    let edited = run(&mut env, &format!("sh {}", editor.display())).success().json();
    assert_eq!(edited["payload"]["pull_request"]["title"], "Edited");
    ends(&run(&mut env, "true"), 1, &["the editor was back at once", "nothing was sent"]);
    ends(&run(&mut env, "sh -c 'echo [ >$0'"), 1, &["the payload is not JSON"]);
    ends(&run(&mut env, "false"), 1, &["the editor false ended", "nothing was sent"]);
    ends(&run(&mut env, "vi"), 1, &["there is no terminal for the editor vi", "--set PATH=VALUE"]);
}
