//! Kinds of values that a leaf can have: how each is read, bounded, described and written. The only place that knows how an
//! address, a port range or a destination looks in the text form.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::problem::shown;
use super::schema::Table;
use super::{Cidr, Destination, Language, form, when};
use crate::calendar::{DaysOff, Extra, Hours};
use crate::text::{Key, Text, problem};

/// Longest text for people, in characters.
pub const LABEL_CHARS_MAX: usize = 64;
/// Bounds of a phone's password, in characters.
pub const SECRET_CHARS: (usize, usize) = (8, 64);
/// Longest name of a queue, menu, trunk or prompt, in characters.
pub const NAME_CHARS_MAX: usize = 32;
/// Bounds of a feature code, in characters.
pub const CODE_CHARS: (usize, usize) = (2, 8);

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Things.
    None,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
}

/// The words that a leaf takes.
#[derive(PartialEq, Eq, Debug)]
pub struct Vocabulary {
    /// As they are printed.
    pub own: &'static [&'static str],
    /// Names that other products have, each with ours.
    pub foreign: &'static [(&'static str, &'static str)],
}

impl Vocabulary {
    fn find(&self, word: &str) -> Option<&'static str> {
        let own = self.own.iter().find(|own| **own == word);
        own.or_else(|| self.foreign.iter().find(|(name, _)| *name == word).map(|(_, own)| own)).copied()
    }
}

/// What a leaf, or the key of a block, takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number within bounds.
    Number {
        /// Least.
        min: u32,
        /// Greatest.
        max: u32,
        /// It is a multiple of this.
        step: u32,
        /// What it counts.
        unit: Unit,
    },
    /// `yes` or `no`.
    Flag,
    /// Any printable text.
    Label,
    /// A password.
    Secret,
    /// Letters, digits, `-`, `_`, `.`.
    Name,
    /// A telephone number.
    Digits {
        /// Fewest digits.
        min: usize,
        /// Most digits.
        max: usize,
        /// `+` may stand in front.
        plus: bool,
    },
    /// Several telephone numbers, without `+`.
    Numbers {
        /// Fewest digits of each.
        min: usize,
        /// Most digits of each.
        max: usize,
    },
    /// One entry of a table.
    Reference(Table),
    /// Several entries of a table.
    References(Table),
    /// A language tag.
    Language,
    /// One or more language tags.
    Languages,
    /// An IP address.
    Address,
    /// An IP address and a port.
    Socket,
    /// A range of RTP ports.
    Ports,
    /// One port.
    Port,
    /// A feature code.
    Code,
    /// A key of the telephone.
    Key,
    /// Where a call goes.
    Destination,
    /// One of some words.
    Word(&'static Vocabulary),
    /// Several of some words.
    Words(&'static Vocabulary),
    /// A secret of digits.
    Pin {
        /// Fewest digits.
        min: usize,
        /// Most digits.
        max: usize,
    },
    /// Skills with levels.
    Skills,
    /// Distance of local time from UTC.
    UtcOffset,
    /// Hours of each week.
    Hours,
    /// Days on which the hours do not hold.
    DaysOff,
    /// Hours of single dates.
    ExtraHours,
    /// The argon2id hash of a password.
    PasswordHash,
    /// A lower-case login name.
    Login,
    /// A network interface.
    Interface,
    /// An address with the length of its network's prefix.
    Cidr,
    /// Several IP addresses.
    Addresses,
    /// The path of a device.
    Device,
}

/// A value of one of the kinds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing: an optional leaf that was not given.
    Absent,
    /// A number or a port.
    Number(u32),
    /// `yes` or `no`.
    Flag(bool),
    /// Label, secret, name, digits, code, key, reference, word, path.
    Text(String),
    /// References, words or telephone numbers.
    Texts(Vec<String>),
    /// A language.
    Language(Language),
    /// Languages.
    Languages(Vec<Language>),
    /// An address.
    Address(IpAddr),
    /// Address and port.
    Socket(SocketAddr),
    /// First and last port.
    Ports(u16, u16),
    /// A destination.
    Destination(Destination),
    /// Skills with levels 1-10.
    Skills(BTreeMap<String, u8>),
    /// Minutes east of Greenwich.
    UtcOffset(i32),
    /// Hours of each week.
    Hours(Vec<Hours>),
    /// Days off.
    DaysOff(Vec<DaysOff>),
    /// Hours of single dates.
    ExtraHours(Vec<Extra>),
    /// An address with its network.
    Cidr(Cidr),
    /// Addresses.
    Addresses(Vec<IpAddr>),
}

