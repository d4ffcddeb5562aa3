//! The command line of `pbxd`: words in, one of a few commands out. Reading is apart from doing, so that it can be
//! tested without touching a disk.

use crate::control::core::Witness;
use crate::tell;
use lexopt::prelude::*;
use pbx::config::Language;
use std::ffi::{CString, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `--help` prints.
const HELP: &str = "\
pbxd - the Cordboard PBX daemon

  pbxd --data DIR [--config FILE] [--factory FILE] [--world DIR] [--share DIR] [--log LEVEL]
        runs the box in the foreground until SIGINT (calls end) or SIGTERM (calls talk on until the next start)
          --config   a configuration to begin with, one text file; taken as a commit when it is another than the last that
                     a file brought. Without it: the commit that was in force, or factory settings
          --factory  factory settings of this model, in place of the built-in ones
          --data     where everything is kept: database, recordings, journal
          --world    directory of a running simulated world (line cards, exchange)
          --share    prompts and music; found beside the program when left out
          --log      error, warn, info (default), debug or trace
  pbxd check --config FILE [--share DIR] [--lang zh|en]
        reads a configuration and prints every problem in it, proves for a year from today that every caller is answered, and
        plays its tests
  pbxd story --data DIR [CALL|last] [--lang zh|en]
        tells a call: ladder, decisions with reasons, CDR, agent states, recordings
  pbxd explain --data DIR [CALL|last] [--lang zh|en]
        why a call went to whom it went: candidates, terms, exclusions and their lines, for every offer
  pbxd state --data DIR [TIME|now] [--lang zh|en]
        how queues, agents and calls stood at a moment, e.g. `2026-11-22 09:30:00`, UTC unless an offset follows
  pbxd cdr --data DIR [--lang zh|en]
        prints the call detail records, newest last
  pbxd export-recording --data DIR RECORDING OUT.wav
        writes a recording as stereo WAV: left the caller, right the agent
  pbxd verify-recording --data DIR RECORDING
        checks the seals and the chain of a recording
  pbxd --version | --help

Exit: 0 done, 1 could not be done (the reason is printed), 2 wrong command line.
";

/// Where the daemon finds its things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// A configuration to begin with.
    pub config: Option<PathBuf>,
    /// Factory settings, in place of the built-in ones.
    pub factory: Option<PathBuf>,
    /// Everything kept.
    pub data: PathBuf,
    /// The simulated world's directory; none on a box or for SIP only.
    pub world: Option<PathBuf>,
    /// Prompts and music.
    pub share: Option<PathBuf>,
    /// Log lines up to this level.
    pub log: tracing::Level,
}

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Run the box.
    Run(Run),
    /// Print the problems of a configuration.
    Check {
        /// The file.
        config: PathBuf,
        /// Prompts and music.
        share: Option<PathBuf>,
    },
    /// Tell a call.
    Story {
        /// Where the records are.
        data: PathBuf,
        /// Uid, its beginning or its end; none or `last` is the newest call.
        call: Option<String>,
    },
    /// Explain the decisions of a call.
    Explain {
        /// Where the records are.
        data: PathBuf,
        /// Uid, its beginning or its end; none or `last` is the newest call.
        call: Option<String>,
    },
    /// Tell how things stood.
    State {
        /// Where the records are.
        data: PathBuf,
        /// When; none or `now` is the last event.
        time: Option<String>,
    },
    /// Print all calls.
    Cdr {
        /// Where the records are.
        data: PathBuf,
    },
    /// Write a WAV.
    ExportRecording {
        /// Where the records are.
        data: PathBuf,
        /// Uid of the recording.
        recording: String,
        /// The file to write.
        out: PathBuf,
    },
    /// Check a recording.
    VerifyRecording {
        /// Where the records are.
        data: PathBuf,
        /// Uid of the recording.
        recording: String,
    },
    /// Print the help.
    Help,
    /// Print version and build.
    Version,
}

