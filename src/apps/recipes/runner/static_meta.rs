//! The default runner: reads `meta.yaml` through GitHub and executes nothing.

use futures_util::future::BoxFuture;
use serde_yaml::Value;

use super::{BakeryRef, ExpandRequest, Meta, RecipeRef, Runner, RunnerFailure};
use crate::github;
use crate::util::text::truncate;

/// Larger files are refused, in bytes; real ones have a few kilobytes.
const SIZE_MAX: usize = 256 * 1024;
/// Longest accepted recipe or bakery id, in characters.
const ID_MAX: usize = 255;

/// Reads the plain list form of `recipes`.
#[derive(Clone, Debug)]
pub struct StaticRunner {
    github: github::Client,
}

impl StaticRunner {
    /// A runner that reads through `github`.
    pub fn new(github: github::Client) -> Self {
        Self { github }
    }

    /// The bakery that `meta.yaml` names, for a runner that does not tell.
    pub(super) async fn bakery(&self, request: &ExpandRequest) -> Result<Option<BakeryRef>, RunnerFailure> {
        let path = path(request);
        match self.load(&path, request).await? {
            Some(bytes) => bakery_of(request, &bytes),
            None => Ok(None),
        }
    }

    async fn read(&self, request: &ExpandRequest) -> Result<Meta, RunnerFailure> {
        let path = path(request);
        match self.load(&path, request).await? {
            Some(bytes) => match parse(&path, &bytes, meta).map_err(RunnerFailure::Feedstock)? {
                Listing::Plain(meta) => Ok(meta),
                Listing::ByCode(at) => Err(RunnerFailure::ByCode(by_code(&path, &at))),
            },
            None => Err(RunnerFailure::Feedstock(format!("{path}: there is no such file at {}", request.head_sha))),
        }
    }

    async fn load(&self, path: &str, request: &ExpandRequest) -> Result<Option<Vec<u8>>, RunnerFailure> {
        let head = full_name(&request.repo_html_url).unwrap_or_else(|| request.base_full_name.clone());
        // The fork has no installation of its own; the base's token may read what is public.
        let repository = if request.installation_id.is_some() { &head } else { &request.base_full_name };
        let repository = self.github.repository(repository, request.installation_id);
        match repository.file(path, &request.head_sha).await {
            // A folder or a link in place of the file is its author's to mend, as is an odd name.
            Err(github::Error::Decode { reason, .. } | github::Error::Invalid(reason)) => {
                Err(RunnerFailure::Feedstock(format!("{path}: {reason}")))
            }
            outcome => Ok(outcome?),
        }
    }
}

impl Runner for StaticRunner {
    fn expand_meta<'a>(&'a self, request: &'a ExpandRequest) -> BoxFuture<'a, Result<Meta, RunnerFailure>> {
        Box::pin(self.read(request))
    }
}

/// `owner/name` of a repository's web address.
fn full_name(html_url: &str) -> Option<String> {
    let url = url::Url::parse(html_url).ok()?;
    let mut segments = url.path_segments()?.rev().filter(|segment| !segment.is_empty());
    let name = segments.next()?;
    let owner = segments.next()?;
    Some(format!("{owner}/{name}"))
}

/// Where `meta.yaml` stands.
fn path(request: &ExpandRequest) -> String {
    format!("{}/meta.yaml", request.feedstock_subdir.as_deref().unwrap_or("feedstock"))
}

/// The bakery that `meta.yaml` names.
pub(super) fn bakery_of(request: &ExpandRequest, meta_yaml: &[u8]) -> Result<Option<BakeryRef>, RunnerFailure> {
    parse(&path(request), meta_yaml, bakery).map_err(RunnerFailure::Feedstock)
}

/// Reads `meta.yaml` and takes a part of it; errors are one line for the feedstock's author.
fn parse<T>(path: &str, bytes: &[u8], part: fn(&Value) -> Result<T, String>) -> Result<T, String> {
    document(bytes).and_then(|yaml| part(&yaml)).map_err(|error| format!("{path}: {error}"))
}