/// Why words are not a value: the reason, and the index of the word that it concerns.
pub(super) struct Refusal {
    pub reason: Text,
    pub word: usize,
}

impl Kind {
    /// Whether several words are one value of this kind.
    pub(super) const fn takes_list(self) -> bool {
        match self {
            Kind::References(_)
            | Kind::Numbers { .. }
            | Kind::Languages
            | Kind::Words(_)
            | Kind::Skills
            | Kind::Hours
            | Kind::DaysOff
            | Kind::ExtraHours
            | Kind::Addresses => true,
            Kind::Number { .. }
            | Kind::Flag
            | Kind::Label
            | Kind::Secret
            | Kind::Name
            | Kind::Digits { .. }
            | Kind::Reference(_)
            | Kind::Language
            | Kind::Address
            | Kind::Socket
            | Kind::Ports
            | Kind::Port
            | Kind::Code
            | Kind::Key
            | Kind::Destination
            | Kind::Word(_)
            | Kind::Pin { .. }
            | Kind::UtcOffset
            | Kind::PasswordHash
            | Kind::Login
            | Kind::Interface
            | Kind::Cidr
            | Kind::Device => false,
        }
    }

    /// Whether it is shown to nobody.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::Pin { .. } | Kind::PasswordHash)
    }

    /// Whether its words can name entries of a table.
    pub(super) const fn names_entries(self) -> bool {
        matches!(self, Kind::Reference(_) | Kind::References(_) | Kind::Destination | Kind::Skills)
    }

    /// The words that it knows, for suggestions.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Word(vocabulary) | Kind::Words(vocabulary) => vocabulary.own,
            _ => &[],
        }
    }

    /// Reads words. Where no list is taken at least one is there.
    pub(super) fn read(self, words: &[&str]) -> Result<Value, Refusal> {
        if self == Kind::Destination {
            return read_destination(words);
        }
        if !self.takes_list()
            && let Some(extra) = words.get(1)
        {
            return Err(Refusal { reason: Text::new(problem::VALUE_EXTRA).with("word", shown(extra)), word: 1 });
        }
        if self.takes_list()
            && let Some((at, word)) = repeated(words)
        {
            return Err(refusal(problem::VALUE_TWICE, word, at));
        }
        match self {
            Kind::References(_) | Kind::Numbers { .. } => {
                let fits = |word: &str| self.read_word(word).is_ok().then(|| word.to_owned());
                each(words, fits).map(Value::Texts)
            }
            Kind::Words(vocabulary) => {
                each(words, |word| vocabulary.find(word).map(ToOwned::to_owned)).map(Value::Texts)
            }
            Kind::Languages => each(words, language).map(Value::Languages),
            Kind::Hours => each(words, when::hours).map(Value::Hours),
            Kind::DaysOff => each(words, when::days_off).map(Value::DaysOff),
            Kind::ExtraHours => each(words, when::extra).map(Value::ExtraHours),
            Kind::Addresses => each(words, host).map(Value::Addresses),
            Kind::Skills => read_skills(words),
            _ => self.read_word(words.first().unwrap_or(&"")).map_err(|reason| Refusal { reason, word: 0 }),
        }
    }

    fn read_word(self, word: &str) -> Result<Value, Text> {
        let value = match self {
            Kind::Number { min, max, step, .. } => return read_number(word, min, max, step),
            Kind::Secret => return read_secret(word),
            Kind::Pin { min, max } => return read_pin(word, min, max),
            Kind::PasswordHash => return read_password_hash(word),
            Kind::Word(vocabulary) => vocabulary.find(word).map(|own| Value::Text(own.to_owned())),
            Kind::UtcOffset => when::utc_offset(word).map(Value::UtcOffset),
            Kind::Flag => match word {
                "yes" => Some(Value::Flag(true)),
                "no" => Some(Value::Flag(false)),
                _ => None,
            },
            Kind::Label => text_if(printable(word) && within(word, 0, LABEL_CHARS_MAX), word),
            Kind::Name => text_if(name(word), word),
            Kind::Reference(_) | Kind::References(_) => text_if(name(word.strip_prefix('+').unwrap_or(word)), word),
            Kind::Digits { min, max, plus } => {
                let digits = if plus { word.strip_prefix('+').unwrap_or(word) } else { word };
                text_if(within(digits, min, max) && digits.bytes().all(|b| b.is_ascii_digit()), word)
            }
            Kind::Numbers { min, max } => {
                text_if(within(word, min, max) && word.bytes().all(|b| b.is_ascii_digit()), word)
            }
            Kind::Language => language(word).map(Value::Language),
            Kind::Address => word.parse().ok().map(Value::Address),
            Kind::Socket => word.parse().ok().filter(|s: &SocketAddr| s.port() > 0).map(Value::Socket),
            Kind::Ports => match ports(word) {
                Some((first, last)) => Some(Value::Ports(first, last)),
                None => return Err(Text::new(problem::PORTS_BAD).with("value", shown(word))),
            },
            Kind::Port => word.parse().ok().filter(|p: &u16| *p > 0).map(|p| Value::Number(p.into())),
            Kind::Code => text_if(code(word), word),
            Kind::Key => text_if(word.len() == 1 && word.bytes().all(dialable), word),
            Kind::Login => text_if(form::login(word), word),
            Kind::Interface => text_if(form::interface(word), word),
            Kind::Device => text_if(form::device(word), word),
            Kind::Cidr => Cidr::of_word(word).map(Value::Cidr),
            // These take several words and are read above.
            Kind::Languages
            | Kind::Destination
            | Kind::Words(_)
            | Kind::Skills
            | Kind::Hours
            | Kind::DaysOff
            | Kind::ExtraHours
            | Kind::Addresses => None,
        };
        value.ok_or_else(|| Text::new(problem::VALUE_BAD).with("value", shown(word)))
    }
}

