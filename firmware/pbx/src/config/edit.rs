//! Changing a document word by word: `set`, `delete`, `rename`, `copy`, `annotate`; and what can follow the words so far.
//! Every change is looked at by the schema before anything is touched: a refused one changes nothing.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::document::{Body, Document, Entry, MASK, SortKey, canonical_key, masked, one_line};
use super::problem::{Problem, Report, shown};
use super::read::{give, remedy_for, suggest, unknown_remedy};
use super::schema::{Block, Preset, Row, Section, Table};
use super::test::Next;
use super::tree::TEXT_BYTES_MAX;
use super::value::{Kind, Value};
use crate::text::{Key, Text, help, problem};

mod line;

pub use line::{password_at, tells_secret, wants_value, words};

/// Why a change cannot be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Index of the word that it concerns; the number of words when one is missing.
    pub word: usize,
    /// What is wrong.
    pub reason: Text,
    /// What to do.
    pub remedy: Text,
}

/// One word that can follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The word; none where any word of the kind will do.
    pub word: Option<String>,
    /// What it means, or what is expected.
    pub about: Text,
}

/// A place in the tree.
struct Path {
    steps: Vec<(Section, SortKey)>,
    /// A leaf of the last step, and its place among its leaves.
    leaf: Option<(usize, Row)>,
    /// Words used.
    used: usize,
}

fn refused(word: usize, reason: impl Into<Text>, remedy: impl Into<Text>) -> Box<Refused> {
    Box::new(Refused { word, reason: reason.into(), remedy: remedy.into() })
}

/// The names that can follow in a section.
pub(super) fn names(section: Option<Section>) -> Vec<(&'static str, Key)> {
    let leaves = section.map(Section::rows).unwrap_or_default();
    let blocks = Block::within(section).map(|b| (b.name, b.doc));
    leaves.into_iter().map(|row| (row.name, row.doc)).chain(blocks).collect()
}

/// As far as the words name sections and a leaf.
fn resolve(words: &[&str]) -> Result<Path, Box<Refused>> {
    let mut path = Path { steps: Vec::new(), leaf: None, used: 0 };
    while let Some(name) = words.get(path.used) {
        let section = path.steps.last().map(|(section, _)| *section);
        if let Some(leaf) = section.and_then(|section| section.row(name)) {
            path.leaf = Some(leaf);
            path.used += 1;
            return Ok(path);
        }
        let Some(block) = Block::within(section).find(|b| b.name == *name) else {
            let known: Vec<&str> = names(section).into_iter().map(|(name, _)| name).collect();
            let remedy = unknown_remedy(name, &known);
            let key = if section.is_none() { problem::SECTION_UNKNOWN } else { problem::LEAF_UNKNOWN };
            return Err(refused(path.used, Text::new(key).with("name", shown(name)), remedy));
        };
        path.used += 1;
        let key = match block.key {
            None => String::new(),
            Some(kind) => {
                let Some(word) = words.get(path.used) else {
                    return Err(refused(
                        path.used,
                        Text::new(problem::KEY_MISSING).with("name", block.name),
                        give(kind),
                    ));
                };
                kind.read(&[word]).map_err(|why| refused(path.used, why.reason, suggest(kind, word)))?;
                path.used += 1;
                canonical_key(kind, word)
            }
        };
        path.steps.push((block.section, SortKey(key)));
    }
    Ok(path)
}

/// Words of a line that may name several leaves; a pasted line can have any number.
const SEVERAL_WORDS_MAX: usize = 256;

/// A second leaf of the same section, behind the one word that the first takes: its words with the path before them, and
/// where it begins in `words`.
fn further<'w>(words: &[&'w str], path: &Path) -> Option<(Vec<&'w str>, usize)> {
    let (_, row) = path.leaf?;
    let (section, _) = path.steps.last()?;
    let begins = path.used + 1;
    let is_leaf = words.get(begins).is_some_and(|name| section.row(name).is_some());
    let around = words.get(..path.used.checked_sub(1)?)?;
    let few = words.len() <= SEVERAL_WORDS_MAX;
    (few && is_leaf && row.kind.takes_one_word())
        .then(|| ([around, words.get(begins..).unwrap_or_default()].concat(), begins))
}

