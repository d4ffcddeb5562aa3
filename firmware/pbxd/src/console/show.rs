//! How things are now, as tables: one look at the core in, text out. Numbers of people are whole: who may
//! not see them gets the text through [`hidden`].

use crate::panel::view::mask;
use crate::store::read::RecordingRow;
use crate::story::layout::{left, table, width};
use crate::story::say::{Say, seconds, utc};
use base::id::Uid;
use base::time::{Instant, Now, Wall};
use pbx::Pbx;
use pbx::alarm::AlarmNow;
use pbx::config::{AlarmSeverity, Config};
use pbx::equipment::{LineNow, LineState, PhoneNow, TrunkNow};
use pbx::standing::{AgentNow, PhaseNow, Standing};
use pbx::switch::{Mode, Switches};
use pbx::text::{Key, Text, console as key, ladder, panel as panel_key, state as state_key, word};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// At 8 kHz, as recordings count.
const SAMPLES_PER_MS: u64 = 8;

/// One look at the core.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glance {
    /// When.
    pub now: Now,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Queues, agents, calls.
    pub standing: Standing,
    /// Extensions.
    pub phones: Vec<PhoneNow>,
    /// Alarms that are up, the newest first.
    pub alarms: Vec<AlarmNow>,
    /// Ports of line cards.
    pub lines: Vec<LineNow>,
    /// Trunks.
    pub trunks: Vec<TrunkNow>,
    /// Hours and surge.
    pub switches: Switches,
}

impl Glance {
    /// Looks. None before a configuration is in force.
    pub fn of(pbx: &Pbx, now: Now) -> Option<Glance> {
        Some(Glance {
            now,
            config: pbx.config()?,
            standing: pbx.standing(now.at),
            phones: pbx.phones_now(),
            alarms: pbx.alarms(),
            lines: pbx.lines_now(),
            trunks: pbx.trunks_now(),
            switches: pbx.switches(),
        })
    }

    fn ago(&self, since: Instant) -> Duration {
        self.now.at.since(since)
    }

    fn waiting(&self, queue: &str) -> impl Iterator<Item = (&Uid, Instant)> {
        let callers = self.standing.queues.get(queue).into_iter().flatten();
        callers.filter_map(|uid| match self.standing.calls.get(uid).map(|call| &call.phase) {
            Some(PhaseNow::Waiting { since, .. }) => Some((uid, *since)),
            Some(_) | None => None,
        })
    }
}

/// What the machine knows of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Machine {
    /// Version and build of the program.
    pub version: String,
    /// Since it began.
    pub up: Duration,
    /// Free and whole room on the disk of the data, in bytes.
    pub disk: Option<(u64, u64)>,
}

/// The middle four digits of each number are hidden; identities of calls and recordings are no numbers.
pub fn hidden(text: &str) -> String {
    let (mut out, mut token) = (String::with_capacity(text.len()), String::new());
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_alphanumeric() => token.push(c),
            _ => {
                out.push_str(&if token.parse::<Uid>().is_ok() { token.clone() } else { mask(&token) });
                token.clear();
                out.extend(c);
            }
        }
    }
    out
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_string() } else { text }
}

fn heading(say: Say, names: &[Key]) -> Vec<&'static str> {
    names.iter().map(|name| say.plain(*name)).collect()
}

/// A table, or the word that there is nothing.
fn rows(say: Say, names: &[Key], rows: &[Vec<String>]) -> String {
    if rows.is_empty() { format!("  {}\n", say.plain(key::NOTHING)) } else { table(&heading(say, names), rows) }
}

