//! Where a walk through a document stands.

use std::fmt::{self, Write};

/// The path to a place, and the additional data that bind a ciphertext to it.
#[derive(Debug, Default)]
pub(super) struct Place<'t> {
    aad: String,
    steps: Vec<Step<'t>>,
}

#[derive(Debug)]
enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

impl<'t> Place<'t> {
    /// The additional data here: the keys, each with a colon. Positions in sequences do not count.
    pub(super) fn aad(&self) -> &str {
        if self.aad.is_empty() { ":" } else { &self.aad }
    }

    /// Goes to the value of `key`.
    pub(super) fn enter_key(&mut self, key: &'t str) {
        self.aad.push_str(key);
        self.aad.push(':');
        self.steps.push(Step::Key(key));
    }

    /// Goes to the value at `index` of a sequence.
    pub(super) fn enter_index(&mut self, index: usize) {
        self.steps.push(Step::Index(index));
    }

    /// Goes back to where the last `enter` came from.
    pub(super) fn leave(&mut self) {
        if let Some(Step::Key(key)) = self.steps.pop() {
            self.aad.truncate(self.aad.len() - key.len() - 1);
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if at > 0 {
                        f.write_char('.')?;
                    }
                    // A key may hold line breaks; a message is one line.
                    key.chars().try_for_each(|c| match c.is_control() {
                        true => write!(f, "{}", c.escape_default()),
                        false => f.write_char(c),
                    })?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn positions_in_lists_are_told_but_do_not_bind() {
        let mut place = Place::default();
        assert_eq!((place.aad(), place.to_string()), (":", String::new()));
        place.enter_key("a:b");
        place.enter_index(2);
        place.enter_index(0);
        place.enter_key("c\nd");
        assert_eq!((place.aad(), place.to_string()), ("a:b:c\nd:", "a:b[2][0].c\\nd".to_owned()));
        place.leave();
        place.leave();
        assert_eq!((place.aad(), place.to_string()), ("a:b:", "a:b[2]".to_owned()));
        place.leave();
        place.leave();
        place.enter_key("");
        assert_eq!((place.aad(), place.to_string()), (":", String::new()));
    }
}
