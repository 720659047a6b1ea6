//! The clipboard, through the program that the desktop has for it, or through the terminal.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cli::cx::Cx;
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::util::Secret;

/// A program that takes the clipboard's content on standard input, and one that gives it back.
struct Program {
    put: &'static [&'static str],
    /// Empty where there is none.
    get: &'static [&'static str],
    /// The variable without which it has nobody to talk to.
    needs: Option<&'static str>,
}

const PROGRAMS: [Program; 5] = [
    Program { put: &["pbcopy"], get: &["pbpaste"], needs: None },
    Program { put: &["wl-copy"], get: &["wl-paste", "--no-newline"], needs: Some("WAYLAND_DISPLAY") },
    Program {
        put: &["xclip", "-selection", "clipboard"],
        get: &["xclip", "-selection", "clipboard", "-o"],
        needs: Some("DISPLAY"),
    },
    Program { put: &["xsel", "-bi"], get: &["xsel", "-bo"], needs: Some("DISPLAY") },
    Program { put: &["clip.exe"], get: &[], needs: None },
];

/// A way to the clipboard.
pub struct Clipboard(Option<&'static Program>);

/// The first way that there is.
///
/// # Errors
/// When there is none: no program, and no terminal to ask.
pub fn find(env: &Env) -> Result<Clipboard> {
    let there = |program: &&Program| {
        program.needs.is_none_or(|name| env.get(name).is_some()) && is_on_path(env, program.put[0])
    };
    if let Some(program) = PROGRAMS.iter().find(there) {
        return Ok(Clipboard(Some(program)));
    }
    if std::io::stderr().is_terminal() {
        return Ok(Clipboard(None));
    }
    Err(Error::failure("there is no clipboard here")
        .because("looked for pbcopy, wl-copy, xclip, xsel and clip.exe, and this is no terminal"))
}

impl Clipboard {
    /// What it goes through.
    pub fn name(&self) -> &'static str {
        self.0.map_or("the terminal (OSC 52)", |program| program.put[0])
    }

    /// Puts `secret` on it.
    ///
    /// # Errors
    /// When the program fails.
    pub fn put(&self, cx: &Cx, secret: &Secret) -> Result {
        self.write(cx, secret.expose())
    }

    /// Takes `secret` off again. `false` when something else is there, which stays.
    ///
    /// # Errors
    /// When the program fails.
    pub fn clear(&self, cx: &Cx, secret: &Secret) -> Result<bool> {
        if self.content().is_some_and(|now| !secret.matches(&now)) {
            return Ok(false);
        }
        self.write(cx, "")?;
        Ok(true)
    }

    fn write(&self, cx: &Cx, text: &str) -> Result {
        let Some(program) = self.0 else {
            cx.ui.verbatim(&format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text)));
            return Ok(());
        };
        let failed = |why: String| Error::failure(format!("{} failed", program.put[0])).because(why);
        // These programs stay in the background and serve the clipboard: with our standard error in
        // hand they would keep a pipe open for ever.
        let mut child = Command::new(program.put[0])
            .args(&program.put[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let written = child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
        let status = child.wait().map_err(|error| failed(error.to_string()))?;
        written.unwrap_or(Ok(())).map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }

    /// What it holds now, where that can be asked.
    fn content(&self) -> Option<Vec<u8>> {
        let [name, args @ ..] = self.0?.get else { return None };
        let output = Command::new(name).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then_some(output.stdout)
    }
}

fn is_on_path(env: &Env, name: &str) -> bool {
    let path = env.get("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|folder| Path::new(&folder).join(name).is_file())
}
