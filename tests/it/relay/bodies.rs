//! Bodies that do not survive being parsed and printed again, among those that do.

use bytes::Bytes;

/// How many kinds there are.
const KINDS: usize = 18;

/// Body number `n`, and whether it is what JavaScript's `JSON.stringify(JSON.parse(body))` gives.
pub fn body(n: usize) -> (Bytes, bool) {
    if n % 200 == 7 {
        let text = "x".repeat(1 << 20);
        return (format!("{{\"n\":{n},\"text\":\"{text}\"}}").into(), true);
    }
    let (text, survives) = match n % KINDS {
        0 => (format!(r#"{{"action":"opened","n":{n},"ok":true,"none":null}}"#), true),
        1 => (format!(r#"{{"title":"naïve café 日本語 😀","n":{n}}}"#), true),
        2 => (format!(r#"{{"title":"caf\u00e9 \u003chtml\u003e","n":{n}}}"#), false),
        3 => (format!(r#"{{"score":1.0,"n":{n}}}"#), false),
        4 => (format!(r#"{{"id":12345678901234567890123,"n":{n}}}"#), false),
        5 => (format!(r#"{{"url":"https:\/\/example.com","n":{n}}}"#), false),
        6 => (format!(r#"{{"a":1,"a":2,"n":{n}}}"#), false),
        7 => (format!("{{\"n\":{n}}}\n"), false),
        8 => (format!("{{\r\n  \"n\": {n},\r\n  \"a\": [ 1, 2 ]\r\n}}"), false),
        9 => (format!(r#"{{"text":"line\none\ttwo \"three\" \\","n":{n}}}"#), true),
        10 => (format!(r#"{{"b":1,"1":2,"n":{n}}}"#), false),
        11 => (format!(r#"{{"large":1e400,"small":-0,"n":{n}}}"#), false),
        12 => (format!(r#"{{"half":"\ud800","n":{n}}}"#), true),
        13 => (format!("{{\"deep\":{}{n}{}}}", "[".repeat(200), "]".repeat(200)), true),
        14 => (format!(r#"{{"__proto__":{{"a":1}},"constructor":2,"n":{n}}}"#), true),
        15 => (format!("payload=%7B%22n%22%3A{n}%7D"), false),
        16 => (format!("{{\"separator\":\"\u{2028}\u{2029}\u{85}\",\"n\":{n}}}"), true),
        _ => (format!(" {{\"n\":{n}}}"), false),
    };
    (text.into(), survives)
}
