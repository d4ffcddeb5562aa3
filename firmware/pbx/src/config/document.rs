//! The configuration as people edit it: what is written, with the remarks beside it, in the order of the schema. A
//! document holds only statements that the schema knows, with values that fit their kinds; whether they fit each other
//! is found by [`super::examine`] on its text. Not the typed values that the box works with: those are [`super::Config`].

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::problem::{Problem, Report, Severity};
use super::read;
use super::schema::{Block, Row, Section};
use super::token::{Token, TokenKind, scan_with_remarks};
use super::tree;
use super::value::{Kind, Value};

/// What stands for a secret that is not shown. Read back, it means the secret that was there.
pub const MASK: &str = "********";

/// A whole configuration as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Document {
    pub(super) body: Body,
}

/// What stands between two braces.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Body {
    /// Leaves by their place in the schema.
    pub leaves: BTreeMap<usize, Entry<Value>>,
    pub sections: BTreeMap<(Section, SortKey), Entry<Body>>,
    /// Remarks after the last statement.
    pub tail: Vec<String>,
}

/// A statement with its remarks, each one line without marks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Entry<T> {
    /// On lines of their own before it.
    pub above: Vec<String>,
    /// After it on its line; of a section, after its brace.
    pub beside: Option<String>,
    pub held: T,
}

impl<T> Entry<T> {
    pub fn bare(held: T) -> Entry<T> {
        Entry { above: Vec::new(), beside: None, held }
    }

    fn remark(&mut self, text: String) {
        match &mut self.beside {
            None => self.beside = Some(text),
            Some(beside) => {
                beside.push(' ');
                beside.push_str(&text);
            }
        }
    }
}

/// The key of a section, so that numbers stand in the order of their size, before names; empty where it exists once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct SortKey(pub String);

