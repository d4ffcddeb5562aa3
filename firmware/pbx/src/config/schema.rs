//! The one table of what a configuration can hold: each section here, each leaf in [`super::leaves`], with kind, bounds,
//! unit, default and explanation. Reading, checking, printing and help all walk these tables; nothing about a leaf is
//! written elsewhere.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::acd::{
    Agent, Calendar, Did, Disposition, OVERFLOW_KIND_WORDS, OverflowKind, Queue, Reason, Relax, Routing, Skill,
    Supervisor, Vip, Wanted,
};
use super::admin::{AlarmRule, AlarmSeverity, Chassis, Network, User};
use super::value::{Kind, Unit, Value, Vocabulary};
use super::{Codes, Config, Destination, Extension, Line, Media, Menu, Route, Sip, System, Test, Trunk};
use crate::text::{Key, help, problem};

/// What other parts of the configuration can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Table {
    /// `extension`
    Extension,
    /// `calendar`
    Calendar,
    /// `skill`
    Skill,
    /// `agent`
    Agent,
    /// `queue`
    Queue,
    /// `menu`
    Menu,
    /// `did`
    Did,
    /// `trunk`
    Trunk,
}

impl Table {
    /// The keyword of its sections.
    pub const fn keyword(self) -> &'static str {
        match self {
            Table::Extension => "extension",
            Table::Calendar => "calendar",
            Table::Skill => "skill",
            Table::Agent => "agent",
            Table::Queue => "queue",
            Table::Menu => "menu",
            Table::Did => "did",
            Table::Trunk => "trunk",
        }
    }

    /// The table whose entries are these sections.
    pub const fn of(section: Section) -> Option<Table> {
        match section {
            Section::Extension => Some(Table::Extension),
            Section::Calendar => Some(Table::Calendar),
            Section::Skill => Some(Table::Skill),
            Section::Agent => Some(Table::Agent),
            Section::Queue => Some(Table::Queue),
            Section::Menu => Some(Table::Menu),
            Section::Did => Some(Table::Did),
            Section::Trunk => Some(Table::Trunk),
            Section::System
            | Section::Sip
            | Section::Media
            | Section::Routing
            | Section::Chassis
            | Section::Network
            | Section::User
            | Section::Alarm
            | Section::Card
            | Section::Port
            | Section::Wanted
            | Section::Relax
            | Section::Overflow
            | Section::Exit
            | Section::Key
            | Section::Otherwise
            | Section::Route
            | Section::Number
            | Section::Vip
            | Section::Supervisor
            | Section::Reason
            | Section::Disposition
            | Section::Codes
            | Section::Test => None,
        }
    }

    /// What a person calls it.
    pub(super) const fn word(self) -> Key {
        match self {
            Table::Extension => problem::TABLE_EXTENSION,
            Table::Calendar => problem::TABLE_CALENDAR,
            Table::Skill => problem::TABLE_SKILL,
            Table::Agent => problem::TABLE_AGENT,
            Table::Queue => problem::TABLE_QUEUE,
            Table::Menu => problem::TABLE_MENU,
            Table::Did => problem::TABLE_DID,
            Table::Trunk => problem::TABLE_TRUNK,
        }
    }
}

/// The value of a leaf that is not written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// There is none: the leaf must be given.
    Must,
    /// This word.
    Is(&'static str),
    /// These words of a list.
    Are(&'static [&'static str]),
    /// No value.
    Absent,
    /// No value, which for a list is not the same as an empty one.
    Unset,
    /// The key of its section.
    OwnKey,
    /// The address of `sip listen`.
    SipAddress,
    /// `system language`.
    SystemLanguage,
    /// What the built-in reason of this code has; it must be given where there is none.
    BuiltIn(ReasonPart),
    /// The weight that the alarm of its section has by itself.
    OwnSeverity,
}

/// A leaf of a `reason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReasonPart {
    /// `zh`
    Zh,
    /// `en`
    En,
    /// `paid`
    Paid,
}