/// The sections around a body.
fn within(steps: Vec<(Section, SortKey)>, held: Body) -> Document {
    let around = |held, step| Body { sections: [(step, Entry::bare(held))].into(), ..Body::default() };
    Document { body: steps.into_iter().rev().fold(held, around) }
}

/// `queue` without the name of one: the path before it, and the kind.
fn keyless(words: &[&str]) -> Option<(Path, &'static Block)> {
    let (name, before) = words.split_last()?;
    let path = resolve(before).ok().filter(|path| path.leaf.is_none())?;
    let section = path.steps.last().map(|(section, _)| *section);
    let block = Block::within(section).find(|block| block.name == *name && block.key.is_some())?;
    Some((path, block))
}

/// The words of a value, and whether they stood in brackets.
fn bracketed<'w>(words: &'w [&'w str]) -> (Vec<&'w str>, bool) {
    match words {
        ["[", inner @ .., "]"] => (inner.to_vec(), true),
        words => (words.to_vec(), false),
    }
}

impl Document {
    /// Writes a value, or opens a section. Words without brackets are added to a list; `[ … ]` takes its place. Behind a
    /// value of one word another leaf of the section may follow: `extension 2001 name Li secret …`.
    ///
    /// # Errors
    /// When the schema has no such place or the value does not fit; nothing is changed.
    pub fn set(&mut self, words: &[&str]) -> Result<(), Box<Refused>> {
        let path = resolve(words)?;
        let Some((place, row)) = path.leaf else {
            if path.steps.is_empty() {
                return Err(refused(0, problem::PATH_MISSING, problem::PATH_MISSING_REMEDY));
            }
            self.open(&path.steps);
            return Ok(());
        };
        if let Some((next, begins)) = further(words, &path) {
            let mut changed = self.clone();
            changed.set(words.get(..begins).unwrap_or_default())?;
            let around = path.used - 1;
            let there =
                |why: Box<Refused>| Box::new(Refused { word: (why.word + begins).saturating_sub(around), ..*why });
            changed.set(&next).map_err(there)?;
            *self = changed;
            return Ok(());
        }
        let rest = words.get(path.used..).unwrap_or_default();
        let old = self.body_at(&path.steps).and_then(|body| body.leaves.get(&place)).map(|e| &e.held);
        let value = value_of(row, rest, old).map_err(|why| Box::new(Refused { word: path.used + why.word, ..*why }))?;
        let leaves = &mut self.open(&path.steps).leaves;
        match leaves.get_mut(&place) {
            Some(entry) => entry.held = value,
            None => {
                leaves.insert(place, Entry::bare(value));
            }
        }
        Ok(())
    }

    /// Removes a section with all in it, a leaf, or the named words of a list.
    ///
    /// # Errors
    /// When there is no such thing; nothing is changed.
    pub fn delete(&mut self, words: &[&str]) -> Result<(), Box<Refused>> {
        let path = resolve(words)?;
        let absent = || refused(words.len(), problem::NOT_WRITTEN, problem::NOT_WRITTEN_REMEDY);
        let Some((place, row)) = path.leaf else {
            let (last, before) = path.steps.split_last().ok_or_else(absent)?;
            let body = self.body_at_mut(before).ok_or_else(absent)?;
            return body.sections.remove(last).map(|_| ()).ok_or_else(absent);
        };
        let body = self.body_at_mut(&path.steps).ok_or_else(absent)?;
        let entry = body.leaves.get_mut(&place).ok_or_else(absent)?;
        let (gone, _) = bracketed(words.get(path.used..).unwrap_or_default());
        if gone.is_empty() {
            body.leaves.remove(&place);
            return Ok(());
        }
        let mut kept = entry.held.words();
        for word in gone {
            let named = |kept: &String| kept == word || kept.split_once(':').is_some_and(|(name, _)| name == word);
            let at = kept.iter().position(named).filter(|_| row.kind.takes_list()).ok_or_else(absent)?;
            kept.remove(at);
        }
        // Where nothing written means something else than nobody, nobody stays written.
        if kept.is_empty() && row.default != Preset::Unset {
            body.leaves.remove(&place);
            return Ok(());
        }
        let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
        if let Ok(value) = row.kind.read(&kept) {
            entry.held = value;
        }
        Ok(())
    }

