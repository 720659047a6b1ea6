//! The part of GraphQL that a client of GitHub needs: queries with variables, arguments, aliases, inline fragments.
//!
//! Source: <https://spec.graphql.org/October2021/>

use serde_json::{Map, Value, json};

/// A query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Values of variables that are not given.
    pub defaults: Map<String, Value>,
    /// What is asked for.
    pub fields: Vec<Field>,
}

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What the answer calls it.
    pub alias: String,
    /// What it is.
    pub name: String,
    /// Values by name.
    pub arguments: Vec<(String, Argument)>,
    /// What is asked for of it.
    pub fields: Vec<Field>,
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Written down.
    Value(Value),
    /// The variable's.
    Variable(String),
}

impl Field {
    /// The value of argument `name`; `null` when it is not given.
    pub fn argument(&self, name: &str, variables: &Map<String, Value>) -> Value {
        match self.arguments.iter().find(|(n, _)| n == name) {
            Some((_, Argument::Value(value))) => value.clone(),
            Some((_, Argument::Variable(variable))) => variables.get(variable).cloned().unwrap_or_default(),
            None => Value::Null,
        }
    }
}

/// Key of the list in an object that [`select`] shows as a connection.
pub const NODES: &str = "@nodes";
/// Key of a map by argument `number` in an object of which [`select`] shows one entry.
pub const BY_NUMBER: &str = "@number";

/// Reads a document with one query.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(text: &str) -> Result<Query, String> {
    let mut reader = Reader { words: words(text)?, at: 0 };
    let mut query = Query::default();
    match reader.peek() {
        "{" => {}
        "query" => {
            reader.next();
            if reader.peek() != "(" && reader.peek() != "{" {
                reader.next();
            }
            if reader.take("(") {
                reader.variables(&mut query.defaults)?;
            }
        }
        other => return Err(format!("Expected one of SCHEMA, QUERY, actual: {other:?}")),
    }
    query.fields = reader.fields()?;
    if reader.peek().is_empty() { Ok(query) } else { Err(format!("Unexpected {:?}", reader.peek())) }
}

/// Names, numbers, texts (with their quotes) and signs.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.ok_or_else(|| "Unterminated string".to_owned())? + 2
            }
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '.' if rest.starts_with("...") => 3,
            c => c.len_utf8(),
        };
        let (word, tail) = rest.split_at(length);
        if !(c == '#' || c == ',' || c.is_whitespace()) {
            words.push(word.to_owned());
        }
        rest = tail;
    }
    Ok(words)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

struct Reader {
    words: Vec<String>,
    at: usize,
}

impl Reader {
    /// The next word; empty at the end.
    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let word = self.peek().to_owned();
        self.at += 1;
        word
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("Expected {word:?}, actual: {:?}", self.peek())) }
    }

    fn name(&mut self) -> Result<String, String> {
        if self.peek().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            Ok(self.next())
        } else {
            Err(format!("Expected a name, actual: {:?}", self.peek()))
        }
    }

    /// `$name: Type! = default …)`
    fn variables(&mut self, defaults: &mut Map<String, Value>) -> Result<(), String> {
        while !self.take(")") {
            self.expect("$")?;
            let name = self.name()?;
            self.expect(":")?;
            while !matches!(self.peek(), "$" | ")" | "=" | "") {
                self.next();
            }
            if self.take("=") {
                let value = self.value()?;
                defaults.insert(name, value);
            }
        }
        Ok(())
    }

    fn fields(&mut self) -> Result<Vec<Field>, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            if self.take("...") {
                self.expect("on")?;
                self.name()?;
                fields.extend(self.fields()?);
                continue;
            }
            let first = self.name()?;
            let name = if self.take(":") { self.name()? } else { first.clone() };
            let mut arguments = Vec::new();
            if self.take("(") {
                while !self.take(")") {
                    let name = self.name()?;
                    self.expect(":")?;
                    let variable = self.take("$");
                    let value =
                        if variable { Argument::Variable(self.name()?) } else { Argument::Value(self.value()?) };
                    arguments.push((name, value));
                }
            }
            let inner = if self.peek() == "{" { self.fields()? } else { Vec::new() };
            fields.push(Field { alias: first, name, arguments, fields: inner });
        }
        Ok(fields)
    }

    /// A written value; words such as those of an enumeration count as texts.
    fn value(&mut self) -> Result<Value, String> {
        if self.take("[") {
            let mut list = Vec::new();
            while !self.take("]") {
                list.push(self.value()?);
            }
            return Ok(Value::Array(list));
        }
        match self.next() {
            end if end.is_empty() => Err("Unexpected end of document".to_owned()),
            word => Ok(serde_json::from_str(&word).unwrap_or(Value::String(word))),
        }
    }
}