/// One leaf of the section that fills a `T`.
pub struct Leaf<T: 'static> {
    /// Keyword.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// When it is not given.
    pub default: Preset,
    /// What it means.
    pub doc: Key,
    /// Reads the field.
    pub(super) get: fn(&T) -> Value,
    /// Fills the field.
    pub(super) set: fn(&mut T, Value),
}

/// A leaf as everybody but its section's type sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Keyword.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// When it is not given.
    pub default: Preset,
    /// What it means.
    pub doc: Key,
}

fn rows_of<T: Sectioned>() -> Vec<Row> {
    let row = |leaf: &Leaf<T>| Row { name: leaf.name, kind: leaf.kind, default: leaf.default, doc: leaf.doc };
    T::LEAVES.iter().map(row).collect()
}

impl Section {
    /// Its leaves, in the order in which they are printed.
    pub fn rows(self) -> Vec<Row> {
        match self {
            Section::System => rows_of::<System>(),
            Section::Sip => rows_of::<Sip>(),
            Section::Media => rows_of::<Media>(),
            Section::Routing => rows_of::<Routing>(),
            Section::Chassis => rows_of::<Chassis>(),
            Section::Network => rows_of::<Network>(),
            Section::User => rows_of::<User>(),
            Section::Alarm => rows_of::<AlarmRule>(),
            Section::Card => Vec::new(),
            Section::Port => rows_of::<Line>(),
            Section::Extension => rows_of::<Extension>(),
            Section::Calendar => rows_of::<Calendar>(),
            Section::Skill => rows_of::<Skill>(),
            Section::Agent => rows_of::<Agent>(),
            Section::Queue => rows_of::<Queue>(),
            Section::Wanted => rows_of::<Wanted>(),
            Section::Relax => rows_of::<Relax>(),
            Section::Menu => rows_of::<Menu>(),
            Section::Overflow | Section::Exit | Section::Key | Section::Otherwise | Section::Number => {
                rows_of::<Destination>()
            }
            Section::Trunk => rows_of::<Trunk>(),
            Section::Route => rows_of::<Route>(),
            Section::Did => rows_of::<Did>(),
            Section::Vip => rows_of::<Vip>(),
            Section::Supervisor => rows_of::<Supervisor>(),
            Section::Reason => rows_of::<Reason>(),
            Section::Disposition => rows_of::<Disposition>(),
            Section::Codes => rows_of::<Codes>(),
            Section::Test => rows_of::<Test>(),
        }
    }

    /// The leaf of this name, with its place among the others.
    pub fn row(self, name: &str) -> Option<(usize, Row)> {
        self.rows().into_iter().enumerate().find(|(_, row)| row.name == name)
    }
}

/// A section's keyword.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Section {
    /// `system`
    System,
    /// `sip`
    Sip,
    /// `media`
    Media,
    /// `routing`
    Routing,
    /// `chassis`
    Chassis,
    /// `network`
    Network,
    /// `user NAME`
    User,
    /// `alarm NAME`
    Alarm,
    /// `card N`
    Card,
    /// `port M` in a card
    Port,
    /// `extension N`
    Extension,
    /// `calendar NAME`
    Calendar,
    /// `skill NAME`
    Skill,
    /// `agent N`
    Agent,
    /// `queue NAME`
    Queue,
    /// `skill NAME` in a queue
    Wanted,
    /// `relax SECONDS` in a queue
    Relax,
    /// `overflow KIND` in a queue
    Overflow,
    /// `exit K` in a queue
    Exit,
    /// `menu NAME`
    Menu,
    /// `key K` in a menu
    Key,
    /// `otherwise` in a menu
    Otherwise,
    /// `trunk NAME`
    Trunk,
    /// `route NAME`
    Route,
    /// `number N`
    Number,
    /// `did N`
    Did,
    /// `vip N`
    Vip,
    /// `supervisor N`
    Supervisor,
    /// `reason N`
    Reason,
    /// `disposition N`
    Disposition,
    /// `codes`
    Codes,
    /// `test NAME`
    Test,
}

