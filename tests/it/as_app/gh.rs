//! The flags mean what they mean to the real `gh api`: both are given the same words, and what
//! arrives is compared.

use std::process::{Command, Stdio};

use super::echo::{Asked, Echo, Told};
use crate::support::env::Env;

const TWO: &str = "body of\nthe file";

/// An environment whose GitHub is `echo`, for pforge and for gh.
fn env(echo: &Echo) -> Env {
    let mut env = Env::configured();
    env.set("GITHUB_API_URL", &echo.url).set("GH_REPO", "alice/mock");
    env.write("text.txt", TWO);
    env.write("body.json", "{\"raw\": [1,  2]}\n");
    env
}

/// What the real `gh api` sends for `args`, and what it prints.
fn gh(env: &Env, echo: &Echo, args: &[&str]) -> (Vec<Asked>, String, Option<i32>) {
    let mut command = Command::new("gh");
    command.arg("api").args(args).current_dir(env.root()).stdin(Stdio::null());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", env.root());
    // The only way to plain HTTP: the host resolves nowhere, so that the proxy is asked.
    command.env("GH_HOST", "github.localhost").env("GH_TOKEN", "x").env("HTTP_PROXY", &echo.url);
    command.env("GH_REPO", "github.localhost/alice/mock");
    let output = command.output().expect("gh is needed: apt-get install gh");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() != Some(2), "gh {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    (echo.asked(), text, output.status.code())
}

/// What pforge sends for `args`, and what it prints.
fn ours(env: &Env, echo: &Echo, args: &[&str]) -> (Vec<Asked>, String, Option<i32>) {
    let mut line = vec!["gh-as-app", "--as", "jwt"];
    line.extend(args);
    let output = env.pforge(&line);
    (echo.asked(), output.stdout.clone(), output.code)
}

/// The method, path, query and body of each request: what the flags decide.
fn essence(asked: &[Asked]) -> Vec<String> {
    let one = |asked: &Asked| {
        let body = asked.json().map_or_else(
            || String::from_utf8_lossy(&asked.body).into_owned(),
            |mut json| {
                json.sort_all_objects();
                json.to_string()
            },
        );
        let chosen: Vec<_> = ["x-test", "x-two", "accept"].iter().filter_map(|name| asked.header(name)).collect();
        let chosen = chosen.iter().filter(|value| !matches!(**value, "" | "*/*" | "application/vnd.github+json"));
        format!(
            "{} {} {:?} {body} {:?}",
            asked.method.to_uppercase(),
            asked.path,
            asked.query,
            chosen.collect::<Vec<_>>()
        )
    };
    asked.iter().map(one).collect()
}