/// The words as given, before they are made into a command.
#[derive(Default)]
struct Words {
    free: Vec<String>,
    config: Option<PathBuf>,
    factory: Option<PathBuf>,
    data: Option<PathBuf>,
    world: Option<PathBuf>,
    share: Option<PathBuf>,
    log: Option<tracing::Level>,
    language: Option<Language>,
    help: bool,
    version: bool,
}

fn read(words: impl IntoIterator<Item = OsString>) -> Result<Words, lexopt::Error> {
    let mut read = Words::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Long("config") => read.config = Some(parser.value()?.into()),
            Long("factory") => read.factory = Some(parser.value()?.into()),
            Long("data") => read.data = Some(parser.value()?.into()),
            Long("world") => read.world = Some(parser.value()?.into()),
            Long("share") => read.share = Some(parser.value()?.into()),
            Long("log") => read.log = Some(parser.value()?.parse()?),
            Long("lang") => read.language = Some(parser.value()?.parse_with(language)?),
            Short('h') | Long("help") => read.help = true,
            Short('V') | Long("version") => read.version = true,
            Value(word) => read.free.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(read)
}

fn language(word: &str) -> Result<Language, &'static str> {
    match word {
        "zh" | "zh-CN" => Ok(Language::Zh),
        "en" | "en-US" => Ok(Language::En),
        _ => Err("languages are zh and en"),
    }
}

/// Makes a command of the words after the program's name; the error is for the person who typed them.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<(Command, Option<Language>), String> {
    let words = read(words).map_err(|e| e.to_string())?;
    let language = words.language;
    command(words).map(|command| (command, language))
}

fn command(words: Words) -> Result<Command, String> {
    if words.help {
        return Ok(Command::Help);
    }
    if words.version {
        return Ok(Command::Version);
    }
    let need = |path: Option<PathBuf>, option: &str| path.ok_or_else(|| format!("missing {option}"));
    let mut free = words.free.into_iter();
    let name = free.next();
    let mut argument = |what: &str| free.next().ok_or_else(|| format!("missing {what}"));
    let command = match name.as_deref() {
        None => Command::Run(Run {
            config: words.config,
            factory: words.factory,
            data: need(words.data, "--data DIR")?,
            world: words.world,
            share: words.share,
            log: words.log.unwrap_or(tracing::Level::INFO),
        }),
        Some("check") => Command::Check { config: need(words.config, "--config FILE")?, share: words.share },
        Some("story") => Command::Story { data: need(words.data, "--data DIR")?, call: argument("").ok() },
        Some("explain") => Command::Explain { data: need(words.data, "--data DIR")?, call: argument("").ok() },
        Some("state") => Command::State { data: need(words.data, "--data DIR")?, time: time(free.by_ref()) },
        Some("cdr") => Command::Cdr { data: need(words.data, "--data DIR")? },
        Some("export-recording") => Command::ExportRecording {
            data: need(words.data, "--data DIR")?,
            recording: argument("RECORDING")?,
            out: argument("OUT.wav")?.into(),
        },
        Some("verify-recording") => {
            Command::VerifyRecording { data: need(words.data, "--data DIR")?, recording: argument("RECORDING")? }
        }
        Some(other) => return Err(format!("unknown command `{other}`")),
    };
    match free.next() {
        Some(extra) => Err(format!("one word too many: `{extra}`")),
        None => Ok(command),
    }
}

/// A moment may be written as one word or as several.
pub fn time(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The language of messages: asked for, or that of the locale, or English.
pub fn message_language(asked: Option<Language>) -> Language {
    asked.unwrap_or_else(|| {
        let locale =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|v| std::env::var(v).ok().filter(|v| !v.is_empty()));
        if locale.is_some_and(|l| l.starts_with("zh")) { Language::Zh } else { Language::En }
    })
}