impl Ord for SortKey {
    fn cmp(&self, other: &SortKey) -> Ordering {
        let number = |key: &str| key.bytes().all(|b| b.is_ascii_digit()).then_some(key.len());
        match (number(&self.0), number(&other.0)) {
            (Some(a), Some(b)) => a.cmp(&b).then_with(|| self.0.cmp(&other.0)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &SortKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A masked secret stands for one that is not there.
pub(super) const fn masked() -> Value {
    Value::Absent
}

impl Document {
    /// Reads a text. Secrets may be masked; see [`Document::unmask`].
    ///
    /// # Errors
    /// Everything that does not fit the schema, at once. What does not fit together is not looked at.
    pub fn parse(text: &str) -> Result<Document, Vec<Problem>> {
        let mut report = Report::default();
        if let Some(nodes) = tree::parse(text, &mut report) {
            read::read_lenient(&nodes, &mut report);
        }
        let problems = report.finish();
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Err(problems);
        }
        let tokens = scan_with_remarks(text);
        let mut writer = Writer { tokens: tokens.into_iter().peekable() };
        Ok(Document { body: writer.body(None).0 })
    }

    /// Puts the secrets of `from` in the places of masked ones. Returns the paths for which `from` has none.
    pub fn unmask(&mut self, from: &Document) -> Vec<String> {
        let mut missing = Vec::new();
        unmask(&mut self.body, None, Some(&from.body), &mut String::new(), &mut missing);
        missing
    }

    /// Nothing is written.
    pub fn is_empty(&self) -> bool {
        self.body == Body::default()
    }
}

fn unmask(
    body: &mut Body,
    section: Option<Section>,
    from: Option<&Body>,
    path: &mut String,
    missing: &mut Vec<String>,
) {
    let rows = section.map(Section::rows).unwrap_or_default();
    for (place, entry) in &mut body.leaves {
        let Some(row) = rows.get(*place).filter(|row| row.kind.is_secret() && entry.held == masked()) else { continue };
        match from.and_then(|from| from.leaves.get(place)).map(|e| &e.held).filter(|held| **held != masked()) {
            Some(held) => entry.held = held.clone(),
            None => missing.push([path.as_str(), row.name].join(" ").trim_start().to_owned()),
        }
    }
    for ((inner, key), entry) in &mut body.sections {
        let length = path.len();
        push_head(path, *inner, &key.0);
        let below = from.and_then(|from| from.sections.get(&(*inner, key.clone()))).map(|e| &e.held);
        unmask(&mut entry.held, Some(*inner), below, path, missing);
        path.truncate(length);
    }
}

/// ` queue support` behind a path.
pub(super) fn push_head(path: &mut String, section: Section, key: &str) {
    for word in [Block::of(section).map_or("", |b| b.name), key] {
        if !path.is_empty() && !word.is_empty() {
            path.push(' ');
        }
        path.push_str(word);
    }
}

/// Tokens of a text that fits the schema to statements.
struct Writer<I: Iterator<Item = Token>> {
    tokens: core::iter::Peekable<I>,
}

/// Where the last statement of a body went, for a remark behind it on its line.
enum Last {
    None,
    Leaf(usize),
    Section((Section, SortKey)),
}

impl<I: Iterator<Item = Token>> Writer<I> {
    /// The statements up to the closing brace, and the remark behind the opening one.
    fn body(&mut self, section: Option<Section>) -> (Body, Option<String>) {
        let mut body = Body::default();
        let mut head: Entry<()> = Entry::default();
        let mut above: Vec<String> = Vec::new();
        let mut last = Last::None;
        while let Some(token) = self.tokens.next() {
            match token.kind {
                TokenKind::Remark(text) => {
                    let text = one_line(&text);
                    if token.first {
                        above.push(text);
                        continue;
                    }
                    match &last {
                        Last::None => head.remark(text),
                        Last::Leaf(place) => with(body.leaves.get_mut(place), |e| e.remark(text)),
                        Last::Section(head) => with(body.sections.get_mut(head), |e| e.remark(text)),
                    }
                }
                TokenKind::Word { text, .. } => {
                    last = self.statement(section, text, core::mem::take(&mut above), &mut body);
                }
                TokenKind::Close => break,
                TokenKind::Open | TokenKind::ListOpen | TokenKind::ListClose | TokenKind::Semicolon => {}
            }
        }
        body.tail = above;
        (body, head.beside)
    }

    fn statement(&mut self, section: Option<Section>, name: String, mut above: Vec<String>, body: &mut Body) -> Last {
        let mut words = Vec::new();
        let mut opened = false;
        for token in self.tokens.by_ref() {
            match token.kind {
                TokenKind::Word { text, .. } => words.push(text),
                TokenKind::Remark(text) => above.push(one_line(&text)),
                TokenKind::Open => opened = true,
                TokenKind::ListOpen | TokenKind::ListClose => continue,
                TokenKind::Close | TokenKind::Semicolon => break,
            }
            if opened {
                break;
            }
        }
        if opened {
            let Some(block) = Block::within(section).find(|b| b.name == name) else { return Last::None };
            let key = match (block.key, words.first()) {
                (Some(kind), Some(word)) => canonical_key(kind, word),
                _ => String::new(),
            };
            let (held, beside) = self.body(Some(block.section));
            let head = (block.section, SortKey(key));
            body.sections.insert(head.clone(), Entry { above, beside, held });
            return Last::Section(head);
        }
        let row = section.and_then(|section| section.row(&name));
        let Some((place, row)) = row else { return Last::None };
        let Some(held) = value_of(row, &words) else { return Last::None };
        body.leaves.insert(place, Entry { above, beside: None, held });
        Last::Leaf(place)
    }
}

fn with<T>(found: Option<T>, act: impl FnOnce(T)) {
    if let Some(found) = found {
        act(found);
    }
}

/// The value of a leaf; a masked secret is none.
fn value_of(row: Row, words: &[String]) -> Option<Value> {
    if row.kind.is_secret() && words.first().is_some_and(|w| w == MASK) {
        return Some(masked());
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    row.kind.read(&words).ok()
}

/// A section's key in its usual form.
pub(super) fn canonical_key(kind: Kind, word: &str) -> String {
    match kind.read(&[word]) {
        Ok(Value::Text(text)) => text,
        Ok(other) => other.print(),
        Err(_) => word.to_string(),
    }
}

/// A remark without what would end its line or move a terminal's cursor.
pub(super) fn one_line(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).collect()
}