/// What `fields` ask for of `object`, which is of `kind`; what cannot be given is `null` and told in `errors`.
pub fn select(
    object: &Value,
    fields: &[Field],
    variables: &Map<String, Value>,
    path: &[String],
    errors: &mut Vec<Value>,
) -> Value {
    let kind = object["__typename"].as_str().unwrap_or("Query");
    let mut answer = Map::new();
    for field in fields {
        let mut path = path.to_vec();
        path.push(field.alias.clone());
        let Some(found) = object.get(&field.name) else {
            errors.push(json!({
                "path": path,
                "extensions": { "code": "undefinedField", "typeName": kind, "fieldName": field.name },
                "message": format!("Field '{}' doesn't exist on type '{kind}'", field.name),
            }));
            continue;
        };
        let found = resolve(found, field, variables);
        let value = match &found {
            Value::Object(_) => select(&found, &field.fields, variables, &path, errors),
            Value::Array(items) if items.iter().all(Value::is_object) => {
                items.iter().map(|item| select(item, &field.fields, variables, &path, errors)).collect()
            }
            other => other.clone(),
        };
        answer.insert(field.alias.clone(), value);
    }
    Value::Object(answer)
}

/// A connection with the page that `first` and `after` ask for, one of many, or the thing itself.
fn resolve(found: &Value, field: &Field, variables: &Map<String, Value>) -> Value {
    if let Some(by_number) = found.get(BY_NUMBER) {
        return by_number[field.argument("number", variables).to_string()].clone();
    }
    let Some(nodes) = found.get(NODES).and_then(Value::as_array) else { return found.clone() };
    let states = field.argument("states", variables);
    let wanted = |node: &&Value| match &states {
        Value::Array(states) => states.contains(&node["state"]),
        Value::String(state) => node["state"] == state.as_str(),
        _ => true,
    };
    let all: Vec<&Value> = nodes.iter().filter(wanted).collect();
    let after = field.argument("after", variables);
    let start = after.as_str().and_then(|c| c.strip_prefix("cursor:")?.parse().ok()).unwrap_or(0).min(all.len());
    let first = field.argument("first", variables).as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let end = start.saturating_add(first.min(100)).min(all.len());
    json!({
        "__typename": found["__typename"],
        "totalCount": all.len(),
        "nodes": all[start..end],
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": end < all.len(),
            "endCursor": (end > start).then(|| format!("cursor:{end}")),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{BY_NUMBER, NODES, parse, select};

    fn ask(text: &str, variables: Value) -> (Value, Vec<Value>) {
        let query = parse(text).expect("a query");
        let mut all: Map<String, Value> = query.defaults.clone();
        all.extend(variables.as_object().expect("an object").clone());
        let node =
            |n: u64| json!({"__typename": "Issue", "number": n, "state": if n == 2 { "CLOSED" } else { "OPEN" }});
        let world = json!({
            "viewer": {"__typename": "User", "login": "ada"},
            "issue": {BY_NUMBER: {"2": node(2)}},
            "issues": {"__typename": "IssueConnection", NODES: [node(1), node(2), node(3)]},
        });
        let mut errors = Vec::new();
        (select(&world, &query.fields, &all, &[], &mut errors), errors)
    }

    #[test]
    fn names_aliases_arguments_and_fragments() {
        let text = "query Q($n: Int! = 2, $list: [Int!]) { # what\n me: viewer { ... on User { login, __typename } }\n\
                    issue(number: $n) { number } }";
        let (answer, errors) = ask(text, json!({}));
        assert_eq!(answer, json!({"me": {"login": "ada", "__typename": "User"}, "issue": {"number": 2}}));
        assert!(errors.is_empty());
    }

    #[test]
    fn connections_have_pages() {
        let text = "query($endCursor: String) { issues(first: 2, after: $endCursor, states: [OPEN]) {
                    totalCount nodes { number } pageInfo { hasNextPage endCursor } } }";
        let (all, _) = ask(text, json!({}));
        assert_eq!(
            all["issues"],
            json!({"totalCount": 2, "nodes": [{"number": 1}, {"number": 3}],
                   "pageInfo": {"hasNextPage": false, "endCursor": "cursor:2"}})
        );
        let text = text.replace(", states: [OPEN]", "");
        let (first, _) = ask(&text, json!({}));
        assert_eq!(first["issues"]["pageInfo"]["hasNextPage"], true);
        let (second, _) = ask(&text, json!({"endCursor": first["issues"]["pageInfo"]["endCursor"]}));
        assert_eq!(second["issues"]["nodes"], json!([{"number": 3}]));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let (answer, errors) = ask("{ viewer { login age } }", json!({}));
        assert_eq!(answer, json!({"viewer": {"login": "ada"}}));
        assert_eq!(errors[0]["message"], "Field 'age' doesn't exist on type 'User'");
        assert_eq!(errors[0]["path"], json!(["viewer", "age"]));
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in [
            "",
            "mutation { x }",
            "{",
            "{ a(",
            "{ a(b: ) }",
            "{ \"x\" }",
            "{ a } }",
            "query($x: Int",
            "{ ...f }",
            "{ a(b: \"x) }",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
