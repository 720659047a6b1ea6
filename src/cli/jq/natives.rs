//! The native filters that jaq's standard library only has together with its own clock and log:
//! regular expressions, formats, times and the usual mathematics. What would read the environment
//! is left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use jaq_core::data::JustLut;
use jaq_core::load::parse;
use jaq_core::load::parse::Def;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Cv, Error, ValR, ValT as _};
use jaq_json::Val;
use jaq_std::ValT as _;
use regex::bytes::{Regex, RegexBuilder};
use url::form_urlencoded::byte_serialize;

type Data = JustLut<Val>;
type Native = (&'static str, Box<[jaq_core::Bind]>, jaq_core::RunPtr<Data>);

/// Definitions of the standard library that need what is not here.
pub(super) const LEFT_OUT: [&str; 8] =
    ["stderr", "debug", "logb", "significand", "drem", "nexttoward", "scalb", "gamma"];

/// Definitions that jq has and jaq's library has not.
const FURTHER: &str = r#"
def @csv: map(if isstring then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" else tostring end) | join(",");
def @tsv: map(if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  elif . == null then "" else tostring end) | join("\t");
"#;

/// The definitions of [`FURTHER`], read.
pub(super) fn defs() -> impl Iterator<Item = Def<&'static str>> {
    parse(FURTHER, |parser| parser.defs()).unwrap_or_default().into_iter()
}

/// A filter from one number to another.
macro_rules! number {
    ($name:literal, $f:expr) => {
        ($name, v(0), |cv| bome(cv.1.try_as_f64().map(|x| Val::from($f(x)))))
    };
}

/// The filters.
pub(super) fn funs() -> impl Iterator<Item = Fun<Data>> {
    let all: [Native; 32] = [
        ("matches", v(2), |cv| bome(matches(cv, false, true))),
        ("split_matches", v(2), |cv| bome(matches(cv, true, true))),
        ("split_", v(2), |cv| bome(matches(cv, true, false))),
        ("escape_html", v(0), |cv| bome(text(&cv.1, |text| Ok(escape_html(text))))),
        ("unescape_html", v(0), |cv| bome(text(&cv.1, |text| Ok(unescape_html(text))))),
        ("encode_uri", v(0), |cv| bome(text(&cv.1, |text| Ok(encode_uri(text))))),
        ("decode_uri", v(0), |cv| bome(bytes(&cv.1, decode_uri))),
        ("encode_base64", v(0), |cv| bome(bytes(&cv.1, |bytes| Ok(STANDARD.encode(bytes).into_bytes())))),
        ("decode_base64", v(0), |cv| bome(bytes(&cv.1, |bytes| STANDARD.decode(bytes).map_err(Error::str)))),
        ("now", v(0), |_| bome(Ok(Val::from(Utc::now().timestamp_micros() as f64 / 1e6)))),
        ("fromdateiso8601", v(0), |cv| bome(from_date(&cv.1))),
        ("todateiso8601", v(0), |cv| bome(to_date(&cv.1))),
        // What they would tell goes nowhere.
        ("stderr_empty", v(0), |_| Box::new(std::iter::empty())),
        number!("sqrt", f64::sqrt),
        number!("cbrt", f64::cbrt),
        number!("fabs", f64::abs),
        number!("trunc", f64::trunc),
        number!("rint", f64::round_ties_even),
        number!("nearbyint", f64::round_ties_even),
        number!("exp", f64::exp),
        number!("exp2", f64::exp2),
        number!("exp10", |x| 10f64.powf(x)),
        number!("log", f64::ln),
        number!("log2", f64::log2),
        number!("log10", f64::log10),
        number!("sin", f64::sin),
        number!("cos", f64::cos),
        number!("tan", f64::tan),
        number!("asin", f64::asin),
        number!("acos", f64::acos),
        number!("atan", f64::atan),
        ("pow", v(2), |mut cv| {
            let exponent = cv.0.pop_var();
            let base = cv.0.pop_var();
            bome(base.try_as_f64().and_then(|base| Ok(Val::from(base.powf(exponent.try_as_f64()?)))))
        }),
    ];
    all.into_iter().map(|native| run::<Data>(native))
}

/// Helpers that jaq keeps to itself.
trait Read {
    fn try_as_f64(&self) -> Result<f64, Error<Val>>;
    fn try_as_text(&self) -> Result<&str, Error<Val>>;
}

impl Read for Val {
    fn try_as_f64(&self) -> Result<f64, Error<Val>> {
        self.as_f64().ok_or_else(|| Error::typ(self.clone(), "number"))
    }

    fn try_as_text(&self) -> Result<&str, Error<Val>> {
        std::str::from_utf8(self.try_as_utf8_bytes()?).map_err(Error::str)
    }
}

fn bytes(value: &Val, change: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error<Val>>) -> ValR<Val> {
    change(value.try_as_utf8_bytes()?).map(Val::utf8_str)
}

fn text(value: &Val, change: impl FnOnce(&str) -> Result<String, Error<Val>>) -> ValR<Val> {
    change(value.try_as_text()?).map(Val::from)
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;").replace('"', "&quot;")
}

fn unescape_html(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&quot;", "\"");
    plain.replace("&amp;", "&")
}

