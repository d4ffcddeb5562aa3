//! The configuration of a site as typed values. Pure: text in, values or a list of problems out. Nothing here reads a
//! file; nothing outside here knows the text form.

#[macro_use]
mod acd;
mod admin;
pub(crate) mod as_text;
mod check;
pub mod document;
pub mod edit;
mod field;
mod from_json;
mod json;
mod leaves;
mod print;
pub mod problem;
mod proof;
mod read;
pub mod rebase;
pub mod schema;
pub mod show;
pub mod test;
mod token;
mod tree;
pub mod value;
mod view;
mod when;
mod written;

pub use acd::{
    Agent, Calendar, Consent, Did, Disposition, EmptyFactor, OverflowKind, Queue, Reason, Relax, Routing, Skill,
    Strategy, Supervisor, Vip, Wanted,
};
pub use admin::{AlarmRule, AlarmSeverity, COUNTRIES, Chassis, Method, Network, NumbersSeen, Prefix, Role, User};
pub use print::print;
pub use problem::{Problem, Severity};
pub use test::Test;
pub use tree::TEXT_BYTES_MAX;
pub use written::Written;

use crate::calendar::Date;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use base::line::PortId;
use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};

/// What a box has before anybody set it up: nothing that is reachable from a network.
pub const FACTORY: &str = "sip {\n    listen 127.0.0.1:5060;\n}\n";

/// A configuration text, looked at as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Examination {
    /// The typed values; none when there are errors.
    pub config: Option<Config>,
    /// All errors and warnings, in order of place.
    pub problems: Vec<Problem>,
}

/// Reads a text and reports everything that is wrong with it, warnings included.
pub fn examine(text: &str) -> Examination {
    examine_with(text, |_| Vec::new())
}

/// The same with what [`prove`] finds, also when there are errors already: nothing hides anything else, but what rests on a
/// place that could not be read.
pub fn examine_and_prove(text: &str, first: impl FnOnce(&Config) -> Date, available: Option<&[&str]>) -> Examination {
    examine_with(text, |config| proof::prove(config, first(config), available))
}

fn examine_with(text: &str, more: impl FnOnce(&Config) -> Vec<check::Finding>) -> Examination {
    let mut report = problem::Report::default();
    let Some((config, places)) = read_text(text, &mut report) else {
        return Examination { config: None, problems: report.finish() };
    };
    let found = check::check(&config, &|path| places.has(path));
    let wrong: Vec<String> = found.iter().filter(|f| f.severity == Severity::Error).map(|f| f.path.clone()).collect();
    // What the proof says of a place that is wrong in itself follows from that.
    let proven = more(&config).into_iter().filter(|finding| !wrong.contains(&finding.path));
    for finding in found.into_iter().chain(proven) {
        let bad = places.is_bad(&finding.at) || finding.rests_on.iter().any(|path| places.is_bad(path));
        if !bad {
            let at = places.find(&finding.at);
            report.add(finding.place(at));
        }
    }
    let problems = report.finish();
    let refused = problems.iter().any(|p| p.severity == Severity::Error);
    Examination { config: (!refused).then_some(config), problems }
}

/// Reads a text.
///
/// # Errors
/// All problems at once, warnings among them, when at least one is an error. [`examine`] tells the warnings of a text
/// that can be used, too.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let examination = examine(text);
    examination.config.ok_or(examination.problems)
}

/// The problems of values that were not read from a text, or were changed since; without places, see [`locate`].
pub fn validate(config: &Config) -> Vec<Problem> {
    check::check(config, &|_| false).into_iter().map(|finding| finding.place((0, 0))).collect()
}

/// Menus and queues whose prompt is not there. `available` names each prompt file without ending, below the directory of
/// its language: `zh-CN/menu-main`. Without places, see [`locate`].
pub fn validate_prompts(config: &Config, available: &[&str]) -> Vec<Problem> {
    let available = available.iter().copied().collect();
    check::check_prompts(config, &available).into_iter().map(|finding| finding.place((0, 0))).collect()
}

/// What is wrong with the ways of callers in a configuration that [`parse`] accepts: who is not answered and when, circles,
/// dead ends, menus too deep, codes that hide others, queues that nobody can serve, emergency numbers that do not go out,
/// and prompts that are not there. Looks at 366 days from `first`, local time. `available` names the prompt files as for
/// [`validate_prompts`]; none when they cannot be seen. Takes long for a large site: not for the control thread. Without
/// places, see [`locate`].
pub fn prove(config: &Config, first: Date, available: Option<&[&str]>) -> Vec<Problem> {
    proof::prove(config, first, available).into_iter().map(|finding| finding.place((0, 0))).collect()
}

