//! The words after `simulate`, and what they mean.

use super::arrivals::{Profile, ProfileError};
use super::erlang::{Threshold, Variant};
use super::staffing::Change;
use lexopt::prelude::*;
use pbx::config::{Language, Strategy};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `simulate --help` prints.
pub const HELP: &str = "\
tools/run simulate           plays the callers of a day to the real router with other staff, beside Erlang C and Erlang A

  Callers, one of:
  --recorded [--day DATE]    those of a recorded day (default: the last one) in the data directory; --data DIR for another
  --calls-per-hour N         drawn at a steady rate, for --hours N (default 8), after half an hour that does not count
  --profile '09:00 120/h 12:00 60/h 18:00'
                             drawn at the rate that each time begins, until the last time; 06:00+1 is on the next day

  The site:
  --config FILE              its queues, agents and skills; default: that of the record, or one plain queue
  --queue NAME               only the callers of this queue

  What is to be tried:
  --agents N                 so many agents; default: as recorded, as configured, or what Erlang A asks for
  --aht +10% | -10% | N      handling time (talk and wrap-up), changed or in seconds; default as recorded, or 180
  --wrap-up-s N              wrap-up of every queue; default as recorded, as configured, or 10
  --ring-s N                 how long agents let it ring, on average; default as recorded, or 2
  --patience-s N | never     mean of an exponential patience; default as recorded, or 120
  --strategy NAME            of every queue: fewest-calls, longest-idle, random, ...
  --skills off               nobody asks for skills

  The figures:
  --within-s N               of the service level, default 20; --short-s N, default 5: hang-ups that do not count
  --variant a|b|c|d|e        which calls count in it, default c; --goal N, in percent, default 80
  --seeds N                  runs; default by the number of calls; --around N: staffings of the picture, default 3
  --lang zh|en|both
";

/// Where callers come from.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// A recorded day; the last one when not named.
    Recorded(Option<String>),
    /// Drawn at a steady rate, after a time that does not count.
    Steady(Profile),
    /// Drawn along a day.
    Day(Profile),
}

/// Handling time wanted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Aht {
    /// So many times what it is.
    Times(f64),
    /// In seconds.
    Seconds(f64),
}

impl Aht {
    /// What becomes of this handling time.
    pub fn of(self, aht_s: f64) -> f64 {
        match self {
            Aht::Times(factor) => aht_s * factor,
            Aht::Seconds(seconds) => seconds,
        }
    }
}

/// What was asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Callers.
    pub source: Source,
    /// Data directory of a recorded day.
    pub data: PathBuf,
    /// A site's configuration.
    pub config: Option<PathBuf>,
    /// Only this queue.
    pub queue: Option<String>,
    /// Changes of the site.
    pub change: Change,
    /// Change of handling time.
    pub aht: Option<Aht>,
    /// Mean ring time.
    pub ring_s: Option<f64>,
    /// Mean patience; inside, `None` for endless.
    pub patience_s: Option<Option<f64>>,
    /// Of the service level.
    pub threshold: Threshold,
    /// Of the service level.
    pub variant: Variant,
    /// Service level wanted, 0 to 1.
    pub goal: f64,
    /// Runs.
    pub seeds: Option<u64>,
    /// Staffings of the picture on both sides.
    pub around: u32,
    /// Languages, when asked for here.
    pub languages: Option<Vec<Language>>,
}

/// The options as given, before they are put together.
#[derive(Default)]
struct Given {
    recorded: bool,
    day: Option<String>,
    rate: Option<f64>,
    hours: Option<f64>,
    profile: Option<Profile>,
}

