//! A document as text for people and programs: with braces, as `set` lines, as JSON; and what two documents differ in.
//! Reading any of the three again gives the same document; JSON has no remarks.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::Language;
use super::document::{Body, Document, Entry, MASK, masked};
use super::schema::{Block, Row, Section};
use super::value::{Value, quoted, word};
use crate::text::problem;

const INDENT: &str = "    ";

/// What becomes of secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrets {
    /// Written out: for the store alone.
    Plain,
    /// [`MASK`] in their place.
    Masked,
}

impl Secrets {
    /// A value in the text form.
    pub(super) fn print(self, row: Row, value: &Value) -> String {
        if row.kind.is_secret() && (self == Secrets::Masked || *value == masked()) {
            return MASK.to_string();
        }
        value.print()
    }
}

impl Document {
    /// With braces.
    pub fn print(&self, secrets: Secrets) -> String {
        let mut printer = Printer { out: String::new(), secrets, mark: "" };
        printer.body(&self.body, None, 0);
        printer.out
    }

    /// One `set` line each, a remark as an `annotate` line before it.
    pub fn print_set(&self, secrets: Secrets) -> String {
        let mut out = String::new();
        set_lines(&self.body, None, "", secrets, &mut out);
        out
    }

    /// As one JSON object: a section with keys is an object of objects, a list an array. Remarks are left out. Read by
    /// [`Document::parse_json`].
    pub fn print_json(&self, secrets: Secrets) -> String {
        let mut out = String::new();
        json_body(&self.body, None, secrets, 0, &mut out);
        out.push('\n');
        out
    }

    /// What became of `older`: lines that went with `-`, new ones with `+`, in the sections in which they stand. Empty
    /// when nothing but remarks changed. A secret is masked, so a changed one shows as the same line twice.
    pub fn compare(&self, older: &Document, language: Language) -> String {
        let mut out = String::new();
        let other = problem::SECRET_OTHER.raw(language);
        compare(&older.body, &self.body, None, 1, (&mut out, other));
        out
    }
}

/// `queue support`
pub(super) fn head(section: Section, key: &str) -> String {
    let name = Block::of(section).map_or("", |b| b.name);
    if key.is_empty() && Block::of(section).is_none_or(|b| b.key.is_none()) {
        return name.to_string();
    }
    [name, &word(key)].join(" ")
}

struct Printer {
    out: String,
    secrets: Secrets,
    /// In front of each line.
    mark: &'static str,
}

impl Printer {
    fn line(&mut self, depth: usize, text: &str, beside: Option<&String>) {
        self.out.push_str(self.mark);
        for _ in 0..depth {
            self.out.push_str(INDENT);
        }
        self.out.push_str(text);
        if let Some(beside) = beside {
            let _ = write!(self.out, "  {}", remark(beside));
        }
        self.out.push('\n');
    }

    fn body(&mut self, body: &Body, section: Option<Section>, depth: usize) {
        let rows = section.map(Section::rows).unwrap_or_default();
        for (place, entry) in &body.leaves {
            self.leaf(rows.get(*place), entry, depth);
        }
        let mut before: Option<Section> = None;
        for ((inner, key), entry) in &body.sections {
            if depth == 0 && before.is_some_and(|before| before != *inner || !entry.above.is_empty()) {
                self.out.push('\n');
            }
            before = Some(*inner);
            self.section(*inner, &key.0, entry, depth);
        }
        for text in &body.tail {
            self.line(depth, &remark(text), None);
        }
    }

    fn leaf(&mut self, row: Option<&Row>, entry: &Entry<Value>, depth: usize) {
        let Some(row) = row else { return };
        for text in &entry.above {
            self.line(depth, &remark(text), None);
        }
        let text = [row.name, " ", &self.secrets.print(*row, &entry.held), ";"].concat();
        self.line(depth, &text, entry.beside.as_ref());
    }

    fn section(&mut self, section: Section, key: &str, entry: &Entry<Body>, depth: usize) {
        for text in &entry.above {
            self.line(depth, &remark(text), None);
        }
        self.line(depth, &[&head(section, key), " {"].concat(), entry.beside.as_ref());
        self.body(&entry.held, Some(section), depth + 1);
        self.line(depth, "}", None);
    }
}

fn remark(text: &str) -> String {
    if text.is_empty() { "#".to_string() } else { ["# ", text].concat() }
}

fn set_lines(body: &Body, section: Option<Section>, path: &str, secrets: Secrets, out: &mut String) {
    let rows = section.map(Section::rows).unwrap_or_default();
    for (place, entry) in &body.leaves {
        let Some(row) = rows.get(*place) else { continue };
        let _ = writeln!(out, "set {path}{} {}", row.name, secrets.print(*row, &entry.held));
        annotations(&[path, row.name].concat(), entry, out);
    }
    for ((inner, key), entry) in &body.sections {
        let below = [path, &head(*inner, &key.0)].concat();
        if entry.held.leaves.is_empty() && entry.held.sections.is_empty() {
            let _ = writeln!(out, "set {below}");
        }
        set_lines(&entry.held, Some(*inner), &[&below, " "].concat(), secrets, out);
        annotations(&below, entry, out);
    }
}

