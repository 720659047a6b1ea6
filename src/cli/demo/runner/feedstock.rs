//! A feedstock's folder, read as far as is possible without running it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// Longest pause that a recipe may ask for, in seconds.
const PAUSE_MAX: f64 = 3600.0;

/// What went wrong, as Python would say it.
#[derive(Debug)]
pub struct Trouble {
    /// The exception's text.
    pub message: String,
    /// The traceback.
    pub trace: String,
}

impl Trouble {
    /// An exception that the runner itself raises.
    pub fn of(kind: &str, message: &str) -> Self {
        let trace = format!("Traceback (most recent call last):\n  File \"pforge demo-runner\"\n{kind}: {message}");
        Self { message: message.to_owned(), trace }
    }
}

/// A feedstock.
#[derive(Debug)]
pub struct Feedstock {
    folder: PathBuf,
    meta: Value,
    code: String,
}

impl Feedstock {
    /// Reads the feedstock in `folder`.
    ///
    /// # Errors
    /// When it has no usable `meta.yaml`.
    pub fn open(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join("meta.yaml");
        let missing = || Trouble::of("FileNotFoundError", &format!("[Errno 2] No such file: '{}'", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|_| missing())?;
        let meta = serde_yaml::from_str::<Value>(&text).ok().filter(Value::is_object);
        let meta = meta.ok_or_else(|| Trouble::of("YAMLError", &format!("{} is no mapping", path.display())))?;
        // A feedstock may be expanded without its code.
        let code = std::fs::read_to_string(folder.join("recipe.py")).unwrap_or_default();
        Ok(Self { folder: folder.to_path_buf(), meta, code })
    }

    /// `meta.yaml` as the runner shows it: `dict_object` is expanded, and the bakery is left out.
    ///
    /// # Errors
    /// When the recipes are no list, or are a dictionary that cannot be read.
    pub fn expanded(&self) -> Result<Value, Trouble> {
        let mut meta = self.meta.clone();
        meta["recipes"] = self.recipes()?.into();
        if let Some(meta) = meta.as_object_mut() {
            meta.remove("bakery");
        }
        Ok(meta)
    }

    /// The ids of the recipes to bake: of `wanted`, or of all.
    ///
    /// # Errors
    /// When there is no such recipe, or the code raises an exception.
    pub fn chosen(&self, wanted: Option<&str>) -> Result<Vec<String>, Trouble> {
        if let Some(raised) = self.raised() {
            return Err(raised);
        }
        let ids = self.recipes()?.into_iter().filter_map(|recipe| Some(recipe["id"].as_str()?.to_owned()));
        let ids: Vec<String> = ids.collect();
        match wanted {
            None => Ok(ids),
            Some(wanted) if ids.iter().any(|id| id == wanted) => Ok(vec![wanted.to_owned()]),
            Some(wanted) => Err(Trouble::of("ValueError", &format!("self.recipe_id='{wanted}' not in {ids:?}"))),
        }
    }

    /// How long baking shall take.
    pub fn pause(&self) -> Duration {
        let asked = self.code.lines().find_map(|line| line.trim().strip_prefix("# demo: sleep "));
        let seconds = asked.and_then(|text| text.trim().parse::<f64>().ok()).unwrap_or(0.0);
        Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, PAUSE_MAX) } else { 0.0 })
    }

    fn recipes(&self) -> Result<Vec<Value>, Trouble> {
        let listed = match &self.meta["recipes"] {
            Value::Array(list) => list.clone(),
            // Also the form without a list.
            map @ Value::Object(_) => vec![map.clone()],
            Value::Null => {
                let message = "The 'recipes' trait of a MetaYaml instance expected a list, not the NoneType None.";
                return Err(Trouble::of("traitlets.traitlets.TraitError", message));
            }
            other => {
                let message = format!("The 'recipes' trait of a MetaYaml instance expected a list, not {other}.");
                return Err(Trouble::of("traitlets.traitlets.TraitError", &message));
            }
        };
        let mut recipes = Vec::new();
        for recipe in listed {
            match recipe["dict_object"].as_str() {
                Some(object) => recipes.extend(self.dictionary(object)?),
                None => recipes.push(recipe),
            }
        }
        Ok(recipes)
    }

    /// The keys of the dictionary that `module:name` names, where they are written out.
    fn dictionary(&self, object: &str) -> Result<Vec<Value>, Trouble> {
        let name = object.split_once(':').map_or(object, |(_, name)| name);
        let start = self.code.find(&format!("{name} = {{"));
        let body = start.map(|at| &self.code[at + name.len() + 4..]);
        let body = body.ok_or_else(|| Trouble::of("AttributeError", &format!("recipe.py has no dictionary {name}")))?;
        let entry = |key: String| json!({ "id": key, "object": "DICT_VALUE_PLACEHOLDER" });
        Ok(keys(body).into_iter().map(entry).collect())
    }

    /// The exception that a line of the code raises when it is imported.
    fn raised(&self) -> Option<Trouble> {
        let (number, line) = self.code.lines().enumerate().find(|(_, line)| line.starts_with("raise "))?;
        let (kind, rest) = line["raise ".len()..].split_once('(')?;
        let message = rest.trim_end().trim_end_matches(')').trim_matches(['"', '\'']).to_owned();
        let trace = format!(
            "Traceback (most recent call last):\n  File \"{}\", line {}, in <module>\n    {line}\n{kind}: {message}\n",
            self.folder.join("recipe.py").display(),
            number + 1
        );
        Some(Trouble { message, trace })
    }
}

