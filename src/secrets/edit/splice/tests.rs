//! Texts before and after an edit.

use super::*;

/// `old` edited to read as `new` does.
fn edited(format: Format, old: &str, new: &str) -> String {
    let trees = [old, new].map(|text| format.read_sealed(text.as_bytes()).unwrap());
    let bytes = splice(format, old.as_bytes(), &trees[0], &trees[1]).unwrap();
    assert!(are_same(&format.read_sealed(&bytes).unwrap(), &trees[1]), "reads as something else");
    String::from_utf8(bytes).unwrap()
}

fn check(format: Format, cases: &[(&str, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (what, old, new, expected) in cases {
        let result = edited(format, old, new);
        if result != *expected {
            wrong.push(format!("=== {what}: expected\n{expected}--- got\n{result}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn yaml_in_block_style() {
    check(
        Format::Yaml,
        &[
            ("nothing", "a:   1\n\n\nb: 'x'\n", "a: 1\nb: x\n", "a:   1\n\n\nb: 'x'\n"),
            ("a value", "a:   1 # one\n\nb: 'x'\n", "# one\na: 2\nb: x\n", "a:   2 # one\n\nb: 'x'\n"),
            ("single quotes stay", "a: 'x'\n", "a: it's\n", "a: 'it''s'\n"),
            ("double quotes stay", "a:  \"x\"  \n", "a: 'say \"\\'\n", "a:  \"say \\\"\\\\\"  \n"),
            ("quotes do not stay around a number", "a: 'x'\n", "a: 1\n", "a: 1\n"),
            ("a text that must be quoted", "a: x\n", "a: 'yes'\n", "a: \"yes\"\n"),
            ("null is not written", "a:\nb: 1\n", "a: x\nb: 1\n", "a: x\nb: 1\n"),
            ("null before a comment", "a: # c\nb: 1\n", "# c\na: x\nb: 1\n", "a: x # c\nb: 1\n"),
            ("a block scalar", "a: |\n  x\n  y\n\nb: 1\n", "a: z\nb: 1\n", "a: z\n\nb: 1\n"),
            (
                "into a block scalar",
                "m:\n  a: x\n\n  b: 1\n",
                "m:\n  a: |\n    y\n    z\n  b: 1\n",
                "m:\n  a: |\n    y\n    z\n\n  b: 1\n",
            ),
            ("an anchor stays", "a: &x 1\nb: 2\n", "a: 3\nb: 2\n", "a: &x 3\nb: 2\n"),
            ("an alias", "a: &x 1\nb: *x # c\nc: 1\n", "a: 1\n# c\nb: 2\nc: 1\n", "a: &x 1\nb: 2 # c\nc: 1\n"),
            ("removed", "a: 1\n\nb: 2\n\nc: 3\n", "a: 1\nc: 3\n", "a: 1\n\n\nc: 3\n"),
            ("removed first", "a: 1\nb: 2\n", "b: 2\n", "b: 2\n"),
            ("removed last", "a: 1\nm:\n  x: 1\n  z: 2\n", "a: 1\n", "a: 1\n"),
            ("removed with its comment", "a: 1\n# about b\nb: 2 # two\nc: 3\n", "a: 1\nc: 3\n", "a: 1\nc: 3\n"),
            (
                "removed without its comments",
                "a: 1\n# about b\nb: 2 # two\nc: 3\n",
                "a: 1\n# about b\n# two\nc: 3\n",
                "a: 1\n# about b\n# two\nc: 3\n",
            ),
            ("added", "a: 1\n\nb: 2\n", "a: 1\nnew: x\nb: 2\n", "a: 1\nnew: x\n\nb: 2\n"),
            ("added first", "# head\n\na: 1\n", "# head\nnew: x\na: 1\n", "# head\nnew: x\n\na: 1\n"),
            ("added last", "a: 1\n", "a: 1\nnew: x\nm:\n    z: 1\n", "a: 1\nnew: x\nm:\n    z: 1\n"),
            ("added last without a line break", "a: 1", "a: 1\nnew: x\nm: 2\n", "a: 1\nnew: x\nm: 2"),
            (
                "added deep, two spaces",
                "m:\n  k:\n    a: 1\n\n  l: 2\n",
                "m:\n  k:\n    a: 1\n    new:\n      x: 1\n  l: 2\n",
                "m:\n  k:\n    a: 1\n    new:\n      x: 1\n\n  l: 2\n",
            ),
            ("a comment added", "a: 1\nb: 2\n", "a: 1\n# note\nb: 2\n", "a: 1\n# note\nb: 2\n"),
            (
                "a comment changed",
                "a: 1  # one\n# two\nb: 2\n",
                "# uno\na: 1\n# due\nb: 2\n",
                "a: 1  # uno\n# due\nb: 2\n",
            ),
            ("a comment with spaces at its end", "#  x  \na: 1\n", "# z\na: 1\n", "# z\na: 1\n"),
            (
                "nothing but a comment left",
                "m:\n  # c\n  a: 1\n\nb:   2\n",
                "m: {\n    # c\n}\nb: 2\n",
                "m: {}\n\nb:   2\n",
            ),
            ("a comment removed", "a: 1  # one\n# two\nb: 2\n", "a: 1\nb: 2\n", "a: 1\nb: 2\n"),
            ("a mapping for a value", "a: 1\nb: 2\n", "a:\n    x: 1\nb: 2\n", "a:\n    x: 1\nb: 2\n"),
            ("a value for a mapping", "a:\n  # c\n  x: 1\n  z: 2\n\nb: 2\n", "a: 1\nb: 2\n", "a: 1\n\nb: 2\n"),
            ("an empty mapping filled", "a: {}\nb: 2\n", "a:\n    x: 1\nb: 2\n", "a:\n    x: 1\nb: 2\n"),
            ("a mapping emptied", "a:\n  x: 1\nb: 2\n", "a: {}\nb: 2\n", "a: {}\nb: 2\n"),
            ("two documents", "a: 1\n---\n\na: 'x'\n", "a: 2\n---\na: y\nb: 1\n", "a: 2\n---\n\na: 'y'\nb: 1\n"),
            ("reordered", "a: 1\n\nb: 2\n\nc: 'x'\n", "b: 2\na: 1\nc: x\n", "b: 2\na: 1\n\n\nc: 'x'\n"),
            (
                "odd keys",
                "\"a b\":   1\n'c':\n   - 2\n",
                "a b: 2\nc:\n   - 3\n   - 4\n",
                "\"a b\":   2\n'c':\n   - 3\n   - 4\n",
            ),
            ("an explicit key", "? a\n: 1\nb: 2\n", "a: 2\nb: 2\n", "? a\n: 2\nb: 2\n"),
            ("tabs and spaces at the end", "a: 1 \t\nb: 2  \n", "a: 1\nb: 3\n", "a: 1 \t\nb: 3  \n"),
        ],
    );
}

#[test]
fn yaml_lists() {
    check(
        Format::Yaml,
        &[
            ("changed", "l:\n- a\n\n-   'b'\n", "l:\n- a\n- c\n", "l:\n- a\n\n-   'c'\n"),
            (
                "added",
                "l:\n  - a\n\n  - b\nx: 1\n",
                "l:\n  - a\n  - new\n  - b\n  - z\nx: 1\n",
                "l:\n  - a\n  - new\n\n  - b\n  - z\nx: 1\n",
            ),
            ("added first", "l:\n  # c\n  - a\n", "l:\n  - new\n  # c\n  - a\n", "l:\n  - new\n  # c\n  - a\n"),
            ("removed", "l:\n  - a # x\n  - b # y\n  - c\n", "l:\n  # x\n  - a\n  - c\n", "l:\n  - a # x\n  - c\n"),
            ("removed all but one", "l: [ 'a', b , c ]\n", "l: [b]\n", "l: [ b ]\n"),
            (
                "a mapping in it",
                "l:\n  - a: 1\n    b: 2\n  - a: 3\n    b: 4\n",
                "l:\n  - a: 1\n    b: 2\n  - a: 3\n    b: 5\n    c: 6\n",
                "l:\n  - a: 1\n    b: 2\n  - a: 3\n    b: 5\n    c: 6\n",
            ),
            ("first key removed", "l:\n  - a: 1\n\n    b: 2\n", "l:\n  - b: 2\n", "l:\n  - b: 2\n"),
            (
                "key added before the first",
                "l:\n  -   a: 1\n      b: 2\n",
                "l:\n  -   new: 1\n      a: 1\n      b: 2\n",
                "l:\n  -   new: 1\n      a: 1\n      b: 2\n",
            ),
            (
                "a mapping added",
                "l:\n- a: 1\n",
                "l:\n- a: 1\n- a: 2\n  b:\n    - 1\n",
                "l:\n- a: 1\n- a: 2\n  b:\n    - 1\n",
            ),
            (
                "list in list",
                "l:\n- - 1\n  - 2\n- - 3\n",
                "l:\n- - 1\n  - 2\n  - 4\n- - 3\n",
                "l:\n- - 1\n  - 2\n  - 4\n- - 3\n",
            ),
            (
                "dash alone",
                "l:\n-\n  a: 1\n-\n- # c\n  a: 2\n",
                "l:\n-\n  a: 1\n- x\n- # c\n  a: 3\n",
                "l:\n-\n  a: 1\n- x\n- # c\n  a: 3\n",
            ),
            (
                "a comment behind a dash",
                "l:\n  - a\n\n  - b\n",
                "l:\n  - # c\n    - {}\n  - b\n  - # d\n    # e\n    x: 1\n",
                "l:\n  - # c\n    - {}\n\n  - b\n  - # d\n    # e\n    x: 1\n",
            ),
            (
                "a value of another kind",
                "l:\n  - a\n  - b\n",
                "l:\n  - a\n  - x: 1\n    z: 2\n",
                "l:\n  - a\n  - x: 1\n    z: 2\n",
            ),
        ],
    );
}

#[test]
fn yaml_in_flow_style() {
    check(
        Format::Yaml,
        &[
            ("changed", "a: { x: 1,  z: 'z' } # c\n", "a: {x: 2, z: w} # c\n", "a: { x: 2,  z: 'w' } # c\n"),
            ("a plain text", "a: [x, y]\n", "a: [x, 'ENC[1,2]']\n", "a: [x, \"ENC[1,2]\"]\n"),
            (
                "added",
                "a: {x: 1}\nb: [1,2]\n",
                "a: {x: 1, new: {k: [v]}}\nb: [1, 2, 3]\n",
                "a: {x: 1, \"new\": {\"k\": [\"v\"]}}\nb: [1,2,3]\n",
            ),
            ("added first", "b: [ 1, 2 ]\n", "b: [0, 1, 2]\n", "b: [ 0, 1, 2 ]\n"),
            ("removed", "b: [ 1, 2, 3, 4 ]\n", "b: [2, 4]\n", "b: [ 2, 4 ]\n"),
            ("on lines", "b: [\n  1,\n  2,\n]\n", "b: [1, 2, 3]\n", "b: [\n  1,\n  2,\n  3,\n]\n"),
            ("emptied", "b: [1]\nc: 1\n", "b: []\nc: 1\n", "b: []\nc: 1\n"),
        ],
    );
}

#[test]
fn yaml_with_crlf_and_byte_order_mark() {
    check(
        Format::Yaml,
        &[
            ("changed", "\u{FEFF}a: 1\r\n\r\nb: x\r\n", "a: 2\nb: x\n", "\u{FEFF}a: 2\r\n\r\nb: x\r\n"),
            (
                "added first",
                "\u{FEFF}a: 1\r\nb: x\r\n",
                "new:\n    z: 1\na: 1\nb: x\n",
                "\u{FEFF}new:\r\n    z: 1\r\na: 1\r\nb: x\r\n",
            ),
            ("removed", "a: 1\r\n\r\nb: x\r\n", "a: 1\n", "a: 1\r\n\r\n"),
            (
                "replaced",
                "a: 1\r\nb: x\r\n",
                "a:\n    x: 1\n    z: 1\nb: x\n",
                "a:\r\n    x: 1\r\n    z: 1\r\nb: x\r\n",
            ),
        ],
    );
}

#[test]
fn json() {
    check(
        Format::Json,
        &[
            (
                "changed",
                "{\n  \"a\" : 1,\n\n  \"b\": \"x\" }",
                "{\"a\":2,\"b\":\"y\"}",
                "{\n  \"a\" : 2,\n\n  \"b\": \"y\" }",
            ),
            (
                "added",
                "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n",
                "{\"a\":1,\"n\":{\"x\":[1,{}],\"y\":[]},\"b\":2,\"z\":\"q\"}",
                "{\n\t\"a\": 1,\n\t\"n\": {\n\t\t\"x\": [\n\t\t\t1,\n\t\t\t{}\n\t\t],\n\t\t\"y\": []\n\t},\n\t\"b\": 2,\n\t\"z\": \"q\"\n}\n",
            ),
            (
                "added first",
                "{\r\n  \"a\": 1\r\n}\r\n",
                "{\"n\":[0],\"a\":1}",
                "{\r\n  \"n\": [\r\n    0\r\n  ],\r\n  \"a\": 1\r\n}\r\n",
            ),
            (
                "removed",
                "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": [1, 2, 3]\n}",
                "{\"b\":2,\"c\":[2]}",
                "{\n  \"b\": 2,\n  \"c\": [2]\n}",
            ),
            ("removed last", "{\n  \"a\": 1,\n  \"b\": 2\n}", "{\"a\":1}", "{\n  \"a\": 1\n}"),
            (
                "minified",
                "{\"a\":{\"x\":1},\"b\":[1]}",
                "{\"a\":{\"x\":1,\"y\":{\"k\":\": , \\\"\",\"l\":2}},\"b\":[1,2]}",
                "{\"a\":{\"x\":1,\"y\":{\"k\":\": , \\\"\",\"l\":2}},\"b\":[1,2]}",
            ),
            (
                "filled",
                "{\n  \"a\": {},\n  \"b\": []\n}",
                "{\"a\":{\"x\":1},\"b\":[1]}",
                "{\n  \"a\": {\n    \"x\": 1\n  },\n  \"b\": [\n    1\n  ]\n}",
            ),
            (
                "emptied",
                "{\n  \"a\": {\"x\": 1},\n  \"b\": [1]\n}",
                "{\"a\":{},\"b\":[]}",
                "{\n  \"a\": {},\n  \"b\": []\n}",
            ),
            ("repeated keys", "{\"a\": 1, \"a\": 2}", "{\"a\":1,\"a\":3}", "{\"a\": 1, \"a\": 3}"),
        ],
    );
}

#[test]
fn dotenv() {
    check(
        Format::Dotenv,
        &[
            ("changed", "# c\nA=1\n\nB=x\n", "# d\nA=2\nB=x\n", "# d\nA=2\n\nB=x\n"),
            (
                "added and removed",
                "A=1\n\n# b\nB=x\nC=3",
                "N=a\\nb\nA=1\n# n\nC=3\nD=4\n",
                "N=a\\nb\nA=1\n\n# n\nC=3\nD=4",
            ),
        ],
    );
}

#[test]
fn ini() {
    check(
        Format::Ini,
        &[
            (
                "changed",
                "top=1\n[a]\nx   =  1\nlong= 2\n\n\n[b]\ny=1\n",
                "top=1\n[a]\nx=1\nlong=3\n[b]\ny=1\n",
                "top=1\n[a]\nx   =  1\nlong= 3\n\n\n[b]\ny=1\n",
            ),
            (
                "added",
                "[a]\nx    = 1\nlong = 2\n\n[b]\ny=1\n",
                "[a]\nx=1\nlong=2\nn=3\n[b]\nn=2\ny=1\n",
                "[a]\nx    = 1\nlong = 2\nn    = 3\n\n[b]\nn=2\ny=1\n",
            ),
            ("removed", "[a]\n; about x\nx = 1\ny = 2\n", "[a]\ny=2\n", "[a]\ny = 2\n"),
            (
                "comment",
                "[a]\n; about x\nx = 1\ny = 2\n",
                "[a]\n; of x\nx=1\n; of y\ny=2\n",
                "[a]\n; of x\nx = 1\n; of y\ny = 2\n",
            ),
            ("added before all sections", "a=1\n\n[s]\nb=1\n", "n=0\na=1\n[s]\nb=1\n", "n=0\na=1\n\n[s]\nb=1\n"),
            (
                "section removed",
                "[a]\nx = 1\n\n; sec\n[b]\ny = 2\n\n[c]\nz = 1\n",
                "[a]\nx=1\n[c]\nz=1\n",
                "[a]\nx = 1\n\n[c]\nz = 1\n",
            ),
            (
                "section added",
                "[a]\nx = 1\n\n[c]\nz = 1\n",
                "[a]\nx=1\n; sec\n[b]\ny=2\n[c]\nz=1\n[d]\nq=1\n",
                "[a]\nx = 1\n\n; sec\n[b]\ny = 2\n\n[c]\nz = 1\n\n[d]\nq = 1\n",
            ),
        ],
    );
}

mod random;