/// Reads the words after `simulate`; `Ok(None)` asks for help.
///
/// # Errors
/// In words.
pub fn parse(words: impl IntoIterator<Item = OsString>, data: PathBuf) -> Result<Option<Options>, String> {
    let mut options = Options {
        source: Source::Recorded(None),
        data,
        config: None,
        queue: None,
        change: Change::default(),
        aht: None,
        ring_s: None,
        patience_s: None,
        threshold: Threshold::default(),
        variant: Variant::C,
        goal: 0.8,
        seeds: None,
        around: 3,
        languages: None,
    };
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next().map_err(|e| e.to_string())? {
        match word {
            Short('h') | Long("help") => return Ok(None),
            Value(word) if word == "help" => return Ok(None),
            Long("recorded") => given.recorded = true,
            Long(name) => {
                let name = name.to_string();
                let value = parser.value().and_then(|v| v.string()).map_err(|e| e.to_string())?;
                take(&mut options, &mut given, &name, value).map_err(|why| format!("--{name}: {why}"))?;
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    options.source = source(given)?;
    Ok(Some(options))
}

fn take(options: &mut Options, given: &mut Given, name: &str, value: String) -> Result<(), String> {
    match name {
        "day" => given.day = Some(value),
        "calls-per-hour" => given.rate = Some(number(&value, 0.001, 100_000.0)?),
        "hours" => given.hours = Some(number(&value, 0.01, 10_000.0)?),
        "profile" => given.profile = Some(Profile::parse(&value).map_err(|why| profile_words(&why))?),
        "data" => options.data = value.into(),
        "config" => options.config = Some(value.into()),
        "queue" => options.queue = Some(value),
        "agents" => options.change.agents = Some(number(&value, 1.0, 2_000.0)? as u32),
        "aht" => options.aht = Some(aht(&value)?),
        "wrap-up-s" => options.change.wrap_up_s = Some(number(&value, 0.0, 600.0)? as u32),
        "ring-s" => options.ring_s = Some(number(&value, 0.0, 60.0)?),
        "patience-s" => options.patience_s = Some(patience(&value)?),
        "strategy" => options.change.strategy = Some(strategy(value)?),
        "skills" => options.change.skills_off = off(&value)?,
        "within-s" => options.threshold.within_s = number(&value, 0.0, 86_400.0)?,
        "short-s" => options.threshold.short_s = number(&value, 0.0, 86_400.0)?,
        "variant" => options.variant = variant(&value)?,
        "goal" => options.goal = number(&value, 1.0, 100.0)? / 100.0,
        "seeds" => options.seeds = Some(number(&value, 1.0, 10_000.0)? as u64),
        "around" => options.around = number(&value, 0.0, 20.0)? as u32,
        "lang" => options.languages = Some(languages(&value)?),
        _ => return Err("there is no such option; `simulate --help` lists all".into()),
    }
    Ok(())
}

fn source(given: Given) -> Result<Source, String> {
    let hours = given.hours;
    let chosen = [given.recorded || given.day.is_some(), given.rate.is_some(), given.profile.is_some()];
    if chosen.iter().filter(|c| **c).count() != 1 {
        return Err("say where callers come from: one of --recorded, --calls-per-hour and --profile".into());
    }
    if hours.is_some() && given.rate.is_none() {
        return Err("--hours belongs to --calls-per-hour".into());
    }
    Ok(match (given.rate, given.profile) {
        (Some(rate), _) => Source::Steady(Profile::flat(rate, (hours.unwrap_or(8.0) * 3_600.0) as u32)),
        (None, Some(profile)) => Source::Day(profile),
        (None, None) => Source::Recorded(given.day),
    })
}

fn number(word: &str, min: f64, max: f64) -> Result<f64, String> {
    let number: Option<f64> = word.parse().ok();
    number.filter(|n| (min..=max).contains(n)).ok_or_else(|| format!("`{word}` is not a number from {min} to {max}"))
}

fn aht(word: &str) -> Result<Aht, String> {
    match word.strip_suffix('%') {
        Some(percent) => Ok(Aht::Times(1.0 + number(percent.trim_start_matches('+'), -90.0, 1_000.0)? / 100.0)),
        None => Ok(Aht::Seconds(number(word, 1.0, 86_400.0)?)),
    }
}

fn patience(word: &str) -> Result<Option<f64>, String> {
    if word == "never" { Ok(None) } else { number(word, 0.1, 1e6).map(Some) }
}

fn off(word: &str) -> Result<bool, String> {
    match word {
        "off" => Ok(true),
        "on" => Ok(false),
        _ => Err(format!("`{word}` is neither on nor off")),
    }
}

fn strategy(word: String) -> Result<String, String> {
    let known: Vec<&str> = Strategy::ALL.iter().map(|strategy| strategy.word()).collect();
    if known.contains(&word.as_str()) {
        Ok(word)
    } else {
        Err(format!("`{word}` is no strategy; there are {}", known.join(", ")))
    }
}

fn variant(word: &str) -> Result<Variant, String> {
    let found = Variant::ALL.into_iter().find(|v| word == v.letter().to_string());
    found.ok_or_else(|| format!("`{word}` is none of a, b, c, d and e"))
}

fn languages(word: &str) -> Result<Vec<Language>, String> {
    match word {
        "zh" | "zh-CN" => Ok(vec![Language::Zh]),
        "en" | "en-US" => Ok(vec![Language::En]),
        "both" => Ok(vec![Language::Zh, Language::En]),
        _ => Err("languages are zh, en and both".into()),
    }
}

fn profile_words(why: &ProfileError) -> String {
    match why {
        ProfileError::Time(word) => format!("`{word}` is not a time of the day as 09:30"),
        ProfileError::Rate(word) => format!("`{word}` is not a number of calls per hour as 120/h"),
        ProfileError::Order { time, before } => {
            format!(
                "`{time}` is not after `{before}`; a time of the next day is written `{}+1`",
                time.trim_end_matches("+1")
            )
        }
        ProfileError::Short => "a time, a rate, and so on, and the time at which it ends: '09:00 120/h 18:00'".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Options>, String> {
        parse(line.split_whitespace().map(|word| OsString::from(word.replace('_', " "))), "data".into())
    }

    #[test]
    fn options_are_understood() {
        let options =
            read("--calls-per-hour 200 --agents 14 --aht +10% --patience-s never --hours 2").unwrap().unwrap();
        assert_eq!(options.source, Source::Steady(Profile::flat(200.0, 7_200)));
        assert_eq!(options.change.agents, Some(14));
        assert!((options.aht.unwrap().of(100.0) - 110.0).abs() < 1e-9);
        assert_eq!(options.patience_s, Some(None));
        assert_eq!(read("--recorded --aht -5%").unwrap().unwrap().aht, Some(Aht::Times(0.95)));
        assert_eq!(read("--day 2026-11-22").unwrap().unwrap().source, Source::Recorded(Some("2026-11-22".into())));
        assert_eq!(read("--help"), Ok(None));
    }

    #[test]
    fn mistakes_are_told() {
        for (line, words) in [
            ("", "where callers come from"),
            ("--recorded --calls-per-hour 3", "where callers come from"),
            ("--recorded --hours 3", "--hours belongs to"),
            ("--calls-per-hour many", "--calls-per-hour: `many` is not a number"),
            ("--profile 09:00", "--profile: a time, a rate"),
            (
                "--profile 09:00_120/h_08:00",
                "--profile: `08:00` is not after `09:00`; a time of the next day is written `08:00+1`",
            ),
            ("--recorded --strategy foo", "--strategy: `foo` is no strategy; there are ring-all, "),
            ("--recorded --frob 1", "--frob: there is no such option"),
            ("--recorded --variant x", "none of a, b"),
            ("--recorded --agents 0", "from 1 to 2000"),
            ("--recorded extra", "extra"),
        ] {
            let told = read(line).unwrap_err();
            assert!(told.contains(words), "{line}: {told}");
        }
    }
}
