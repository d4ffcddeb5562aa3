//! The command line of xtask. `tools/run …` puts `run` in front of whatever it is given, so that `run demo` and
//! `run world …` mean `demo` and `world …`.

use crate::bench::{self, Bench};
use crate::console;
use crate::demo::{self, Demo};
use crate::load::{self, Load};
use crate::panel::{self, Panel};
use crate::replay;
use crate::run::{Site, run};
use crate::world::act;
use lexopt::prelude::*;
use pbx::config::Language;
use pbxd::tell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
tools/run                    the simulated appliance in the foreground with a demo site; Ctrl-C stops it
tools/run demo               plays the main job from ring to recording and prints its story
tools/run world COMMAND …    acts on the running world, e.g. `ring 1`, `speak 1 FILE.wav`, `press 1 2`, `release 1`;
                             `world help` lists all
tools/run panel              the front panel of the running box: its pixels in the terminal, its keys on the keyboard;
                             `--png FILE` writes its picture instead
tools/run console            the box's console in this terminal: `?` helps anywhere, Ctrl-] detaches
tools/run replay …           gives the journaled inputs of a data directory to a fresh core and compares what it says with
                             what the box said then, byte for byte; `replay --help` tells how to replay a part
tools/run simulate …         plays a day's callers to the real router with other staff, beside Erlang C and Erlang A;
                             `simulate --help` lists what can be changed
tools/run explain [CALL|last]
                             why a call went to whom it went: candidates, terms, exclusions and their lines
tools/run state [TIME|now]   how queues, agents and calls stood, e.g. at '2026-11-22 09:30:00' (UTC unless an offset follows)

  --config FILE   another site; default rootfs/share/sites/demo.conf
  --data DIR      where everything is kept; default ./data (the demo makes a directory of its own)
  --no-world      without line cards: SIP only
  --kill          demo: kill -9 of the box in the middle of the call
  --log LEVEL     error, warn, info (default), debug or trace
  --lang zh|en    language of what is printed; default: that of the locale, both when it names none

xtask tidy        checks the rules of the house over the source tree
xtask bench [calls|media|latency|restart|trial|commit|all] [--json] [--seconds N]
                  what a call, a frame, an offer, a restart and tests of a configuration cost, beside the figures to beat
xtask load burst|stable|overload|one-agent|rated|endurance|race|race-queue [--calls N] [--rate N] [--seconds N]
                  real phones against the box, every call checked; endurance, stable and overload last an hour
";

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Run the appliance.
    Run(Site),
    /// Play the main job.
    Demo(Demo),
    /// Act on the world.
    World {
        /// Data directory of the appliance.
        data: PathBuf,
        /// The command.
        words: Vec<String>,
    },
    /// Show the front panel.
    Panel(Panel),
    /// Attach the terminal to the console.
    Console {
        /// Data directory of the appliance.
        data: PathBuf,
    },
    /// Replay a journal.
    Replay {
        /// Data directory.
        data: PathBuf,
        /// What follows.
        words: Vec<String>,
    },
    /// Ask what other staff would do.
    Simulate {
        /// Data directory of a recorded day.
        data: PathBuf,
        /// What follows.
        words: Vec<String>,
    },
    /// Explain the decisions of a call.
    Explain {
        /// Data directory.
        data: PathBuf,
        /// Which; none is the newest.
        call: Option<String>,
    },
    /// Tell how things stood.
    State {
        /// Data directory.
        data: PathBuf,
        /// When; none is now.
        time: Option<String>,
    },
    /// Check the source tree.
    Tidy,
    /// Measure.
    Bench(Bench),
    /// Real phones in numbers.
    Load(Load),
    /// Print the help.
    Help,
}

/// The options as given.
#[derive(Default)]
struct Options {
    free: Vec<String>,
    config: Option<PathBuf>,
    data: Option<PathBuf>,
    log: Option<String>,
    languages: Option<Vec<Language>>,
    no_world: bool,
    kill: bool,
    json: bool,
    seconds: Option<u32>,
    calls: Option<u32>,
    rate: Option<u32>,
    png: Option<PathBuf>,
    help: bool,
}

