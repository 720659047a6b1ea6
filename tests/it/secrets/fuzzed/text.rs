//! Generated pieces of text: keys, scalars and comments that have gone wrong somewhere before.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};
use proptest::sample::select;

/// Words that YAML readers take for something else than text, or that look as if they might be.
const CONFUSING: &[&str] = &[
    "yes",
    "No",
    "ON",
    "off",
    "y",
    "N",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "true",
    "True",
    "TRUE",
    "tRue",
    "false",
    ".inf",
    "-.INF",
    "+.inf",
    ".Inf",
    ".nan",
    ".NaN",
    ".NAN",
    "-.nan",
    "nan",
    "inf",
    "1_000",
    "0x1F",
    "0X1f",
    "-0x1F",
    "0755",
    "0o7",
    "0O7",
    "0b101",
    "-0b11",
    "08",
    "0888",
    "00",
    "1e3",
    "1E3",
    "1.e3",
    "1.50",
    "-0",
    "-0.0",
    "+5",
    "+0",
    "1e400",
    "-1e400",
    "1e-400",
    "12e03",
    "1_0.5_0",
    "_1",
    "1_",
    "1__0",
    "0x_1",
    "0x",
    "0b",
    "0o",
    "0b2",
    "0o8",
    ".5",
    "5.",
    ".",
    "..",
    "-",
    "--",
    "+",
    ".e1",
    "1e",
    "1e+",
    "0.1",
    "100000.0",
    "1000000.0",
    "123456.5",
    "1234567.0",
    "0.0001",
    "0.00001",
    "1e21",
    "1e20",
    "123456789.123",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "184467440737095516150",
    "1.7976931348623157e308",
    "5e-324",
    "2024-02-29",
    "2023-02-29",
    "2024-2-9",
    "2024-02-29T10:11:12Z",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10",
    "2024-02-29 10:11:12",
    "2024-02-29T10:11:12+05:30",
    "2024-02-29T25:11:12Z",
    "2024-02-29T1:1:1Z",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    "2024-02-29T10:11:12.123456789Z",
    "2024-02-29T10:11:12",
    "2024-02-29 10:11:12 +1",
    "12:30:45",
    "190:20:30",
    "1:60",
    "190:20:30.15",
    "-1:30",
    "1:2:3:4",
    "<<",
    "=",
    "0x1p4",
    "1,000",
    "0.",
    "1.2.3",
    "1e1e1",
    "0xg",
    "1 2",
    "0_7",
];

/// Beginnings, inner parts and ends that decide on quotes.
const ODD: &[&str] = &[
    "a: b",
    "a:b",
    "a:",
    ":a",
    ": a",
    "a #b",
    "a#b",
    "#a",
    " a",
    "a ",
    "- a",
    "-a",
    "--- a",
    "---",
    "...",
    "... a",
    "?",
    "? a",
    "?a",
    ":",
    "*a",
    "&a",
    "!a",
    "!",
    "%a",
    "@a",
    "`a",
    "'a'",
    "\"a\"",
    "it's",
    "a\"b",
    "[a",
    "]a",
    "{a",
    "}a",
    "a]",
    ",a",
    "a,b",
    "a, b",
    "|",
    ">",
    "|a",
    ">-",
    "a\\b",
    "\\",
    "${HOME}",
    "{{ x }}",
    "a\tb",
    "\ta",
    "a\t",
    "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]",
    "ENC[",
    "sops",
    "http://x/?a=b#frag",
    "a;b",
    "=a",
    "a=b",
    "é",
    "日本",
    "a\u{a0}b",
    "\u{a0}",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{2029}",
    "\u{feff}a",
    "a\u{feff}",
    "\u{1f600}",
    "ok \u{1f600}",
    "a\u{7f}",
    "a\u{1}b",
    "\u{0}",
    "\u{1b}[0m",
    "\u{fffd}",
    "\u{fffe}",
    "\u{e000}",
    "e\u{301}",
    "\u{10ffff}",
    "a\rb",
    "a\r\nb",
    "\r",
    "a\u{b}b",
    "\u{200b}",
    "",
    " ",
    "  ",
    "\u{d7ff}",
];

/// Lines of longer texts.
const LINES: &[&str] = &[
    "plain",
    "",
    "",
    "  indented",
    "trailing ",
    "trailing\t",
    "\tindented by tab",
    "a: b",
    "- a",
    "# not a comment",
    "---",
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEowIBAAKCAQEA0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEPsdM7E5Qx7v4",
    "a\u{1f600}",
    "é",
    "\u{a0}",
    "...",
    "\"",
    "'",
    "back\\slash",
    "a\u{2028}b",
    "a\u{85}b",
    "\u{7f}",
    " ",
    "%a",
    "end",
];

/// A word that no format takes for anything else.
pub fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,8}"
}

/// Any text, the nasty more often than the nice.
pub fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-zA-Z0-9/+_.-]{1,24}",
        3 => select(CONFUSING).prop_map(str::to_owned),
        3 => select(ODD).prop_map(str::to_owned),
        2 => vec(select(ODD), 2..4).prop_map(|parts| parts.concat()),
        2 => vec(select(LINES), 1..6).prop_map(|lines| lines.join("\n")),
        1 => vec(select(LINES), 1..6).prop_map(|lines| lines.join("\n") + "\n"),
        1 => vec(any::<char>(), 0..12).prop_map(String::from_iter),
        1 => (select(ODD), 10_usize..60).prop_map(|(part, times)| part.repeat(times)),
    ]
    .boxed()
}

