//! Everything that can be said to the console, as one table: words, arguments, what each means. Matching, unique
//! abbreviations, completion and `?` all come from it; what an argument inside the configuration can be is the schema's
//! business and asked there. Sans-IO.

use pbx::config::Role;
use pbx::text::{Key, console as key};

/// Where one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `>`: looks.
    Operational,
    /// `#`: changes a draft.
    Configuration,
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its row of the table")]
pub enum Act {
    ShowSystem,
    ShowCalls,
    ShowEnded,
    ShowCall,
    ShowCallWhole,
    ShowQueue,
    ShowAgent,
    ShowPhones,
    ShowCards,
    ShowTrunks,
    ShowRecordings,
    ShowAlarms,
    ShowConfiguration,
    ShowState,
    Explain,
    Configure,
    SetLength,
    SetLanguage,
    Help,
    Exit,
    Set,
    Delete,
    Rename,
    Copy,
    Annotate,
    ShowDraft,
    Compare,
    CommitCheck,
    Commit,
    CommitConfirmed,
    Confirm,
    Rollback,
    Update,
    Save,
    LoadMerge,
    LoadOverride,
    LoadSet,
    Edit,
    Up,
    Top,
    Run,
    ConfigureExclusive,
    ShowCommits,
    RescueSave,
    RescueDelete,
    ClearAlarm,
    ClearCall,
    ClearAgent,
    RequestSurge,
    RequestMode,
    RequestRestart,
    RequestStop,
    RequestStopIdle,
    RequestStopCancel,
    FactoryKeep,
    FactoryErase,
    MonitorQueue,
    MonitorCall,
    MonitorCalls,
    MonitorLog,
    Ping,
    Bundle,
    Leave,
    Discard,
}

impl Act {
    /// The least role that may do it.
    pub const fn role(self) -> Role {
        match self {
            Act::Configure
            | Act::ConfigureExclusive
            | Act::Confirm
            | Act::RescueSave
            | Act::RescueDelete
            | Act::Set
            | Act::Delete
            | Act::Rename
            | Act::Copy
            | Act::Annotate
            | Act::ShowDraft
            | Act::Compare
            | Act::CommitCheck
            | Act::Commit
            | Act::CommitConfirmed
            | Act::Rollback
            | Act::Update
            | Act::Save
            | Act::LoadMerge
            | Act::LoadOverride
            | Act::LoadSet
            | Act::Edit
            | Act::Up
            | Act::Top
            | Act::Run
            | Act::Leave
            | Act::Discard
            | Act::ShowCallWhole
            | Act::RequestRestart
            | Act::RequestStop
            | Act::RequestStopIdle
            | Act::RequestStopCancel
            | Act::FactoryKeep
            | Act::FactoryErase
            | Act::Bundle => Role::Admin,
            Act::ClearAlarm | Act::ClearCall | Act::ClearAgent | Act::RequestSurge | Act::RequestMode => Role::Operator,
            Act::ShowSystem
            | Act::ShowCalls
            | Act::ShowCall
            | Act::ShowQueue
            | Act::ShowAgent
            | Act::ShowEnded
            | Act::ShowPhones
            | Act::ShowCards
            | Act::ShowTrunks
            | Act::ShowRecordings
            | Act::ShowAlarms
            | Act::ShowConfiguration
            | Act::ShowCommits
            | Act::ShowState
            | Act::Explain
            | Act::MonitorQueue
            | Act::MonitorCall
            | Act::MonitorCalls
            | Act::MonitorLog
            | Act::Ping
            | Act::SetLength
            | Act::SetLanguage
            | Act::Help
            | Act::Exit => Role::Viewer,
        }
    }
}

