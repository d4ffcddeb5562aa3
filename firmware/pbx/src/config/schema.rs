//! The one table of what a configuration can hold: each section and each leaf with its kind, bounds, unit, default and
//! explanation. Reading, checking, printing and help all walk these tables; nothing about a leaf is written elsewhere.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::field::Field;
use super::value::{Kind, Unit, Value};
use super::{Agent, Codes, Config, Destination, Extension, Line, Media, Menu, Queue, Sip, System, Trunk};
use crate::text::{Key, help, problem};

/// What other parts of the configuration can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Table {
    /// `extension`
    Extension,
    /// `agent`
    Agent,
    /// `queue`
    Queue,
    /// `menu`
    Menu,
    /// `did`
    Did,
}

impl Table {
    /// The keyword of its sections.
    pub const fn keyword(self) -> &'static str {
        match self {
            Table::Extension => "extension",
            Table::Agent => "agent",
            Table::Queue => "queue",
            Table::Menu => "menu",
            Table::Did => "did",
        }
    }

    /// What a person calls it.
    pub(super) const fn word(self) -> Key {
        match self {
            Table::Extension => problem::TABLE_EXTENSION,
            Table::Agent => problem::TABLE_AGENT,
            Table::Queue => problem::TABLE_QUEUE,
            Table::Menu => problem::TABLE_MENU,
            Table::Did => problem::TABLE_DID,
        }
    }
}

/// The value of a leaf that is not written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// There is none: the leaf must be given.
    Must,
    /// These words.
    Is(&'static str),
    /// No value.
    Absent,
    /// The key of its section.
    OwnKey,
    /// The address of `sip listen`.
    SipAddress,
    /// `system language`.
    SystemLanguage,
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

/// A section's keyword.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Section {
    /// `system`
    System,
    /// `sip`
    Sip,
    /// `media`
    Media,
    /// `card N`
    Card,
    /// `port M` in a card
    Port,
    /// `extension N`
    Extension,
    /// `agent N`
    Agent,
    /// `queue NAME`
    Queue,
    /// `menu NAME`
    Menu,
    /// `key K` in a menu
    Key,
    /// `otherwise` in a menu
    Otherwise,
    /// `trunk NAME`
    Trunk,
    /// `number N`
    Number,
    /// `did N`
    Did,
    /// `codes`
    Codes,
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

/// All sections, in the order in which they are read and printed.
pub const BLOCKS: &[Block] = &[
    block(Section::System, "system", None, None, help::SYSTEM),
    block(Section::Sip, "sip", None, None, help::SIP),
    block(Section::Media, "media", None, None, help::MEDIA),
    block(Section::Card, "card", None, Some(count(1, 16)), help::CARD),
    block(Section::Port, "port", Some(Section::Card), Some(count(1, PORTS_MAX)), help::PORT),
    block(Section::Extension, "extension", None, Some(NUMBER), help::EXTENSION),
    block(Section::Agent, "agent", None, Some(NUMBER), help::AGENT),
    block(Section::Queue, "queue", None, Some(Kind::Name), help::QUEUE),
    block(Section::Menu, "menu", None, Some(Kind::Name), help::MENU),
    block(Section::Key, "key", Some(Section::Menu), Some(Kind::Key), help::MENU_KEY),
    block(Section::Otherwise, "otherwise", Some(Section::Menu), None, help::MENU_OTHERWISE),
    block(Section::Trunk, "trunk", None, Some(Kind::Name), help::TRUNK),
    block(Section::Number, "number", None, Some(NUMBER), help::NUMBER),
    block(Section::Did, "did", None, Some(Kind::Digits { min: 2, max: 15, plus: true }), help::DID),
    block(Section::Codes, "codes", None, None, help::CODES),
];

const PORTS_MAX: u32 = base::limits::TIMESLOTS_PER_CARD as u32;

const fn block(section: Section, name: &'static str, parent: Option<Section>, key: Option<Kind>, doc: Key) -> Block {
    Block { section, name, parent, key, doc }
}

const fn count(min: u32, max: u32) -> Kind {
    Kind::Number { min, max, step: 1, unit: Unit::None }
}

const fn seconds(min: u32, max: u32) -> Kind {
    Kind::Number { min, max, step: 1, unit: Unit::Seconds }
}

impl Preset {
    /// The value of a leaf of this default in the section with key `own_key`; none when it must be given.
    pub(super) fn value(self, kind: Kind, own_key: &str, config: &Config) -> Option<Value> {
        match self {
            Preset::Must => None,
            Preset::Is(words) => kind.read(&[words]).ok(),
            Preset::Absent if kind.takes_list() => Some(Value::Texts(Vec::new())),
            Preset::Absent => Some(Value::Absent),
            Preset::OwnKey => Some(Value::Text(own_key.to_owned())),
            Preset::SipAddress => Some(Value::Address(config.sip.listen.ip())),
            Preset::SystemLanguage => Some(Value::Languages([config.system.language].into())),
        }
    }
}

/// A type that a section fills.
pub(super) trait Sectioned: Sized + 'static {
    /// Its leaves.
    const LEAVES: &'static [Leaf<Self>];
    /// Before anything is read.
    fn blank() -> Self;
}

macro_rules! section {
    ($type:ident, $table:ident { $($name:literal $field:ident: $kind:expr, $default:expr, $doc:ident;)* }
     $(beside { $($other:ident: $blank:expr),* })?) => {
        #[doc = concat!("The leaves of a [`", stringify!($type), "`].")]
        pub const $table: &[Leaf<$type>] = &[$(Leaf {
            name: $name,
            kind: $kind,
            default: $default,
            doc: help::$doc,
            get: |section: &$type| section.$field.to_value(),
            set: |section: &mut $type, value| {
                if let Some(value) = Field::from_value(value) {
                    section.$field = value;
                }
            },
        }),*];

        impl Sectioned for $type {
            const LEAVES: &'static [Leaf<Self>] = $table;
            fn blank() -> Self {
                $type { $($field: Field::blank(),)* $($($other: $blank),*)? }
            }
        }
    };
}

