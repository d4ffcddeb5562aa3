//! Kinds of values that a leaf can have: how each is read, bounded, described and written. The only place that knows how an
//! address, a port range or a destination looks in the text form.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::problem::shown;
use super::schema::Table;
use super::test::{Expectation, TestCall};
use super::{Destination, Language, Prefix, test, when};
use crate::calendar::{DaysOff, Extra, Hours};
use crate::text::{Key, Text, problem};

mod print;

pub(super) use print::{quoted, word};

/// Longest text for people, in characters.
pub const LABEL_CHARS_MAX: usize = 64;
/// Bounds of a phone's password, in characters.
pub const SECRET_CHARS: (usize, usize) = (8, 64);
/// Longest hash of a password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Most that a hash may cost when a login is checked: KiB of memory, passes, lanes. More could starve the box.
const PASSWORD_COST_MAX: [u32; 3] = [262_144, 16, 16];
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
    /// A password that cannot be read back: its Argon2id hash (RFC 9106) in PHC string format.
    Password,
    /// A device file.
    Device,
    /// An IP address with the length of its network.
    Prefix,
    /// Several IP addresses.
    Addresses,
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
    /// Who calls whom in a test.
    TestCall,
    /// What a test expects.
    Expectations,
    /// Keys that are pressed, in their order; the same may come again.
    Keys,
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
    /// Label, secret, name, digits, code, key, reference, word.
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
    /// Who calls whom in a test.
    TestCall(TestCall),
    /// What a test expects.
    Expectations(Vec<Expectation>),
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
            | Kind::Keys
            | Kind::Languages
            | Kind::Words(_)
            | Kind::Addresses
            | Kind::Skills
            | Kind::Hours
            | Kind::DaysOff
            | Kind::ExtraHours => true,
            Kind::Number { .. }
            | Kind::Flag
            | Kind::Label
            | Kind::Secret
            | Kind::Password
            | Kind::Device
            | Kind::Prefix
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
            | Kind::TestCall
            | Kind::Expectations
            | Kind::Word(_)
            | Kind::Pin { .. }
            | Kind::UtcOffset => false,
        }
    }

    /// Whether the same word may come again in its list.
    pub(super) const fn repeats(self) -> bool {
        matches!(self, Kind::Keys)
    }

    /// Whether a value of it is one word.
    pub(super) const fn takes_one_word(self) -> bool {
        !self.takes_list() && !self.takes_words()
    }

    /// Whether one value of it is several words that are no list.
    pub(super) const fn takes_words(self) -> bool {
        matches!(self, Kind::Destination | Kind::TestCall | Kind::Expectations)
    }

    /// Whether its values are [`Value::Number`].
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Kind::Number { .. } | Kind::Port)
    }

    /// Whether it is shown to nobody.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::Password | Kind::Pin { .. })
    }

    /// Whether its words can name entries of a table.
    pub(super) const fn names_entries(self) -> bool {
        matches!(self, Kind::Reference(_) | Kind::References(_) | Kind::Destination | Kind::Expectations | Kind::Skills)
    }

    /// The words that it knows, for suggestions.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Word(vocabulary) | Kind::Words(vocabulary) => vocabulary.own,
            Kind::TestCall => test::CALL_WORDS,
            Kind::Expectations => test::EXPECT_WORDS,
            _ => &[],
        }
    }

    /// Reads words. Where no list is taken at least one is there.
    pub(super) fn read(self, words: &[&str]) -> Result<Value, Refusal> {
        match self {
            Kind::Destination => return read_destination(words),
            Kind::TestCall => return test::call(words).map(Value::TestCall),
            Kind::Expectations => return test::expectations(words).map(Value::Expectations),
            _ => {}
        }
        if !self.takes_list()
            && let Some(extra) = words.get(1)
        {
            return Err(Refusal { reason: Text::new(problem::VALUE_EXTRA).with("word", shown(extra)), word: 1 });
        }
        if self.takes_list()
            && !self.repeats()
            && let Some((at, word)) = repeated(words)
        {
            return Err(refusal(problem::VALUE_TWICE, word, at));
        }
        match self {
            Kind::References(_) | Kind::Numbers { .. } | Kind::Keys => {
                let fits = |word: &str| self.read_word(word).is_ok().then(|| word.to_owned());
                each(words, fits).map(Value::Texts)
            }
            Kind::Words(vocabulary) => {
                each(words, |word| vocabulary.find(word).map(ToOwned::to_owned)).map(Value::Texts)
            }
            Kind::Languages => each(words, language).map(Value::Languages),
            Kind::Addresses => each(words, |word| Some(word.parse::<IpAddr>().ok()?.to_string())).map(Value::Texts),
            Kind::Hours => each(words, when::hours).map(Value::Hours),
            Kind::DaysOff => each(words, when::days_off).map(Value::DaysOff),
            Kind::ExtraHours => each(words, when::extra).map(Value::ExtraHours),
            Kind::Skills => read_skills(words),
            _ => self.read_word(words.first().unwrap_or(&"")).map_err(|reason| Refusal { reason, word: 0 }),
        }
    }

    fn read_word(self, word: &str) -> Result<Value, Text> {
        let value = match self {
            Kind::Number { min, max, step, .. } => return read_number(word, min, max, step),
            Kind::Secret => return read_secret(word),
            Kind::Password => return read_password(word),
            Kind::Device => text_if(device(word), word),
            Kind::Prefix => Prefix::of_word(word).map(|prefix| Value::Text(prefix.to_string())),
            Kind::Pin { min, max } => return read_pin(word, min, max),
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
            Kind::Keys => text_if(test::keys(word), word),
            Kind::Key => text_if(word.len() == 1 && word.bytes().all(dialable), word),
            // These take several words and are read above.
            Kind::Languages
            | Kind::Addresses
            | Kind::Destination
            | Kind::TestCall
            | Kind::Expectations
            | Kind::Words(_)
            | Kind::Skills
            | Kind::Hours
            | Kind::DaysOff
            | Kind::ExtraHours => None,
        };
        value.ok_or_else(|| Text::new(problem::VALUE_BAD).with("value", shown(word)))
    }

    /// What a value of this kind looks like, for messages and help.
    pub fn expected(self) -> Text {
        match self {
            Kind::Number { min, max, step, unit } => {
                let key = match unit {
                    Unit::None => problem::EXPECT_NUMBER,
                    _ if step > 1 => problem::EXPECT_NUMBER_STEP,
                    _ => problem::EXPECT_NUMBER_UNIT,
                };
                let text = Text::new(key).with("min", u64::from(min)).with("max", u64::from(max));
                match unit {
                    Unit::None => text,
                    Unit::Seconds => text.with("step", u64::from(step)).with("unit", problem::SECONDS),
                    Unit::Minutes => text.with("step", u64::from(step)).with("unit", problem::MINUTES),
                    Unit::Milliseconds => text.with("step", u64::from(step)).with("unit", problem::MILLISECONDS),
                }
            }
            Kind::Flag => problem::EXPECT_FLAG.into(),
            Kind::Label => Text::new(problem::EXPECT_LABEL).with("max", LABEL_CHARS_MAX as u64),
            Kind::Secret => bounded(problem::EXPECT_SECRET, SECRET_CHARS.0, SECRET_CHARS.1),
            Kind::Password => problem::EXPECT_PASSWORD.into(),
            Kind::Device => problem::EXPECT_DEVICE.into(),
            Kind::Prefix => problem::EXPECT_PREFIX.into(),
            Kind::Addresses => problem::EXPECT_ADDRESSES.into(),
            Kind::Name => Text::new(problem::EXPECT_NAME).with("max", NAME_CHARS_MAX as u64),
            Kind::Digits { min, max, plus: false } => bounded(problem::EXPECT_DIGITS, min, max),
            Kind::Digits { min, max, plus: true } => bounded(problem::EXPECT_DIGITS_PLUS, min, max),
            Kind::Numbers { min, max } => bounded(problem::EXPECT_NUMBERS, min, max),
            Kind::Reference(table) => Text::new(problem::EXPECT_REFERENCE).with("table", table.word()),
            Kind::References(table) => Text::new(problem::EXPECT_REFERENCES).with("table", table.word()),
            Kind::Language => problem::EXPECT_LANGUAGE.into(),
            Kind::Languages => problem::EXPECT_LANGUAGES.into(),
            Kind::Address => problem::EXPECT_ADDRESS.into(),
            Kind::Socket => problem::EXPECT_SOCKET.into(),
            Kind::Ports => problem::EXPECT_PORTS.into(),
            Kind::Port => problem::EXPECT_PORT.into(),
            Kind::Code => problem::EXPECT_CODE.into(),
            Kind::Key => problem::EXPECT_KEY.into(),
            Kind::Destination => problem::EXPECT_DESTINATION.into(),
            Kind::TestCall => problem::EXPECT_TEST_CALL.into(),
            Kind::Expectations => problem::EXPECT_EXPECTATIONS.into(),
            Kind::Keys => problem::EXPECT_KEYS.into(),
            Kind::Word(vocabulary) => Text::new(problem::EXPECT_WORD).with("words", vocabulary.own.join(", ")),
            Kind::Words(vocabulary) => Text::new(problem::EXPECT_WORDS).with("words", vocabulary.own.join(", ")),
            Kind::Pin { min, max } => bounded(problem::EXPECT_PIN, min, max),
            Kind::Skills => problem::EXPECT_SKILLS.into(),
            Kind::UtcOffset => problem::EXPECT_UTC_OFFSET.into(),
            Kind::Hours => problem::EXPECT_HOURS.into(),
            Kind::DaysOff => problem::EXPECT_DAYS_OFF.into(),
            Kind::ExtraHours => problem::EXPECT_EXTRA_HOURS.into(),
        }
    }
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

