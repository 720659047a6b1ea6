use http::HeaderValue;
use serde_json::Value;

use super::*;
use crate::proxy::envelope::Identity;

fn stored(body: &[u8]) -> Record {
    let mut headers = HeaderMap::new();
    headers.insert("x-github-event", HeaderValue::from_static("push"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.append("x-two", HeaderValue::from_static("a"));
    headers.append("x-two", HeaderValue::from_static("b"));
    // Not to be mistaken for the keys of the event, or sent on.
    headers.insert("body", HeaderValue::from_static("no"));
    headers.insert("timestamp", HeaderValue::from_static("no"));
    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let head = Head::new(&headers, Some("a=1&b=%20x"));
    let Draft { form, head, body } = draft(&head, 12, Bytes::copy_from_slice(body), None).expect("draft");
    Record { id: 9, previous: 0, at: 12, form, head, body }
}

fn data(record: &Record, exact: bool) -> String {
    let message = String::from_utf8(message(record, exact).to_vec()).expect("UTF-8");
    let rest = message.strip_prefix("id: 9\ndata: ").expect("an unnamed message");
    let line = rest.strip_suffix("\n\n").expect("its end");
    assert!(!line.contains(['\n', '\r']), "{line}");
    line.to_owned()
}

#[test]
fn a_message_is_what_smee_sends() {
    let line = data(&stored(b"{\"a\":1}"), false);
    assert_eq!(
        line,
        r#"{"x-github-event":"push","content-type":"application/json","x-two":"a, b","body":{"a":1},"query":{"a":"1","b":" x"},"timestamp":12}"#
    );
}

#[test]
fn json_on_one_line_stands_there_as_it_came() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for body in [
        r#"{"a":1.0,"a":2,"b":1e400,"c":12345678901234567890}"#,
        r#"{"u":"\u00e9\/\u003c\ud800","raw":"é😀\u2028"}"#,
        "{ \"spaced\" :\t1 }",
        "[1,2]",
        "null",
        "\"text\"",
        "{\"line\":\"\u{2028}\u{2029}\u{85}\"}",
        deep.as_str(),
    ] {
        let line = data(&stored(body.as_bytes()), false);
        assert!(line.contains(&format!("\"body\":{body},\"query\"")), "{body}");
    }
}

#[test]
fn whatever_came_is_there_as_base64() {
    for body in [&b"{\"a\":1}\n"[..], b" {}", b"payload=%7B%7D", b"\xff\xfe\x00", b"", b"{\r\n}", b"\xef\xbb\xbf{}"] {
        let line: Value = serde_json::from_str(&data(&stored(body), true)).expect("JSON");
        assert_eq!(STANDARD.decode(line["bodyB"].as_str().expect("text")).expect("base64"), body);
        assert!(line.get("body").is_none());
        // Without asking, it is still one event of valid JSON.
        let line: Value = serde_json::from_str(&data(&stored(body), false)).expect("JSON");
        assert!(line.get("body").is_some() && line.get("bodyB").is_none());
    }
}

#[test]
fn line_ends_of_indented_json_fall_out_and_nothing_else() {
    let line = data(&stored(b"{\r\n  \"a\": \"x\\n y\"\n}\n"), false);
    assert!(line.contains(r#""body":{  "a": "x\n y"},"#), "{line}");
}

#[test]
fn a_sealed_event_shows_its_name_only_and_opens_to_the_line() {
    let (identity, head) = (Identity::generate(), Head::decode(&stored(b"{}").head));
    let body = Bytes::from_static(b"{\"private\":true}\n");
    let Draft { form, head, body } = draft(&head, 12, body, Some(&identity.recipient())).expect("draft");
    let record = Record { id: 9, previous: 0, at: 12, form, head, body };
    let message = String::from_utf8(message(&record, false).to_vec()).expect("UTF-8");
    let line = message.strip_prefix("id: 9\nevent: sealed\ndata: ").expect("a named message");
    let fields: Map<String, Value> = serde_json::from_str(line).expect("JSON");
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["x-github-event", "timestamp", "age"]);
    let sealed = STANDARD.decode(fields["age"].as_str().expect("text")).expect("base64");
    let opened = envelope::open(&identity, &sealed).expect("ours");
    let (head, body) = parse(&opened).expect("a line");
    assert_eq!((head.header("x-two"), &body[..]), ("a, b", &b"{\"private\":true}\n"[..]));
}

#[test]
fn a_line_comes_apart_again() {
    let record = stored(b"{\"a\":1.0, \"a\":2}");
    for exact in [false, true] {
        let (head, body) = parse(data(&record, exact).as_bytes()).expect("a line");
        assert_eq!(body, record.body);
        assert_eq!(head.encode(), record.head);
    }
    for other in [&b"{}"[..], b"[]", b"no", b"{\"bodyB\":\"*\"}"] {
        assert!(parse(other).is_none());
    }
}

#[test]
fn the_gist_takes_what_it_knows() {
    let head = Head::decode(&stored(b"").head);
    let gist = |body: &str| gist(&head, Some(body.as_bytes()));
    let full = gist(r#"{"action":"opened","repository":{"full_name":"alice/mock"}}"#);
    assert_eq!((full.event.as_str(), full.repo.as_str()), ("push.opened", "alice/mock"));
    for odd in ["[]", "{\"action\":1}", "no"] {
        assert_eq!(gist(odd).event, "push");
    }
}