impl Act {
    /// Whether it does or watches something at the `>` prompt.
    pub const fn is_operation(self) -> bool {
        matches!(
            self,
            Act::ClearAlarm
                | Act::ClearCall
                | Act::ClearAgent
                | Act::RequestSurge
                | Act::RequestMode
                | Act::RequestRestart
                | Act::RequestStop
                | Act::RequestStopIdle
                | Act::RequestStopCancel
                | Act::FactoryKeep
                | Act::FactoryErase
                | Act::MonitorQueue
                | Act::MonitorCall
                | Act::MonitorCalls
                | Act::MonitorLog
                | Act::Ping
                | Act::Bundle
        )
    }

    /// Whether it is one table of how things stand.
    pub const fn is_table(self) -> bool {
        matches!(
            self,
            Act::ShowQueue
                | Act::ShowAgent
                | Act::ShowPhones
                | Act::ShowCards
                | Act::ShowTrunks
                | Act::ShowRecordings
                | Act::ShowAlarms
        )
    }

    /// Whether it goes on until a key is pressed: there is no end of it that a pipe could wait for.
    pub const fn is_live(self) -> bool {
        matches!(self, Act::MonitorQueue | Act::MonitorCall | Act::MonitorCalls | Act::MonitorLog | Act::Ping)
    }
}

/// A word that a person chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Of the configuration in force.
    Queue,
    /// Of the configuration in force.
    Agent,
    /// Identity, a piece of it, or `last`.
    Call,
    /// All words to the end.
    Time,
    /// Words that the schema knows, to the end or the next fixed word.
    Path,
    /// The same, of the configuration in force.
    PathInForce,
    /// A key.
    Name,
    /// 0 to 999.
    Number,
    /// `zh` or `en`.
    Language,
    /// In quotes.
    Text,
    /// 1 to 1440.
    Minutes,
    /// How many commits back, or `rescue`.
    Back,
    /// `usb:/site.conf`, `terminal`.
    Place,
    /// `usb:/bundle.txt`, `bundle.txt`.
    BundlePlace,
    /// A whole line of the `>` prompt.
    Command,
    /// Name of an alarm.
    Alarm,
    /// What an alarm concerns; all words to the end.
    Subject,
    /// `auto`, `day`, `night`.
    Mode,
    /// `on`, `off`.
    Switch,
    /// `18:00`
    Clock,
    /// Of IPv4.
    Address,
}

impl Argument {
    /// What is expected.
    pub const fn expected(self) -> Key {
        match self {
            Argument::Queue => key::A_QUEUE,
            Argument::Agent => key::A_AGENT,
            Argument::Call => key::A_CALL,
            Argument::Time => key::A_TIME,
            Argument::Path | Argument::PathInForce => key::A_PATH,
            Argument::Name => key::A_NAME,
            Argument::Number => key::A_NUMBER,
            Argument::Language => key::C_CLI_LANGUAGE,
            Argument::Text => key::A_TEXT,
            Argument::Minutes => key::A_MINUTES,
            Argument::Back => key::A_BACK,
            Argument::Place => key::A_PLACE,
            Argument::BundlePlace => key::A_BUNDLE_PLACE,
            Argument::Command => key::A_COMMAND,
            Argument::Alarm => key::A_ALARM,
            Argument::Subject => key::A_SUBJECT,
            Argument::Mode => key::A_MODE,
            Argument::Switch => key::A_SWITCH,
            Argument::Clock => key::A_CLOCK,
            Argument::Address => key::A_ADDRESS,
        }
    }

    const fn takes_many(self) -> bool {
        matches!(self, Argument::Time | Argument::Path | Argument::PathInForce | Argument::Command | Argument::Subject)
    }
}

/// One place of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// This word.
    Word(&'static str, Key),
    /// Any word of the kind.
    Take(Argument),
}

/// A row of the table.
struct Command {
    mode: Mode,
    parts: &'static [Part],
    act: Act,
}

use Argument as A;
use Part::{Take, Word as W};

