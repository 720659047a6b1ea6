//! Generated JSON, dotenv, INI and binary documents.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::text::{any_text, comment, json_scalar, word};

/// Any JSON object, in one of several layouts.
pub fn json() -> impl Strategy<Value = Vec<u8>> {
    let key = || {
        prop_oneof![
            4 => word(),
            2 => select(vec!["data", "a_enc", "b_unencrypted", "secret", "name"]).prop_map(str::to_owned),
            2 => any_text(),
        ]
        .prop_map(|text| serde_json::to_string(&text).unwrap())
    };
    let object = move |value: BoxedStrategy<String>| {
        vec((key(), value), 0..5).prop_map(|entries| {
            let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        })
    };
    let value = json_scalar().prop_recursive(4, 24, 4, move |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",\n  ")));
        prop_oneof![object(inner).boxed(), list.boxed()].boxed()
    });
    let end = select(vec!["", "\n", "  \n"]);
    let entries = vec((key(), value), 0..6);
    (entries, end).prop_map(|(entries, end)| {
        let mut seen = std::collections::BTreeSet::new();
        let entries: Vec<String> = entries
            .into_iter()
            .filter(|(key, _)| seen.insert(key.clone()))
            .map(|(key, value)| format!("\n\t{key} : {value}"))
            .collect();
        format!("{{{}}}{end}", entries.join(",")).into_bytes()
    })
}

/// Any dotenv file.
pub fn dotenv() -> impl Strategy<Value = Vec<u8>> {
    let value = || any_text().prop_map(|text| text.replace('\n', "\\n"));
    let key = prop_oneof![
        6 => "[A-Z][A-Z0-9_]{0,10}",
        2 => select(vec!["A_unencrypted", "DB_PASS", "data", "export X", "a b", "é", " X", "x.y", "secret", ""])
            .prop_map(str::to_owned),
    ];
    let line = prop_oneof![
        8 => (key, value()).prop_map(|(key, value)| format!("{key}={value}")),
        2 => comment().prop_map(|text| format!("#{text}")),
        1 => Just(String::new()),
    ];
    let end = prop_oneof![4 => Just("\n"), 1 => Just(""), 1 => Just("\n\n")];
    let line_end = prop_oneof![12 => Just("\n"), 1 => Just("\r\n")];
    (vec(line, 1..10), line_end, end).prop_map(|(lines, line_end, end)| (lines.join(line_end) + end).into_bytes())
}

/// Any INI file.
pub fn ini() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        6 => "[a-zA-Z0-9/+_.-]{0,24}",
        2 => select(vec![
            "a b", "\"quoted\"", "'single'", "\"a # b\"", "`a ; b`", "a=b", "a:b", "%(x)s", "http://x/?a=b#frag", "a;b",
            "a ; c", "a # c", "é", "日本", "\u{1f600}", "a\tb", "\"\"\"triple\"\"\"", "\"", "it's", "\\", "a\\", "\"a",
            "a\"", "[x]", "true", "1.0", "ENC[x]", "  padded  ", "\" padded \"", "", "`", "a`b", "\u{a0}",
        ])
        .prop_map(str::to_owned),
    ];
    let key = prop_oneof![
        6 => "[a-z][a-zA-Z0-9_]{0,10}",
        2 => select(vec!["a_unencrypted", "data", "a b", "é", "x.y", "secret", "name", "\"a=b\"", "`k`", "a\"b"])
            .prop_map(str::to_owned),
    ];
    let between = select(vec![" = ", "=", ": ", " =", "   =  "]);
    let line = prop_oneof![
        8 => (key, between, value).prop_map(|(key, between, value)| format!("{key}{between}{value}")),
        2 => (select(vec!["#", ";"]), comment()).prop_map(|(mark, text)| format!("{mark}{text}")),
        2 => prop_oneof![4 => "[a-z]{1,8}", 1 => select(vec!["DEFAULT", "a.b", "a b", "data", "é"]).prop_map(str::to_owned)]
            .prop_map(|name| format!("[{name}]")),
        1 => Just(String::new()),
    ];
    vec(line, 1..12).prop_map(|lines| (lines.join("\n") + "\n").into_bytes())
}

/// Any bytes.
pub fn binary() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        any_text().prop_map(String::into_bytes),
        (vec(any::<u8>(), 1..40), 1_usize..3000).prop_map(|(bytes, times)| bytes.repeat(times)),
    ]
}
