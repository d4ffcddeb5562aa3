//! `xtask replay`: gives the journaled inputs of a data directory to a fresh core and compares what it says with what the
//! box really said: each leg event with its row in the store, byte for byte, and all outputs of each input with the
//! digest that the journal keeps of them. The same build says the same for a whole day; another build is told where it
//! first does not, with the ladder of the call. Only reads, also beside a running box.

pub mod report;
mod rows;
mod threads;
pub mod walk;

use lexopt::prelude::*;
use pbx::config::Language;
use pbxd::journal::past::Past;
use pbxd::seal::MasterKey;
use pbxd::story::moment;
use report::{Report, say};
use rows::Rows;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use walk::Span;

/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What to replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Data directory of the box.
    pub data: PathBuf,
    /// Which part.
    pub span: Span,
    /// Languages of the report; none: as everywhere.
    pub languages: Option<Vec<Language>>,
}

/// Reads the words after `replay`; none: the help is asked for.
///
/// # Errors
/// In words.
pub fn parse(words: &[String], data: &Path) -> Result<Option<Options>, String> {
    let mut options = Options { data: data.into(), span: Span::default(), languages: None };
    let mut parser = lexopt::Parser::from_args(words);
    let unusable = |e: lexopt::Error| e.to_string();
    while let Some(word) = parser.next().map_err(unusable)? {
        match word {
            Long("data") => options.data = value(&mut parser)?.into(),
            Long("from") => options.span.from = Some(time(&value(&mut parser)?)?),
            Long("to") => options.span.to = Some(time(&value(&mut parser)?)?),
            Long("lang") => {
                let languages = crate::cli::language(&value(&mut parser)?)?;
                options.languages = Some(languages);
            }
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

fn value(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(|e| e.to_string())
}

fn time(word: &str) -> Result<base::time::Wall, String> {
    moment::parse(word).ok_or_else(|| {
        format!("`{word}` is no moment; remedy: like '2026-11-22 09:30:00' (UTC unless an offset follows)")
    })
}

/// Replays the journal in `options.data` with a core of this `build`.
///
/// # Errors
/// In words: what cannot be read.
pub fn replay(options: &Options, build: &str, language: Language) -> Result<Report, String> {
    let data = &options.data;
    let unusable = |why: &dyn std::fmt::Display| pbxd::control::start::data_words(data, why, language);
    let key = data.join("chassis.key");
    // A directory that holds no data must not get a key of its own.
    if !key.is_file() || !data.join("journal").is_dir() {
        return Err(say(report::NOTHING, language, &[("data", &data.display().to_string())]));
    }
    let master = MasterKey::open_or_create(&key).map_err(|e| unusable(&e))?;
    let began = Instant::now();
    let past = Past::open(&data.join("journal"), master).map_err(|e| unusable(&e))?;
    let clock = pbxd::clock::wall();
    if let Some(from) = options.span.from.filter(|from| *from > clock) {
        return Err(pbxd::tell::ahead(from, clock, past.last_time().map(|last| last.wall), language));
    }
    let reader = pbxd::store::read::open_untouched(data).map_err(|e| unusable(&e))?;
    let rows = Rows::new(reader).map_err(|e| unusable(&e))?;
    let mut told = Instant::now();
    let mut progress = |replayed: &walk::Replayed, last: u64| {
        if told.elapsed() >= TELL_EVERY && std::io::stderr().is_terminal() {
            told = Instant::now();
            eprintln!("{}", report::progress(replayed, last, language));
        }
    };
    let (replayed, difference) = walk::walk(&past, rows, build, options.span, &mut progress)?;
    Ok(Report { replayed, difference, build: build.into(), builds: past.builds().to_vec(), took: began.elapsed() })
}

/// Does what the words after `replay` ask for and prints the report in each language.
///
/// # Errors
/// In words; also when there is a difference.
pub fn run(data: &Path, words: &[String], languages: &[Language]) -> Result<(), String> {
    let Some(options) = parse(words, data)? else {
        languages.iter().for_each(|language| print!("{}", say(report::HELP, *language, &[])));
        return Ok(());
    };
    let languages = options.languages.clone().unwrap_or_else(|| languages.to_vec());
    let first = languages.first().copied().unwrap_or(Language::En);
    // The core in this program was built together with the daemon beside it, whose identity the journal names.
    let daemon = crate::programs::built("pbxd")?;
    let report = replay(&options, &pbxd::build_id::identity_of(&daemon), first)?;
    for language in &languages {
        print!("{}", report.text(*language));
    }
    match report.difference {
        None => Ok(()),
        Some(difference) => Err(say(report::ENDED, first, &[("seq", &difference.seq.to_string())])),
    }
}