impl Value {
    /// In the text form, as it stands after the name of its leaf; empty when absent.
    pub fn print(&self) -> String {
        let words: Vec<String> = self.words().iter().map(|w| word(w)).collect();
        match self {
            Value::Texts(_)
            | Value::Languages(_)
            | Value::Skills(_)
            | Value::Hours(_)
            | Value::DaysOff(_)
            | Value::ExtraHours(_)
            | Value::Addresses(_) => {
                if words.is_empty() {
                    "[ ]".to_owned()
                } else {
                    format!("[ {} ]", words.join(" "))
                }
            }
            Value::Absent
            | Value::Number(_)
            | Value::Flag(_)
            | Value::Text(_)
            | Value::Language(_)
            | Value::Address(_)
            | Value::Socket(_)
            | Value::Ports(..)
            | Value::Destination(_)
            | Value::UtcOffset(_)
            | Value::Cidr(_) => words.join(" "),
        }
    }

    /// Its words without quotation, as [`Kind::read`] takes them; none when absent.
    pub fn words(&self) -> Vec<String> {
        match self {
            Value::Absent => Vec::new(),
            Value::Number(n) => [n.to_string()].into(),
            Value::Flag(true) => ["yes".to_owned()].into(),
            Value::Flag(false) => ["no".to_owned()].into(),
            Value::Text(text) => [text.clone()].into(),
            Value::Texts(texts) => texts.clone(),
            Value::Language(language) => [language.tag().to_owned()].into(),
            Value::Languages(languages) => languages.iter().map(|l| l.tag().to_owned()).collect(),
            Value::Address(address) => [address.to_string()].into(),
            Value::Socket(socket) => [socket.to_string()].into(),
            Value::Ports(first, last) => [format!("{first}-{last}")].into(),
            Value::Destination(destination) => match destination {
                Destination::Extension(name) => ["extension".to_owned(), name.clone()].into(),
                Destination::Queue(name) => ["queue".to_owned(), name.clone()].into(),
                Destination::Menu(name) => ["menu".to_owned(), name.clone()].into(),
                Destination::Echo => ["echo".to_owned()].into(),
                Destination::Hangup => ["hangup".to_owned()].into(),
            },
            Value::Skills(skills) => skills.iter().map(|(name, level)| format!("{name}:{level}")).collect(),
            Value::UtcOffset(minutes) => [when::print_utc_offset(*minutes)].into(),
            Value::Hours(hours) => hours.iter().map(when::print_hours).collect(),
            Value::DaysOff(days) => days.iter().map(when::print_days_off).collect(),
            Value::ExtraHours(hours) => hours.iter().map(when::print_extra).collect(),
            Value::Cidr(cidr) => [cidr.to_string()].into(),
            Value::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        }
    }