/// One kind of section.
#[derive(Debug)]
pub struct Block {
    /// Which.
    pub section: Section,
    /// Keyword.
    pub name: &'static str,
    /// The section that it stands in; none at the top.
    pub parent: Option<Section>,
    /// What stands between keyword and brace; none when the section exists once.
    pub key: Option<Kind>,
    /// What it means.
    pub doc: Key,
}

impl Block {
    /// The block of a section.
    pub fn of(section: Section) -> Option<&'static Block> {
        BLOCKS.iter().find(|block| block.section == section)
    }

    /// The blocks that can stand in `parent`.
    pub fn within(parent: Option<Section>) -> impl Iterator<Item = &'static Block> {
        BLOCKS.iter().filter(move |block| block.parent == parent)
    }
}

const NUMBER: Kind = Kind::Digits { min: 2, max: 15, plus: false };
const OUTSIDE: Kind = Kind::Digits { min: 2, max: 15, plus: true };
const ALARM: Kind = Kind::Word(&Vocabulary { own: crate::text::alarm::WORDS, foreign: &[] });
const OVERFLOW_KIND: Kind = Kind::Word(&Vocabulary { own: OVERFLOW_KIND_WORDS, foreign: &[] });

/// All sections, in the order in which they are read and printed.
pub const BLOCKS: &[Block] = &[
    block(Section::System, "system", None, None, help::SYSTEM),
    block(Section::Sip, "sip", None, None, help::SIP),
    block(Section::Media, "media", None, None, help::MEDIA),
    block(Section::Routing, "routing", None, None, help::ROUTING),
    block(Section::Chassis, "chassis", None, None, help::CHASSIS),
    block(Section::Network, "network", None, None, help::NETWORK),
    block(Section::User, "user", None, Some(Kind::Name), help::USER),
    block(Section::Alarm, "alarm", None, Some(ALARM), help::ALARM),
    block(Section::Card, "card", None, Some(count(1, 16)), help::CARD),
    block(Section::Port, "port", Some(Section::Card), Some(count(1, PORTS_MAX)), help::PORT),
    block(Section::Extension, "extension", None, Some(NUMBER), help::EXTENSION),
    block(Section::Calendar, "calendar", None, Some(Kind::Name), help::CALENDAR),
    block(Section::Skill, "skill", None, Some(Kind::Name), help::SKILL),
    block(Section::Agent, "agent", None, Some(NUMBER), help::AGENT),
    block(Section::Queue, "queue", None, Some(Kind::Name), help::QUEUE),
    block(Section::Wanted, "skill", Some(Section::Queue), Some(Kind::Reference(Table::Skill)), help::WANTED),
    block(Section::Relax, "relax", Some(Section::Queue), Some(seconds(1, 7200)), help::RELAX),
    block(Section::Overflow, "overflow", Some(Section::Queue), Some(OVERFLOW_KIND), help::OVERFLOW),
    block(Section::Exit, "exit", Some(Section::Queue), Some(Kind::Key), help::EXIT),
    block(Section::Menu, "menu", None, Some(Kind::Name), help::MENU),
    block(Section::Key, "key", Some(Section::Menu), Some(Kind::Key), help::MENU_KEY),
    block(Section::Otherwise, "otherwise", Some(Section::Menu), None, help::MENU_OTHERWISE),
    block(Section::Trunk, "trunk", None, Some(Kind::Name), help::TRUNK),
    block(Section::Route, "route", None, Some(Kind::Name), help::ROUTE),
    block(Section::Number, "number", None, Some(NUMBER), help::NUMBER),
    block(Section::Did, "did", None, Some(OUTSIDE), help::DID),
    block(Section::Vip, "vip", None, Some(OUTSIDE), help::VIP),
    block(Section::Supervisor, "supervisor", None, Some(NUMBER), help::SUPERVISOR),
    block(Section::Reason, "reason", None, Some(count(1, 89)), help::REASON),
    block(Section::Disposition, "disposition", None, Some(count(1, 9)), help::DISPOSITION),
    block(Section::Codes, "codes", None, None, help::CODES),
    block(Section::Test, "test", None, Some(Kind::Name), help::TEST),
];

