//! jq filters on JSON, for `--jq`.

mod natives;

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile};
use jaq_json::{Val, read};

use super::error::{Error, Result};

/// A filter that was compiled.
pub struct Filter(jaq_core::Filter<JustLut<Val>>);

/// What is wrong with a filter, and where.
struct Fault {
    /// Byte offset in the filter.
    at: usize,
    what: String,
}

impl Filter {
    /// Compiles `code`.
    ///
    /// # Errors
    /// A usage error that shows the place in `code` which is wrong.
    pub fn compile(code: &str) -> Result<Self> {
        let standard = jaq_std::defs().filter(|definition| !natives::LEFT_OUT.contains(&definition.name));
        let definitions = jaq_core::defs().chain(standard).chain(jaq_json::defs()).chain(natives::defs());
        let functions = jaq_core::funs().chain(jaq_std::base_funs()).chain(natives::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions).load(&arena, File { code, path: () });
        let modules = modules.map_err(|errors| {
            let faults = errors.iter().flat_map(|(_, error)| unread(code, error)).collect();
            refused(code, faults)
        })?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let faults = errors.iter().flat_map(|(_, errors)| errors).map(|error| unknown(code, error)).collect();
            refused(code, faults)
        })?;
        Ok(Self(filter))
    }

    /// Runs it on the JSON document `input` and hands `print` each result as a line: a string as
    /// it is, `null` as nothing, all else as compact JSON.
    ///
    /// # Errors
    /// When `input` is no JSON, when the filter gives up, and what `print` fails with.
    pub fn run(&self, input: &[u8], mut print: impl FnMut(&[u8]) -> Result) -> Result {
        let input = read::parse_single(input)
            .map_err(|error| Error::failure("the answer is not the JSON that it says it is").because(error))?;
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for result in self.0.id.run((context, input)) {
            let value = match result.map_err(jaq_core::Exn::get_err) {
                Ok(value) => value,
                Err(Ok(error)) => return Err(Error::failure("--jq: the filter gave up").because(error)),
                // `halt`: it has said what it had to say.
                Err(Err(_)) => return Ok(()),
            };
            let mut line = match value {
                Val::Null => Vec::new(),
                Val::TStr(text) | Val::BStr(text) => text.to_vec(),
                other => other.to_string().into_bytes(),
            };
            line.push(b'\n');
            print(&line)?;
        }
        Ok(())
    }
}

/// The faults of a filter that is no jq.
fn unread(code: &str, error: &load::Error<&str>) -> Vec<Fault> {
    match error {
        load::Error::Lex(faults) => faults
            .iter()
            .map(|(expected, found)| Fault { at: place(code, found), what: lexed(expected, found) })
            .collect(),
        load::Error::Parse(faults) => faults
            .iter()
            .map(|(expected, found)| {
                let what = match (expected.as_str(), *found) {
                    ("nothing", found) => format!("nothing may follow here, but there is {found}"),
                    (expected, "") => format!("{} is missing at the end", named(expected)),
                    (expected, found) => format!("{} is expected in the place of {found}", named(expected)),
                };
                Fault { at: place(code, found), what }
            })
            .collect(),
        load::Error::Io(files) => files
            .iter()
            .map(|(path, _)| Fault { at: place(code, path), what: "there are no modules here".to_owned() })
            .collect(),
    }
}

fn lexed(expected: &load::lex::Expect<&str>, found: &str) -> String {
    use load::lex::Expect;
    let begins = found.chars().next();
    match (expected, begins) {
        (Expect::Delim(open), _) => format!("{open} is never closed"),
        (Expect::Token, Some(c)) => format!("{c} means nothing here"),
        (expected, Some(c)) => format!("a {} is expected in the place of {c}", expected.as_str()),
        (expected, None) => format!("a {} is missing at the end", expected.as_str()),
    }
}

/// What the parser expected: a class of tokens, or one token.
fn named(expected: &str) -> String {
    match expected {
        "term" => "a term".to_owned(),
        other => other.to_owned(),
    }
}

fn unknown(code: &str, (name, kind): &compile::Error<&str>) -> Fault {
    let what = match kind {
        compile::Undefined::Filter(0) => format!("there is no filter {name}"),
        compile::Undefined::Filter(arguments) => format!("there is no filter {name}/{arguments}"),
        kind => format!("there is no {} {name}", kind.as_str()),
    };
    Fault { at: place(code, name), what }
}

