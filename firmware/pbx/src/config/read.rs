//! Nodes to the typed configuration, by the tables of [`super::schema`]. Every problem is reported and then passed over, so
//! that one reading finds all; what was wrong keeps a blank value and is remembered, so that it causes no second report.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::line::PortId;

use super::document::MASK;
use super::problem::{Report, shown};
use super::schema::{Block, Leaf, Section, SectionKey, Sectioned};
use super::tree::{Damage, Node, Word};
use super::value::{Kind, Value};
use super::{Config, Destination, Menu, Queue};
use crate::text::{Key, Text, problem};

/// Where everything stands in the text, and what of it cannot be believed.
#[derive(Default)]
pub(super) struct Places {
    places: BTreeMap<String, (u32, u32)>,
    bad: BTreeSet<String>,
}

impl Places {
    /// Line and column of a path, of the nearest section around it when it is not written, of the beginning otherwise.
    pub fn find(&self, path: &str) -> (u32, u32) {
        let mut rest = path;
        loop {
            if let Some(at) = self.places.get(rest) {
                return *at;
            }
            match rest.rsplit_once(' ') {
                Some((shorter, _)) => rest = shorter,
                None => return (1, 1),
            }
        }
    }

    /// Whether the text has it at all.
    pub fn has(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    /// Whether a problem was reported for it or for a section around it.
    pub fn is_bad(&self, path: &str) -> bool {
        let mut rest = path;
        loop {
            if self.bad.contains(rest) {
                return true;
            }
            match rest.rsplit_once(' ') {
                Some((shorter, _)) => rest = shorter,
                None => return false,
            }
        }
    }
}

/// Reads all sections. The configuration may be used only when nothing was reported.
pub(super) fn read(nodes: &[Node], report: &mut Report) -> (Config, Places) {
    let mut reader = Reader { report, places: Places::default(), config: Config::blank(), lenient: false };
    reader.sections(nodes);
    (reader.config, reader.places)
}

/// Reports what does not fit the schema in statements that may not be all: a leaf that must be given may be missing, a
/// secret may be masked.
pub(super) fn read_lenient(nodes: &[Node], report: &mut Report) {
    Reader { report, places: Places::default(), config: Config::blank(), lenient: true }.sections(nodes);
}

/// A section whose head was read.
struct Opened<'n> {
    section: Section,
    /// Empty where the section exists once.
    key: String,
    path: String,
    body: &'n [Node],
    at: (u32, u32),
    /// It is not the repetition of another.
    first: bool,
}

struct Reader<'a> {
    report: &'a mut Report,
    places: Places,
    config: Config,
    lenient: bool,
}

fn place(word: &Word) -> (u32, u32) {
    (word.line, word.column)
}