/// The box.
pub fn system(glance: &Glance, machine: &Machine, commit: Option<u64>, say: Say) -> String {
    let waiting: usize = glance.standing.queues.values().map(Vec::len).sum();
    let up_s = machine.up.as_secs();
    let up = format!("{} d {:02}:{:02}:{:02}", up_s / 86_400, up_s / 3_600 % 24, up_s / 60 % 60, up_s % 60);
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let disk =
        machine.disk.map_or_else(String::new, |(free, all)| format!("{} / {} MB", megabytes(free), megabytes(all)));
    let Switches { mode, mode_until, surge, surge_until } = glance.switches;
    let mode = match mode {
        Mode::Auto => key::MODE_AUTO,
        Mode::Day => key::MODE_DAY,
        Mode::Night => key::MODE_NIGHT,
    };
    let on = say.plain(if surge { key::ON } else { key::OFF });
    let until = |state: &str, end: Option<Wall>| {
        end.map_or_else(|| state.to_string(), |end| say.text(key::UNTIL, &[("state", state), ("time", &utc(end))]))
    };
    let fields = [
        (key::NAME, glance.config.system.name.clone()),
        (key::VERSION, machine.version.clone()),
        (key::TIME, utc(glance.now.wall)),
        (key::UP, up),
        (key::SIP, glance.config.sip.listen.to_string()),
        (key::COMMIT, commit.map_or_else(String::new, |number| number.to_string())),
        (key::CALLS, glance.standing.calls.len().to_string()),
        (key::WAITING, waiting.to_string()),
        (key::MODE, until(say.plain(mode), mode_until)),
        (key::SURGE, until(on, surge_until)),
        (key::ALARMS, glance.alarms.len().to_string()),
        (key::DISK, disk),
    ];
    let wide = fields.iter().map(|(name, _)| width(say.plain(*name))).max().unwrap_or(0);
    let line = |(name, value): (Key, String)| format!("  {}  {}\n", left(say.plain(name), wide, ' '), or_dash(value));
    fields.into_iter().map(line).collect()
}

/// All calls.
pub fn calls(glance: &Glance, say: Say) -> String {
    let row = |(uid, call): (&Uid, &pbx::standing::CallNow)| {
        let caller = if call.caller.is_empty() { say.plain(ladder::WITHHELD).to_string() } else { call.caller.clone() };
        vec![uid.to_string(), call.origin.clone(), caller, call.called.clone(), doing(glance, &call.phase, say)]
    };
    let all: Vec<Vec<String>> = glance.standing.calls.iter().map(row).collect();
    rows(say, &[word::CALL, word::ORIGIN, word::CALLER, word::CALLED, state_key::PHASE], &all)
}

fn doing(glance: &Glance, phase: &PhaseNow, say: Say) -> String {
    match phase {
        PhaseNow::Reception => say.plain(key::RECEPTION).to_string(),
        PhaseNow::Monitoring { mode, .. } => say.text(key::HEARS, &[("mode", say.word(mode))]),
        PhaseNow::Waiting { queue, since, .. } => {
            say.text(key::WAITS, &[("queue", queue), ("time", &seconds(glance.ago(*since)))])
        }
        PhaseNow::Ringing { extension } => say.text(key::RINGS, &[("extension", extension)]),
        PhaseNow::Outside { number } => say.text(key::OUTSIDE, &[("number", number)]),
        PhaseNow::Talking { queue } if queue.is_empty() => say.plain(key::TALKING).to_string(),
        PhaseNow::Talking { queue } => say.text(key::TALKS_QUEUE, &[("queue", queue)]),
    }
}

/// All queues.
pub fn queues(glance: &Glance, say: Say) -> String {
    let state = |agent: &&String, wanted: &dyn Fn(&str) -> bool| {
        glance.standing.agents.get(*agent).is_some_and(|agent| wanted(&agent.state))
    };
    let all: Vec<Vec<String>> = glance
        .config
        .queues
        .iter()
        .map(|(name, queue)| {
            let members = || queue.agents.iter().chain(queue.surge_agents.iter().filter(|_| glance.switches.surge));
            let ready = members().filter(|agent| state(agent, &|state| state == "ready")).count();
            let here = members().filter(|agent| state(agent, &|state| state != "logged-out")).count();
            let longest = glance.waiting(name).map(|(_, since)| glance.ago(since)).max();
            vec![
                name.clone(),
                queue.title.clone(),
                glance.waiting(name).count().to_string(),
                longest.map_or_else(|| "-".to_string(), seconds),
                ready.to_string(),
                here.to_string(),
                members().count().to_string(),
            ]
        })
        .collect();
    let names = [word::QUEUE, key::NAME, key::WAITING, key::LONGEST, key::READY, key::LOGGED_IN, key::MEMBERS];
    rows(say, &names, &all)
}