const SHOW: Part = W("show", key::C_SHOW);
const QUEUE: Part = W("queue", key::C_SHOW_QUEUE);
const CALL: Part = W("call", key::C_SHOW_CALL);
const AGENT: Part = W("agent", key::C_SHOW_AGENT);
const CONFIGURATION: Part = W("configuration", key::C_SHOW_CONFIGURATION);
const TO: Part = W("to", key::E_TO);
const EXIT: Part = W("exit", key::E_EXIT);
const DRAFT: Part = W("show", key::E_SHOW);
const CLI: Part = W("cli", key::C_CLI);
const CONFIGURE: Part = W("configure", key::C_CONFIGURE);
const SURGE: Part = W("surge", key::C_REQUEST_SURGE);
const MODE: Part = W("mode", key::C_REQUEST_MODE);
const UNTIL: Part = W("until", key::C_UNTIL);
const REQUEST: Part = W("request", key::C_REQUEST);
const SYSTEM: Part = W("system", key::C_REQUEST_SYSTEM);
const WHOLE: Part = W("configuration", key::C_REQUEST_CONFIGURATION);
const CLEAR: Part = W("clear", key::C_CLEAR);
const MONITOR: Part = W("monitor", key::C_MONITOR);
const PING: Part = W("ping", key::C_PING);
const STOP: Part = W("stop", key::C_STOP);
const FACTORY: Part = W("factory-reset", key::C_FACTORY);
const RESCUE: Part = W("rescue", key::C_RESCUE);
const COMMIT: Part = W("commit", key::E_COMMIT);
const WHY: Part = W("comment", key::E_COMMIT_COMMENT);
const FOR_A_TIME: Part = W("confirmed", key::E_COMMIT_CONFIRMED);
const LOAD: Part = W("load", key::E_LOAD);

const fn at(parts: &'static [Part], act: Act) -> Command {
    Command { mode: Mode::Operational, parts, act }
}

const fn edit(parts: &'static [Part], act: Act) -> Command {
    Command { mode: Mode::Configuration, parts, act }
}