impl Reader<'_> {
    fn sections(&mut self, nodes: &[Node]) {
        for node in nodes.iter().filter(|n| !Block::within(None).any(|b| b.name == n.name.text)) {
            let known: Vec<&str> = Block::within(None).map(|b| b.name).collect();
            self.unknown(problem::SECTION_UNKNOWN, "", node, &known);
        }
        // Defaults may depend on `system` and `sip`: those come first, wherever they stand.
        self.config.system = self.single(Section::System, nodes);
        self.config.sip = self.single(Section::Sip, nodes);
        self.config.media = self.single(Section::Media, nodes);
        self.config.routing = self.single(Section::Routing, nodes);
        self.config.chassis = self.single(Section::Chassis, nodes);
        self.config.network = self.single(Section::Network, nodes);
        self.config.users = self.keyed(Section::User, nodes, "");
        self.config.alarms = self.keyed(Section::Alarm, nodes, "");
        self.cards(nodes);
        self.config.extensions = self.keyed(Section::Extension, nodes, "");
        self.config.calendars = self.keyed(Section::Calendar, nodes, "");
        self.config.skills = self.keyed(Section::Skill, nodes, "");
        self.config.agents = self.keyed(Section::Agent, nodes, "");
        self.queues(nodes);
        self.menus(nodes);
        self.config.trunks = self.keyed(Section::Trunk, nodes, "");
        self.config.routes = self.keyed(Section::Route, nodes, "");
        self.config.numbers = self.keyed(Section::Number, nodes, "");
        self.config.dids = self.keyed(Section::Did, nodes, "");
        self.config.vips = self.keyed(Section::Vip, nodes, "");
        self.config.supervisors = self.keyed(Section::Supervisor, nodes, "");
        self.config.reasons = self.keyed(Section::Reason, nodes, "");
        self.config.dispositions = self.keyed(Section::Disposition, nodes, "");
        self.config.codes = self.single(Section::Codes, nodes);
        self.config.tests = self.keyed(Section::Test, nodes, "");
    }

    /// A section that exists once. Without it its defaults hold, and a leaf that must be given is missing.
    fn single<T: Sectioned>(&mut self, section: Section, nodes: &[Node]) -> T {
        let opened = self.open_all(section, nodes, "");
        let mut read: Vec<T> = opened.iter().map(|o| self.leaves(o)).collect();
        if !read.is_empty() {
            return read.swap_remove(0);
        }
        let path = Block::of(section).map_or("", |b| b.name).to_string();
        self.leaves(&Opened { section, key: String::new(), path, body: &[], at: (1, 1), first: true })
    }

    /// Sections that have a name.
    fn keyed<K: SectionKey, T: Sectioned>(&mut self, section: Section, nodes: &[Node], parent: &str) -> BTreeMap<K, T> {
        let mut out = BTreeMap::new();
        for opened in self.open_all(section, nodes, parent) {
            let value = self.leaves(&opened);
            if let (true, Some(key)) = (opened.first, K::of_words(&opened.key)) {
                out.insert(key, value);
            }
        }
        out
    }

    fn cards(&mut self, nodes: &[Node]) {
        for card in self.open_all(Section::Card, nodes, "") {
            self.only_sections(&card);
            for port in self.open_all(Section::Port, card.body, &card.path) {
                let line = self.leaves(&port);
                if let (true, Ok(card), Ok(number)) = (port.first, card.key.parse(), port.key.parse()) {
                    self.config.lines.insert(PortId { card, port: number }, line);
                }
            }
        }
    }

    fn queues(&mut self, nodes: &[Node]) {
        for opened in self.open_all(Section::Queue, nodes, "") {
            let mut queue: Queue = self.leaves(&opened);
            queue.skills = self.keyed(Section::Wanted, opened.body, &opened.path);
            queue.relax = self.keyed(Section::Relax, opened.body, &opened.path);
            queue.overflow = self.keyed(Section::Overflow, opened.body, &opened.path);
            queue.exits = self.keyed(Section::Exit, opened.body, &opened.path);
            if opened.first {
                self.config.queues.insert(opened.key, queue);
            }
        }
    }

    fn menus(&mut self, nodes: &[Node]) {
        for opened in self.open_all(Section::Menu, nodes, "") {
            let mut menu: Menu = self.leaves(&opened);
            menu.keys = self.keyed(Section::Key, opened.body, &opened.path);
            for otherwise in self.open_all(Section::Otherwise, opened.body, &opened.path) {
                let destination: Destination = self.leaves(&otherwise);
                if otherwise.first {
                    menu.otherwise = destination;
                }
            }
            if opened.first {
                self.config.menus.insert(opened.key, menu);
            }
        }
    }

    fn open_all<'n>(&mut self, section: Section, nodes: &'n [Node], parent: &str) -> Vec<Opened<'n>> {
        let Some(block) = Block::of(section) else { return Vec::new() };
        nodes.iter().filter(|n| n.name.text == block.name).filter_map(|n| self.open(block, n, parent)).collect()
    }

    /// The head of a section; none when there is nothing to read in it.
    fn open<'n>(&mut self, block: &Block, node: &'n Node, parent: &str) -> Option<Opened<'n>> {
        let at = place(&node.name);
        let own = if parent.is_empty() { block.name.to_string() } else { format!("{parent} {}", block.name) };
        let (key, path) = match block.key {
            None => (String::new(), own),
            Some(kind) => {
                let Some(word) = node.values.first() else {
                    let reason = Text::new(problem::KEY_MISSING).with("name", block.name);
                    self.report.error(at, &own, reason, give(kind));
                    return None;
                };
                self.key(kind, word, node, &own)
            }
        };
        let extra = node.values.get(usize::from(block.key.is_some()));
        if let Some(word) = extra.filter(|_| node.damage < Damage::Values) {
            let reason = Text::new(problem::KEY_EXTRA).with("name", path.as_str()).with("word", shown(&word.text));
            let remedy = Text::new(problem::KEY_EXTRA_REMEDY).with("word", shown(&word.text));
            self.report.error(place(word), &path, reason, remedy);
        }
        let first = self.once(&path, at);
        let Some(body) = &node.body else {
            self.places.bad.insert(path.clone());
            if node.damage == Damage::None {
                let reason = Text::new(problem::BLOCK_EXPECTED).with("name", block.name);
                let sample = format!("{} {{ … }}", node.label());
                let remedy = Text::new(problem::BLOCK_EXPECTED_REMEDY).with("sample", sample);
                self.report.error(at, &path, reason.with("brace", "{").with("close", "}"), remedy);
            }
            return first.then_some(Opened { section: block.section, key, path, body: &[], at, first });
        };
        Some(Opened { section: block.section, key, path, body, at, first })
    }

    /// The name of a section in its usual form, as written when it does not fit; and the section's path.
    fn key(&mut self, kind: Kind, word: &Word, node: &Node, own: &str) -> (String, String) {
        match kind.read(&[&word.text]) {
            Ok(value) => {
                let key = match value {
                    Value::Text(text) => text,
                    other => other.print(),
                };
                let path = format!("{own} {key}");
                (key, path)
            }
            Err(refusal) => {
                let path = format!("{own} {}", shown(&word.text));
                if node.damage < Damage::Values {
                    self.report.error(place(word), &path, refusal.reason, suggest(kind, &word.text));
                }
                self.places.bad.insert(path.clone());
                (word.text.clone(), path)
            }
        }
    }

    /// Remembers the place of a path; false and a report when it has one already.
    fn once(&mut self, path: &str, at: (u32, u32)) -> bool {
        if let Some((line, _)) = self.places.places.get(path) {
            let reason = Text::new(problem::TWICE).with("first", u64::from(*line));
            self.report.error(at, path, reason, problem::TWICE_REMEDY);
            return false;
        }
        self.places.places.insert(path.to_string(), at);
        true
    }

    /// A section without leaves of its own.
    fn only_sections(&mut self, opened: &Opened<'_>) {
        let known: Vec<&str> = Block::within(Some(opened.section)).map(|b| b.name).collect();
        for node in opened.body.iter().filter(|n| !known.contains(&n.name.text.as_str())) {
            self.unknown(problem::LEAF_UNKNOWN, &opened.path, node, &known);
        }
    }

    /// All leaves of a section.
    fn leaves<T: Sectioned>(&mut self, opened: &Opened<'_>) -> T {
        let mut out = T::blank();
        let inner: Vec<&str> = Block::within(Some(opened.section)).map(|b| b.name).collect();
        let mut given: BTreeMap<&str, u32> = BTreeMap::new();
        for node in opened.body.iter().filter(|n| !inner.contains(&n.name.text.as_str())) {
            let Some(leaf) = T::LEAVES.iter().find(|leaf| leaf.name == node.name.text) else {
                let known: Vec<&str> = T::LEAVES.iter().map(|l| l.name).chain(inner.iter().copied()).collect();
                self.unknown(problem::LEAF_UNKNOWN, &opened.path, node, &known);
                continue;
            };
            let path = format!("{} {}", opened.path, leaf.name);
            if let Some(first) = given.get(leaf.name) {
                let reason = Text::new(problem::TWICE).with("first", u64::from(*first));
                self.report.error(place(&node.name), &path, reason, problem::TWICE_REMEDY);
                continue;
            }
            given.insert(leaf.name, node.name.line);
            if opened.first {
                self.places.places.insert(path.clone(), place(&node.name));
            }
            if !self.leaf(leaf, &mut out, node, &path) {
                self.places.bad.insert(path);
            }
        }
        for leaf in T::LEAVES.iter().filter(|leaf| !given.contains_key(leaf.name)) {
            self.not_given(leaf, &mut out, opened);
        }
        out
    }

    /// One leaf that is written; false when it is wrong.
    fn leaf<T: Sectioned>(&mut self, leaf: &Leaf<T>, out: &mut T, node: &Node, path: &str) -> bool {
        if node.body.is_some() {
            let reason = Text::new(problem::LEAF_EXPECTED).with("name", leaf.name);
            let remedy = Text::new(problem::LEAF_EXPECTED_REMEDY).with("name", leaf.name);
            self.report.error(place(&node.name), path, reason, remedy);
            return false;
        }
        if node.damage >= Damage::Values {
            return false;
        }
        if node.list && !leaf.kind.takes_list() {
            let remedy = Text::new(problem::USE_ONE).with("expected", leaf.kind.expected());
            self.report.error(place(&node.name), path, problem::VALUE_LIST, remedy);
            return false;
        }
        let optional = leaf.default.allows_none() && node.list;
        if node.values.is_empty() && !optional {
            self.report.error(place(&node.name), path, problem::VALUE_MISSING, give(leaf.kind));
            return false;
        }
        let words: Vec<&str> = node.values.iter().map(|w| w.text.as_str()).collect();
        if leaf.kind.is_secret() && words == [MASK] {
            if !self.lenient {
                let reason = Text::new(problem::SECRET_MASKED).with("name", leaf.name);
                self.report.error(place(&node.name), path, reason, problem::SECRET_MASKED_REMEDY);
            }
            return self.lenient;
        }
        match leaf.kind.read(&words) {
            Ok(value) => {
                if leaf.kind.names_entries() {
                    for word in &node.values {
                        // Of `billing:7` the entry is `billing`.
                        let entry = word.text.split(':').next().unwrap_or_default();
                        self.places.places.insert(format!("{path} {entry}"), place(word));
                    }
                }
                (leaf.set)(out, value);
                true
            }
            Err(refusal) => {
                let word = node.values.get(refusal.word).unwrap_or(&node.name);
                let at = place(word);
                let remedy = remedy_for(leaf.kind, &refusal.reason, &word.text);
                self.report.error(at, path, refusal.reason, remedy);
                false
            }
        }
    }

    fn not_given<T: Sectioned>(&mut self, leaf: &Leaf<T>, out: &mut T, opened: &Opened<'_>) {
        if let Some(value) = leaf.default.value(leaf.kind, &opened.key, &self.config) {
            (leaf.set)(out, value);
            return;
        }
        if self.lenient {
            return;
        }
        let swallowed = opened.body.iter().any(|n| n.damage == Damage::Quotation);
        if !swallowed && !self.places.is_bad(&opened.path) {
            let reason = Text::new(problem::LEAF_MISSING).with("name", leaf.name).with("doc", leaf.doc);
            let expected = leaf.kind.expected();
            let remedy = Text::new(problem::LEAF_MISSING_REMEDY).with("name", leaf.name).with("expected", expected);
            self.report.error(opened.at, &opened.path, reason, remedy);
        }
        self.places.bad.insert(format!("{} {}", opened.path, leaf.name));
    }

    fn unknown(&mut self, reason: Key, path: &str, node: &Node, known: &[&str]) {
        let name = shown(&node.name.text);
        let remedy = unknown_remedy(&node.name.text, known);
        self.report.error(place(&node.name), path, Text::new(reason).with("name", name), remedy);
    }
}