const PORTS_MAX: u32 = base::limits::TIMESLOTS_PER_CARD as u32;

const fn block(section: Section, name: &'static str, parent: Option<Section>, key: Option<Kind>, doc: Key) -> Block {
    Block { section, name, parent, key, doc }
}

pub(super) const fn count(min: u32, max: u32) -> Kind {
    Kind::Number { min, max, step: 1, unit: Unit::None }
}

pub(super) const fn seconds(min: u32, max: u32) -> Kind {
    Kind::Number { min, max, step: 1, unit: Unit::Seconds }
}

impl Preset {
    /// Whether a list of this default may be written empty.
    pub(super) const fn allows_none(self) -> bool {
        matches!(self, Preset::Absent | Preset::Unset | Preset::Are(_))
    }

    /// In the text form, for help; none when there is none, or it is that of another leaf.
    pub(super) fn told(self, kind: Kind, own_key: &str) -> Option<String> {
        match self {
            Preset::SipAddress | Preset::SystemLanguage => None,
            _ => self.value(kind, own_key, &Config::blank()).map(|value| value.print()).filter(|text| !text.is_empty()),
        }
    }

    /// The value of a leaf of this default in the section with key `own_key`; none when it must be given.
    pub(super) fn value(self, kind: Kind, own_key: &str, config: &Config) -> Option<Value> {
        match self {
            Preset::Must => None,
            Preset::Is(words) => kind.read(&[words]).ok(),
            Preset::Are(words) => kind.read(words).ok(),
            Preset::Unset => Some(Value::Absent),
            Preset::Absent if kind.takes_list() => kind.read(&[]).ok(),
            Preset::Absent => Some(Value::Absent),
            Preset::OwnKey => Some(Value::Text(own_key.to_owned())),
            Preset::SipAddress => Some(Value::Address(config.sip.listen.ip())),
            Preset::SystemLanguage => Some(Value::Languages([config.system.language].into())),
            Preset::OwnSeverity => Some(Value::Text(AlarmSeverity::of_alarm(own_key).word().to_owned())),
            Preset::BuiltIn(part) => {
                let built_in = own_key.parse().ok().and_then(Reason::built_in)?;
                Some(match part {
                    ReasonPart::Zh => Value::Text(built_in.zh),
                    ReasonPart::En => Value::Text(built_in.en),
                    ReasonPart::Paid => Value::Flag(built_in.paid),
                })
            }
        }
    }
}

/// A type that a section fills.
pub(crate) trait Sectioned: Sized + 'static {
    /// Its leaves.
    const LEAVES: &'static [Leaf<Self>];
    /// Before anything is read.
    fn blank() -> Self;
}

/// The leaves in which two sections of a kind differ, with both values as words.
pub(crate) fn differing<T: Sectioned>(old: &T, new: &T) -> Vec<(&'static str, String, String)> {
    let leaves = T::LEAVES.iter().map(|leaf| (leaf.name, (leaf.get)(old), (leaf.get)(new)));
    let differ = leaves.filter(|(_, old, new)| old != new);
    differ.map(|(name, old, new)| (name, old.words().join(" "), new.words().join(" "))).collect()
}

/// The names of those leaves.
pub(crate) fn changed<T: Sectioned>(old: &T, new: &T) -> Vec<&'static str> {
    differing(old, new).into_iter().map(|(name, _, _)| name).collect()
}

/// A `T` with the defaults of its leaves in the section with this key.
pub(super) fn preset<T: Sectioned>(key: &str) -> T {
    let (mut out, site) = (T::blank(), Config::blank());
    for leaf in T::LEAVES {
        if let Some(value) = leaf.default.value(leaf.kind, key, &site) {
            (leaf.set)(&mut out, value);
        }
    }
    out
}

