//! A document from the JSON form in which it is printed: sections are objects, those with keys objects of objects, lists
//! arrays. What may stand where is in the tables of [`super::schema`] alone. Everything that does not fit is reported at
//! once, each with its JSON pointer (RFC 6901), line and column.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::document::{Body, Document, Entry, MASK, SortKey, canonical_key, masked};
use super::edit;
use super::json::{self, At, Held, Json, Member};
use super::problem::{Problem, Report, shown};
use super::read::{give, remedy_for, unknown_remedy};
use super::schema::{Block, Row, Section};
use super::value::{Kind, Value};
use crate::text::{Key, Text, problem};

impl Document {
    /// Reads the form that [`Document::print_json`] writes; there are no remarks in it. Secrets may be masked; see
    /// [`Document::unmask`].
    ///
    /// # Errors
    /// Everything that does not fit the schema, at once; of a text that is no JSON its first mistake.
    pub fn parse_json(text: &str) -> Result<Document, Vec<Problem>> {
        let mut report = Report::default();
        let body = match json::parse(text, &mut report) {
            Ok(root) => Reader { report: &mut report, path: String::new() }.body(&root, None),
            Err(json::Broken) => Body::default(),
        };
        let problems = report.finish();
        if problems.is_empty() { Ok(Document { body }) } else { Err(problems) }
    }
}

struct Reader<'a> {
    report: &'a mut Report,
    /// Where we are, as a JSON pointer.
    path: String,
}

