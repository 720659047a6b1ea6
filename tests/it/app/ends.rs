//! How `new-app` ends when it does not end well.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use pforge::emulator::faults::Fault;

use super::{CONFIG, Desk, mode};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_or_the_port_is_taken() {
    let desk = Desk::new().await;
    let output = desk.env.line("new-app developer local --port 0 --timeout 100ms");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stdout.starts_with("To authorize a new dev app, navigate to http://localhost:"), "{output}");
    assert!(output.stderr.contains("nobody came back from GitHub within 100 ms"), "{output}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let output = desk.env.line(&format!("new-app developer local --port {port}"));
    let told = output.to_string().replace(&format!("--port {}", port + 1), "--port [NEXT]");
    insta::assert_snapshot!("port taken", told.replace(&port.to_string(), "[PORT]"));
    // Stopped before there is an App.
    let (_, stderr, code) = desk.new_app("developer local").stop();
    assert_eq!((code, stderr.contains("no App was created")), (Some(130), true), "{stderr}");
    assert!(!desk.path(CONFIG).exists());
    desk.github.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_github_refuses_ends_it_and_one_that_it_may_take_later_does_not() {
    let desk = Desk::new().await;
    let new_app = desk.new_app("developer local --no-install");
    let page = new_app.url().to_owned();
    let back = desk.create(&page).await;
    let code = back.split_once("code=").expect("a code").1.split('&').next().expect("a code");
    let fault = Fault { path: Some("/app-manifests/*".into()), status: Some(502), count: Some(1), ..Fault::default() };
    desk.github.person.fault(&fault).await.expect("a fault");
    let later = desk.get(&back).await;
    assert_eq!((later.status, later.html.contains("Reload this page")), (502, true), "{}", later.html);
    // Somebody else uses it meanwhile.
    let used = desk.browser.post(format!("{}/app-manifests/{code}/conversions", desk.github.base)).send().await;
    assert_eq!(used.expect("an answer").status().as_u16(), 201);
    let refused = desk.get(&back).await;
    assert_eq!((refused.status, refused.html.contains("The terminal says what to do.")), (502, true));
    assert!(!refused.html.contains(code), "the code is not shown");
    let (_, stderr, ended) = new_app.end();
    assert_eq!(ended, Some(1), "{stderr}");
    for part in ["GitHub refused the code", "older than an hour, or was used already", "delete it there first"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    assert!(!desk.path(CONFIG).exists());
    desk.github.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_cannot_be_written_are_kept_elsewhere() {
    let desk = Desk::new().await;
    let new_app = desk.new_app("developer local");
    let back = desk.create(new_app.url()).await;
    std::fs::create_dir_all(desk.path(CONFIG)).expect("in the way");
    let shown = desk.get(&back).await;
    assert_eq!(shown.status, 500, "{}", shown.html);
    let (_, stderr, code) = new_app.end();
    assert_eq!(code, Some(1), "{stderr}");
    let error: serde_json::Value = serde_json::from_str(stderr.lines().last().expect("a line")).expect("JSON");
    let kept = error["error"]["causes"].to_string();
    let path = kept.split("are kept in ").nth(1).and_then(|rest| rest.split(',').next()).expect("a path");
    let text = std::fs::read_to_string(path).expect("kept");
    assert!(text.starts_with("github_app:\n") && text.contains("BEGIN RSA PRIVATE KEY"), "{kept}");
    assert_eq!(mode(path.as_ref()), 0o600);
    assert!(!stderr.contains("BEGIN RSA"));
    desk.github.stop().await;
}

/// On a terminal, the browser is opened; where that fails, the address is there to be copied.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_open_is_no_trouble() {
    let mut desk = Desk::new().await;
    let tools = desk.path("tools");
    desk.env.set("PATH", &tools.display().to_string()).set("SHELL", "/bin/sh");
    let run = |desk: &Desk, flags: &str| {
        let script = format!(
            "exec /usr/bin/script -qec \"$0 new-app developer local --port 0 --timeout 100ms {flags}\" /dev/null"
        );
        let mut command = desk.env.command_under(&["/bin/sh", "-c", &script], &[]);
        String::from_utf8(command.output().expect("script").stdout).expect("UTF-8")
    };
    let opener = |desk: &Desk, text: &str| {
        let path = desk.env.write("tools/xdg-open", &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
    };
    opener(&desk, &format!("echo \"$1\" >> {}/opened", desk.env.root().display()));
    let told = run(&desk, "");
    assert!(told.contains("navigate to http://localhost:"), "{told}");
    assert!(!desk.path("opened").exists(), "without a screen nothing is opened");
    desk.env.set("DISPLAY", ":0");
    let told = run(&desk, "--no-browser");
    assert!(told.contains("navigate to http://localhost:"), "{told}");
    assert!(!desk.path("opened").exists(), "nor against the person's will");
    let told = run(&desk, "");
    assert!(told.contains("opened in the browser"), "{told}");
    let opened = desk.read("opened");
    assert!(opened.starts_with("http://localhost:") && opened.ends_with("/authorize.html\n"), "{opened}");
    opener(&desk, "exit 3");
    let told = run(&desk, "");
    assert!(told.contains("navigate to http://localhost:") && !told.contains("opened in"), "{told}");
    desk.github.stop().await;
}