fn bounded(key: Key, min: usize, max: usize) -> Text {
    Text::new(key).with("min", min as u64).with("max", max as u64)
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

pub(super) fn name(word: &str) -> bool {
    let first = word.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    first
        && within(word, 1, NAME_CHARS_MAX)
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
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

/// Neither a hash nor what was meant to become one is repeated in a message.
fn read_password(word: &str) -> Result<Value, Text> {
    let parts: Vec<&str> = word.split('$').collect();
    let base64 =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    let whole = match parts[..] {
        ["", "argon2id", "v=19", cost, salt, hash] => bearable(cost) && base64(salt) && base64(hash),
        _ => false,
    };
    text_if(whole && word.len() <= PASSWORD_BYTES_MAX, word).ok_or_else(|| problem::PASSWORD_CLEAR.into())
}

/// `m=19456,t=2,p=1`, within what one login may cost the box.
fn bearable(cost: &str) -> bool {
    let mut words = cost.split(',');
    let mut next = |name: &str, max: u32| {
        let digits = words.next()?.strip_prefix(name)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse::<u32>().ok().filter(|n| plain && *n <= max)
    };
    let [memory_max, passes_max, lanes_max] = PASSWORD_COST_MAX;
    let read = (next("m=", memory_max), next("t=", passes_max), next("p=", lanes_max));
    // RFC 9106 §3.1: each lane has at least 8 KiB.
    matches!(read, (Some(memory), Some(_), Some(lanes)) if memory >= 8 * lanes) && words.next().is_none()
}

/// `/dev/ttyS0`, `/dev/serial/by-id/usb-x`.
fn device(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    let steps = || word.split('/').skip(1);
    word.starts_with("/dev/")
        && word.len() <= LABEL_CHARS_MAX
        && word.chars().all(plain)
        && steps().all(|step| !step.is_empty() && step != "..")
}

/// The PIN itself is never repeated in a message.
fn read_pin(word: &str, min: usize, max: usize) -> Result<Value, Text> {
    text_if(within(word, min, max) && word.bytes().all(|b| b.is_ascii_digit()), word)
        .ok_or_else(|| Text::new(problem::VALUE_BAD).with("value", "********"))
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
