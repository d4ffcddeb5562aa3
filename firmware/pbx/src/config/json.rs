//! JSON (RFC 8259) as generic nodes with their places, without knowing what any name means: what it says is read in
//! [`super::from_json`]. Bounded in length and depth; of a text that is no JSON the first mistake is told, since nothing
//! after it can be believed.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::problem::Report;
use super::tree::{DEPTH_MAX, TEXT_BYTES_MAX};
use crate::text::{Key, Text, problem};

/// Line and column in characters, from 1.
pub(super) type At = (u32, u32);

/// One value with its place.
#[derive(Debug)]
pub(super) struct Json {
    pub at: At,
    pub held: Held,
}

#[derive(Debug)]
pub(super) enum Held {
    Null,
    Flag(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// One name of an object with its value; a name that comes twice is there twice.
#[derive(Debug)]
pub(super) struct Member {
    pub at: At,
    pub name: String,
    pub value: Json,
}

impl Held {
    /// What a person calls it.
    pub fn word(&self) -> Key {
        match self {
            Held::Null => problem::JSON_NULL,
            Held::Flag(_) => problem::JSON_FLAG,
            Held::Number(_) => problem::JSON_NUMBER,
            Held::Text(_) => problem::JSON_TEXT,
            Held::Array(_) => problem::JSON_ARRAY,
            Held::Object(_) => problem::JSON_OBJECT,
        }
    }
}

/// The text was no JSON; that is reported.
#[derive(Debug)]
pub(super) struct Broken;

/// Reads a text that is one value. Takes time in proportion to the text.
pub(super) fn parse(text: &str, report: &mut Report) -> Result<Json, Broken> {
    if text.len() > TEXT_BYTES_MAX {
        let reason = Text::new(problem::TOO_LONG).with("bytes", text.len() as u64);
        report.error((1, 1), "", reason, Text::new(problem::TOO_LONG_REMEDY).with("max", TEXT_BYTES_MAX as u64));
        return Err(Broken);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text.chars().peekable(), at: (1, 1), depth: 0, report };
    let value = reader.value()?;
    reader.blank();
    match reader.rest.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected(problem::JSON_END)),
    }
}