/// All queues for a wallboard: who waits, and what their agents do. It fits into 80 columns.
pub fn wallboard(glance: &Glance, say: Say) -> String {
    // What agents do, and the states that are it.
    const DOING: [(Key, &[&str]); 5] = [
        (word::READY, &["ready"]),
        (word::TALKING, &["talking", "hold"]),
        (key::RINGING, &["reserved", "ringing"]),
        (word::WRAP_UP, &["wrap-up"]),
        (word::NOT_READY, &["not-ready"]),
    ];
    let row = |(name, queue): (&String, &pbx::config::Queue)| {
        let members = || queue.agents.iter().chain(queue.surge_agents.iter().filter(|_| glance.switches.surge));
        // `not-ready 2` is a state and its reason.
        let states = members().filter_map(|agent| glance.standing.agents.get(agent)?.state.split(' ').next());
        let states: Vec<&str> = states.collect();
        let longest = glance.waiting(name).map(|(_, since)| glance.ago(since)).max();
        let waited = longest.map_or_else(|| "-".to_string(), |wait| format!("{} s", wait.as_secs()));
        let mut cells = vec![name.clone(), glance.waiting(name).count().to_string(), waited];
        let count = |wanted: &[&str]| states.iter().filter(|state| wanted.contains(state)).count().to_string();
        cells.extend(DOING.iter().map(|(_, wanted)| count(wanted)));
        cells
    };
    let all: Vec<Vec<String>> = glance.config.queues.iter().map(row).collect();
    let mut names = vec![word::QUEUE, key::WAITING, key::LONGEST];
    names.extend(DOING.iter().map(|(name, _)| *name));
    rows(say, &names, &all)
}

/// One queue: its callers in the order in which they are served, and its agents.
///
/// # Errors
/// When there is no such queue.
pub fn queue(glance: &Glance, name: &str, say: Say) -> Result<String, Text> {
    let queue = glance.config.queues.get(name).ok_or_else(|| Text::new(key::NO_QUEUE).with("name", name))?;
    let mut callers = Vec::new();
    for (place, (uid, since)) in glance.waiting(name).enumerate() {
        let Some(call) = glance.standing.calls.get(uid) else { continue };
        let PhaseNow::Waiting { priority, ringing, .. } = &call.phase else { continue };
        callers.push(vec![
            (place + 1).to_string(),
            uid.to_string(),
            or_dash(call.caller.clone()),
            priority.to_string(),
            seconds(glance.ago(since)),
            or_dash(ringing.join(" ")),
        ]);
    }
    let names = [state_key::PLACE, word::CALL, word::CALLER, state_key::PRIORITY, word::WAIT, key::RINGING];
    let callers = rows(say, &names, &callers);
    let members = queue.agents.iter().chain(queue.surge_agents.iter().filter(|_| glance.switches.surge));
    let members: Vec<Vec<String>> = members.map(|id| agent_row(glance, id, say)).collect();
    let members = rows(say, &AGENT_COLUMNS, &members);
    Ok(format!("{name}  {}\n\n{callers}\n{members}", queue.title))
}

const AGENT_COLUMNS: [Key; 6] = [word::AGENT, key::NAME, key::STATE, key::SINCE, state_key::PHONE, word::CALL];

fn agent_row(glance: &Glance, id: &str, say: Say) -> Vec<String> {
    let name = glance.config.agents.get(id).map_or_else(String::new, |agent| agent.name.clone());
    let now = glance.standing.agents.get(id);
    let told = |tell: &dyn Fn(&AgentNow) -> String| or_dash(now.map_or_else(String::new, tell));
    vec![
        id.to_string(),
        or_dash(name),
        told(&|agent| say.state(&agent.state, Some(&glance.config))),
        // Nothing has happened to him since the records began.
        told(&|agent| if agent.since == Instant::BOOT { String::new() } else { seconds(glance.ago(agent.since)) }),
        told(&|agent| agent.phone.clone()),
        told(&|agent| agent.call.map_or_else(String::new, |call| call.to_string())),
    ]
}

