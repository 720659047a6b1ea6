//! One neutral value for each private one, the same wherever it stands.
//!
//! What stands in its place is counted, not computed from it: nobody can try values until one fits.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest;

use super::words::{NEUTRAL, is_public, is_segment};

/// Digits from which a number is somebody's: smaller ones count things.
const LONG: usize = 4;
/// Hex digits from which a word with letters and digits is a commit.
const SHA: usize = 7;

/// The values that were met and what stands in their place.
#[derive(Debug, Default)]
pub struct Names {
    /// Every word and number of the original, in lower case: nothing of it may come back.
    taken: HashSet<String>,
    words: HashMap<String, String>,
    numbers: HashMap<String, String>,
    shas: HashMap<String, String>,
    opaque: HashMap<String, String>,
    made_words: usize,
    made_numbers: u64,
}

impl Names {
    /// Remembers every word of `text` as one that may not come back, and its commits.
    pub fn meet(&mut self, text: &str) {
        for piece in pieces(text) {
            let Piece::Word(word) = piece else { continue };
            let word = word.to_lowercase();
            if is_sha(&word) {
                self.shas.entry(word.clone()).or_default();
            }
            self.taken.insert(word);
        }
    }

    /// After everything was met: gives the commits their names. A short one is the beginning of the
    /// long one's, as before.
    pub fn settle(&mut self) {
        let mut shas: Vec<String> = self.shas.keys().cloned().collect();
        shas.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        for (number, sha) in shas.iter().enumerate() {
            let whole =
                shas[..number].iter().find(|whole| whole.starts_with(sha)).and_then(|whole| self.shas.get(whole));
            let named = match whole {
                Some(named) => named[..sha.len()].to_owned(),
                None if zeros(sha) => sha.clone(),
                None => hex_of(number, sha.len()),
            };
            self.shas.insert(sha.clone(), named);
        }
    }

    /// `text` with every word in its place replaced; what stands between them stays.
    pub fn text(&mut self, text: &str) -> String {
        pieces(text)
            .map(|piece| match piece {
                Piece::Word(word) => self.word(word),
                Piece::Between(between) => between.to_owned(),
            })
            .collect()
    }

    /// One word: letters and digits without anything between.
    pub fn word(&mut self, word: &str) -> String {
        let lower = word.to_lowercase();
        if word.chars().count() < 2 || is_public(&lower) {
            return word.to_owned();
        }
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return if word.len() < LONG { word.to_owned() } else { self.number(word) };
        }
        if let Some(named) = self.shas.get(&lower) {
            return named.clone();
        }
        let neutral = match self.words.get(&lower) {
            Some(known) => known.clone(),
            None => {
                let made = self.new_word();
                self.words.insert(lower, made.clone());
                made
            }
        };
        cased(word, neutral)
    }

    fn new_word(&mut self) -> String {
        loop {
            let (round, at) = (self.made_words / NEUTRAL.len(), self.made_words % NEUTRAL.len());
            self.made_words += 1;
            let word = if round == 0 { NEUTRAL[at].to_owned() } else { format!("{}{}", NEUTRAL[at], round + 1) };
            if !self.taken.contains(&word) && !is_segment(&word) {
                return word;
            }
        }
    }

    /// A number, as text: another with as many digits.
    pub fn number(&mut self, digits: &str) -> String {
        if zeros(digits) {
            return digits.to_owned();
        }
        if let Some(known) = self.numbers.get(digits) {
            return known.clone();
        }
        let wide = u32::try_from(digits.len()).unwrap_or(u32::MAX);
        let least = 10_u64.checked_pow(wide.saturating_sub(1).min(17)).unwrap_or(1);
        let made = loop {
            self.made_numbers += 1;
            let made = (least + self.made_numbers).to_string();
            if !self.taken.contains(&made) {
                break made;
            }
        };
        self.numbers.insert(digits.to_owned(), made.clone());
        made
    }

    /// Something opaque, such as a node id: as long as before, its kind kept where it says one.
    pub fn opaque(&mut self, text: &str) -> String {
        if let Some(known) = self.opaque.get(text) {
            return known.clone();
        }
        let kind = text.split_once('_').map(|(kind, _)| kind).filter(|kind| kind.len() <= 6);
        let number = self.opaque.len() + 1;
        let head = kind.map_or_else(|| "N".to_owned(), |kind| format!("{kind}_k"));
        let width = text.chars().count().saturating_sub(head.len()).max(number.to_string().len());
        let made = format!("{head}{number:0>width$}");
        self.opaque.insert(text.to_owned(), made.clone());
        made
    }

    /// What stands in the place of something opaque that was met before.
    pub fn known_opaque(&self, text: &str) -> Option<&String> {
        self.opaque.get(text)
    }
}

enum Piece<'a> {
    Word(&'a str),
    Between(&'a str),
}

/// Words and what stands between them. `%5B` in an address is between.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let escape = |text: &str| {
            text.len() >= 3 && text.starts_with('%') && text.as_bytes()[1..3].iter().all(u8::is_ascii_hexdigit)
        };
        let end = if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())
        } else if escape(rest) {
            3
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(if first.is_alphanumeric() { Piece::Word(piece) } else { Piece::Between(piece) })
    })
}

/// Whether a word in lower case is a commit, whole or in short.
pub fn is_sha(word: &str) -> bool {
    let hex = word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_lowercase());
    hex && word.len() >= SHA && (mixed || matches!(word.len(), 40 | 64))
}

fn zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// The hex digits of the commit number `number`.
fn hex_of(number: usize, digits: usize) -> String {
    let mut text = String::new();
    let mut round = 0;
    while text.len() < digits {
        let seed = format!("pforge fixture {number}.{round}");
        text += &hex::encode(digest::digest(&digest::SHA256, seed.as_bytes()));
        round += 1;
    }
    text.truncate(digits);
    text
}

/// `neutral` in the case of `word`.
fn cased(word: &str, neutral: String) -> String {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let capital = letters.next().is_some_and(char::is_uppercase);
    let all = letters.clone().next().is_some() && letters.all(char::is_uppercase);
    match (capital, all) {
        (true, true) => neutral.to_uppercase(),
        (true, false) => neutral[..1].to_uppercase() + &neutral[1..],
        (false, _) => neutral,
    }
}