/// Gives problems without a place the line and column at which `text`, from which the configuration was read, says what
/// they are about.
pub fn locate(problems: &mut [Problem], text: &str) {
    let Some((_, places)) = read_text(text, &mut problem::Report::default()) else { return };
    for problem in problems.iter_mut().filter(|p| p.line == 0) {
        (problem.line, problem.column) = places.find(&problem.path);
    }
}

fn read_text(text: &str, report: &mut problem::Report) -> Option<(Config, read::Places)> {
    let nodes = tree::parse(text, report)?;
    Some(read::read(&nodes, report))
}

/// One site. Immutable once built; a change makes a new one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Config {
    /// `system { … }`
    pub system: System,
    /// `sip { … }`
    pub sip: Sip,
    /// `media { … }`
    pub media: Media,
    /// `routing { … }`
    pub routing: Routing,
    /// `chassis { … }`
    pub chassis: Chassis,
    /// `network { … }`
    pub network: Network,
    /// `user alice { … }`: who may log in at the console; without any, whoever is there.
    pub users: BTreeMap<String, User>,
    /// `alarm line-battery { … }`
    pub alarms: BTreeMap<String, AlarmRule>,
    /// `card N { port M { … } }`
    pub lines: BTreeMap<PortId, Line>,
    /// `extension 2001 { … }`
    pub extensions: BTreeMap<String, Extension>,
    /// `calendar office { … }`
    pub calendars: BTreeMap<String, Calendar>,
    /// `skill billing { … }`
    pub skills: BTreeMap<String, Skill>,
    /// `agent 1001 { … }`
    pub agents: BTreeMap<String, Agent>,
    /// `queue support { … }`
    pub queues: BTreeMap<String, Queue>,
    /// `menu main { … }`
    pub menus: BTreeMap<String, Menu>,
    /// `trunk carrier { … }`
    pub trunks: BTreeMap<String, Trunk>,
    /// `route local { prefix 0; trunk carrier; }`: what extensions can dial outside; without any, nothing.
    pub routes: BTreeMap<String, Route>,
    /// `number 8000 { to queue support; }`: what extensions can dial beside extensions and feature codes.
    pub numbers: BTreeMap<String, Destination>,
    /// `did 4001234 { to menu main; }`: what callers from outside reach.
    pub dids: BTreeMap<String, Did>,
    /// `vip +8613800138000 { … }`: callers who are known.
    pub vips: BTreeMap<String, Vip>,
    /// `supervisor 9001 { … }`
    pub supervisors: BTreeMap<String, Supervisor>,
    /// `reason 3 { … }`: what is written; [`Config::reason`] adds what is built in.
    pub reasons: BTreeMap<u8, Reason>,
    /// `disposition 1 { … }`
    pub dispositions: BTreeMap<u8, Disposition>,
    /// `codes { … }`
    pub codes: Codes,
    /// `test support-in-hours { … }`: what must come of calls; played before a change is in force.
    pub tests: BTreeMap<String, Test>,
}

/// Languages of prompts and operator texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Language {
    /// 简体中文, tag `zh-CN`.
    #[default]
    Zh,
    /// American English, tag `en-US`.
    En,
}

impl Language {
    /// BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::Zh => "zh-CN",
            Language::En => "en-US",
        }
    }
}

/// `system { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct System {
    /// `name`: shown on panel and console. Default `cordboard`.
    pub name: String,
    /// `language`: of operator texts. Default `zh-CN`.
    pub language: Language,
    /// `utc-offset +08:00`, -12:00 to +14:00, default +08:00: local time of calendars, in minutes east of Greenwich.
    /// There is no daylight saving time.
    pub utc_offset_min: i32,
    /// `idle-logout-min`, 1-60, default 10: a session at the console ends after so long without a key.
    pub idle_logout_min: u32,
    /// `login-failures`, 1-20, default 5: so many wrong passwords in a row lock a user out.
    pub login_failures: u32,
    /// `lock-out-s`, 10-86400, default 300.
    pub lock_out_s: u32,
}

/// `sip { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sip {
    /// `listen 127.0.0.1:5060`: UDP and TCP.
    pub listen: SocketAddr,
    /// `realm`: of digest authentication. Default `cordboard`.
    pub realm: String,
    /// `expires-min-s`, 10-3600, default 30.
    pub expires_min_s: u32,
    /// `expires-max-s`, 60-86400, default 3600.
    pub expires_max_s: u32,
}

/// `media { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Media {
    /// `address`: where peers send RTP. Default: the address of `sip listen`.
    pub address: IpAddr,
    /// `rtp-ports`, first and last, default 20000-20999: RTP takes even ports, RTCP the next; the first is even and above
    /// 1023, the last odd, at least 4.
    pub rtp_ports: (u16, u16),
    /// `jitter-ms`, 20-200 in steps of 20, default 40: depth of the fixed jitter buffer.
    pub jitter_ms: u32,
    /// `silence-timeout-s`, 5-3600, default 30: a call whose phone sends no audio for so long is ended.
    pub silence_timeout_s: u32,
}