/// What the key of a section is in the typed configuration.
pub(super) trait SectionKey: Ord + Sized {
    /// None when the words are none; that was reported when they were read.
    fn of_words(words: &str) -> Option<Self>;
    /// As written.
    fn words(&self) -> String;
}

impl SectionKey for String {
    fn of_words(words: &str) -> Option<Self> {
        Some(words.to_owned())
    }
    fn words(&self) -> String {
        self.clone()
    }
}

impl SectionKey for OverflowKind {
    fn of_words(words: &str) -> Option<Self> {
        OverflowKind::of_word(words)
    }
    fn words(&self) -> String {
        self.word().to_owned()
    }
}

macro_rules! plain_key {
    ($($type:ty),*) => {$(
        impl SectionKey for $type {
            fn of_words(words: &str) -> Option<Self> {
                words.parse().ok()
            }
            fn words(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

plain_key!(u8, u32);

impl SectionKey for char {
    fn of_words(words: &str) -> Option<Self> {
        words.chars().next()
    }
    fn words(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Agent, Calendar, Codes, Destination, Did, Disposition, Extension, Line, Media, Menu, Queue, Relax, Route,
        Routing, Sip, Skill, Supervisor, System, Trunk, Vip, Wanted,
    };
    use alloc::collections::BTreeSet;

    fn sound<T: Sectioned>(section: Option<Section>) {
        let mut names = BTreeSet::new();
        for leaf in T::LEAVES {
            assert!(names.insert(leaf.name), "{} twice", leaf.name);
            let value = match leaf.default {
                Preset::Is(words) => leaf.kind.read(&[words]).ok(),
                Preset::Are(words) => leaf.kind.read(words).ok(),
                _ => continue,
            };
            let mut filled = T::blank();
            (leaf.set)(&mut filled, value.clone().unwrap_or(Value::Absent));
            assert_eq!(Some((leaf.get)(&filled)), value, "default of {}", leaf.name);
        }
        for block in Block::within(section).filter(|_| section.is_some()) {
            assert!(names.insert(block.name), "{} is leaf and section", block.name);
        }
    }

    #[test]
    fn every_default_fits_its_kind_and_its_field() {
        sound::<System>(Some(Section::System));
        sound::<Sip>(Some(Section::Sip));
        sound::<Media>(Some(Section::Media));
        sound::<Routing>(Some(Section::Routing));
        sound::<Chassis>(Some(Section::Chassis));
        sound::<Network>(Some(Section::Network));
        sound::<User>(Some(Section::User));
        sound::<AlarmRule>(Some(Section::Alarm));
        sound::<Calendar>(Some(Section::Calendar));
        sound::<Skill>(Some(Section::Skill));
        sound::<Wanted>(Some(Section::Wanted));
        sound::<Relax>(Some(Section::Relax));
        sound::<Did>(Some(Section::Did));
        sound::<Vip>(Some(Section::Vip));
        sound::<Supervisor>(Some(Section::Supervisor));
        sound::<Reason>(Some(Section::Reason));
        sound::<Disposition>(Some(Section::Disposition));
        sound::<Line>(Some(Section::Port));
        sound::<Extension>(Some(Section::Extension));
        sound::<Agent>(Some(Section::Agent));
        sound::<Queue>(Some(Section::Queue));
        sound::<Menu>(Some(Section::Menu));
        sound::<Trunk>(Some(Section::Trunk));
        sound::<Route>(Some(Section::Route));
        sound::<Codes>(Some(Section::Codes));
        sound::<Test>(Some(Section::Test));
        sound::<Destination>(None);
    }

    #[test]
    fn every_section_is_in_the_table_once() {
        let sections: BTreeSet<Section> = BLOCKS.iter().map(|b| b.section).collect();
        assert_eq!(sections.len(), BLOCKS.len());
        let names: BTreeSet<(Option<Section>, &str)> = BLOCKS.iter().map(|b| (b.parent, b.name)).collect();
        assert_eq!(names.len(), BLOCKS.len());
    }
}
