//! How a place is written.

use std::iter::Peekable;
use std::str::CharIndices;

use super::Step;

/// The steps that `text` names, or why it names none.
pub(super) fn steps(text: &str) -> Result<Vec<Step>, &'static str> {
    Parser { text, chars: text.char_indices().peekable() }.steps()
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn steps(&mut self) -> Result<Vec<Step>, &'static str> {
        if self.text.is_empty() {
            return Err("it is empty");
        }
        let mut steps = Vec::new();
        if self.peek() != Some('[') {
            steps.push(self.part()?);
        }
        loop {
            match self.peek() {
                None => return Ok(steps),
                Some('.') => {
                    self.chars.next();
                    steps.push(self.part()?);
                }
                Some('[') => {
                    self.chars.next();
                    steps.push(self.bracket()?);
                }
                Some(_) => return Err("a full stop or a bracket must follow what is in quotes or brackets"),
            }
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, char)| *char)
    }

    /// Where the parser is, in bytes.
    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    /// A part between full stops.
    fn part(&mut self) -> Result<Step, &'static str> {
        if self.peek() == Some('"') {
            return self.json().map(Step::Key);
        }
        let start = self.at();
        while self.peek().is_some_and(|char| char != '.' && char != '[') {
            if self.peek() == Some(']') {
                return Err("it has a closing bracket without an opening one");
            }
            self.chars.next();
        }
        let end = self.at();
        if start == end { Err("a part of it is empty") } else { Ok(Step::Key(self.text[start..end].to_owned())) }
    }

    /// What is in brackets, after the opening one.
    fn bracket(&mut self) -> Result<Step, &'static str> {
        let step = match self.peek() {
            Some('"') => Step::Key(self.json()?),
            Some('\'') => {
                self.chars.next();
                let start = self.at();
                while self.peek().is_some_and(|char| char != '\'') {
                    self.chars.next();
                }
                let end = self.at();
                self.chars.next().ok_or("a quote is not closed")?;
                Step::Key(self.text[start..end].to_owned())
            }
            Some('-') => return Err("an index counts from 0"),
            _ => {
                let start = self.at();
                while self.peek().is_some_and(|char| char.is_ascii_digit()) {
                    self.chars.next();
                }
                let end = self.at();
                let digits = &self.text[start..end];
                if digits.is_empty() {
                    return Err("brackets hold an index or a key in quotes");
                }
                Step::Index(digits.parse().map_err(|_| "an index is too large")?)
            }
        };
        match self.chars.next() {
            Some((_, ']')) => Ok(step),
            _ => Err("a bracket is not closed"),
        }
    }

    /// A JSON string.
    fn json(&mut self) -> Result<String, &'static str> {
        let start = self.at();
        self.chars.next();
        loop {
            match self.chars.next() {
                Some((_, '\\')) => {
                    self.chars.next();
                }
                Some((end, '"')) => {
                    return serde_json::from_str(&self.text[start..=end])
                        .map_err(|_| "what is in quotes is not a JSON string");
                }
                Some(_) => {}
                None => return Err("a quote is not closed"),
            }
        }
    }
}
