//! A configuration test as typed values: who calls whom and when, which keys are pressed, who is at work, and what must
//! come of it; and how call and expectations look in the text form. Playing it is the work of [`crate::trial`].

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::problem::shown;
use super::schema::{Section, Table};
use super::value::{Kind, Refusal, name};
use super::when;
use crate::calendar::{Date, Weekday};
use crate::text::{Key, Text, problem};

/// Most expectations of one test.
pub const EXPECTATIONS_MAX: usize = 16;
/// Most characters of a number dialled in a test.
const DIALLED_MAX: usize = 32;
/// Longest wait for something that is expected.
const WITHIN_S_MAX: u32 = 3_600;

/// `test support-in-hours { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Test {
    /// `call from 13800138000 to 4001234 at "mon 09:00"`
    pub call: TestCall,
    /// `callers-before`, 0-50, default 0: so many others made the same call just before, and stay.
    pub callers_before: u32,
    /// `press [ 2 1 ]`: each is pressed once the box listens; several keys in one word are pressed in a row.
    pub press: Vec<String>,
    /// `agents [ 1001 ]`: only they are logged in and ready. Default: all who can be.
    pub agents: Option<Vec<String>>,
    /// `expect menu main then queue support within 20s`: in this order.
    pub expect: Vec<Expectation>,
}

/// Who calls whom, and when.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TestCall {
    /// An extension, or else a number outside.
    pub from: String,
    /// What is dialled.
    pub to: String,
    /// Local time; none is an ordinary Monday at 10:00.
    pub at: Option<Moment>,
}

/// A minute of local time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Moment {
    /// The next such day that is special in no calendar.
    Weekly(Weekday, u16),
    /// This one.
    On(Date, u16),
}

/// One thing that must come of the call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Expectation {
    /// What.
    pub goal: Goal,
    /// `within 20s`, counted from what was expected before it, of the first from the call; none: before the call is over.
    pub within_s: Option<u32>,
}

/// What can be expected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Goal {
    /// `queue support`: waits there.
    Queue(String),
    /// `agent 1001`: talks with this agent.
    Agent(String),
    /// `menu main`: hears it.
    Menu(String),
    /// `extension 2001`: talks with whoever is there.
    Extension(String),
    /// `trunk carrier`, `trunk carrier as 01012345678`: goes outside there, with this number.
    Trunk(String, Option<String>),
    /// `prompt queue-closed`: hears it.
    Prompt(String),
    /// `closed`: a queue turns the caller away for the hour.
    Closed,
    /// `full`: for the number of callers who wait.
    Full,
    /// `empty`: because nobody is there.
    Empty,
    /// `overflow`: waited as long as the queue allows, and goes elsewhere.
    Overflow,
    /// `echo`: hears itself.
    Echo,
    /// `recorded`: is recorded, from whenever.
    Recorded,
    /// `hangup`: was answered, and the box hangs up.
    Hangup,
    /// `refused`: is not answered.
    Refused,
}

const GOALS: &[&str] = &[
    "queue",
    "agent",
    "menu",
    "extension",
    "trunk",
    "prompt",
    "closed",
    "full",
    "empty",
    "overflow",
    "echo",
    "recorded",
    "hangup",
    "refused",
];