/// A line of a block scalar of YAML, which cannot hold every character.
pub fn block_line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9 ]{1,20}",
        3 => select(LINES).prop_map(str::to_owned),
        1 => select(ODD).prop_map(str::to_owned),
        1 => select(CONFUSING).prop_map(str::to_owned),
    ]
    .prop_filter("printable", |line| printable(line))
}

/// The text after the `#` of a comment.
pub fn comment() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z ]{1,12}".prop_map(|text| format!(" {}", text.trim())),
        2 => select(vec!["", " ", "#", "# x", "  padded  ", " sops:enc", " sops:noenc", " a: b", "!", " ünï", "\tt"])
            .prop_map(str::to_owned),
        1 => select(ODD).prop_map(|text| format!(" {text}")),
    ]
    .prop_filter("one printable line", |text| printable(text))
}

/// A key as it is written in YAML.
pub fn yaml_key() -> BoxedStrategy<String> {
    prop_oneof![
        8 => word(),
        4 => select(vec!["data", "a_enc", "b_unencrypted", "secret_x", "public_y", "password", "data_unencrypted"])
            .prop_map(str::to_owned),
        2 => any_text().prop_map(|text| double_quoted(&text)),
        1 => select(CONFUSING).prop_map(double_quoted),
        1 => select(vec!["yes", "y", "on", "Off", "é", "a.b", "a b", "a-b", "a/b", "x:y", "-x", "?x", "=", "12:30:45"])
            .prop_map(str::to_owned),
        1 => select(vec!["'it''s'", "'#a'", "'a: b'"]).prop_map(str::to_owned),
        1 => (100_usize..140).prop_map(|length| "k".repeat(length)),
    ]
    .boxed()
}

/// What a written key means, near enough to tell two keys apart.
pub fn meaning(key: &str) -> String {
    key.trim_matches(['"', '\'']).to_owned()
}

/// A scalar as it is written on one line of YAML; empty for none.
pub fn yaml_scalar() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-zA-Z0-9/+]{1,24}",
        6 => select(CONFUSING).prop_map(str::to_owned),
        4 => any_text().prop_map(|text| double_quoted(&text)),
        2 => any_text().prop_filter_map("single quotes", |text| single_quoted(&text)),
        3 => select(vec!["\"\"", "''", "", "{}", "[]", "null", "~"]).prop_map(str::to_owned),
        2 => select(vec!["a b", "a, b", "a#b", "a:b", "it's", "x ? y", "a]b", "C:\\x", "a \"b\"", "é", "a\u{a0}b"])
            .prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        1 => (-1e9..1e9_f64).prop_map(|number| format!("{number}")),
        1 => (1_i32..9999, 1..13, 1..32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        1 => select(vec![
            "!!str 123", "!!int \"7\"", "!!float 3", "!!float \"1.5\"", "!!bool \"true\"", "!!null \"\"", "!Custom foo",
            "!!str", "!!binary aGVsbG8=", "! 12", "!!str yes", "!!str 2024-01-01", "!<tag:yaml.org,2002:str> 5",
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// `text` in double quotes of YAML, which can say anything.
pub fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            ' '..='~' | '\u{a1}'..='\u{2027}' | '\u{2030}'..='\u{d7ff}' => out.push(c),
            _ if u32::from(c) < 0x100 => out += &format!("\\x{:02x}", u32::from(c)),
            _ if u32::from(c) < 0x1_0000 => out += &format!("\\u{:04x}", u32::from(c)),
            _ => out += &format!("\\U{:08x}", u32::from(c)),
        }
    }
    out + "\""
}

fn single_quoted(text: &str) -> Option<String> {
    printable(text).then(|| format!("'{}'", text.replace('\'', "''")))
}

/// Whether YAML allows it unescaped. The line breaks that YAML 1.1 had and 1.2 has no more
/// (NEL, LS, PS) are read differently by everybody.
fn printable(text: &str) -> bool {
    text.chars().all(|c| match c {
        '\t' => true,
        ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => {
            !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}')
        }
        '\u{10000}'.. => true,
        _ => false,
    })
}

/// A scalar of JSON.
pub fn json_scalar() -> BoxedStrategy<String> {
    let text = any_text().prop_map(|text| serde_json::to_string(&text).unwrap());
    let numbers = vec![
        "0",
        "-0",
        "-0.0",
        "1",
        "1.0",
        "1e3",
        "1E+2",
        "1e-7",
        "1e-6",
        "1e21",
        "1e20",
        "123456789012345678901234567890",
        "9007199254740993",
        "9223372036854775807",
        "0.1",
        "1.50",
        "5e-324",
        "1.7976931348623157e308",
        "-12.5e-3",
        "100000",
        "1000000.0",
    ];
    let escaped =
        vec![r#""\ud83d\ude00""#, r#""\u003c\/""#, r#""\u0000""#, r#""\ud800""#, r#""\u2028""#, r#""\b\f\r\t""#];
    prop_oneof![
        4 => text,
        2 => select(numbers).prop_map(str::to_owned),
        1 => select(escaped).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        2 => select(vec!["true", "false", "null", "{}", "[]", "\"\""]).prop_map(str::to_owned),
    ]
    .boxed()
}
