//! Every text that a person reads, in both languages, and how its gaps are filled. Not prompts (spoken), not the
//! configuration's keywords (always English), not identifiers stored in the leg-event journal (translated by [`word`]).
//!
//! To add a text, add a line to the table of its topic; the tests of this module then compare both languages.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use crate::config::Language;

/// Defines the texts of one topic: `NAME: "zh", "en";`. Gaps are written `{name}`, equal in both languages.
macro_rules! texts {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: $crate::text::Key = $crate::text::Key { name: stringify!($name), zh: $zh, en: $en };
        )*
        /// All texts of this topic.
        pub const ALL: &[$crate::text::Key] = &[$($name),*];
    };
}

pub mod admin;
pub mod alarm;
pub mod console;
pub mod effect;
pub mod explain;
pub mod help;
pub mod ladder;
pub mod panel;
pub mod problem;
pub mod reason;
pub mod start;
pub mod state;
pub mod story;
pub mod trial;
pub mod word;

/// One text of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    name: &'static str,
    zh: &'static str,
    en: &'static str,
}

impl Key {
    /// Its name in the catalogue, unique within its topic.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The text with its gaps unfilled.
    pub const fn raw(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.zh,
            Language::En => self.en,
        }
    }
}

/// A text with its gaps filled. A gap without a value stays visible as `{name}`; values are never searched for gaps.
pub fn text(key: Key, language: Language, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for piece in pieces(key.raw(language)) {
        match piece {
            Piece::Words(words) => out.push_str(words),
            Piece::Gap(name) => match values.iter().find(|(n, _)| *n == name) {
                Some((_, value)) => out.push_str(value),
                None => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{{{name}}}");
                }
            },
        }
    }
    out
}

/// A text that is not yet bound to a language: its key and what fills the gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    key: Key,
    values: Vec<(&'static str, Value)>,
}

/// What fills a gap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// The same in every language: a name, a number, a quotation.
    Plain(String),
    /// Another text of the catalogue.
    Text(Box<Text>),
}

impl Text {
    /// The text of `key`, gaps still open.
    pub fn new(key: Key) -> Text {
        Text { key, values: Vec::new() }
    }

    /// Fills one gap.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Text {
        self.values.push((name, value.into()));
        self
    }

    /// Which text it is.
    pub fn key(&self) -> Key {
        self.key
    }

    /// In words.
    pub fn render(&self, language: Language) -> String {
        let values: Vec<(&str, String)> =
            self.values.iter().map(|(name, value)| (*name, value.render(language))).collect();
        let borrowed: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        text(self.key, language, &borrowed)
    }
}

impl Value {
    fn render(&self, language: Language) -> String {
        match self {
            Value::Plain(words) => words.clone(),
            Value::Text(text) => text.render(language),
        }
    }
}

impl From<Key> for Text {
    fn from(key: Key) -> Text {
        Text::new(key)
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Value {
        Value::Plain(words.to_owned())
    }
}

impl From<&String> for Value {
    fn from(words: &String) -> Value {
        Value::Plain(words.clone())
    }
}

impl From<String> for Value {
    fn from(words: String) -> Value {
        Value::Plain(words)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Plain(number.to_string())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Value {
        Value::Text(Box::new(text))
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Value {
        Value::Text(Box::new(Text::new(key)))
    }
}

/// A stretch of a raw text.
enum Piece<'a> {
    Words(&'a str),
    Gap(&'a str),
}

/// Cuts a raw text at its gaps. A gap is `{`, one or more of `a`-`z` and `_`, `}`; other braces are words.
fn pieces(raw: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = raw;
    let mut searched = 0;
    while let Some(found) = rest.get(searched..).and_then(|tail| tail.find('{')) {
        let open = searched + found;
        let inside = &rest[open + 1..];
        let length = inside.bytes().take_while(|b| b.is_ascii_lowercase() || *b == b'_').count();
        if length > 0 && inside.as_bytes().get(length) == Some(&b'}') {
            out.push(Piece::Words(&rest[..open]));
            out.push(Piece::Gap(&inside[..length]));
            rest = &inside[length + 1..];
            searched = 0;
        } else {
            searched = open + 1;
        }
    }
    out.push(Piece::Words(rest));
    out
}

/// All topics, for tests and for translators.
pub const TOPICS: &[(&str, &[Key])] = &[
    ("admin", admin::ALL),
    ("alarm", alarm::ALL),
    ("console", console::ALL),
    ("effect", effect::ALL),
    ("explain", explain::ALL),
    ("help", help::ALL),
    ("ladder", ladder::ALL),
    ("panel", panel::ALL),
    ("problem", problem::ALL),
    ("reason", reason::ALL),
    ("start", start::ALL),
    ("state", state::ALL),
    ("story", story::ALL),
    ("trial", trial::ALL),
    ("word", word::ALL),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    fn gaps(raw: &str) -> BTreeSet<&str> {
        pieces(raw).into_iter().filter_map(|p| if let Piece::Gap(name) = p { Some(name) } else { None }).collect()
    }

    #[test]
    fn both_languages_have_every_text_with_the_same_gaps() {
        for (topic, keys) in TOPICS {
            for key in *keys {
                assert!(!key.zh.trim().is_empty() && !key.en.trim().is_empty(), "{topic} {} is empty", key.name);
                assert_eq!(gaps(key.zh), gaps(key.en), "{topic} {}: gaps differ", key.name);
                let chinese = |raw: &str| raw.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(!chinese(key.en), "{topic} {}: Chinese in the English text", key.name);
                assert!(chinese(key.zh) || key.zh == key.en, "{topic} {}: not Chinese: {}", key.name, key.zh);
            }
        }
    }

    #[test]
    fn names_are_unique_within_a_topic() {
        for (topic, keys) in TOPICS {
            let names: BTreeSet<&str> = keys.iter().map(|k| k.name).collect();
            assert_eq!(names.len(), keys.len(), "{topic}");
        }
    }

    #[test]
    fn gaps_are_filled_once_and_values_are_not_searched() {
        let key = Key { name: "T", zh: "在 {where} 的 { … } {who}", en: "{who} at {where} { … } {who}{" };
        let values = [("who", "{where}"), ("where", "here")];
        assert_eq!(text(key, Language::En, &values), "{where} at here { … } {where}{");
        assert_eq!(text(key, Language::Zh, &values), "在 here 的 { … } {where}");
        assert_eq!(text(key, Language::En, &[("who", "1001")]), "1001 at {where} { … } 1001{");
    }

    #[test]
    fn texts_nest() {
        let inner = Key { name: "I", zh: "秒", en: "seconds" };
        let outer = Key { name: "O", zh: "{n} {unit}", en: "{n} {unit}" };
        let text = Text::new(outer).with("n", 15u64).with("unit", inner);
        assert_eq!(text.render(Language::Zh), "15 秒");
        assert_eq!(text.render(Language::En), "15 seconds");
    }
}