    /// The table entries that this value names.
    pub(super) fn references(&self, kind: Kind) -> Vec<(Table, &str)> {
        match (self, kind) {
            (Value::Text(name), Kind::Reference(table)) => [(table, name.as_str())].into(),
            (Value::Texts(names), Kind::References(table)) => names.iter().map(|n| (table, n.as_str())).collect(),
            (Value::Skills(skills), Kind::Skills) => skills.keys().map(|n| (Table::Skill, n.as_str())).collect(),
            (Value::Destination(Destination::Extension(name)), _) => [(Table::Extension, name.as_str())].into(),
            (Value::Destination(Destination::Queue(name)), _) => [(Table::Queue, name.as_str())].into(),
            (Value::Destination(Destination::Menu(name)), _) => [(Table::Menu, name.as_str())].into(),
            _ => Vec::new(),
        }
    }
}

/// A word in the text form, quoted when it must be.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '*' | '+' | '/');
    if !text.is_empty() && text.chars().all(plain) && !text.contains("/*") {
        return text.to_owned();
    }
    quoted(text)
}

/// A word in the text form, in quotes in any case.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The first word that stood before.
fn repeated<'w>(words: &[&'w str]) -> Option<(usize, &'w str)> {
    let mut seen = BTreeSet::new();
    words.iter().enumerate().find(|(_, word)| !seen.insert(**word)).map(|(at, word)| (at, *word))
}

/// Every word as a value.
fn each<T>(words: &[&str], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Refusal> {
    let value = |(at, word): (usize, &&str)| read(word).ok_or_else(|| refusal(problem::VALUE_BAD, word, at));
    words.iter().enumerate().map(value).collect()
}

fn refusal(key: Key, value: &str, word: usize) -> Refusal {
    Refusal { reason: Text::new(key).with("value", shown(value)), word }
}

fn text_if(fits: bool, word: &str) -> Option<Value> {
    fits.then(|| Value::Text(word.to_owned()))
}

fn within(word: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&word.chars().take(max + 1).count())
}

fn printable(word: &str) -> bool {
    !word.chars().any(char::is_control)
}

fn name(word: &str) -> bool {
    let first = word.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    first
        && within(word, 1, NAME_CHARS_MAX)
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// An address that one machine can have.
fn host(word: &str) -> Option<IpAddr> {
    word.parse().ok().filter(|ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast())
}

fn dialable(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'*' | b'#')
}

fn code(word: &str) -> bool {
    within(word, CODE_CHARS.0, CODE_CHARS.1) && word.bytes().all(dialable) && word.starts_with(['*', '#'])
}