fn document(bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() > SIZE_MAX {
        return Err(format!("the file has {} bytes; at most {SIZE_MAX} are read", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    let yaml: Value = serde_yaml::from_str(text).map_err(|error| one_line(&error.to_string()))?;
    if yaml.is_mapping() { Ok(yaml) } else { Err("expected a mapping with the key recipes".to_owned()) }
}

/// How a feedstock lists its recipes.
#[derive(Debug, PartialEq)]
enum Listing {
    /// One by one.
    Plain(Meta),
    /// By a dictionary in its code; named here.
    ByCode(String),
}

fn meta(yaml: &Value) -> Result<Listing, String> {
    let (title, bakery) = (yaml.get("title").and_then(Value::as_str), bakery(yaml)?);
    if let Some(at) = dict_object(yaml.get("recipes")) {
        return Ok(Listing::ByCode(at));
    }
    let recipes = recipes(yaml.get("recipes"))?;
    Ok(Listing::Plain(Meta { title: title.map(|title| truncate(title, ID_MAX)), recipes, bakery }))
}

/// Where a dictionary of recipes is named.
fn dict_object(recipes: Option<&Value>) -> Option<String> {
    match recipes? {
        Value::Mapping(map) => map.contains_key("dict_object").then(|| "recipes".to_owned()),
        Value::Sequence(list) => {
            let at = list.iter().position(|entry| entry.get("dict_object").is_some())?;
            Some(format!("recipes[{at}]"))
        }
        _ => None,
    }
}

fn bakery(yaml: &Value) -> Result<Option<BakeryRef>, String> {
    match yaml.get("bakery") {
        None | Some(Value::Null) => Ok(None),
        Some(bakery) => Ok(Some(BakeryRef { id: id(bakery, "bakery")? })),
    }
}

fn recipes(recipes: Option<&Value>) -> Result<Vec<RecipeRef>, String> {
    let list = match recipes {
        None | Some(Value::Null) => return Err("the key recipes is missing".to_owned()),
        Some(Value::Sequence(list)) => list,
        Some(_) => return Err("recipes: expected a list of {id, object}".to_owned()),
    };
    let mut found: Vec<RecipeRef> = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let at = format!("recipes[{index}]");
        let id = id(entry, &at)?;
        match entry.get("object").and_then(Value::as_str) {
            Some(object)
                if object.split_once(':').is_some_and(|(module, name)| !module.is_empty() && !name.is_empty()) => {}
            _ => return Err(format!("{at}.object: expected text of the form module:name, such as recipe:recipe")),
        }
        if found.iter().any(|recipe| recipe.id == id) {
            return Err(format!("{at}.id: {id} is used twice"));
        }
        found.push(RecipeRef { id });
    }
    Ok(found)
}

fn id(of: &Value, at: &str) -> Result<String, String> {
    match of.get("id").and_then(Value::as_str) {
        None | Some("") => Err(format!("{at}.id: expected text")),
        Some(id) if id.chars().any(char::is_control) => Err(format!("{at}.id: control characters are not allowed")),
        Some(id) if id.chars().count() > ID_MAX => Err(format!("{at}.id: longer than {ID_MAX} characters")),
        Some(id) => Ok(id.to_owned()),
    }
}

fn by_code(path: &str, at: &str) -> String {
    format!("{path}: {at}: dict_object is expanded by executing the recipe's code; a list of {{id, object}} is not")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn read(yaml: &str) -> Result<Meta, String> {
        match parse("feedstock/meta.yaml", yaml.as_bytes(), meta)? {
            Listing::Plain(meta) => Ok(meta),
            Listing::ByCode(at) => Err(by_code("feedstock/meta.yaml", &at)),
        }
    }

    #[test]
    fn the_plain_list_is_read() {
        let meta = read(
            "title: T\nrecipes:\n  - id: a\n    object: 'recipe:a'\n  - {id: b, object: 'recipe:b'}\nbakery:\n  id: x\n",
        );
        let recipes = ["a", "b"].map(|id| RecipeRef { id: id.into() }).to_vec();
        assert_eq!(meta, Ok(Meta { title: Some("T".into()), recipes, bakery: Some(BakeryRef { id: "x".into() }) }));
    }

    #[test]
    fn mistakes_are_said_in_one_line() {
        for (yaml, words) in [
            ("recipes: [", "at line"),
            ("a: b\n c: d", "line 2"),
            ("[]", "expected a mapping"),
            ("", "expected a mapping"),
            ("title: x", "the key recipes is missing"),
            ("recipes: 5", "recipes: expected a list"),
            ("recipes: {dict_object: 'r:r'}", "recipes: dict_object is expanded by executing"),
            ("recipes: [{dict_object: 'r:r'}]", "recipes[0]: dict_object"),
            ("recipes: [{id: 5, object: 'r:r'}]", "recipes[0].id: expected text"),
            ("recipes: [x]", "recipes[0].id: expected text"),
            ("recipes: [{id: a, object: r}]", "recipes[0].object: expected text of the form module:name"),
            ("recipes: [{id: a, object: 'r:r'}, {id: a, object: 'r:r'}]", "recipes[1].id: a is used twice"),
            ("recipes: []\nbakery: x", "bakery.id: expected text"),
            ("recipes: [{id: \"a\\0\", object: 'r:r'}]", "control characters"),
        ] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.starts_with("feedstock/meta.yaml: ") && error.contains(words), "{yaml:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        assert!(read(&"a".repeat(SIZE_MAX + 1)).unwrap_err().contains("bytes; at most"));
        assert!(parse("m", b"\xff\xfe", meta).unwrap_err().contains("not UTF-8"));
        let bomb = (0..20).fold("a0: &a0 [x]\n".to_owned(), |yaml, i| {
            yaml + &format!("a{}: &a{} [{}]\n", i + 1, i + 1, vec![format!("*a{i}"); 10].join(", "))
        });
        assert!(read(&bomb).is_err(), "an alias bomb");
        assert!(read(&"[".repeat(100_000)).is_err(), "depth");
    }

    #[test]
    fn the_head_repository_is_found_in_its_address() {
        assert_eq!(full_name("https://github.com/o/r").as_deref(), Some("o/r"));
        assert_eq!(full_name("http://127.0.0.1:9/o/r/").as_deref(), Some("o/r"));
        assert_eq!(full_name("https://github.com/o"), None);
        assert_eq!(full_name("x"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>(), text in "[a-z:\\[\\]{}&*\\- \n'\"!|>%]{0,80}") {
            let _ = parse("m", &bytes, meta);
            let _ = parse("m", text.as_bytes(), meta);
        }
    }
}