fn annotations<T>(path: &str, entry: &Entry<T>, out: &mut String) {
    let lines: Vec<&str> = entry.above.iter().chain(&entry.beside).map(String::as_str).collect();
    if !lines.is_empty() {
        let _ = writeln!(out, "annotate {path} {}", quoted(&lines.join("\n")));
    }
}

/// One member on each line, so that a person can read it and a pager page it.
fn json_body(body: &Body, section: Option<Section>, secrets: Secrets, depth: usize, out: &mut String) {
    let rows = section.map(Section::rows).unwrap_or_default();
    let mut object = Object::open(depth, out);
    for (place, entry) in &body.leaves {
        let Some(row) = rows.get(*place) else { continue };
        object.member(row.name, out);
        json_value(*row, &entry.held, secrets, out);
    }
    // The object of all sections of a kind that have keys.
    let mut kind: Option<(Section, Object)> = None;
    for ((inner, key), entry) in &body.sections {
        let Some(block) = Block::of(*inner) else { continue };
        if let Some((_, ended)) = kind.take_if(|(section, _)| section != inner) {
            ended.close(out);
        }
        if block.key.is_none() {
            object.member(block.name, out);
            json_body(&entry.held, Some(*inner), secrets, depth + 1, out);
            continue;
        }
        let (_, all) = kind.get_or_insert_with(|| {
            object.member(block.name, out);
            (*inner, Object::open(depth + 1, out))
        });
        all.member(&key.0, out);
        json_body(&entry.held, Some(*inner), secrets, depth + 2, out);
    }
    if let Some((_, ended)) = kind {
        ended.close(out);
    }
    object.close(out);
}

/// An object that is being written.
struct Object {
    depth: usize,
    has_members: bool,
}

impl Object {
    fn open(depth: usize, out: &mut String) -> Object {
        out.push('{');
        Object { depth, has_members: false }
    }

    fn member(&mut self, name: &str, out: &mut String) {
        out.push_str(if core::mem::replace(&mut self.has_members, true) { ",\n" } else { "\n" });
        (0..=self.depth).for_each(|_| out.push_str(INDENT));
        json_text(name, out);
        out.push_str(": ");
    }

    fn close(self, out: &mut String) {
        if self.has_members {
            out.push('\n');
            (0..self.depth).for_each(|_| out.push_str(INDENT));
        }
        out.push('}');
    }
}

fn json_value(row: Row, value: &Value, secrets: Secrets, out: &mut String) {
    match (row.kind, value) {
        (kind, _) if kind.is_secret() => {
            let plain = secrets == Secrets::Plain && *value != masked();
            json_text(if plain { value.words().concat() } else { MASK.to_string() }.as_str(), out);
        }
        (_, Value::Number(n)) => out.push_str(&n.to_string()),
        (_, Value::Flag(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        (kind, value) if kind.takes_list() => {
            out.push('[');
            for (place, word) in value.words().iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                json_text(word, out);
            }
            out.push(']');
        }
        // With its quotations, so that the words can be told apart again.
        (kind, value) if kind.takes_words() => json_text(&value.print(), out),
        (_, value) => json_text(&value.words().concat(), out),
    }
}

/// RFC 8259 §7.
fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The differences of two bodies; nothing is written when there are none. `other` stands beside a secret that
/// differs: it looks like the one before.
fn compare(
    older: &Body,
    newer: &Body,
    section: Option<Section>,
    depth: usize,
    (out, other): (&mut String, &'static str),
) {
    let rows = section.map(Section::rows).unwrap_or_default();
    let mut places: Vec<&usize> = older.leaves.keys().chain(newer.leaves.keys()).collect();
    places.sort();
    places.dedup();
    for place in places {
        let (was, is) = (older.leaves.get(place), newer.leaves.get(place));
        if was.map(|e| &e.held) == is.map(|e| &e.held) {
            continue;
        }
        for (mark, entry) in [("-", was), ("+", is)] {
            if let Some(entry) = entry {
                let mut bare = Entry::bare(entry.held.clone());
                let row = rows.get(*place);
                if mark == "+" && was.is_some() && row.is_some_and(|row| row.kind.is_secret()) {
                    bare.beside = Some(other.to_string());
                }
                marked(mark, out, |printer| printer.leaf(row, &bare, depth));
            }
        }
    }
    let mut heads: Vec<_> = older.sections.keys().chain(newer.sections.keys()).collect();
    heads.sort();
    heads.dedup();
    for at in heads {
        let (section, key) = (at.0, &at.1.0);
        match (older.sections.get(at), newer.sections.get(at)) {
            (Some(was), Some(is)) => {
                let mut inner = String::new();
                compare(&was.held, &is.held, Some(section), depth + 1, (&mut inner, other));
                if !inner.is_empty() {
                    marked(" ", out, |printer| printer.line(depth, &[&head(section, key), " {"].concat(), None));
                    out.push_str(&inner);
                    marked(" ", out, |printer| printer.line(depth, "}", None));
                }
            }
            (Some(was), None) => marked("-", out, |printer| printer.section(section, key, was, depth)),
            (None, Some(is)) => marked("+", out, |printer| printer.section(section, key, is, depth)),
            (None, None) => {}
        }
    }
}

fn marked(mark: &'static str, out: &mut String, print: impl FnOnce(&mut Printer)) {
    let mut printer = Printer { out: core::mem::take(out), secrets: Secrets::Masked, mark };
    print(&mut printer);
    *out = printer.out;
}
