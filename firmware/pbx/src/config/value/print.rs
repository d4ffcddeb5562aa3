//! Values as they are written: the words of each, quoted where they must be, and the entries of tables that they name.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Kind, Value};
use crate::config::schema::Table;
use crate::config::{Destination, test, when};

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
            | Value::ExtraHours(_) => {
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
            | Value::TestCall(_)
            | Value::Expectations(_)
            | Value::UtcOffset(_) => words.join(" "),
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
            Value::TestCall(call) => call.words(),
            Value::Expectations(all) => test::expectation_words(all),
            Value::Skills(skills) => skills.iter().map(|(name, level)| format!("{name}:{level}")).collect(),
            Value::UtcOffset(minutes) => [when::print_utc_offset(*minutes)].into(),
            Value::Hours(hours) => hours.iter().map(when::print_hours).collect(),
            Value::DaysOff(days) => days.iter().map(when::print_days_off).collect(),
            Value::ExtraHours(hours) => hours.iter().map(when::print_extra).collect(),
        }
    }

    /// Names an entry of a table by its new name; false when it does not name it.
    pub(in crate::config) fn rename(&mut self, kind: Kind, table: Table, was: &str, is: &str) -> bool {
        match self {
            Value::TestCall(call) => {
                let before = call.clone();
                call.rename(table, was, is);
                return *call != before;
            }
            _ if !self.references(kind).contains(&(table, was)) => return false,
            Value::Expectations(all) => {
                all.iter_mut().for_each(|e| e.goal.rename(table, was, is));
                return true;
            }
            _ => {}
        }
        let renamed = |word: String| match word.split_once(':') {
            Some((name, level)) if name == was && kind == Kind::Skills => format!("{is}:{level}"),
            _ if word == was => is.to_string(),
            _ => word,
        };
        // Of a destination the first word is its sort.
        let fixed = usize::from(kind == Kind::Destination);
        let words = self.words().into_iter().enumerate();
        let words: Vec<String> = words.map(|(at, w)| if at < fixed { w } else { renamed(w) }).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Ok(value) = kind.read(&words) {
            *self = value;
        }
        true
    }

    /// The table entries that this value names.
    pub(in crate::config) fn references(&self, kind: Kind) -> Vec<(Table, &str)> {
        match (self, kind) {
            (Value::Text(name), Kind::Reference(table)) => [(table, name.as_str())].into(),
            (Value::Texts(names), Kind::References(table)) => names.iter().map(|n| (table, n.as_str())).collect(),
            (Value::Skills(skills), Kind::Skills) => skills.keys().map(|n| (Table::Skill, n.as_str())).collect(),
            (Value::Expectations(all), _) => {
                let named = all.iter().filter_map(|e| e.goal.names());
                named.filter_map(|(section, name)| Some((Table::of(section)?, name))).collect()
            }
            (Value::Destination(Destination::Extension(name)), _) => [(Table::Extension, name.as_str())].into(),
            (Value::Destination(Destination::Queue(name)), _) => [(Table::Queue, name.as_str())].into(),
            (Value::Destination(Destination::Menu(name)), _) => [(Table::Menu, name.as_str())].into(),
            _ => Vec::new(),
        }
    }
}

/// A word in the text form, quoted when it must be.
pub(in crate::config) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '*' | '+' | '/');
    if !text.is_empty() && text.chars().all(plain) && !text.contains("/*") {
        return text.to_owned();
    }
    quoted(text)
}

/// A word in the text form, in quotes in any case.
pub(in crate::config) fn quoted(text: &str) -> String {
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