/// Everything but unreserved characters (RFC 3986) is encoded.
fn encode_uri(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20").replace('*', "%2A").replace("%7E", "~")
}

fn decode_uri(bytes: &[u8]) -> Result<Vec<u8>, Error<Val>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| hex::decode(digits).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                out.extend(code);
                rest = &after[2..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    Ok(out)
}

fn from_date(value: &Val) -> ValR<Val> {
    let time = DateTime::parse_from_rfc3339(value.try_as_text()?).map_err(Error::str)?;
    if time.timestamp_subsec_micros() == 0 {
        return isize::try_from(time.timestamp()).map(Val::from).map_err(Error::str);
    }
    Ok(Val::from(time.timestamp_micros() as f64 / 1e6))
}

fn to_date(value: &Val) -> ValR<Val> {
    let seconds = value.try_as_f64()?;
    // A number that is too large becomes the largest, which is no date.
    let micros = (seconds * 1e6).round() as i64;
    let time = DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::str(format_args!("{value} is no time")))?;
    let form = if micros % 1_000_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::AutoSi };
    Ok(Val::from(time.to_rfc3339_opts(form, true)))
}

/// How a regular expression is applied.
#[derive(Default)]
struct Flags {
    all: bool,
    skip_empty: bool,
}

/// Applies the regular expression of the first argument with the flags of the second. The parts of
/// the text that do not match are in the result when `between`, the matches when `found`.
fn matches(mut cv: Cv<'_, Data>, between: bool, found: bool) -> ValR<Val> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let (pattern, flags) = compile(pattern.try_as_text()?, flags.try_as_text()?)?;
    let input = cv.1.try_as_utf8_bytes()?;
    let (mut out, mut last) = (Vec::new(), 0);
    for captures in pattern.captures_iter(input) {
        let Some(whole) = captures.get(0) else { continue };
        if flags.skip_empty && whole.is_empty() {
            continue;
        }
        if between {
            out.push(cv.1.as_sub_str(&input[last..whole.start()]));
            last = whole.end();
        }
        if found {
            let groups = captures.iter().zip(pattern.capture_names());
            let groups = groups.filter_map(|(group, name)| Some((group?, name)));
            let groups = groups.map(|(group, name)| {
                let fields = [
                    ("offset", Val::from(characters(&input[..group.start()]))),
                    ("length", Val::from(characters(group.as_bytes()))),
                    ("string", cv.1.as_sub_str(group.as_bytes())),
                ];
                let name = name.map(|name| ("name", Val::from(name.to_owned())));
                Val::from_map(fields.into_iter().chain(name).map(|(key, value)| (Val::from(key.to_owned()), value)))
            });
            out.push(groups.collect::<ValR<Val>>()?);
        }
        if !flags.all {
            break;
        }
    }
    if between {
        out.push(cv.1.as_sub_str(&input[last..]));
    }
    Ok(out.into_iter().collect())
}

fn characters(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).chars().count()
}

fn compile(pattern: &str, letters: &str) -> Result<(Regex, Flags), Error<Val>> {
    let mut flags = Flags::default();
    let mut builder = RegexBuilder::new(pattern);
    for letter in letters.chars() {
        match letter {
            'g' => flags.all = true,
            'n' => flags.skip_empty = true,
            'i' => drop(builder.case_insensitive(true)),
            'm' => drop(builder.multi_line(true)),
            's' => drop(builder.dot_matches_new_line(true)),
            'l' => drop(builder.swap_greed(true)),
            'x' => drop(builder.ignore_whitespace(true)),
            'p' => drop(builder.multi_line(true).dot_matches_new_line(true)),
            other => return Err(Error::str(format_args!("{other} is no flag of a regular expression"))),
        }
    }
    let pattern = builder.build().map_err(|error| Error::str(format_args!("no regular expression: {error}")))?;
    Ok((pattern, flags))
}
