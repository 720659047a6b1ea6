//! Reading with Go's leniency: whatever follows the object in a plaintext is ignored, what is not
//! UTF-8 becomes U+FFFD byte by byte, and so does half of a surrogate pair.

use crate::secrets::error::Error;
use crate::secrets::format::Format;
use crate::secrets::format::place::syntax;
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Seq, Span, Tree, Value};

/// How deep a document may nest, so that no walk over its tree exhausts the stack.
const MAX_DEPTH: usize = 200;

/// Reads a document with spans. SOPS encrypts the first object and loses what follows it, and
/// refuses to read an encrypted file with something behind the object; here both are an error.
pub(in crate::secrets::format) fn read(bytes: &[u8]) -> Result<Tree, Error> {
    let mut reader = Reader { bytes, at: 0, depth: 0 };
    let tree = reader.document()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(tree),
        Some(_) => Err(reader.error("something follows the object")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Tree, Error> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => Ok(Tree { documents: vec![self.object()?] }),
            None => Err(self.error("it is empty")),
            Some(0xEF) if self.bytes[self.at..].starts_with("\u{FEFF}".as_bytes()) => {
                Err(self.error("it begins with a byte order mark"))
            }
            Some(_) => Err(self.error("the document must be an object, beginning with {")),
        }
    }

    fn value(&mut self) -> Result<Node, Error> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => Value::Map(self.object()?),
            Some(b'[') => Value::Seq(self.array()?),
            Some(b'"') => Value::Scalar(Scalar::Text(self.string()?.into())),
            Some(b'-' | b'0'..=b'9') => Value::Scalar(Scalar::Float(self.number()?)),
            Some(_) => Value::Scalar(self.word()?),
            None => return Err(self.error("it ends where a value is expected")),
        };
        Ok(Node { value, span: Some(Span { start, end: self.at }), sealed: None })
    }

    fn object(&mut self) -> Result<Map, Error> {
        self.enter()?;
        let mut map = Map::default();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'}') if map.items.is_empty() => break,
                Some(b'"') => map.items.push(Item::Value(self.entry()?)),
                None => return Err(self.error("it ends inside an object")),
                Some(_) => return Err(self.error("a key in double quotes is expected")),
            }
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                None => return Err(self.error("it ends inside an object")),
                Some(_) => return Err(self.error("a comma or the end of the object is expected")),
            }
        }
        self.leave();
        Ok(map)
    }

    fn entry(&mut self) -> Result<Entry, Error> {
        let start = self.at;
        let key = self.string()?;
        let key_span = Some(Span { start, end: self.at });
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.error("a colon is expected after the key"));
        }
        self.at += 1;
        self.skip_space();
        Ok(Entry { key, key_span, value: self.value()? })
    }

    fn array(&mut self) -> Result<Seq, Error> {
        self.enter()?;
        let mut seq = Seq::default();
        loop {
            self.skip_space();
            if self.peek() == Some(b']') && seq.items.is_empty() {
                break;
            }
            seq.items.push(Item::Value(self.value()?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                None => return Err(self.error("it ends inside an array")),
                Some(_) => return Err(self.error("a comma or the end of the array is expected")),
            }
        }
        self.leave();
        Ok(seq)
    }

    /// Steps over an opening bracket.
    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("it nests more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Steps over a closing bracket.
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn string(&mut self) -> Result<String, Error> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let run = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
            push_lossy(&mut text, &rest[..run]);
            self.at += run;
            match rest.get(run) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error("a control character in a text must be escaped")),
                None => {
                    self.at = open;
                    return Err(self.error("the text that begins here has no end"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let escaped = match self.bytes.get(self.at + 1) {
            Some(&plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("there is no such escape")),
        };
        self.at += 2;
        Ok(escaped)
    }

    fn unicode_escape(&mut self) -> Result<char, Error> {
        let Some(unit) = self.code_unit() else {
            return Err(self.error("four hexadecimal digits are expected after \\u"));
        };
        self.at += 6;
        if !matches!(unit, 0xD800..0xE000) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        // The second half is stepped over only when both make a pair.
        if let (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) = (unit, self.code_unit()) {
            self.at += 6;
            let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// The UTF-16 unit of a `\uXXXX` that begins here, if one does.
    fn code_unit(&self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
    }

    fn number(&mut self) -> Result<f64, Error> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            if !self.skip(b'+') {
                self.skip(b'-');
            }
            self.digits()?;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => {
                self.at = start;
                Err(self.error("the number is out of range"))
            }
        }
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a digit is expected")) } else { Ok(()) }
    }

    fn word(&mut self) -> Result<Scalar, Error> {
        for (word, scalar) in [("true", Scalar::Bool(true)), ("false", Scalar::Bool(false)), ("null", Scalar::Null)] {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(scalar);
            }
        }
        Err(self.error("a value is expected"))
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over `byte`, if it is the next one.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, what: impl Into<String>) -> Error {
        syntax(Format::Json, self.bytes, self.at, what)
    }
}

/// Appends `bytes`, with U+FFFD for each byte that is not part of a character.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