#[test]
fn the_flags_mean_what_they_mean_to_gh() {
    let echo = Echo::start();
    let env = env(&echo);
    let table: [&[&str]; 31] = [
        &["/user"],
        &["user"],
        &["/search?q=a+b&x=%2F"],
        &["-X", "put", "/x"],
        &["--method", "DELETE", "x"],
        &["/x", "-f", "a=1"],
        &["/x", "-F", "a=1"],
        &["/x", "-F", "a=true", "-F", "b=false", "-F", "c=null", "-F", "d=-7", "-F", "e=1.5", "-F", "f=007"],
        &["/x", "-f", "a=true", "-f", "b=null", "-f", "c=@text.txt", "-f", "d={owner}"],
        &["/x", "-F", "a=@text.txt"],
        &["/x", "-F", "a={owner}/{repo}", "-F", "b={other} :owner"],
        &["/repos/{owner}/{repo}/pulls"],
        &["/repos/:owner/:repo/pulls"],
        &["/x", "-f", "a[b]=1", "-f", "a[c][d]=2"],
        &["/x", "-f", "a[]=1", "-f", "a[]=2"],
        &["/x", "-F", "a[]=1", "-f", "a[]=x"],
        &["/x", "-f", "a[]"],
        &["/x", "-f", "a[b][]=1", "-f", "a[b][]=2"],
        &["/x", "-f", "l[][name]=a", "-f", "l[][color]=red", "-f", "l[][name]=b", "-f", "l[][color]=blue"],
        &["/x", "-f", "a=b=c", "-f", "e="],
        &["/x", "-f", "a=<é&>\"\\"],
        &["-X", "GET", "/x", "-f", "state=all", "-F", "n=3", "-F", "y=true", "-F", "z=null"],
        &["-X", "GET", "/x?p=1", "-f", "q=a b+c/&d"],
        &["/x", "--input", "body.json"],
        &["-X", "PATCH", "/x?z=1", "--input", "body.json", "-f", "a=1", "-F", "b=true"],
        &["/x", "-H", "X-Test: one", "-H", "X-Two:two "],
        &["/x", "-H", "Accept: application/vnd.github.raw"],
        &["/x", "-p", "corsair"],
        &["/x", "--paginate"],
        &["/x?per_page=5", "--paginate"],
        &["graphql", "-f", "query=query($a: String!) { x }", "-f", "a=b", "-F", "n=1", "-f", "operationName=o"],
    ];
    let mut different = Vec::new();
    for args in table {
        let (theirs, _, _) = gh(&env, &echo, args);
        let (ours, _, _) = ours(&env, &echo, args);
        assert!(!theirs.is_empty(), "gh api {args:?} sent nothing");
        if essence(&theirs) != essence(&ours) {
            different.push(format!("{args:?}\n  gh    {:#?}\n  ours  {:#?}", essence(&theirs), essence(&ours)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Answers with what the shell's tests of `--jq` need.
fn sample(asked: &Asked) -> Option<Told> {
    let link =
        |page: u8| format!("<http://{}/many?page={page}>; rel=\"next\"", asked.header("host").unwrap_or_default());
    Some(match (asked.path.as_str(), asked.query.iter().find(|(name, _)| name == "page")) {
        ("/one", _) => Told::json("{\"name\":\"a\\nb\",  \"n\":1.50,\"t\":true,\"z\":null,\"o\":{\"k\":[1,\"x\"]}}\n"),
        ("/many", None) => Told::json(r#"[{"id":1},{"id":2}]"#).header("Link", &link(2)),
        ("/many", Some(_)) => Told::json(r#"[{"id":3}]"#),
        ("/bytes", _) => Told {
            status: "200 OK",
            headers: vec![("Content-Type".into(), "application/octet-stream".into())],
            body: vec![0, 159, 146, 150, b'\n', b'x'],
        },
        ("/nothing", _) => Told { status: "204 No Content", headers: Vec::new(), body: Vec::new() },
        ("/gone", _) => Told { status: "404 Not Found", ..Told::json(r#"{"message":"Not Found"}"#) },
        _ => return None,
    })
}

#[test]
fn what_is_printed_is_what_gh_prints() {
    let echo = Echo::answering(sample);
    let env = env(&echo);
    let table: [&[&str]; 12] = [
        &["/one"],
        &["/one", "--jq", ".name"],
        &["/one", "--jq", ".n, .t, .z, .o, .missing"],
        &["/one", "--jq", ".o.k[]"],
        &["/one", "--jq", "[.name, .t] | @tsv"],
        &["/one", "--jq", "keys | join(\",\")"],
        &["/one", "--silent"],
        &["/nothing"],
        &["/gone"],
        &["/gone", "--silent"],
        &["/gone", "--jq", ".x"],
        &["/many?page=2"],
    ];
    for args in table {
        let (_, theirs, code) = gh(&env, &echo, args);
        let (_, ours, our_code) = ours(&env, &echo, args);
        // jq's own rule for numbers with a fraction: gh rounds them to six digits.
        assert_eq!(theirs.replace("1.500000", "1.50"), ours, "{args:?}");
        assert_eq!(code == Some(0), our_code == Some(0), "{args:?}");
    }
}

#[test]
fn bytes_stay_bytes() {
    let echo = Echo::answering(sample);
    let env = env(&echo);
    for args in [&["/bytes"][..], &["/bytes", "--jq", ".x"]] {
        let mut line = vec!["gh-as-app", "--as", "jwt"];
        line.extend(args);
        let output = env.command(&line).output().unwrap();
        assert_eq!(output.stdout, [0, 159, 146, 150, b'\n', b'x'], "{args:?}");
    }
}

#[test]
fn pages_are_merged_and_can_be_had_otherwise() {
    let echo = Echo::answering(|asked| match asked.path.as_str() {
        "/counted" => {
            let second = asked.query.iter().any(|(name, value)| (name.as_str(), value.as_str()) == ("page", "2"));
            let link = format!("<http://{}/counted?page=2&per_page=2>; rel=\"next\"", asked.header("host").unwrap());
            Some(match second {
                false => Told::json(r#"{"total_count":3,"runs":[{"id":1},{"id":2}]}"#).header("Link", &link),
                true => Told::json(r#"{"total_count":3,"runs":[{"id":3}]}"#),
            })
        }
        "/circle" => {
            let link = format!("<http://{}/circle?page=2>; rel=\"next\"", asked.header("host").unwrap());
            Some(Told::json("[1]").header("Link", &link))
        }
        _ => sample(asked),
    });
    let env = env(&echo);
    let table: [(&[&str], &str); 12] = [
        (&["/many"], r#"[{"id":1},{"id":2},{"id":3}]"#),
        (&["/many", "--paginate"], r#"[{"id":1},{"id":2},{"id":3}]"#),
        (&["/many", "--no-paginate"], r#"[{"id":1},{"id":2}]"#),
        (&["/many?page=2"], r#"[{"id":3}]"#),
        (&["/many", "--page-limit", "1"], r#"[{"id":1},{"id":2}]"#),
        (&["/many", "--page-limit", "2"], r#"[{"id":1},{"id":2},{"id":3}]"#),
        (&["/many", "--slurp"], r#"[[{"id":1},{"id":2}],[{"id":3}]]"#),
        (&["/many", "--pages"], r#"[{"id":1},{"id":2}][{"id":3}]"#),
        (&["/many", "--jq", "length"], "3\n"),
        (&["/many", "--slurp", "--jq", "map(length)"], "[2,1]\n"),
        (&["/many", "--pages", "--jq", "length"], "2\n1\n"),
        (&["/counted", "--jq", "[.total_count, (.runs | map(.id))]"], "[3,[1,2,3]]\n"),
    ];
    for (args, expected) in table {
        let (_, text, code) = ours(&env, &echo, args);
        assert_eq!((text.as_str(), code), (expected, Some(0)), "{args:?}");
    }
    let cut = env.line("gh-as-app --as jwt /many --page-limit 1");
    assert!(cut.stderr.contains("there are more pages"), "{cut}");
    let circle = env.line("gh-as-app --as jwt /circle");
    assert_eq!(circle.code, Some(1), "{circle}");
    assert!(circle.stderr.contains("in a circle"), "{circle}");
}

#[test]
fn headers_of_an_answer_are_printed_first() {
    let echo = Echo::answering(|_| Some(Told::json("[]").header("X-B", "2").header("X-A", "1")));
    let output = env(&echo).line("gh-as-app --as jwt -i /x");
    let expected = "HTTP/1.1 200 OK\nContent-Length: 2\r\nContent-Type: application/json; charset=utf-8\r\nX-A: 1\r\nX-B: 2\r\n\r\n[]";
    assert_eq!(output.stdout, expected, "{output}");
    let silent = env(&echo).line("gh-as-app --as jwt -i --silent /x");
    assert_eq!(silent.stdout, expected.trim_end_matches("[]"), "{silent}");
}

#[test]
fn graphql_is_paged_and_its_errors_are_errors() {
    let echo = Echo::answering(|asked| {
        let body = asked.json()?;
        if body["query"].as_str()?.contains("broken") {
            let told = r#"{"data":null,"errors":[{"type":"NOT_FOUND","path":["node"],"message":"Could not resolve"}]}"#;
            return Some(Told::json(told));
        }
        let page = |nodes: &str, more: bool, cursor: &str| {
            Told::json(&format!(
                r#"{{"data":{{"viewer":{{"login":"bot","repos":{{"nodes":{nodes},"pageInfo":{{"hasNextPage":{more},"endCursor":"{cursor}"}}}}}}}}}}"#
            ))
        };
        Some(match body["variables"]["endCursor"].as_str() {
            None => page("[1,2]", true, "c1"),
            Some("c1") => page("[3]", false, "c2"),
            Some(other) => panic!("cursor {other}"),
        })
    });
    let env = env(&echo);
    let query = "query=query($endCursor: String) { viewer { login } }";
    let (asked, text, code) =
        ours(&env, &echo, &["graphql", "--paginate", "-f", query, "--jq", ".data.viewer.repos.nodes"]);
    assert_eq!((text.as_str(), code), ("[1,2,3]\n", Some(0)));
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| (asked.method.as_str(), asked.path.as_str()) == ("POST", "/graphql")));
    let (asked, _, _) = ours(&env, &echo, &["graphql", "-f", query]);
    assert_eq!(asked.len(), 1, "only --paginate follows");
    let unpageable = env.pforge(&["gh-as-app", "graphql", "--paginate", "-f", "query={ viewer { login } }"]);
    assert_eq!(unpageable.code, Some(2), "{unpageable}");
    let broken = env.pforge(&["gh-as-app", "--as", "jwt", "graphql", "-f", "query={ broken }"]);
    assert_eq!(broken.code, Some(5), "{broken}");
    assert!(broken.stdout.starts_with(r#"{"data":null"#), "{broken}");
    assert!(broken.stderr.contains("error: Could not resolve (node)"), "{broken}");
}

#[test]
fn answers_are_kept_privately_and_for_a_while() {
    let echo =
        Echo::answering(|asked| (asked.path != "/x").then(|| Told { status: "404 Not Found", ..Told::json("{}") }));
    let env = env(&echo);
    let count = |line: &str| {
        env.line(line);
        echo.asked().len()
    };
    assert_eq!(count("gh-as-app --as jwt --cache 1h /x"), 1);
    assert_eq!(count("gh-as-app --as jwt --cache 1h /x"), 0, "kept");
    assert_eq!(count("gh-as-app --as jwt --cache 0s /x"), 1, "too old");
    assert_eq!(count("gh-as-app --as jwt /x"), 1, "not asked for");
    assert_eq!(count("gh-as-app --as anonymous --cache 1h /x"), 1, "of another");
    assert_eq!(count("gh-as-app --as jwt --cache 1h /x?a=1"), 1, "to another question");
    assert_eq!(count("gh-as-app --as jwt --cache 1h -H Accept:x/y /x"), 1, "in another form");
    for _ in 0..2 {
        assert_eq!(count("gh-as-app --as jwt --cache 1h POST /x"), 1, "a write is never kept");
        assert_eq!(count("gh-as-app --as jwt --cache 1h /y"), 1, "nor is a refusal");
    }
    let kept = env.root().join("../home/.cache/pforge/answers");
    let files: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        assert!(!std::fs::read_to_string(&file).unwrap().contains("eyJ"), "no JWT is kept");
    }
}

#[test]
fn standard_input_is_a_body_or_a_field() {
    let echo = Echo::start();
    let env = env(&echo);
    for (args, expected) in
        [(&["/x", "--input", "-"][..], "line one\n"), (&["/x", "-F", "a=@-"], r#"{"a":"line one\n"}"#)]
    {
        let mut line = vec!["gh-as-app", "--as", "jwt"];
        line.extend(args);
        let mut command = env.command(&line);
        command.stdin(std::fs::File::open(env.write("in", "line one\n")).unwrap());
        env.run(command, &line).success();
        let asked = echo.asked();
        assert_eq!(String::from_utf8_lossy(&asked[0].body), expected, "{args:?}");
    }
    let twice = env.pforge(&["gh-as-app", "/x", "--input", "-", "-F", "a=@-"]);
    assert_eq!(twice.code, Some(2), "{twice}");
    assert!(echo.asked().is_empty());
}

#[test]
fn nothing_is_sent_anywhere_else() {
    let (echo, other) = (Echo::start(), Echo::start());
    let env = env(&echo);
    let output = env.pforge(&["gh-as-app", "--as", "jwt", &format!("{}/app", other.url)]);
    assert_eq!(output.code, Some(2), "{output}");
    env.pforge(&["gh-as-app", &format!("{}/app", echo.url)]).success();
    assert_eq!(other.asked(), []);
    let asked = echo.asked();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, "/app"));
    assert!(asked[0].header("authorization").unwrap().starts_with("Bearer eyJ"));
    // Who brings their own credentials sends those and no others.
    env.pforge(&["gh-as-app", "/app", "-H", "Authorization: token mine"]).success();
    let asked = echo.asked();
    assert_eq!(asked[0].headers.iter().filter(|(name, _)| name == "authorization").count(), 1);
    assert_eq!(asked[0].header("authorization"), Some("token mine"));
}