use Preset::{Absent, Is, Must, OwnKey, SipAddress, SystemLanguage};

section! { System, SYSTEM {
    "name" name: Kind::Label, Is("cordboard"), SYSTEM_NAME;
    "language" language: Kind::Language, Is("zh-CN"), SYSTEM_LANGUAGE;
} }

section! { Sip, SIP {
    "listen" listen: Kind::Socket, Must, SIP_LISTEN;
    "realm" realm: Kind::Name, Is("cordboard"), SIP_REALM;
    "expires-min-s" expires_min_s: seconds(10, 3600), Is("30"), SIP_EXPIRES_MIN;
    "expires-max-s" expires_max_s: seconds(60, 86_400), Is("3600"), SIP_EXPIRES_MAX;
} }

section! { Media, MEDIA {
    "address" address: Kind::Address, SipAddress, MEDIA_ADDRESS;
    "rtp-ports" rtp_ports: Kind::Ports, Is("20000-20999"), MEDIA_RTP_PORTS;
    "jitter-ms" jitter_ms: Kind::Number { min: 20, max: 200, step: 20, unit: Unit::Milliseconds }, Is("40"), MEDIA_JITTER;
    "silence-timeout-s" silence_timeout_s: seconds(5, 3600), Is("30"), MEDIA_SILENCE;
} }

section! { Line, LINE {
    "label" label: Kind::Label, Is(""), PORT_LABEL;
    "did" did: Kind::Reference(Table::Did), Must, PORT_DID;
} }

section! { Extension, EXTENSION {
    "name" name: Kind::Label, OwnKey, EXTENSION_NAME;
    "secret" secret: Kind::Secret, Must, EXTENSION_SECRET;
    "ring-timeout-s" ring_timeout_s: seconds(5, 300), Is("30"), EXTENSION_RING;
    "record" record: Kind::Flag, Is("no"), EXTENSION_RECORD;
} }

section! { Agent, AGENT {
    "name" name: Kind::Label, OwnKey, AGENT_NAME;
    "extension" extension: Kind::Reference(Table::Extension), Must, AGENT_EXTENSION;
    "logged-in" logged_in: Kind::Flag, Is("no"), AGENT_LOGGED_IN;
} }

section! { Queue, QUEUE {
    "title" title: Kind::Label, OwnKey, QUEUE_TITLE;
    "agents" agents: Kind::References(Table::Agent), Absent, QUEUE_AGENTS;
    "priority" priority: count(0, 10), Is("5"), QUEUE_PRIORITY;
    "ring-timeout-s" ring_timeout_s: seconds(3, 120), Is("15"), QUEUE_RING;
    "wrap-up-s" wrap_up_s: seconds(0, 600), Is("10"), QUEUE_WRAP_UP;
    "max-wait-s" max_wait_s: seconds(0, 7200), Is("600"), QUEUE_MAX_WAIT;
    "record" record: Kind::Flag, Is("yes"), QUEUE_RECORD;
} }

section! { Menu, MENU {
    "languages" languages: Kind::Languages, SystemLanguage, MENU_LANGUAGES;
    "prompt" prompt: Kind::Name, Must, MENU_PROMPT;
    "timeout-s" timeout_s: seconds(1, 60), Is("5"), MENU_TIMEOUT;
    "retries" retries: count(0, 9), Is("2"), MENU_RETRIES;
} beside { keys: BTreeMap::new(), otherwise: Destination::Hangup } }

section! { Trunk, TRUNK {
    "address" address: Kind::Address, Must, TRUNK_ADDRESS;
    "port" port: Kind::Port, Absent, TRUNK_PORT;
    "record" record: Kind::Flag, Is("no"), TRUNK_RECORD;
} }

section! { Codes, CODES {
    "echo" echo: Kind::Code, Is("*43"), CODES_ECHO;
    "agent-login" agent_login: Kind::Code, Is("*45"), CODES_AGENT_LOGIN;
    "agent-not-ready" agent_not_ready: Kind::Code, Is("*46"), CODES_AGENT_NOT_READY;
    "wrap-up-finish" wrap_up_finish: Kind::Code, Is("*48"), CODES_WRAP_UP_FINISH;
} }

/// The leaf of `number`, `did`, `key` and `otherwise`.
pub const TO: &[Leaf<Destination>] = &[Leaf {
    name: "to",
    kind: Kind::Destination,
    default: Must,
    doc: help::TO,
    get: |destination| destination.to_value(),
    set: |destination, value| {
        if let Some(value) = Field::from_value(value) {
            *destination = value;
        }
    },
}];

impl Sectioned for Destination {
    const LEAVES: &'static [Leaf<Self>] = TO;
    fn blank() -> Self {
        Destination::Hangup
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    fn sound<T: Sectioned>(section: Option<Section>) {
        let mut names = BTreeSet::new();
        for leaf in T::LEAVES {
            assert!(names.insert(leaf.name), "{} twice", leaf.name);
            let Preset::Is(words) = leaf.default else { continue };
            let value = leaf.kind.read(&[words]).ok();
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
        sound::<Line>(Some(Section::Port));
        sound::<Extension>(Some(Section::Extension));
        sound::<Agent>(Some(Section::Agent));
        sound::<Queue>(Some(Section::Queue));
        sound::<Menu>(Some(Section::Menu));
        sound::<Trunk>(Some(Section::Trunk));
        sound::<Codes>(Some(Section::Codes));
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