/// What can follow the words of a call or of expectations.
pub(super) enum Next {
    /// One of these.
    Words(Vec<&'static str>),
    /// The key of one of these sections; or another word, where one is described.
    Keys(&'static [Section], Option<Key>),
    /// What is described.
    Other(Key),
}

impl Kind {
    /// What can follow `given` in a leaf of several words; none where single words make the value.
    pub(super) fn next(self, given: &[&str]) -> Option<Next> {
        match self {
            Kind::TestCall => Some(match given {
                [] => Next::Words(["from"].into()),
                ["from"] => Next::Keys(&[Section::Extension], Some(problem::EXPECT_TEST_FROM)),
                ["from", _] => Next::Words(["to"].into()),
                ["from", _, "to"] => {
                    const DIALLED: &[Section] = &[Section::Did, Section::Number, Section::Extension];
                    Next::Keys(DIALLED, Some(problem::EXPECT_TEST_TO))
                }
                ["from", _, "to", _] => Next::Words(["at"].into()),
                ["from", _, "to", _, "at"] => Next::Other(problem::EXPECT_MOMENT),
                _ => Next::Words(Vec::new()),
            }),
            Kind::Expectations => Some(next_expected(given)),
            _ => None,
        }
    }
}

fn next_expected(given: &[&str]) -> Next {
    let mut words = Words { words: given, at: 0 };
    while words.peek().is_some() {
        let begin = words.at;
        if expectation(&mut words).is_err() {
            let open = given.get(begin..).unwrap_or_default();
            return match open {
                ["queue"] => Next::Keys(&[Section::Queue], None),
                ["agent"] => Next::Keys(&[Section::Agent], None),
                ["menu"] => Next::Keys(&[Section::Menu], None),
                ["extension"] => Next::Keys(&[Section::Extension], None),
                ["trunk"] => Next::Keys(&[Section::Trunk], None),
                ["prompt"] => Next::Other(problem::EXPECT_PROMPT),
                [.., "as"] => Next::Other(problem::EXPECT_TEST_TO),
                [.., "within"] => Next::Other(problem::EXPECT_WITHIN),
                _ => Next::Words(Vec::new()),
            };
        }
        match words.peek() {
            None => {
                let done = given.get(begin..).unwrap_or_default();
                let mut next = Vec::new();
                if matches!(done, ["trunk", _]) {
                    next.push("as");
                }
                if done.len() < 2 || done.get(done.len() - 2) != Some(&"within") {
                    next.push("within");
                }
                next.push("then");
                return Next::Words(next);
            }
            Some(_) => words.at += 1,
        }
    }
    Next::Words(GOALS.to_vec())
}

/// The words that the call and expectations know, for suggestions.
pub(super) const CALL_WORDS: &[&str] = &["from", "to", "at"];
pub(super) const EXPECT_WORDS: &[&str] = GOALS;

/// Words that are read one after the other.
struct Words<'w> {
    words: &'w [&'w str],
    at: usize,
}

impl<'w> Words<'w> {
    fn peek(&self) -> Option<&'w str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self) -> Result<&'w str, Refusal> {
        let word = self.peek().ok_or_else(|| self.missing())?;
        self.at += 1;
        Ok(word)
    }

    fn missing(&self) -> Refusal {
        Refusal { reason: problem::VALUE_MISSING.into(), word: self.at.saturating_sub(1) }
    }

    /// The word that was taken last does not fit.
    fn bad(&self) -> Refusal {
        let at = self.at.saturating_sub(1);
        let word = self.words.get(at).copied().unwrap_or_default();
        Refusal { reason: Text::new(problem::VALUE_BAD).with("value", shown(word)), word: at }
    }

    /// The next word when it is this one.
    fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn wanted(&mut self, keyword: &str) -> Result<(), Refusal> {
        if self.take()? == keyword { Ok(()) } else { Err(self.bad()) }
    }

    fn fitting(&mut self, fits: impl Fn(&str) -> bool) -> Result<String, Refusal> {
        let word = self.take()?;
        if fits(word) { Ok(word.to_owned()) } else { Err(self.bad()) }
    }

    fn end(&self) -> Result<(), Refusal> {
        match self.peek() {
            None => Ok(()),
            Some(extra) => {
                Err(Refusal { reason: Text::new(problem::VALUE_EXTRA).with("word", shown(extra)), word: self.at })
            }
        }
    }
}

/// `from 13800138000 to 4001234 at "mon 09:00"`; day and hour may be two words, too.
pub(super) fn call(words: &[&str]) -> Result<TestCall, Refusal> {
    let mut words = Words { words, at: 0 };
    words.wanted("from")?;
    let from = words.fitting(caller)?;
    words.wanted("to")?;
    let to = words.fitting(dialled)?;
    let mut at = None;
    if words.peek().is_some() {
        words.wanted("at")?;
        let mut written = words.take()?.to_owned();
        if let Some(hour) = words.peek().filter(|_| !written.contains(' ')) {
            written = format!("{written} {hour}");
            words.at += 1;
        }
        at = Some(moment(&written).ok_or_else(|| words.bad())?);
    }
    words.end()?;
    Ok(TestCall { from, to, at })
}

/// `menu main then queue support within 20s`
pub(super) fn expectations(words: &[&str]) -> Result<Vec<Expectation>, Refusal> {
    let mut words = Words { words, at: 0 };
    let mut all = Vec::new();
    loop {
        all.push(expectation(&mut words)?);
        if words.peek().is_none() {
            return Ok(all);
        }
        if all.len() == EXPECTATIONS_MAX || !words.keyword("then") {
            return words.end().map(|()| all);
        }
    }
}

