//! A payload in the person's editor.

use serde_json::Value;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::editor;
use crate::secrets::Text;

/// Opens `payload` in the editor until it is JSON again, or the person gives up.
///
/// # Errors
/// When there is no editor or nobody to use it, when it fails, and when the text is not JSON.
pub fn payload(cx: &Cx, payload: &Value) -> Result<Value> {
    let text = serde_json::to_string_pretty(payload).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let advised = |error: Error| {
        let mut told = error;
        told.causes.retain(|cause| cause != "nothing is written to the file");
        told.tries = vec!["pforge trigger … --set PATH=VALUE".to_owned()];
        told
    };
    let draft = editor::Draft::new(&cx.env, "payload.json", &Text::from(text + "\n"))?;
    loop {
        let edited = draft.edit(cx).map_err(advised)?;
        if let Some(error) = edited.failed {
            return Err(advised(error).because("nothing was sent"));
        }
        if edited.at_once {
            let told = Error::failure("the editor was back at once, with nothing changed").because("nothing was sent");
            return Err(told.hint("export EDITOR='code --wait'"));
        }
        let wrong = match serde_json::from_slice::<Value>(edited.text.expose()) {
            Ok(value) if value.is_object() => return Ok(value),
            Ok(_) => Error::failure("a payload is a JSON object"),
            Err(error) => Error::failure("the payload is not JSON").because(error),
        };
        if !cx.ui.interactive() {
            return Err(wrong.because("nothing was sent"));
        }
        cx.ui.error(&wrong);
        if !editor::ask(cx, "Open it again?") {
            return Err(Error::new(Kind::Interrupted, "given up").because("nothing was sent"));
        }
    }
}