/// All agents.
pub fn agents(glance: &Glance, say: Say) -> String {
    let all: Vec<Vec<String>> = glance.config.agents.keys().map(|id| agent_row(glance, id, say)).collect();
    rows(say, &AGENT_COLUMNS, &all)
}

/// One agent, and the queues that he serves.
///
/// # Errors
/// When there is no such agent.
pub fn agent(glance: &Glance, id: &str, say: Say) -> Result<String, Text> {
    if !glance.config.agents.contains_key(id) {
        return Err(Text::new(key::NO_AGENT).with("name", id));
    }
    let serves = glance.config.queues.iter().filter(|(_, queue)| queue.agents.iter().any(|agent| agent == id));
    let serves: Vec<&str> = serves.map(|(name, _)| name.as_str()).collect();
    let queues = format!("  {}  {}\n", say.plain(word::QUEUE), or_dash(serves.join(" ")));
    Ok(rows(say, &AGENT_COLUMNS, &[agent_row(glance, id, say)]) + &queues)
}

/// Extensions and how many phones are registered for each.
pub fn phones(glance: &Glance, say: Say) -> String {
    let row = |phone: &PhoneNow| {
        let name = glance.config.extensions.get(&phone.extension).map(|extension| extension.name.clone());
        vec![phone.extension.clone(), or_dash(name.unwrap_or_default()), phone.registered.to_string()]
    };
    let all: Vec<Vec<String>> = glance.phones.iter().map(row).collect();
    rows(say, &[key::EXTENSION, key::NAME, key::PHONES], &all)
}

/// Ports of line cards.
pub fn cards(glance: &Glance, say: Say) -> String {
    let row = |line: &LineNow| {
        let config = glance.config.lines.get(&line.port);
        let told =
            |part: fn(&pbx::config::Line) -> &String| or_dash(config.map_or_else(String::new, |c| part(c).clone()));
        let state = match line.state {
            LineState::Idle => panel_key::LINE_IDLE,
            LineState::Busy => panel_key::LINE_BUSY,
            LineState::OutOfService => panel_key::LINE_DOWN,
        };
        let port = format!("{}/{}", line.port.card, line.port.port);
        vec![port, told(|line| &line.label), told(|line| &line.did), say.plain(state).to_string()]
    };
    let all: Vec<Vec<String>> = glance.lines.iter().map(row).collect();
    rows(say, &[key::PORT, key::NAME, word::CALLED, key::STATE], &all)
}

/// Trunks.
pub fn trunks(glance: &Glance, say: Say) -> String {
    let row = |now: &TrunkNow| {
        let address = glance.config.trunks.get(&now.trunk).map(|trunk| match trunk.port {
            Some(port) => SocketAddr::new(trunk.address, port).to_string(),
            None => trunk.address.to_string(),
        });
        let address = address.unwrap_or_default();
        vec![now.trunk.clone(), or_dash(address), now.calls_in.to_string(), now.calls_out.to_string()]
    };
    let all: Vec<Vec<String>> = glance.trunks.iter().map(row).collect();
    rows(say, &[key::TRUNK, key::ADDRESS, key::CALLS_IN, key::CALLS_OUT], &all)
}

/// Recordings, with the calls that they are of.
pub fn recordings(recordings: &[RecordingRow], say: Say) -> String {
    let row = |row: &RecordingRow| {
        vec![
            row.recording.to_string(),
            or_dash(row.call.map_or_else(String::new, |call| call.to_string())),
            utc(Wall::from_millis(row.began_ms)),
            seconds(Duration::from_millis(row.samples / SAMPLES_PER_MS)),
            say.plain(if row.closed { key::COMPLETE } else { key::UNDER_WAY }).to_string(),
        ]
    };
    let all: Vec<Vec<String>> = recordings.iter().map(row).collect();
    rows(say, &[key::RECORDING, word::CALL, key::TIME, key::LENGTH, key::STATE], &all)
}