fn expectation(words: &mut Words<'_>) -> Result<Expectation, Refusal> {
    let goal = match words.take()? {
        "queue" => Goal::Queue(words.fitting(name)?),
        "agent" => Goal::Agent(words.fitting(name)?),
        "menu" => Goal::Menu(words.fitting(name)?),
        "extension" => Goal::Extension(words.fitting(name)?),
        "trunk" => {
            let trunk = words.fitting(name)?;
            let number = if words.keyword("as") { Some(words.fitting(dialled)?) } else { None };
            Goal::Trunk(trunk, number)
        }
        "prompt" => Goal::Prompt(words.fitting(name)?),
        "closed" => Goal::Closed,
        "full" => Goal::Full,
        "empty" => Goal::Empty,
        "overflow" => Goal::Overflow,
        "echo" => Goal::Echo,
        "recorded" => Goal::Recorded,
        "hangup" => Goal::Hangup,
        "refused" => Goal::Refused,
        _ => return Err(words.bad()),
    };
    let within_s = match words.keyword("within") {
        false => None,
        true => Some(seconds(words.take()?).ok_or_else(|| words.bad())?),
    };
    Ok(Expectation { goal, within_s })
}

impl TestCall {
    /// As written.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = ["from", &self.from, "to", &self.to].map(ToOwned::to_owned).into();
        if let Some(at) = self.at {
            words.extend(["at".to_owned(), at.print()]);
        }
        words
    }

    /// Names an extension or did by its new name.
    pub(super) fn rename(&mut self, table: Table, was: &str, is: &str) {
        if table == Table::Extension && self.from == was {
            self.from = is.to_owned();
        }
        if matches!(table, Table::Extension | Table::Did) && self.to == was {
            self.to = is.to_owned();
        }
    }
}

impl Moment {
    /// `mon 09:00`, `2026-10-01 09:00`
    fn print(self) -> String {
        let (day, minute) = match self {
            Moment::Weekly(day, minute) => (day.word().to_owned(), minute),
            Moment::On(date, minute) => (when::print_date(date), minute),
        };
        format!("{day} {:02}:{:02}", minute / 60, minute % 60)
    }
}

impl Goal {
    /// Its keyword, and the section and key that it names; the section is none for a prompt.
    fn parts(&self) -> (&'static str, Option<(Option<Section>, &String)>) {
        match self {
            Goal::Queue(name) => ("queue", Some((Some(Section::Queue), name))),
            Goal::Agent(name) => ("agent", Some((Some(Section::Agent), name))),
            Goal::Menu(name) => ("menu", Some((Some(Section::Menu), name))),
            Goal::Extension(name) => ("extension", Some((Some(Section::Extension), name))),
            Goal::Trunk(name, _) => ("trunk", Some((Some(Section::Trunk), name))),
            Goal::Prompt(name) => ("prompt", Some((None, name))),
            Goal::Closed => ("closed", None),
            Goal::Full => ("full", None),
            Goal::Empty => ("empty", None),
            Goal::Overflow => ("overflow", None),
            Goal::Echo => ("echo", None),
            Goal::Recorded => ("recorded", None),
            Goal::Hangup => ("hangup", None),
            Goal::Refused => ("refused", None),
        }
    }

    /// The section and key that it names.
    pub(super) fn names(&self) -> Option<(Section, &str)> {
        let (section, name) = self.parts().1?;
        Some((section?, name))
    }

    /// Names an entry of a table by its new name.
    pub(super) fn rename(&mut self, table: Table, was: &str, is: &str) {
        if !self.names().is_some_and(|(section, name)| Table::of(section) == Some(table) && name == was) {
            return;
        }
        match self {
            Goal::Queue(name)
            | Goal::Agent(name)
            | Goal::Menu(name)
            | Goal::Extension(name)
            | Goal::Trunk(name, _)
            | Goal::Prompt(name) => *name = is.to_owned(),
            Goal::Closed
            | Goal::Full
            | Goal::Empty
            | Goal::Overflow
            | Goal::Echo
            | Goal::Recorded
            | Goal::Hangup
            | Goal::Refused => {}
        }
    }
}

impl Expectation {
    /// As written.
    pub fn words(&self) -> Vec<String> {
        let (keyword, named) = self.goal.parts();
        let mut words: Vec<String> = [keyword.to_owned()].into();
        words.extend(named.map(|(_, name)| name.clone()));
        if let Goal::Trunk(_, Some(number)) = &self.goal {
            words.extend(["as".to_owned(), number.clone()]);
        }
        if let Some(seconds) = self.within_s {
            words.extend(["within".to_owned(), format!("{seconds}s")]);
        }
        words
    }
}