/// The table.
const COMMANDS: &[Command] = &[
    at(&[SHOW, W("system", key::C_SHOW_SYSTEM)], Act::ShowSystem),
    at(&[SHOW, W("calls", key::C_SHOW_CALLS)], Act::ShowCalls),
    at(&[SHOW, W("calls", key::C_SHOW_CALLS), W("ended", key::C_SHOW_ENDED)], Act::ShowEnded),
    at(&[SHOW, CALL, Take(A::Call)], Act::ShowCall),
    at(&[SHOW, CALL, Take(A::Call), W("unmasked", key::C_UNMASKED)], Act::ShowCallWhole),
    at(&[SHOW, QUEUE], Act::ShowQueue),
    at(&[SHOW, QUEUE, Take(A::Queue)], Act::ShowQueue),
    at(&[SHOW, AGENT], Act::ShowAgent),
    at(&[SHOW, AGENT, Take(A::Agent)], Act::ShowAgent),
    at(&[SHOW, W("phones", key::C_SHOW_PHONES)], Act::ShowPhones),
    at(&[SHOW, W("cards", key::C_SHOW_CARDS)], Act::ShowCards),
    at(&[SHOW, W("trunks", key::C_SHOW_TRUNKS)], Act::ShowTrunks),
    at(&[SHOW, W("recordings", key::C_SHOW_RECORDINGS)], Act::ShowRecordings),
    at(&[SHOW, W("alarms", key::C_SHOW_ALARMS)], Act::ShowAlarms),
    at(&[SHOW, CONFIGURATION], Act::ShowConfiguration),
    at(&[SHOW, CONFIGURATION, Take(A::PathInForce)], Act::ShowConfiguration),
    at(&[SHOW, W("state", key::C_SHOW_STATE), W("at", key::C_SHOW_AT), Take(A::Time)], Act::ShowState),
    at(&[W("explain", key::C_EXPLAIN), W("call", key::C_EXPLAIN_CALL), Take(A::Call)], Act::Explain),
    at(&[SHOW, W("system", key::C_SHOW_SYSTEM), W("commit", key::C_SHOW_COMMITS)], Act::ShowCommits),
    at(&[CONFIGURE], Act::Configure),
    at(&[CONFIGURE, W("private", key::C_PRIVATE)], Act::Configure),
    at(&[CONFIGURE, W("exclusive", key::C_EXCLUSIVE)], Act::ConfigureExclusive),
    at(&[W("confirm", key::E_CONFIRM)], Act::Confirm),
    at(&[CLEAR, W("alarm", key::C_CLEAR_ALARM), Take(A::Alarm)], Act::ClearAlarm),
    at(&[CLEAR, W("alarm", key::C_CLEAR_ALARM), Take(A::Alarm), Take(A::Subject)], Act::ClearAlarm),
    at(&[CLEAR, W("call", key::C_CLEAR_CALL), Take(A::Call)], Act::ClearCall),
    at(&[CLEAR, W("agent", key::C_CLEAR_AGENT), Take(A::Agent)], Act::ClearAgent),
    at(&[MONITOR, QUEUE], Act::MonitorQueue),
    at(&[MONITOR, QUEUE, Take(A::Queue)], Act::MonitorQueue),
    at(&[MONITOR, CALL, Take(A::Call)], Act::MonitorCall),
    at(&[MONITOR, W("calls", key::C_SHOW_CALLS)], Act::MonitorCalls),
    at(&[MONITOR, W("log", key::C_MONITOR_LOG)], Act::MonitorLog),
    at(&[PING, Take(A::Address)], Act::Ping),
    at(&[PING, Take(A::Address), W("count", key::C_PING_COUNT), Take(A::Number)], Act::Ping),
    at(&[REQUEST, SURGE, Take(A::Switch)], Act::RequestSurge),
    at(&[REQUEST, SURGE, Take(A::Switch), UNTIL, Take(A::Clock)], Act::RequestSurge),
    at(&[REQUEST, MODE, Take(A::Mode)], Act::RequestMode),
    at(&[REQUEST, MODE, Take(A::Mode), UNTIL, Take(A::Clock)], Act::RequestMode),
    at(&[REQUEST, SYSTEM, W("restart", key::C_RESTART)], Act::RequestRestart),
    at(&[REQUEST, SYSTEM, STOP], Act::RequestStop),
    at(&[REQUEST, SYSTEM, STOP, W("when-idle", key::C_STOP_IDLE)], Act::RequestStopIdle),
    at(&[REQUEST, SYSTEM, STOP, W("cancel", key::C_STOP_CANCEL)], Act::RequestStopCancel),
    at(&[REQUEST, SYSTEM, FACTORY, W("keep-recordings", key::C_FACTORY_KEEP)], Act::FactoryKeep),
    at(&[REQUEST, SYSTEM, FACTORY, W("erase-everything", key::C_FACTORY_ERASE)], Act::FactoryErase),
    at(&[REQUEST, W("support", key::C_SUPPORT), W("bundle", key::C_BUNDLE), Take(A::BundlePlace)], Act::Bundle),
    at(&[REQUEST, SYSTEM, WHOLE, RESCUE, W("save", key::C_RESCUE_SAVE)], Act::RescueSave),
    at(&[REQUEST, SYSTEM, WHOLE, RESCUE, W("delete", key::C_RESCUE_DELETE)], Act::RescueDelete),
    at(&[W("set", key::C_SET), CLI, W("length", key::C_CLI_LENGTH), Take(A::Number)], Act::SetLength),
    at(&[W("set", key::C_SET), CLI, W("language", key::C_CLI_LANGUAGE), Take(A::Language)], Act::SetLanguage),
    at(&[W("help", key::C_HELP)], Act::Help),
    at(&[W("exit", key::C_EXIT)], Act::Exit),
    edit(&[W("set", key::E_SET), Take(A::Path)], Act::Set),
    edit(&[W("delete", key::E_DELETE), Take(A::Path)], Act::Delete),
    edit(&[W("rename", key::E_RENAME), Take(A::Path), TO, Take(A::Name)], Act::Rename),
    edit(&[W("copy", key::E_COPY), Take(A::Path), TO, Take(A::Name)], Act::Copy),
    edit(&[W("annotate", key::E_ANNOTATE), Take(A::Path), Take(A::Text)], Act::Annotate),
    edit(&[DRAFT], Act::ShowDraft),
    edit(&[DRAFT, Take(A::Path)], Act::ShowDraft),
    edit(&[W("compare", key::E_COMPARE)], Act::Compare),
    edit(&[W("compare", key::E_COMPARE), Take(A::Back)], Act::Compare),
    edit(&[COMMIT], Act::Commit),
    edit(&[COMMIT, W("check", key::E_COMMIT_CHECK)], Act::CommitCheck),
    edit(&[COMMIT, WHY, Take(A::Text)], Act::Commit),
    edit(&[COMMIT, FOR_A_TIME], Act::CommitConfirmed),
    edit(&[COMMIT, FOR_A_TIME, Take(A::Minutes)], Act::CommitConfirmed),
    edit(&[COMMIT, FOR_A_TIME, Take(A::Minutes), WHY, Take(A::Text)], Act::CommitConfirmed),
    edit(&[W("confirm", key::E_CONFIRM)], Act::Confirm),
    edit(&[W("rollback", key::E_ROLLBACK), Take(A::Back)], Act::Rollback),
    edit(&[W("update", key::E_UPDATE)], Act::Update),
    edit(&[W("save", key::E_SAVE), Take(A::Place)], Act::Save),
    edit(&[LOAD, W("merge", key::E_MERGE), Take(A::Place)], Act::LoadMerge),
    edit(&[LOAD, W("override", key::E_OVERRIDE), Take(A::Place)], Act::LoadOverride),
    edit(&[LOAD, W("set", key::E_LOAD_SET), Take(A::Place)], Act::LoadSet),
    edit(&[W("edit", key::E_EDIT), Take(A::Path)], Act::Edit),
    edit(&[W("up", key::E_UP)], Act::Up),
    edit(&[W("top", key::E_TOP)], Act::Top),
    edit(&[W("run", key::E_RUN), Take(A::Command)], Act::Run),
    edit(&[W("help", key::C_HELP)], Act::Help),
    edit(&[EXIT], Act::Leave),
    edit(&[EXIT, W("discard", key::E_EXIT_DISCARD)], Act::Discard),
];