/// Alarms with cause and remedy.
pub fn alarms(glance: &Glance, say: Say) -> String {
    if glance.alarms.is_empty() {
        return format!("  {}\n", say.plain(key::NOTHING));
    }
    let told = |alarm: &AlarmNow| {
        let seen = if alarm.acknowledged { format!("  ({})", say.plain(key::ACKNOWLEDGED)) } else { String::new() };
        let severity = say.plain(match alarm.severity {
            AlarmSeverity::Warning => key::SEVERITY_WARNING,
            AlarmSeverity::Major => key::SEVERITY_MAJOR,
            AlarmSeverity::Critical => key::SEVERITY_CRITICAL,
        });
        let subject = if alarm.subject.is_empty() { String::new() } else { format!("  {}", alarm.subject) };
        format!("  {}  {severity}  {}{subject}{seen}\n    {}\n", utc(alarm.since.wall), alarm.name, alarm.words(say.0))
    };
    glance.alarms.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::config::Language;

    #[test]
    fn numbers_are_hidden_and_identities_are_not() {
        let uid = Uid(1_234_567_890_123_456_789).to_string();
        assert_eq!(hidden(&format!("{uid} 13800138000 → 8000, {uid}.")), format!("{uid} 138****8000 → 8000, {uid}."));
        assert_eq!(hidden("2026-11-22 09:30:00.250 127.0.0.1:15260"), "2026-11-22 09:30:00.250 127.0.0.1:15260");
        assert_eq!(hidden("<sip:13912345678@10.0.0.1>"), "<sip:139****5678@10.0.0.1>");
    }

    #[test]
    fn a_box_without_anything_is_shown_in_both_languages() {
        let config = Arc::new(pbx::config::parse("sip { listen 127.0.0.1:5060; }").unwrap());
        let now = Now { at: Instant::BOOT, wall: base::time::Wall::from_millis(0) };
        let standing = Standing::default();
        let glance = Glance {
            now,
            config,
            standing,
            phones: Vec::new(),
            alarms: Vec::new(),
            lines: Vec::new(),
            trunks: Vec::new(),
            switches: Switches::default(),
        };
        for language in [Language::Zh, Language::En] {
            let say = Say(language);
            let nothing = format!("  {}\n", say.plain(key::NOTHING));
            for text in [
                calls(&glance, say),
                agents(&glance, say),
                phones(&glance, say),
                cards(&glance, say),
                trunks(&glance, say),
                recordings(&[], say),
                alarms(&glance, say),
            ] {
                assert_eq!(text, nothing);
            }
            assert!(system(&glance, &Machine::default(), Some(7), say).contains("  7\n"));
            assert!(queue(&glance, "x", say).is_err() && agent(&glance, "x", say).is_err());
        }
    }

    #[test]
    fn lines_trunks_recordings_and_hours_are_told() {
        let site = "sip { listen 127.0.0.1:5060; }\ncard 1 { port 1 { label 大堂; did 4001234; } }\n\
            trunk carrier { address 10.0.0.9; port 5080; }\nextension 2001 { secret amber-kite; }\ndid 4001234 { to extension 2001; }";
        let port = base::line::PortId { card: 1, port: 1 };
        let glance = Glance {
            now: Now { at: Instant::BOOT, wall: Wall::from_millis(0) },
            config: Arc::new(pbx::config::parse(site).unwrap()),
            standing: Standing::default(),
            phones: Vec::new(),
            alarms: Vec::new(),
            lines: vec![LineNow { port, state: LineState::OutOfService }],
            trunks: vec![TrunkNow { trunk: "carrier".into(), calls_in: 3, calls_out: 4 }],
            switches: Switches { mode: Mode::Night, mode_until: Some(Wall::from_millis(0)), ..Switches::default() },
        };
        let say = Say(Language::En);
        let last =
            |text: String| text.lines().last().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(last(cards(&glance, say)), "1/1 大堂 4001234 out of service");
        assert_eq!(last(trunks(&glance, say)), "carrier 10.0.0.9:5080 3 4");
        let system = system(&glance, &Machine::default(), None, say);
        assert!(system.contains("night: closed until 1970-01-01 00:00:00.000 UTC"), "{system}");
        let uid = Uid(7);
        let row =
            RecordingRow { recording: uid, call: Some(uid), began_ms: 0, samples: 10_000, closed: true, head: None };
        let told = last(recordings(&[row], say));
        assert_eq!(told, format!("{uid} {uid} 1970-01-01 00:00:00.000 UTC 1.250 s complete"));
    }
}