fn read(words: impl IntoIterator<Item = OsString>) -> Result<Options, lexopt::Error> {
    let mut read = Options::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Long("config") => read.config = Some(parser.value()?.into()),
            Long("data") => read.data = Some(parser.value()?.into()),
            Long("log") => read.log = Some(parser.value()?.string()?),
            Long("lang") => read.languages = Some(parser.value()?.parse_with(language)?),
            Long("no-world") => read.no_world = true,
            Long("kill") => read.kill = true,
            Long("json") => read.json = true,
            Long("seconds") => read.seconds = Some(parser.value()?.parse()?),
            Long("calls") => read.calls = Some(parser.value()?.parse()?),
            Long("rate") => read.rate = Some(parser.value()?.parse()?),
            Long("png") => read.png = Some(parser.value()?.into()),
            Short('h') | Long("help") => read.help = true,
            Value(word) => {
                read.free.push(word.string()?);
                // What follows `world` is the world's, what follows `simulate` the simulation's, and so for `replay`.
                if read.free.last().is_some_and(|w| w == "world" || w == "simulate" || w == "replay") {
                    for rest in parser.raw_args()? {
                        read.free.push(rest.string()?);
                    }
                }
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(read)
}

/// The languages that a word after `--lang` means.
///
/// # Errors
/// It means none.
pub fn language(word: &str) -> Result<Vec<Language>, &'static str> {
    match word {
        "zh" | "zh-CN" => Ok(vec![Language::Zh]),
        "en" | "en-US" => Ok(vec![Language::En]),
        "both" => Ok(vec![Language::Zh, Language::En]),
        _ => Err("languages are zh, en and both"),
    }
}

/// Makes a command of the words after the program's name, and the languages asked for.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<(Command, Option<Vec<Language>>), String> {
    let mut options = read(words).map_err(|e| e.to_string())?;
    let languages = options.languages.take();
    command(options).map(|command| (command, languages))
}

fn command(options: Options) -> Result<Command, String> {
    if options.help {
        return Ok(Command::Help);
    }
    let mut free = options.free.into_iter().peekable();
    free.next_if(|word| word == "run");
    let data = options.data.clone().unwrap_or_else(|| "data".into());
    let log = options.log.unwrap_or_else(|| "info".into());
    let command = match free.next().as_deref() {
        None => Command::Run(Site { config: options.config, data, world: !options.no_world, log }),
        Some("demo") => Command::Demo(Demo { config: options.config, data: options.data, kill: options.kill }),
        Some("world") => world(data, free.by_ref().collect())?,
        Some("panel") => Command::Panel(Panel { data, png: options.png }),
        Some("console") => Command::Console { data },
        Some("replay") => Command::Replay { data, words: free.by_ref().collect() },
        Some("explain") => Command::Explain { data, call: free.next() },
        Some("state") => Command::State { data, time: pbxd::cli::time(free.by_ref()) },
        Some("simulate") => Command::Simulate { data, words: free.by_ref().collect() },
        Some("tidy") => Command::Tidy,
        Some("bench") => Command::Bench(Bench::parse(free.next().as_deref(), options.json, options.seconds)?),
        Some("load") => {
            let name = free.next();
            Command::Load(Load::parse(name.as_deref(), options.calls, options.rate, options.seconds)?)
        }
        Some("help") => Command::Help,
        Some(other) => return Err(format!("unknown command `{other}`")),
    };
    match free.next() {
        Some(extra) => Err(format!("one word too many: `{extra}`")),
        None => Ok(command),
    }
}

/// What follows `world` is the world's, but for a leading `--data DIR` and a call for help.
fn world(data: PathBuf, mut words: Vec<String>) -> Result<Command, String> {
    let mut data = data;
    if words.first().is_some_and(|w| w == "--data") {
        if words.len() < 2 {
            return Err("missing the directory after --data".into());
        }
        data = words.drain(..2).nth(1).map_or(data, PathBuf::from);
    }
    if words.iter().any(|w| w == "--help" || w == "-h") || words.is_empty() {
        words = vec!["help".into()];
    }
    Ok(Command::World { data, words })
}

/// The languages to print in: those asked for, that of the locale, or both.
fn languages(asked: Option<Vec<Language>>) -> Vec<Language> {
    asked.unwrap_or_else(|| {
        let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default();
        match locale.get(..2) {
            Some("zh") => vec![Language::Zh],
            Some("en") => vec![Language::En],
            _ => vec![Language::Zh, Language::En],
        }
    })
}