pub(super) fn give(kind: Kind) -> Text {
    Text::new(problem::GIVE).with("expected", kind.expected())
}

/// The word that was probably meant, otherwise what the kind looks like.
pub(super) fn suggest(kind: Kind, word: &str) -> Text {
    match nearest(word, kind.words()) {
        Some(near) => Text::new(problem::DID_YOU_MEAN).with("near", near),
        None => give(kind),
    }
}

/// What to do about words that a kind refuses; `word` is the one that it is about.
pub(super) fn remedy_for(kind: Kind, reason: &Text, word: &str) -> Text {
    match reason.key() {
        problem::VALUE_TWICE => problem::VALUE_TWICE_REMEDY.into(),
        problem::VALUE_BAD => suggest(kind, word),
        _ => give(kind),
    }
}

/// What to do about a name that is not among the known ones.
pub(super) fn unknown_remedy(name: &str, known: &[&str]) -> Text {
    match nearest(name, known) {
        Some(near) => Text::new(problem::DID_YOU_MEAN).with("near", near),
        None => Text::new(problem::KNOWN_ARE).with("names", known.join(", ")),
    }
}

/// The known name that was probably meant: one that begins like it, stands in it, or differs in few letters.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > 32 {
        return None;
    }
    let begins = |k: &&&str| name.len() >= 3 && (k.starts_with(name) || name.contains(**k));
    if let Some(found) = known.iter().find(begins) {
        return Some(found);
    }
    let allowed = (name.len() / 3).max(1);
    let scored = known.iter().map(|k| (distance(name, k), *k)).filter(|(d, _)| *d <= allowed);
    scored.min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

/// Letters to insert, delete or change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let here = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            if let Some(slot) = row.get_mut(j) {
                *slot = left;
            }
            diagonal = above;
            left = here;
        }
        if let Some(slot) = row.last_mut() {
            *slot = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