struct Reader<'a> {
    rest: core::iter::Peekable<core::str::Chars<'a>>,
    at: At,
    depth: usize,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        let (line, column) = &mut self.at;
        if c == '\n' {
            (*line, *column) = (line.saturating_add(1), 1);
        } else {
            *column = column.saturating_add(1);
        }
        Some(c)
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let there = self.rest.peek() == Some(&wanted);
        if there {
            self.next();
        }
        there
    }

    fn blank(&mut self) {
        while self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
            self.next();
        }
    }

    fn broken(&mut self, at: At, reason: impl Into<Text>, remedy: impl Into<Text>) -> Broken {
        self.report.error(at, "", reason, remedy);
        Broken
    }

    /// The next character cannot stand where it stands.
    fn unexpected(&mut self, wanted: impl Into<Text>) -> Broken {
        let remedy = Text::new(problem::GIVE).with("expected", wanted.into());
        match self.rest.peek().copied() {
            None => self.broken(self.at, problem::JSON_SHORT, remedy),
            Some(c) => {
                let found: String = if c.is_control() { c.escape_default().collect() } else { c.into() };
                self.broken(self.at, Text::new(problem::JSON_UNEXPECTED).with("found", found), remedy)
            }
        }
    }

    fn value(&mut self) -> Result<Json, Broken> {
        self.blank();
        let at = self.at;
        let held = match self.rest.peek().copied() {
            Some('{') => self.inside(Self::object)?,
            Some('[') => self.inside(Self::array)?,
            Some('"') => Held::Text(self.text()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('a'..='z') => self.word()?,
            _ => return Err(self.unexpected(problem::JSON_VALUE)),
        };
        Ok(Json { at, held })
    }

    /// After the opening bracket, one level deeper.
    fn inside(&mut self, read: fn(&mut Self) -> Result<Held, Broken>) -> Result<Held, Broken> {
        if self.depth == DEPTH_MAX {
            let remedy = Text::new(problem::TOO_DEEP_REMEDY).with("max", DEPTH_MAX as u64);
            return Err(self.broken(self.at, problem::TOO_DEEP, remedy));
        }
        self.depth += 1;
        self.next();
        let held = read(self);
        self.depth -= 1;
        held
    }

    fn object(&mut self) -> Result<Held, Broken> {
        let mut members = Vec::new();
        self.blank();
        if self.next_if('}') {
            return Ok(Held::Object(members));
        }
        loop {
            self.blank();
            let at = self.at;
            if self.rest.peek() != Some(&'"') {
                return Err(self.unexpected(problem::JSON_TEXT));
            }
            let name = self.text()?;
            self.blank();
            if !self.next_if(':') {
                return Err(self.unexpected(Text::new(problem::JSON_SIGN).with("sign", ":")));
            }
            members.push(Member { at, name, value: self.value()? });
            if self.ends('}')? {
                return Ok(Held::Object(members));
            }
        }
    }

    fn array(&mut self) -> Result<Held, Broken> {
        let mut items = Vec::new();
        self.blank();
        if self.next_if(']') {
            return Ok(Held::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.ends(']')? {
                return Ok(Held::Array(items));
            }
        }
    }

    /// After an item: whether its list ends here.
    fn ends(&mut self, close: char) -> Result<bool, Broken> {
        self.blank();
        if self.next_if(',') {
            return Ok(false);
        }
        if self.next_if(close) {
            return Ok(true);
        }
        Err(self.unexpected(Text::new(problem::JSON_SIGN_OR).with("sign", ",").with("other", String::from(close))))
    }

    /// `true`, `false`, `null`
    fn word(&mut self) -> Result<Held, Broken> {
        let (at, mut word) = (self.at, String::new());
        while let Some(c) = self.rest.peek().copied().filter(char::is_ascii_alphanumeric) {
            // Longer than any that there is; the rest does not matter.
            if word.len() > 5 {
                break;
            }
            word.push(c);
            self.next();
        }
        match word.as_str() {
            "true" => Ok(Held::Flag(true)),
            "false" => Ok(Held::Flag(false)),
            "null" => Ok(Held::Null),
            _ => {
                let remedy = Text::new(problem::GIVE).with("expected", problem::JSON_VALUE);
                Err(self.broken(at, Text::new(problem::JSON_UNEXPECTED).with("found", word), remedy))
            }
        }
    }

    /// §6
    fn number(&mut self) -> Result<Held, Broken> {
        let mut word = String::new();
        if self.next_if('-') {
            word.push('-');
        }
        if self.next_if('0') {
            word.push('0');
        } else {
            self.digits(&mut word)?;
        }
        if self.next_if('.') {
            word.push('.');
            self.digits(&mut word)?;
        }
        if let Some(e) = self.rest.peek().copied().filter(|c| matches!(c, 'e' | 'E')) {
            self.next();
            word.push(e);
            if let Some(sign) = self.rest.peek().copied().filter(|c| matches!(c, '+' | '-')) {
                self.next();
                word.push(sign);
            }
            self.digits(&mut word)?;
        }
        Ok(Held::Number(word))
    }

    fn digits(&mut self, word: &mut String) -> Result<(), Broken> {
        let before = word.len();
        while let Some(c) = self.rest.peek().copied().filter(char::is_ascii_digit) {
            word.push(c);
            self.next();
        }
        if word.len() == before { Err(self.unexpected(problem::JSON_NUMBER)) } else { Ok(()) }
    }

    /// §7, before the opening quote.
    fn text(&mut self) -> Result<String, Broken> {
        let open = self.at;
        self.next();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(self.broken(open, problem::QUOTE_OPEN, problem::QUOTE_OPEN_REMEDY)),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(at)?),
                Some('\n') => return Err(self.broken(open, problem::QUOTE_OPEN, problem::QUOTE_OPEN_REMEDY)),
                Some(c) if c < ' ' => {
                    let reason = Text::new(problem::CONTROL_CHARACTER).with("code", format!("U+{:04X}", c as u32));
                    return Err(self.broken(at, reason, problem::CONTROL_CHARACTER_REMEDY));
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// After a backslash, which stands at `at`.
    fn escape(&mut self, at: At) -> Result<char, Broken> {
        let known = match self.next() {
            Some(c @ ('"' | '\\' | '/')) => Some(c),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        known.ok_or_else(|| self.broken(at, problem::JSON_ESCAPE, problem::JSON_ESCAPE_REMEDY))
    }

    /// After `\u`; of two halves both.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        let second = (self.next_if('\\') && self.next_if('u')).then(|| self.hex()).flatten()?;
        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + low)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.rest.peek()?.to_digit(16)?;
            self.next();
            number = number << 4 | digit;
        }
        Some(number)
    }
}