/// Reads the process's arguments and does what they say.
pub fn main() -> ExitCode {
    let (command, asked) = match parse(std::env::args_os().skip(1)) {
        Ok(read) => read,
        Err(why) => {
            eprintln!("{why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match perform(command, &languages(asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The one language of what is said in one: English when both are wanted.
fn spoken(languages: &[Language]) -> Language {
    if let [one] = languages { *one } else { Language::En }
}

fn perform(command: Command, languages: &[Language]) -> Result<(), String> {
    match command {
        Command::Run(site) => run(&site, languages),
        Command::Demo(demo) => demo::play(&demo, languages),
        Command::World { data, words } => act(&data, &words, spoken(languages)).map(|answer| println!("{answer}")),
        Command::Panel(panel) => panel::run(&panel, spoken(languages)),
        Command::Console { data } => console::attach(&data, spoken(languages)),
        Command::Replay { data, words } => replay::run(&data, &words, languages),
        Command::Explain { data, call } => told(languages, |language| tell::explain(&data, call.as_deref(), language)),
        Command::State { data, time } => told(languages, |language| tell::state(&data, time.as_deref(), language)),
        Command::Simulate { data, words } => crate::simulate::run(&data, &words, languages),
        Command::Tidy => tidy(),
        Command::Bench(bench) => bench::run(&bench),
        Command::Load(load) => load::run(&load),
        Command::Help => {
            print!("{HELP}");
            Ok(())
        }
    }
}

/// Tells the same in each language.
fn told(languages: &[Language], tell: impl Fn(Language) -> Result<String, String>) -> Result<(), String> {
    for language in languages {
        println!("{}", tell(*language)?);
    }
    Ok(())
}

fn tidy() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let complaints = crate::tidy::run(&root);
    complaints.iter().for_each(|c| println!("{c}"));
    if complaints.is_empty() { Ok(()) } else { Err(format!("{} complaints", complaints.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map(|(command, _)| command)
    }

    #[test]
    fn what_tools_run_hands_over_is_understood() {
        let site = Site { config: None, data: "data".into(), world: true, log: "info".into() };
        assert_eq!(words("run"), Ok(Command::Run(site.clone())));
        assert_eq!(words("run --no-world"), Ok(Command::Run(Site { world: false, ..site })));
        let demo = Demo { config: None, data: None, kill: true };
        assert_eq!(words("run demo --kill"), Ok(Command::Demo(demo)));
        let ring = vec!["ring".to_string(), "1".to_string()];
        assert_eq!(words("run world ring 1"), Ok(Command::World { data: "data".into(), words: ring.clone() }));
        assert_eq!(words("run world --data d ring 1"), Ok(Command::World { data: "d".into(), words: ring.clone() }));
        assert_eq!(words("--data d world ring 1"), Ok(Command::World { data: "d".into(), words: ring }));
        let png = Panel { data: "d".into(), png: Some("p.png".into()) };
        assert_eq!(words("--data d panel --png p.png"), Ok(Command::Panel(png)));
        let part = vec!["--from".to_string(), "2026-11-22T09:30Z".to_string()];
        assert_eq!(words("replay --from 2026-11-22T09:30Z"), Ok(Command::Replay { data: "data".into(), words: part }));
        let asked = vec!["--agents".to_string(), "3".to_string()];
        assert_eq!(words("--data d simulate --agents 3"), Ok(Command::Simulate { data: "d".into(), words: asked }));
        assert_eq!(words("world --help"), Ok(Command::World { data: "data".into(), words: vec!["help".into()] }));
        assert_eq!(words("run --help"), Ok(Command::Help));
        let last = Some("last".to_string());
        assert_eq!(words("run explain last"), Ok(Command::Explain { data: "data".into(), call: last }));
        let time = Some("2026-11-22 09:30".to_string());
        assert_eq!(words("run state 2026-11-22 09:30"), Ok(Command::State { data: "data".into(), time }));
        assert_eq!(words("console --data d"), Ok(Command::Console { data: "d".into() }));
        assert_eq!(words("run frob"), Err("unknown command `frob`".into()));
        assert_eq!(words("demo x"), Err("one word too many: `x`".into()));
    }
}