/// Where `part` begins in `code`; at its end when it is no part of it.
fn place(code: &str, part: &str) -> usize {
    let at = (part.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
    if at <= code.len() && code.is_char_boundary(at) { at } else { code.len() }
}

fn refused(code: &str, faults: Vec<Fault>) -> Error {
    let first = faults.into_iter().min_by_key(|fault| fault.at);
    let Fault { at, what } = first.unwrap_or(Fault { at: 0, what: "it cannot be read".to_owned() });
    let before = &code[..at];
    let (line, column) = (before.matches('\n').count() + 1, before.lines().next_back().map_or(0, count) + 1);
    let text = code.lines().nth(line - 1).unwrap_or_default();
    Error::usage(format!("--jq: {what} (line {line}, column {column})"))
        .because(format!("{text}\n             {}^", " ".repeat(column - 1)))
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn run(code: &str, input: &str) -> Result<String, String> {
        let mut out = Vec::new();
        let filter = Filter::compile(code).map_err(|error| error.message)?;
        let done = filter.run(input.as_bytes(), |line| {
            out.extend_from_slice(line);
            Ok(())
        });
        done.map_err(|error| error.causes.join("; "))?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn strings_are_bare_and_the_rest_is_compact() {
        for (code, input, expected) in [
            (".a", r#"{"a":"x\ny"}"#, "x\ny\n"),
            (".", r#"{"b":[1, 2.50],"a":{}}"#, "{\"b\":[1,2.50],\"a\":{}}\n"),
            (".[]", "[true,null,12345678901234567890]", "true\n\n12345678901234567890\n"),
            ("empty", "1", ""),
            (".[] | select(.id > 1) | .name", r#"[{"id":1,"name":"a"},{"id":2,"name":"b"}]"#, "b\n"),
            ("map(.x) | add", r#"[{"x":1},{"x":2}]"#, "3\n"),
            (".[] | [.a, .b] | @tsv", r#"[{"a":1,"b":"x\ty\\z"}]"#, "1\tx\\ty\\\\z\n"),
            (".[] | @csv", r#"[[1,"a \"b\"",null,true]]"#, "1,\"a \"\"b\"\"\",,true\n"),
            ("with_entries(.value += 1) | to_entries | map(.key)", r#"{"a":1}"#, "[\"a\"]\n"),
            (r#"test("^v[0-9]")"#, r#""v1""#, "true\n"),
            (r#"sub("(?<x>[a-z]+)-"; "\(.x)/"; "g")"#, r#""ab-cd-é""#, "ab/cd/é\n"),
            (r#"[scan("[0-9]+")] | map(tonumber) | add"#, r#""a1b22""#, "23\n"),
            (r#"[match("é";"g") | .offset]"#, r#""aébé""#, "[1,3]\n"),
            (r#"split(", *"; null // "")"#, r#""a,b,  c""#, "[\"a\",\"b\",\"c\"]\n"),
            (r#"@base64, (@base64 | @base64d), @uri, @html"#, r#""a b&~""#, "YSBiJn4=\na b&~\na%20b%26~\na b&amp;~\n"),
            ("fromdate | todate", r#""2024-02-29T12:00:00Z""#, "2024-02-29T12:00:00Z\n"),
            ("map(sqrt) | .[0] | pow(.; 3)", "[4]", "8.0\n"),
            (r#""\(.a)!""#, r#"{"a":"é"}"#, "é!\n"),
            ("1, halt, 2", "null", "1\n"),
        ] {
            assert_eq!(run(code, input).as_deref(), Ok(expected), "{code}");
        }
    }

    #[test]
    fn a_wrong_filter_is_shown_where_it_is_wrong() {
        for (code, expected) in [
            (".a |", "--jq: a term is missing at the end (line 1, column 5)"),
            ("", "--jq: a term is missing at the end (line 1, column 1)"),
            (".a | nme", "--jq: there is no filter nme (line 1, column 6)"),
            ("map()", "--jq: a term is expected in the place of ) (line 1, column 5)"),
            (".[] | {a: .b", "--jq: { is never closed (line 1, column 13)"),
            (".a\n| $x", "--jq: there is no variable $x (line 2, column 3)"),
            (".a )", "--jq: ) means nothing here (line 1, column 4)"),
            ("\"é\" | §", "--jq: § means nothing here (line 1, column 7)"),
            ("import \"x\" as x; .", "--jq: there are no modules here (line 1, column 9)"),
        ] {
            assert_eq!(run(code, "null").expect_err(code), expected);
        }
    }

    #[test]
    fn a_filter_that_gives_up_says_why() {
        assert_eq!(run(".a", "[1]").expect_err("no index"), "cannot index [1] with \"a\"");
        assert!(run(".", "{").is_err());
    }
}