    /// Gives a section another key, there and wherever it is named.
    ///
    /// # Errors
    /// When there is no such section, or one with that key already.
    pub fn rename(&mut self, words: &[&str], to: &str) -> Result<(), Box<Refused>> {
        let (before, old, new) = self.two_heads(words, to)?;
        let absent = || refused(words.len(), problem::NOT_WRITTEN, problem::NOT_WRITTEN_REMEDY);
        let body = self.body_at_mut(&before).ok_or_else(absent)?;
        let entry = body.sections.remove(&old).ok_or_else(absent)?;
        let table = Table::of(old.0).filter(|_| before.is_empty());
        let (was, is) = (old.1.0, new.1.0.clone());
        body.sections.insert(new, entry);
        if let Some(table) = table {
            follow(&mut self.body, None, table, &was, &is);
        }
        Ok(())
    }

    /// Writes a section once more under another key.
    ///
    /// # Errors
    /// When there is no such section, or one with that key already.
    pub fn copy(&mut self, words: &[&str], to: &str) -> Result<(), Box<Refused>> {
        let (before, old, new) = self.two_heads(words, to)?;
        let absent = || refused(words.len(), problem::NOT_WRITTEN, problem::NOT_WRITTEN_REMEDY);
        let body = self.body_at_mut(&before).ok_or_else(absent)?;
        let held = body.sections.get(&old).ok_or_else(absent)?.held.clone();
        body.sections.insert(new, Entry::bare(held));
        Ok(())
    }

    /// Puts a remark above a statement, one line for each line of the text; none with an empty one.
    ///
    /// # Errors
    /// When there is no such statement.
    pub fn annotate(&mut self, words: &[&str], text: &str) -> Result<(), Box<Refused>> {
        let path = resolve(words)?;
        let absent = || refused(words.len(), problem::NOT_WRITTEN, problem::NOT_WRITTEN_REMEDY);
        let above: Vec<String> = text.lines().map(one_line).collect();
        match path.leaf {
            Some((place, _)) => {
                let body = self.body_at_mut(&path.steps).ok_or_else(absent)?;
                let entry = body.leaves.get_mut(&place).ok_or_else(absent)?;
                (entry.above, entry.beside) = (above, None);
            }
            None => {
                let (last, before) = path.steps.split_last().ok_or_else(absent)?;
                let body = self.body_at_mut(before).ok_or_else(absent)?;
                let entry = body.sections.get_mut(last).ok_or_else(absent)?;
                (entry.above, entry.beside) = (above, None);
            }
        }
        Ok(())
    }

    /// Whether the words name a section, written or not, that changes can be made in.
    ///
    /// # Errors
    /// When the schema has no such section.
    pub fn opens(&self, words: &[&str]) -> Result<(), Box<Refused>> {
        match resolve(words)?.leaf {
            None => Ok(()),
            Some(_) => Err(refused(words.len(), problem::PATH_MISSING, problem::PATH_MISSING_REMEDY)),
        }
    }

    /// Makes the changes of a text of `set`, `delete` and `annotate` lines, as [`Document::print_set`] writes them; empty
    /// lines and remarks are passed over.
    ///
    /// # Errors
    /// Every line that cannot be done, at once; then nothing is changed.
    pub fn apply_lines(&mut self, text: &str) -> Result<(), Vec<Problem>> {
        let mut report = Report::default();
        if text.len() > TEXT_BYTES_MAX {
            let reason = Text::new(problem::TOO_LONG).with("bytes", text.len() as u64);
            report.error((1, 1), "", reason, Text::new(problem::TOO_LONG_REMEDY).with("max", TEXT_BYTES_MAX as u64));
            return Err(report.finish());
        }
        let mut changed = self.clone();
        for (number, line) in (1..).zip(text.lines()) {
            let words = match words(line) {
                Ok(words) => words,
                Err(problems) => {
                    problems.into_iter().for_each(|problem| report.add(Problem { line: number, ..problem }));
                    continue;
                }
            };
            let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
            let done = match borrowed.split_first() {
                None => Ok(()),
                Some((&"set", rest)) => changed.set(rest),
                Some((&"delete", rest)) => changed.delete(rest),
                Some((&"annotate", rest)) => match rest.split_last() {
                    Some((text, path)) => changed.annotate(path, text),
                    None => Err(refused(0, problem::PATH_MISSING, problem::PATH_MISSING_REMEDY)),
                },
                Some((other, _)) => {
                    let reason = Text::new(problem::LINE_UNKNOWN).with("word", shown(other));
                    Err(refused(0, reason, problem::LINE_UNKNOWN_REMEDY))
                }
            };
            if let Err(why) = done {
                report.error((number, 1), "", why.reason, why.remedy);
            }
        }
        let problems = report.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        *self = changed;
        Ok(())
    }