/// Reads the process's arguments and does what they say. `witness` sees every input before the core does.
pub fn main(witness: Witness) -> ExitCode {
    let (command, asked) = match parse(std::env::args_os().skip(1)) {
        Ok(read) => read,
        Err(why) => {
            eprintln!("pbxd: {why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match perform(command, message_language(asked), witness) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pbxd: {why}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command, language: Language, witness: Witness) -> Result<(), String> {
    let text = match command {
        Command::Run(run) => return run_until_over(&run, language, witness),
        Command::Help => HELP.to_string(),
        Command::Version => format!("pbxd {} build {}", env!("CARGO_PKG_VERSION"), crate::build_id::identity()),
        Command::Check { config, share } => tell::check(&config, share.as_deref(), language)?,
        Command::Story { data, call } => tell::tell(&data, call.as_deref(), language)?,
        Command::Explain { data, call } => tell::explain(&data, call.as_deref(), language)?,
        Command::State { data, time } => tell::state(&data, time.as_deref(), language)?,
        Command::Cdr { data } => crate::story::records(&tell::records(&data, tell::CALLS_MAX, language)?, language),
        Command::ExportRecording { data, recording, out } => tell::export(&data, &recording, &out, language)?,
        Command::VerifyRecording { data, recording } => tell::verify(&data, &recording, language)?,
    };
    print(&text).map_err(|e| format!("standard output: {e}"))
}

/// Runs, and begins anew as often as somebody at the box asks for it: the same program with the same words.
fn run_until_over(run: &Run, language: Language, witness: Witness) -> Result<(), String> {
    if !crate::control::run(run, language, witness)? {
        return Ok(());
    }
    let words: Vec<CString> = std::env::args_os().filter_map(|word| CString::new(word.into_vec()).ok()).collect();
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let program = CString::new(program.into_os_string().into_vec()).map_err(|e| e.to_string())?;
    match nix::unistd::execv(&program, &words) {
        Ok(never) => match never {},
        Err(why) => Err(format!("{}: {why}; start it again by hand", program.to_string_lossy())),
    }
}

/// Prints with one line feed at the end; a reader that went away (`| head`) is no trouble.
fn print(text: &str) -> std::io::Result<()> {
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(());
    }
    match writeln!(std::io::stdout(), "{text}") {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map(|(command, _)| command)
    }

    #[test]
    fn commands_are_read_and_wrong_lines_name_what_is_wrong() {
        let run = words("--config a.conf --data=d --world w --log debug").expect("good");
        assert_eq!(
            run,
            Command::Run(Run {
                config: Some("a.conf".into()),
                factory: None,
                data: "d".into(),
                world: Some("w".into()),
                share: None,
                log: tracing::Level::DEBUG,
            })
        );
        assert_eq!(words("story --data d last"), Ok(Command::Story { data: "d".into(), call: Some("last".into()) }));
        assert_eq!(words("story --data d"), Ok(Command::Story { data: "d".into(), call: None }));
        assert_eq!(words("explain --data d 01A"), Ok(Command::Explain { data: "d".into(), call: Some("01A".into()) }));
        let time = Some("2026-11-22 09:30".to_string());
        assert_eq!(words("state --data d 2026-11-22 09:30"), Ok(Command::State { data: "d".into(), time }));
        assert_eq!(words("state --data d"), Ok(Command::State { data: "d".into(), time: None }));
        assert_eq!(words("--config a"), Err("missing --data DIR".into()));
        assert_eq!(words("export-recording --data d 01"), Err("missing OUT.wav".into()));
        assert_eq!(words("cdr --data d x"), Err("one word too many: `x`".into()));
        assert_eq!(words("frob --data d"), Err("unknown command `frob`".into()));
        assert!(words("--confg a").is_err_and(|e| e.contains("--confg")));
        let check = Command::Check { config: "a".into(), share: Some("s".into()) };
        assert_eq!(words("check --config a --share s"), Ok(check));
        assert!(words("check --config a --lang fr").is_err_and(|e| e.contains("languages are zh and en")));
    }
}