/// A line that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// What to do.
    pub act: Act,
    /// The words in the places of arguments; those of a path are one after the other.
    pub words: Vec<String>,
}

/// Why a line was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// This word cannot stand there.
    Unknown(String),
    /// This word could be several.
    Ambiguous(String, Vec<&'static str>),
    /// Something must follow.
    Incomplete,
}

/// What can follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// This word.
    Word(&'static str, Key),
    /// Any of the kind; of a path its words so far.
    Argument(Argument, Vec<String>),
    /// Nothing: the line is whole.
    Enter,
}

/// A row and how much of it has been said.
#[derive(Clone)]
struct Candidate {
    row: &'static Command,
    at: usize,
    /// Words taken, and how many of them by the argument at `at`.
    words: Vec<String>,
    taken: usize,
}

impl Candidate {
    fn part(&self) -> Option<Part> {
        self.row.parts.get(self.at).copied()
    }

    fn is_whole(&self) -> bool {
        let many = matches!(self.part(), Some(Take(argument)) if argument.takes_many() && self.taken > 0);
        self.at + usize::from(many) >= self.row.parts.len()
    }

    fn past(mut self) -> Candidate {
        (self.at, self.taken) = (self.at + 1, 0);
        self
    }

    /// What may stand next: its own place, and the one behind an argument that may be over.
    fn places(self) -> Vec<Candidate> {
        match self.part() {
            Some(Take(argument)) if argument.takes_many() && self.taken > 0 => vec![self.clone(), self.past()],
            Some(_) | None => vec![self],
        }
    }