    /// Writes everything of `other` over what is here.
    pub fn merge(&mut self, other: Document) {
        merge(&mut self.body, other.body);
    }

    /// The part at a path, which may be all sections of a kind; none when nothing is written there.
    ///
    /// # Errors
    /// When the schema has no such place.
    pub fn part(&self, words: &[&str]) -> Result<Option<Document>, Box<Refused>> {
        if let Some((path, block)) = keyless(words) {
            let Some(body) = self.body_at(&path.steps) else { return Ok(None) };
            let sections = body.sections.iter().filter(|((section, _), _)| *section == block.section);
            let sections: BTreeMap<_, _> = sections.map(|(head, entry)| (head.clone(), entry.clone())).collect();
            let held = Body { sections, ..Body::default() };
            return Ok((!held.sections.is_empty()).then(|| within(path.steps, held)));
        }
        let path = resolve(words)?;
        let Some(body) = self.body_at(&path.steps) else { return Ok(None) };
        let held = match path.leaf {
            None => body.clone(),
            Some((place, _)) => {
                let Some(entry) = body.leaves.get(&place) else { return Ok(None) };
                Body { leaves: [(place, entry.clone())].into(), ..Body::default() }
            }
        };
        Ok(Some(within(path.steps, held)))
    }

    /// What can follow these whole words.
    ///
    /// # Errors
    /// When the words themselves are wrong.
    pub fn choices(&self, words: &[&str]) -> Result<Vec<Choice>, Box<Refused>> {
        // A section's key may be what is asked for.
        if let Some((name, Ok(path))) = words.split_last().map(|(name, before)| (name, resolve(before))) {
            let section = path.steps.last().map(|(section, _)| *section);
            let block = Block::within(section).find(|b| b.name == *name).filter(|_| path.leaf.is_none());
            if let Some((block, kind)) = block.and_then(|block| Some((block, block.key?))) {
                return Ok(self.keys(&path.steps, block, kind));
            }
        }
        let path = resolve(words)?;
        if let Some((next, _)) = further(words, &path) {
            return self.choices(&next);
        }
        if let Some((_, row)) = path.leaf {
            let given = words.get(path.used..).unwrap_or_default();
            let section = path.steps.last().map(|(section, _)| *section);
            if given.len() == 1 && row.kind.takes_one_word() {
                let other =
                    section.map(Section::rows).unwrap_or_default().into_iter().filter(|other| other.name != row.name);
                let choice = |row: Row| Choice { word: Some(row.name.to_string()), about: row.doc.into() };
                return Ok(other.map(choice).collect());
            }
            let own_key = path.steps.last().map_or("", |(_, key)| key.0.as_str());
            return Ok(self.values(row, own_key, given));
        }
        let section = path.steps.last().map(|(section, _)| *section);
        let choice = |(name, doc): (&str, Key)| Choice { word: Some(name.to_string()), about: doc.into() };
        Ok(names(section).into_iter().map(choice).collect())
    }

    fn keys(&self, steps: &[(Section, SortKey)], block: &Block, kind: Kind) -> Vec<Choice> {
        let here = self.body_at(steps).into_iter().flat_map(|body| body.sections.keys());
        let known = here.filter(|(section, _)| *section == block.section).map(|(_, key)| key.0.clone());
        let named = kind.words().iter().map(ToString::to_string).chain(self.entries(kind));
        let mut words: Vec<String> = known.chain(named).collect();
        words.sort_by_key(|word| SortKey(word.clone()));
        words.dedup();
        let known = words.into_iter().map(|word| Choice { word: Some(word), about: block.doc.into() });
        known.chain([Choice { word: None, about: kind.expected() }]).collect()
    }