impl Reader<'_> {
    fn error(&mut self, at: At, reason: impl Into<Text>, remedy: impl Into<Text>) {
        self.report.error(at, &self.path, reason, remedy);
    }

    /// Reads something one name further down.
    fn below<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('/');
        for c in shown(name).chars() {
            match c {
                '~' => self.path.push_str("~0"),
                '/' => self.path.push_str("~1"),
                c => self.path.push(c),
            }
        }
        let out = read(self);
        self.path.truncate(length);
        out
    }

    /// Another sort of value is needed here.
    fn mismatch(&mut self, value: &Json, wanted: Key, remedy: impl Into<Text>) {
        let reason = Text::new(problem::JSON_TYPE).with("found", value.held.word()).with("wanted", wanted);
        self.error(value.at, reason, remedy);
    }

    /// The members of an object, each name once.
    fn members<'j>(&mut self, value: &'j Json) -> Vec<&'j Member> {
        let Held::Object(members) = &value.held else {
            self.mismatch(value, problem::JSON_OBJECT, problem::JSON_OBJECT_REMEDY);
            return Vec::new();
        };
        let mut first: BTreeMap<&str, At> = BTreeMap::new();
        let mut once = Vec::new();
        for member in members {
            match first.get(member.name.as_str()) {
                Some(at) => self.twice(member, *at),
                None => {
                    first.insert(&member.name, member.at);
                    once.push(member);
                }
            }
        }
        once
    }

    fn twice(&mut self, member: &Member, first: At) {
        let reason = Text::new(problem::TWICE).with("first", u64::from(first.0));
        self.below(&member.name, |reader| reader.error(member.at, reason, problem::TWICE_REMEDY));
    }

    fn body(&mut self, value: &Json, section: Option<Section>) -> Body {
        let mut body = Body::default();
        for member in self.members(value) {
            self.below(&member.name, |reader| reader.member(member, section, &mut body));
        }
        body
    }

    fn member(&mut self, member: &Member, section: Option<Section>, body: &mut Body) {
        if let Some((place, row)) = section.and_then(|section| section.row(&member.name)) {
            if let Some(held) = self.leaf(row, &member.value) {
                body.leaves.insert(place, Entry::bare(held));
            }
            return;
        }
        let Some(block) = Block::within(section).find(|block| block.name == member.name) else {
            let known: Vec<&str> = edit::names(section).into_iter().map(|(name, _)| name).collect();
            let key = if section.is_none() { problem::SECTION_UNKNOWN } else { problem::LEAF_UNKNOWN };
            let reason = Text::new(key).with("name", shown(&member.name));
            return self.error(member.at, reason, unknown_remedy(&member.name, &known));
        };
        let Some(kind) = block.key else {
            let held = self.body(&member.value, Some(block.section));
            body.sections.insert((block.section, SortKey::default()), Entry::bare(held));
            return;
        };
        let mut first: BTreeMap<String, At> = BTreeMap::new();
        for entry in self.members(&member.value) {
            let key = canonical_key(kind, &entry.name);
            if let Some(at) = first.insert(key.clone(), entry.at) {
                self.twice(entry, at);
                continue;
            }
            let held = self.below(&entry.name, |reader| {
                if let Err(why) = kind.read(&[&entry.name]) {
                    let remedy = remedy_for(kind, &why.reason, &entry.name);
                    reader.error(entry.at, why.reason, remedy);
                }
                reader.body(&entry.value, Some(block.section))
            });
            body.sections.insert((block.section, SortKey(key)), Entry::bare(held));
        }
    }

    /// None when it was reported.
    fn leaf(&mut self, row: Row, value: &Json) -> Option<Value> {
        let kind = row.kind;
        if kind.takes_list() {
            return self.list(row, value);
        }
        let words = match &value.held {
            Held::Flag(flag) if kind == Kind::Flag => [String::from(if *flag { "yes" } else { "no" })].into(),
            Held::Number(digits) if kind.is_number() => [digits.clone()].into(),
            Held::Text(text) if kind.is_secret() && text == MASK => return Some(masked()),
            Held::Text(text) if kind.takes_words() => edit::words(text).unwrap_or_default(),
            Held::Text(text) if kind != Kind::Flag && !kind.is_number() => [text.clone()].into(),
            _ => {
                let wanted = match kind {
                    Kind::Flag => problem::JSON_FLAG,
                    kind if kind.is_number() => problem::JSON_NUMBER,
                    _ => problem::JSON_TEXT,
                };
                self.mismatch(value, wanted, give(kind));
                return None;
            }
        };
        if words.is_empty() {
            self.error(value.at, problem::VALUE_MISSING, give(kind));
            return None;
        }
        self.read(kind, &words, |_| None, value.at)
    }

    fn list(&mut self, row: Row, value: &Json) -> Option<Value> {
        let Held::Array(items) = &value.held else {
            self.mismatch(value, problem::JSON_ARRAY, give(row.kind));
            return None;
        };
        if items.is_empty() && !row.default.allows_none() {
            self.error(value.at, problem::VALUE_MISSING, give(row.kind));
            return None;
        }
        let mut words = Vec::new();
        for (place, item) in items.iter().enumerate() {
            match &item.held {
                Held::Text(text) => words.push(text.clone()),
                _ => self.below(&place.to_string(), |reader| {
                    reader.mismatch(item, problem::JSON_TEXT, give(row.kind));
                }),
            }
        }
        if words.len() < items.len() {
            return None;
        }
        self.read(row.kind, &words, |word| Some((word.to_string(), items.get(word)?.at)), value.at)
    }

    /// The value of these words. `item` knows pointer and place of a word that is one of a list.
    fn read(
        &mut self,
        kind: Kind,
        words: &[String],
        item: impl Fn(usize) -> Option<(String, At)>,
        at: At,
    ) -> Option<Value> {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        let why = match kind.read(&borrowed) {
            Ok(value) => return Some(value),
            Err(why) => why,
        };
        let remedy = remedy_for(kind, &why.reason, borrowed.get(why.word).unwrap_or(&""));
        match item(why.word) {
            Some((place, at)) => self.below(&place, |reader| reader.error(at, why.reason, remedy)),
            None => self.error(at, why.reason, remedy),
        }
        None
    }
}