    fn take(mut self, word: &str) -> Candidate {
        self.words.push(word.to_string());
        self.taken += 1;
        match self.part() {
            Some(Take(argument)) if argument.takes_many() => self,
            Some(_) | None => self.past(),
        }
    }
}

/// The candidates after one word more.
fn step(mode: Mode, candidates: Vec<Candidate>, word: &str) -> Result<Vec<Candidate>, Wrong> {
    let places: Vec<Candidate> = candidates.into_iter().flat_map(Candidate::places).collect();
    let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<Candidate> {
        let fits = |c: &&Candidate| matches!(c.part(), Some(W(name, _)) if wanted(name));
        places.iter().filter(fits).cloned().collect()
    };
    let mut fitting = named(&|name| name == word);
    if fitting.is_empty() && mode == Mode::Operational {
        fitting = named(&|name| name.starts_with(word));
        let mut names: Vec<&str> = fitting.iter().filter_map(|c| name_of(c)).collect();
        names.dedup();
        if names.len() > 1 {
            return Err(Wrong::Ambiguous(word.to_string(), names));
        }
    }
    let mut next: Vec<Candidate> = fitting.into_iter().map(Candidate::past).collect();
    next.extend(places.into_iter().filter(|c| matches!(c.part(), Some(Take(_)))).map(|c| c.take(word)));
    if next.is_empty() { Err(Wrong::Unknown(word.to_string())) } else { Ok(next) }
}

fn name_of(candidate: &Candidate) -> Option<&'static str> {
    match candidate.part() {
        Some(W(name, _)) => Some(name),
        Some(Take(_)) | None => None,
    }
}

fn after(mode: Mode, role: Role, words: &[String]) -> Result<Vec<Candidate>, Wrong> {
    let rows = COMMANDS.iter().filter(|row| row.mode == mode && row.act.role() <= role);
    let all = rows.map(|row| Candidate { row, at: 0, words: Vec::new(), taken: 0 }).collect();
    words.iter().try_fold(all, |candidates, word| step(mode, candidates, word))
}

/// What a line means.
///
/// # Errors
/// Why it means nothing.
pub fn understand(mode: Mode, words: &[String]) -> Result<Said, Wrong> {
    let candidates = after(mode, Role::Admin, words)?;
    // Of `rename … to x` the row that came further is meant, not a path with `to` in it.
    let whole = candidates.into_iter().filter(Candidate::is_whole).max_by_key(|candidate| candidate.at);
    whole.map(|candidate| Said { act: candidate.row.act, words: candidate.words }).ok_or(Wrong::Incomplete)
}

/// What can follow the words, of what a role may say.
///
/// # Errors
/// Why the words themselves mean nothing.
pub fn follow(mode: Mode, role: Role, words: &[String]) -> Result<Vec<Next>, Wrong> {
    let candidates = after(mode, role, words)?;
    let mut next = Vec::new();
    let mut whole = false;
    for candidate in candidates {
        whole |= candidate.is_whole();
        for place in candidate.places() {
            let one = match place.part() {
                Some(W(name, about)) => Next::Word(name, about),
                Some(Take(argument)) => {
                    let from = place.words.len() - place.taken;
                    Next::Argument(argument, place.words.get(from..).unwrap_or_default().to_vec())
                }
                None => continue,
            };
            if !next.contains(&one) {
                next.push(one);
            }
        }
    }
    next.extend(whole.then_some(Next::Enter));
    Ok(next)
}