/// The text keys of a dictionary literal, from after its brace on.
fn keys(body: &str) -> Vec<String> {
    let (mut depth, mut found, mut rest) = (0usize, Vec::new(), body);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' if depth == 0 => break,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            '"' | '\'' => {
                let Some((text, after)) = rest.split_once(c) else { break };
                if depth == 0 && after.trim_start().starts_with(':') {
                    found.push(text.to_owned());
                }
                rest = after;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedstock(meta: Value, code: &str) -> Feedstock {
        Feedstock { folder: "f".into(), meta, code: code.to_owned() }
    }

    #[test]
    fn a_dictionary_is_read_as_far_as_it_is_written_out() {
        let code = "x = {'no': 1}\nrecipes = {\"alpha\": mk(2, {'inner': 1}), 'beta': 'text: 1', **more}\n";
        let meta = json!({ "title": "t", "recipes": [{ "dict_object": "recipe:recipes" }], "bakery": { "id": "b" } });
        let expanded = feedstock(meta, code).expanded().expect("recipes");
        let object = "DICT_VALUE_PLACEHOLDER";
        let recipes = json!([{ "id": "alpha", "object": object }, { "id": "beta", "object": object }]);
        assert_eq!(expanded, json!({ "title": "t", "recipes": recipes }));
    }

    #[test]
    fn code_speaks_by_its_marks() {
        let list = json!({ "recipes": [{ "id": "a", "object": "recipe:a" }] });
        let calm = feedstock(list.clone(), "a = 1\n# demo: sleep 0.25\n    raise Inner(\"no\")\n");
        assert_eq!(calm.pause(), Duration::from_millis(250));
        assert_eq!(calm.chosen(None).expect("all"), ["a"]);
        assert!(calm.chosen(Some("b")).expect_err("unknown").trace.contains("'b' not in [\"a\"]"));
        let angry = feedstock(list, "a = 1\nraise ValueError(\"no such file\")\n");
        let trouble = angry.chosen(Some("a")).expect_err("raised");
        assert!(
            trouble
                .trace
                .ends_with("line 2, in <module>\n    raise ValueError(\"no such file\")\nValueError: no such file\n")
        );
        let none = feedstock(json!({}), "").expanded().expect_err("no recipes");
        assert!(none.trace.contains("expected a list, not the NoneType None."), "{}", none.trace);
    }
}