    fn values(&self, row: Row, own_key: &str, given: &[&str]) -> Vec<Choice> {
        if row.kind == Kind::Destination {
            return self.destinations(row, given);
        }
        if let Some(next) = row.kind.next(given) {
            return self.following(row, next);
        }
        if !given.is_empty() && !row.kind.takes_list() {
            return Vec::new();
        }
        let fixed: &[&str] = if row.kind == Kind::Flag { &["yes", "no"] } else { row.kind.words() };
        let words = fixed.iter().map(ToString::to_string).chain(self.entries(row.kind));
        let words = words.filter(|word| !given.contains(&word.as_str()));
        let known = words.map(|word| Choice { word: Some(word), about: row.doc.into() });
        let expected = row.kind.expected();
        let about = match row.default.told(row.kind, own_key) {
            Some(value) => Text::new(help::WITH_DEFAULT).with("expected", expected).with("value", value),
            None => expected,
        };
        known.chain([Choice { word: None, about }]).collect()
    }

    fn destinations(&self, row: Row, given: &[&str]) -> Vec<Choice> {
        let table = match given {
            [] => {
                let sorts = ["extension", "queue", "menu", "echo", "hangup"];
                let choice = |word: &str| Choice { word: Some(word.to_string()), about: row.doc.into() };
                return sorts.into_iter().map(choice).collect();
            }
            ["extension"] => Table::Extension,
            ["queue"] => Table::Queue,
            ["menu"] => Table::Menu,
            _ => return Vec::new(),
        };
        self.entries(Kind::Reference(table))
            .map(|word| Choice { word: Some(word), about: table.word().into() })
            .collect()
    }

    fn following(&self, row: Row, next: Next) -> Vec<Choice> {
        let choice = |word: String, about: Key| Choice { word: Some(word), about: about.into() };
        let other = |about: Key| Choice { word: None, about: about.into() };
        match next {
            Next::Words(words) => words.into_iter().map(|word| choice(word.to_string(), row.doc)).collect(),
            Next::Keys(sections, else_) => {
                let keys = self.body.sections.keys().filter(|(section, _)| sections.contains(section));
                let doc = |section: Section| Block::of(section).map_or(row.doc, |block| block.doc);
                let keys = keys.map(|(section, key)| choice(key.0.clone(), doc(*section)));
                keys.chain(else_.map(other)).collect()
            }
            Next::Other(about) => [other(about)].into(),
        }
    }

    /// The entries that a reference of this kind can name.
    fn entries(&self, kind: Kind) -> impl Iterator<Item = String> {
        let table = match kind {
            Kind::Reference(table) | Kind::References(table) => Some(table),
            Kind::Skills => Some(Table::Skill),
            _ => None,
        };
        let keys =
            self.body.sections.keys().filter(move |(section, _)| Table::of(*section) == table && table.is_some());
        keys.map(|(_, key)| key.0.clone())
    }

    fn two_heads(&self, words: &[&str], to: &str) -> Result<TwoHeads, Box<Refused>> {
        let mut path = resolve(words)?;
        let (true, Some((section, old))) = (path.leaf.is_none(), path.steps.pop()) else {
            return Err(refused(words.len(), problem::PATH_MISSING, problem::PATH_MISSING_REMEDY));
        };
        let kind = Block::of(section).and_then(|b| b.key);
        let kind = kind.ok_or_else(|| refused(words.len(), problem::PATH_MISSING, problem::PATH_MISSING_REMEDY))?;
        kind.read(&[to]).map_err(|why| refused(words.len(), why.reason, suggest(kind, to)))?;
        let new = (section, SortKey(canonical_key(kind, to)));
        if self.body_at(&path.steps).is_some_and(|body| body.sections.contains_key(&new)) {
            let reason = Text::new(problem::KEY_TAKEN).with("name", shown(to));
            return Err(refused(words.len(), reason, problem::KEY_TAKEN_REMEDY));
        }
        Ok((path.steps, (section, old), new))
    }