/// All first words that a role may say with what they mean, for the help.
pub fn first_words(mode: Mode, role: Role) -> Vec<(&'static str, Key)> {
    let words = follow(mode, role, &[]).unwrap_or_default().into_iter();
    words.filter_map(|next| if let Next::Word(name, about) = next { Some((name, about)) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(mode: Mode, line: &str) -> Result<(Act, String), Wrong> {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        understand(mode, &words).map(|said| (said.act, said.words.join(" ")))
    }

    fn can_follow(mode: Mode, line: &str) -> Vec<String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        let word = |next| match next {
            Next::Word(word, _) => word.to_string(),
            Next::Argument(argument, words) => format!("<{argument:?} {}>", words.join(" ")),
            Next::Enter => "<Enter>".to_string(),
        };
        follow(mode, Role::Admin, &words).unwrap().into_iter().map(word).collect()
    }

    #[test]
    fn words_may_be_short_at_the_operational_prompt_alone() {
        let at = |line| said(Mode::Operational, line);
        assert_eq!(at("show queue support"), Ok((Act::ShowQueue, "support".into())));
        assert_eq!(at("sh q"), Ok((Act::ShowQueue, String::new())));
        assert_eq!(at("sh call 01A"), Ok((Act::ShowCall, "01A".into())), "exact before longer");
        assert_eq!(at("sh cal"), Err(Wrong::Ambiguous("cal".into(), vec!["calls", "call"])));
        assert_eq!(at("ex call last"), Err(Wrong::Ambiguous("ex".into(), vec!["explain", "exit"])));
        assert_eq!(at("exp c last"), Ok((Act::Explain, "last".into())));
        assert_eq!(at("sh st at 2026-11-22 09:30"), Ok((Act::ShowState, "2026-11-22 09:30".into())));
        assert_eq!(at("show"), Err(Wrong::Incomplete));
        assert_eq!(at("show frob"), Err(Wrong::Unknown("frob".into())));
        assert_eq!(at("exit now"), Err(Wrong::Unknown("now".into())));
        let edit = |line| said(Mode::Configuration, line);
        assert_eq!(edit("sh"), Err(Wrong::Unknown("sh".into())));
        assert_eq!(edit("show"), Ok((Act::ShowDraft, String::new())));
        assert_eq!(edit("commit"), Ok((Act::Commit, String::new())));
        assert_eq!(edit("commit confirmed 5 comment why"), Ok((Act::CommitConfirmed, "5 why".into())));
        assert_eq!(edit("load merge"), Err(Wrong::Incomplete));
        assert_eq!(edit("set queue support weight 3"), Ok((Act::Set, "queue support weight 3".into())));
        assert_eq!(edit("set did 4001234 to queue support"), Ok((Act::Set, "did 4001234 to queue support".into())));
        assert_eq!(edit("rename queue support to help"), Ok((Act::Rename, "queue support help".into())));
        assert_eq!(edit("annotate queue support text"), Ok((Act::Annotate, "queue support text".into())));
    }

    #[test]
    fn what_can_follow_is_the_rest_of_the_rows_that_fit() {
        assert_eq!(can_follow(Mode::Operational, "show queue"), ["<Queue >", "<Enter>"]);
        assert_eq!(can_follow(Mode::Operational, "sh state"), ["at"]);
        assert_eq!(can_follow(Mode::Configuration, "rename queue support"), ["<Path queue support>", "to"]);
        assert_eq!(can_follow(Mode::Configuration, "set queue"), ["<Path queue>", "<Enter>"]);
        assert_eq!(can_follow(Mode::Configuration, "commit check"), ["<Enter>"]);
        assert!(can_follow(Mode::Configuration, "").contains(&"annotate".to_string()));
        let viewer: Vec<&str> =
            first_words(Mode::Operational, Role::Viewer).into_iter().map(|(word, _)| word).collect();
        assert!(viewer.contains(&"show") && !viewer.contains(&"configure"), "{viewer:?}");
    }
}