/// As written, of all.
pub(super) fn expectation_words(all: &[Expectation]) -> Vec<String> {
    let mut words = Vec::new();
    for expectation in all {
        if !words.is_empty() {
            words.push("then".to_string());
        }
        words.extend(expectation.words());
    }
    words
}

/// Keys that are pressed in a row.
pub(super) fn keys(word: &str) -> bool {
    (1..=DIALLED_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'))
}

fn caller(word: &str) -> bool {
    let digits = word.strip_prefix('+').unwrap_or(word);
    (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn dialled(word: &str) -> bool {
    keys(word.strip_prefix('+').unwrap_or(word))
}

/// `20s`, `20`
fn seconds(word: &str) -> Option<u32> {
    let digits = word.strip_suffix('s').unwrap_or(word);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|seconds| plain && (1..=WITHIN_S_MAX).contains(seconds))
}

/// `mon 09:00`, `2026-10-01 09:00`; a day ends before 24:00.
fn moment(words: &str) -> Option<Moment> {
    let (day, clock) = words.split_once(' ')?;
    let minute = when::minute(clock).filter(|minute| *minute < crate::calendar::DAY_MIN)?;
    match when::weekday(day) {
        Some(day) => Some(Moment::Weekly(day, minute)),
        None => when::date(day).map(|date| Moment::On(date, minute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Vec<Expectation> {
        let words: Vec<&str> = words.split(' ').collect();
        expectations(&words).map_err(|why| why.reason.render(crate::config::Language::En)).unwrap()
    }

    #[test]
    fn expectations_are_read_and_written() {
        let written = "menu main within 5s then queue then within 20s then trunk carrier as 0044 then hangup";
        let read = read(written);
        assert_eq!(read[1], Expectation { goal: Goal::Queue("then".into()), within_s: Some(20) });
        assert_eq!(expectation_words(&read).join(" "), written);
    }

    #[test]
    fn what_is_no_expectation_is_refused_at_its_word() {
        let at = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            expectations(&words).map(|_| ()).map_err(|why| why.word)
        };
        assert_eq!(at("queue"), Err(0));
        assert_eq!(at("ring agent"), Err(0));
        assert_eq!(at("queue support within"), Err(2));
        assert_eq!(at("queue support within 0s"), Err(3));
        assert_eq!(at("queue support within 1h"), Err(3));
        assert_eq!(at("queue support soon"), Err(2));
        assert_eq!(at("queue support then"), Err(2));
        assert_eq!(at(&["echo"; 17].join(" then ")), Err(31));
        assert_eq!(at(&["echo"; 16].join(" then ")), Ok(()));
    }

    #[test]
    fn a_call_is_read_with_one_word_or_two_for_its_moment() {
        let words = ["from", "13800138000", "to", "4001234", "at", "mon 09:00"];
        let one = call(&words).ok().unwrap();
        assert_eq!(one.at, Some(Moment::Weekly(Weekday::Mon, 540)));
        assert_eq!(one.words(), words);
        let two = call(&["from", "13800138000", "to", "4001234", "at", "mon", "09:00"]).ok().unwrap();
        assert_eq!(one, two);
        for (bad, word) in [
            (&["from", "138"][..], 1),
            (&["to", "138"], 0),
            (&["from", "x", "to", "2001"], 1),
            (&["from", "2001", "to", "*43", "at", "mon 24:00"], 5),
            (&["from", "2001", "to", "*43", "at", "2026-02-30 09:00"], 5),
            (&["from", "2001", "to", "*43", "at", "mon 09:00", "sharp"], 6),
        ] {
            assert_eq!(call(bad).err().map(|why| why.word), Some(word), "{bad:?}");
        }
    }

    #[test]
    fn what_can_follow_is_offered_after_each_word() {
        let next = |words: &str| {
            let words: Vec<&str> = words.split_whitespace().collect();
            match Kind::Expectations.next(&words) {
                Some(Next::Words(words)) => words.join(" "),
                Some(Next::Keys(sections, _)) => format!("{sections:?}"),
                Some(Next::Other(key)) => key.name().to_string(),
                None => String::new(),
            }
        };
        assert_eq!(next(""), GOALS.join(" "));
        assert_eq!(next("queue"), "[Queue]");
        assert_eq!(next("queue support"), "within then");
        assert_eq!(next("trunk carrier"), "as within then");
        assert_eq!(next("queue support within"), "EXPECT_WITHIN");
        assert_eq!(next("queue support within 20s"), "then");
        assert_eq!(next("queue support within 20s then"), GOALS.join(" "));
        assert_eq!(next("menu main then agent"), "[Agent]");
        assert_eq!(next("nonsense"), "");
    }
}