/// `port M { … }` of an FXO card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// `label`, for people; default empty.
    pub label: String,
    /// `did`: calls on this line count as calls to this number.
    pub did: String,
}

/// `extension 2001 { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extension {
    /// `name`: display name; default its number.
    pub name: String,
    /// `secret`: 8 characters or more; digest password.
    pub secret: String,
    /// `ring-timeout-s`, 5-300, default 30.
    pub ring_timeout_s: u32,
    /// `record yes|no`, default no: calls between extensions, and of this phone to the outside.
    pub record: bool,
}

/// `menu main { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Menu {
    /// `languages [ zh-CN en-US ]`: the prompt is played in each, in this order; default `system language`.
    pub languages: Vec<Language>,
    /// `prompt menu-main`: file name without ending.
    pub prompt: String,
    /// `timeout-s`, 1-60, default 5: pause after the prompt before it is repeated.
    pub timeout_s: u32,
    /// `retries`, 0-9, default 2: repetitions after silence or a wrong key.
    pub retries: u32,
    /// `key 2 { to queue support; }`
    pub keys: BTreeMap<char, Destination>,
    /// `otherwise { to queue support; }`: after the last retry; default hang up.
    pub otherwise: Destination,
}

/// `trunk carrier { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trunk {
    /// `address 127.0.0.1`: requests from there are the trunk's.
    pub address: IpAddr,
    /// `port 5080`: only from this port; default any. Calls to the trunk go there, to 5060 when it is not given.
    pub port: Option<u16>,
    /// `record yes|no`, default no: calls to the outside; calls from there are recorded where they are sent.
    pub record: bool,
}

/// `route local { … }`: numbers that extensions dial outside. Of all that fit the longest prefix decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// `prefix 0`, up to 15 digits, `+` may stand in front: what the number begins with as dialled; empty fits all.
    pub prefix: String,
    /// `length-min`, 1-32, default 3: fewest digits as dialled.
    pub length_min: u32,
    /// `length-max`, 1-32, default 20: most digits as dialled.
    pub length_max: u32,
    /// `strip`, 0-16, default 0: so many characters of the prefix are not sent.
    pub strip: u32,
    /// `add 0086`: sent in front of the rest; default nothing.
    pub add: Option<String>,
    /// `trunk carrier`: where the call goes.
    pub trunk: String,
    /// `international yes|no`, default no: whether numbers may go out that begin with 00 or +.
    pub international: bool,
    /// `caller-id 4001234`: the number that the other side sees; default that of the extension.
    pub caller_id: Option<String>,
    /// `record yes|no`, default no.
    pub record: bool,
}

/// `to queue support;`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Destination {
    /// `to extension 2001;`
    Extension(String),
    /// `to queue support;`
    Queue(String),
    /// `to menu main;`
    Menu(String),
    /// `to echo;`: hears itself.
    Echo,
    /// `to hangup;`
    Hangup,
}

/// `codes { echo *43; … }`; each has the default that call-centre admins know (conventions of the field).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Codes {
    /// `echo`, default `*43`.
    pub echo: String,
    /// `agent-login`, default `*45`: log in, or out when logged in.
    pub agent_login: String,
    /// `agent-not-ready`, default `*46`, a reason digit may follow: not ready, or ready when not ready.
    pub agent_not_ready: String,
    /// `wrap-up-finish`, default `*48`.
    pub wrap_up_finish: String,
    /// `wrap-up-extend`, default `*49`.
    pub wrap_up_extend: String,
    /// `disposition`, default `*50`, then the result 1-9.
    pub disposition: String,
    /// `listen`, default `*51`, then an agent: hear the call.
    pub listen: String,
    /// `whisper`, default `*52`, then an agent: speak to the agent alone.
    pub whisper: String,
    /// `barge`, default `*53`, then an agent: join the call.
    pub barge: String,
    /// `take-over`, default `*54`, then an agent: have the call instead of the agent.
    pub take_over: String,
    /// `force-state`, default `*55`, then an agent and a state.
    pub force_state: String,
    /// `move-caller`, default `*56`, then which caller and where.
    pub move_caller: String,
    /// `re-prioritise`, default `*57`, then which caller and how high.
    pub re_prioritise: String,
    /// `pick`, default `*59`, then which caller: take him.
    pub pick: String,
    /// `queue-callers`, default `*47`: hear how many wait.
    pub queue_callers: String,
    /// `surge`, default `*29`: the surge profile on or off.
    pub surge: String,
}