fn language(word: &str) -> Option<Language> {
    [Language::Zh, Language::En].into_iter().find(|l| l.tag().eq_ignore_ascii_case(word))
}

fn ports(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-')?;
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    let fits = first > 1023 && first % 2 == 0 && last % 2 == 1 && last >= first.saturating_add(3);
    fits.then_some((first, last))
}

fn read_number(word: &str, min: u32, max: u32, step: u32) -> Result<Value, Text> {
    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return Err(Text::new(problem::VALUE_BAD).with("value", shown(word)));
    }
    match word.parse::<u32>() {
        Ok(n) if (min..=max).contains(&n) && n % step.max(1) != 0 => {
            Err(Text::new(problem::NUMBER_STEP).with("value", shown(word)).with("step", u64::from(step)))
        }
        Ok(n) if (min..=max).contains(&n) => Ok(Value::Number(n)),
        _ => Err(Text::new(problem::NUMBER_OUT).with("value", shown(word))),
    }
}

/// The secret itself is never repeated in a message.
fn read_secret(word: &str) -> Result<Value, Text> {
    let count = word.chars().count();
    if count < SECRET_CHARS.0 {
        return Err(Text::new(problem::SECRET_SHORT).with("count", count as u64));
    }
    text_if(count <= SECRET_CHARS.1 && printable(word), word)
        .ok_or_else(|| Text::new(problem::VALUE_BAD).with("value", "********"))
}

/// The PIN itself is never repeated in a message.
fn read_pin(word: &str, min: usize, max: usize) -> Result<Value, Text> {
    text_if(within(word, min, max) && word.bytes().all(|b| b.is_ascii_digit()), word)
        .ok_or_else(|| Text::new(problem::VALUE_BAD).with("value", "********"))
}

/// What was typed may be the password itself: it is never repeated.
fn read_password_hash(word: &str) -> Result<Value, Text> {
    text_if(form::password_hash(word), word).ok_or_else(|| problem::PASSWORD_CLEAR.into())
}

/// `billing:7 english:5`
fn read_skills(words: &[&str]) -> Result<Value, Refusal> {
    let mut skills = BTreeMap::new();
    for (at, word) in words.iter().enumerate() {
        let level =
            |digits: &str| digits.parse().ok().filter(|l| (1..=10).contains(l) && !digits.starts_with(['0', '+']));
        let parts = word.rsplit_once(':').filter(|(skill, _)| name(skill));
        let read = parts.and_then(|(skill, digits)| Some((skill, level(digits)?)));
        let Some((skill, level)) = read else { return Err(refusal(problem::VALUE_BAD, word, at)) };
        if skills.insert(skill.to_owned(), level).is_some() {
            return Err(refusal(problem::VALUE_TWICE, skill, at));
        }
    }
    Ok(Value::Skills(skills))
}

fn read_destination(words: &[&str]) -> Result<Value, Refusal> {
    let named: Option<fn(String) -> Destination> = match words.first().copied() {
        Some("extension") => Some(Destination::Extension),
        Some("queue") => Some(Destination::Queue),
        Some("menu") => Some(Destination::Menu),
        _ => None,
    };
    let (destination, length) = match (words.first().copied(), named) {
        (_, Some(named)) => match words.get(1) {
            Some(word) if name(word) => (named((*word).to_owned()), 2),
            Some(word) => return Err(refusal(problem::VALUE_BAD, word, 1)),
            None => return Err(Refusal { reason: problem::VALUE_MISSING.into(), word: 0 }),
        },
        (Some("echo"), _) => (Destination::Echo, 1),
        (Some("hangup"), _) => (Destination::Hangup, 1),
        (other, _) => return Err(refusal(problem::VALUE_BAD, other.unwrap_or(""), 0)),
    };
    match words.get(length) {
        None => Ok(Value::Destination(destination)),
        Some(extra) => {
            Err(Refusal { reason: Text::new(problem::VALUE_EXTRA).with("word", shown(extra)), word: length })
        }
    }
}