    fn body_at(&self, steps: &[(Section, SortKey)]) -> Option<&Body> {
        steps.iter().try_fold(&self.body, |body, step| body.sections.get(step).map(|e| &e.held))
    }

    fn body_at_mut(&mut self, steps: &[(Section, SortKey)]) -> Option<&mut Body> {
        steps.iter().try_fold(&mut self.body, |body, step| body.sections.get_mut(step).map(|e| &mut e.held))
    }

    fn open(&mut self, steps: &[(Section, SortKey)]) -> &mut Body {
        steps.iter().fold(&mut self.body, |body, step| &mut body.sections.entry(step.clone()).or_default().held)
    }
}

/// The sections around, the head that is, the head that shall be.
type TwoHeads = (Vec<(Section, SortKey)>, (Section, SortKey), (Section, SortKey));

/// The value that the words make of the old one; a refusal counts from the first of them.
fn value_of(row: Row, words: &[&str], old: Option<&Value>) -> Result<Value, Box<Refused>> {
    let (given, whole) = bracketed(words);
    let before = usize::from(whole);
    if whole && !row.kind.takes_list() {
        let remedy = Text::new(problem::USE_ONE).with("expected", row.kind.expected());
        return Err(refused(0, problem::VALUE_LIST, remedy));
    }
    if given.is_empty() && !(whole && row.default.allows_none()) {
        return Err(refused(0, problem::VALUE_MISSING, give(row.kind)));
    }
    if row.kind.is_secret() && given == [MASK] {
        return Ok(old.cloned().unwrap_or_else(masked));
    }
    let kept = old.filter(|_| row.kind.takes_list() && !whole).map(Value::words).unwrap_or_default();
    // Of `billing:7` the entry is `billing`: a new level takes the place of the old one.
    let entry = |word: &str| word.split(':').next().unwrap_or_default().to_string();
    let skills = row.kind == Kind::Skills;
    let again = |old: &String| {
        !row.kind.repeats() && given.iter().any(|new| *new == old || (skills && entry(new) == entry(old)))
    };
    let kept: Vec<String> = kept.into_iter().filter(|old| !again(old)).collect();
    let all: Vec<&str> = kept.iter().map(String::as_str).chain(given.iter().copied()).collect();
    row.kind.read(&all).map_err(|why| {
        let at = why.word.saturating_sub(kept.len());
        let remedy = remedy_for(row.kind, &why.reason, given.get(at).unwrap_or(&""));
        refused(before + at, why.reason, remedy)
    })
}

fn merge(body: &mut Body, other: Body) {
    for (place, entry) in other.leaves {
        merge_entry(body.leaves.entry(place).or_insert_with(|| Entry::bare(masked())), entry, |old, new| *old = new);
    }
    for (head, entry) in other.sections {
        merge_entry(body.sections.entry(head).or_default(), entry, merge);
    }
    body.tail.extend(other.tail);
}

fn merge_entry<T>(old: &mut Entry<T>, new: Entry<T>, held: impl FnOnce(&mut T, T)) {
    if !new.above.is_empty() {
        old.above = new.above;
    }
    if new.beside.is_some() {
        old.beside = new.beside;
    }
    held(&mut old.held, new.held);
}

/// Names an entry of a table by its new name, wherever it is named.
fn follow(body: &mut Body, section: Option<Section>, table: Table, was: &str, is: &str) {
    let rows = section.map(Section::rows).unwrap_or_default();
    for (place, entry) in &mut body.leaves {
        let Some(row) = rows.get(*place) else { continue };
        entry.held.rename(row.kind, table, was, is);
    }
    let named = |section: Section| Block::of(section).and_then(|b| b.key) == Some(Kind::Reference(table));
    let heads: Vec<_> =
        body.sections.keys().filter(|(section, key)| named(*section) && key.0 == was).cloned().collect();
    for head in heads {
        if let Some(entry) = body.sections.remove(&head) {
            body.sections.insert((head.0, SortKey(is.to_string())), entry);
        }
    }
    for ((inner, _), entry) in &mut body.sections {
        follow(&mut entry.held, Some(*inner), table, was, is);
    }
}
