//! How things stood at a moment of the past, folded from the leg events up to it and from nothing else: who waited in
//! which queue, what every agent did, which calls there were.

use super::layout::table;
use super::say::{Say, seconds, utc};
use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::config::{Config, Language, Routing};
use pbx::event::{Detail, LegEvent};
use pbx::standing::{AgentNow, CallNow, PhaseNow, Standing};
use pbx::text::{ladder, state as key, word};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// Cells of the longest bar.
const BAR: u128 = 16;

/// Leg events, folded one after the other. Of calls that are over nothing is kept.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    agents: BTreeMap<String, Agent>,
    calls: BTreeMap<Uid, Call>,
    arrivals: u64,
}

#[derive(Clone, Debug)]
struct Agent {
    state: String,
    since: Instant,
    phone: String,
    why: String,
}

#[derive(Clone, Debug)]
struct Call {
    caller: String,
    called: String,
    origin: String,
    began: Instant,
    doing: Doing,
    /// Where the dialplan sent it last.
    routed: String,
    /// Number and moment of the first arrival in a queue.
    first_wait: Option<(u64, Instant)>,
}

#[derive(Clone, Debug)]
enum Doing {
    Reception,
    Waiting { queue: String, since: Instant, priority: u8, ringing: Vec<String> },
    Ringing { extension: String },
    Outside { number: String },
    Monitoring { mode: String, target: Uid },
    Talking { with: String, queue: String, since: Instant },
}

impl Fold {
    /// Takes the next event.
    pub fn take(&mut self, event: &LegEvent) {
        // From a state to itself: a wrap-up is extended and goes on.
        if let Detail::AgentState { agent, from, to, why, phone } = &event.detail
            && from != to
        {
            // The row of one who leaves says at which phone he was.
            let phone = if to == "logged-out" { String::new() } else { phone.clone() };
            let (state, why) = (to.clone(), why.clone());
            self.agents.insert(agent.clone(), Agent { state, since: event.at, phone, why });
        }
        let Some(uid) = event.call else { return };
        match &event.detail {
            // The row stands with the call that is heard.
            Detail::Supervised { act, own: Some(own), .. } => {
                if let Some(call) = self.calls.get_mut(own) {
                    call.doing = match act.as_str() {
                        "listen" | "whisper" | "barge" => Doing::Monitoring { mode: act.clone(), target: uid },
                        _ => Doing::Reception,
                    };
                }
            }
            Detail::CallBegan { caller, called, origin } => {
                let call = Call {
                    caller: caller.clone(),
                    called: called.clone(),
                    origin: origin.clone(),
                    began: event.at,
                    doing: Doing::Reception,
                    routed: String::new(),
                    first_wait: None,
                };
                self.calls.insert(uid, call);
            }
            Detail::CallEnded { .. } => {
                self.calls.remove(&uid);
            }
            Detail::Queued { queue, priority, .. } => {
                let next = self.arrivals + 1;
                let Some(call) = self.calls.get_mut(&uid) else { return };
                if call.first_wait.is_none() {
                    self.arrivals = next;
                    call.first_wait = Some((next, event.at));
                }
                let (queue, since, priority, ringing) = (queue.clone(), event.at, *priority, Vec::new());
                call.doing = Doing::Waiting { queue, since, priority, ringing };
            }
            _ => {
                if let Some(call) = self.calls.get_mut(&uid) {
                    call.take(event);
                }
            }
        }
    }

    /// Takes all of them, in order.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a LegEvent>) -> Fold {
        let mut fold = Fold::default();
        events.into_iter().for_each(|event| fold.take(event));
        fold
    }

    /// How things stand at `now`, which is not before the last event. `routing` says who is served first.
    pub fn standing(&self, routing: &Routing, now: Instant) -> Standing {
        let mut ranked: BTreeMap<String, Vec<(Rank, Uid)>> = BTreeMap::new();
        for (uid, call) in &self.calls {
            if let Doing::Waiting { queue, priority, .. } = &call.doing {
                let rank = rank(*priority, call.first_wait.unwrap_or((0, call.began)), routing, now);
                ranked.entry(queue.clone()).or_default().push((rank, *uid));
            }
        }
        let in_order = |mut callers: Vec<(Rank, Uid)>| {
            callers.sort();
            callers.into_iter().map(|(_, uid)| uid).collect()
        };
        Standing {
            queues: ranked.into_iter().map(|(queue, callers)| (queue, in_order(callers))).collect(),
            agents: self.agents.iter().map(|(id, agent)| (id.clone(), self.agent_now(id, agent))).collect(),
            calls: self.calls.iter().map(|(uid, call)| (*uid, self.call_now(call))).collect(),
        }
    }

    fn agent_now(&self, id: &str, agent: &Agent) -> AgentNow {
        let engaged = |call: &Call| match &call.doing {
            Doing::Waiting { ringing, .. } => offered(&agent.state) && ringing.iter().any(|other| other == id),
            Doing::Talking { with, queue, .. } => connected(&agent.state) && !queue.is_empty() && with == id,
            Doing::Reception | Doing::Ringing { .. } | Doing::Monitoring { .. } | Doing::Outside { .. } => false,
        };
        let call = self.calls.iter().find(|(_, call)| engaged(call)).map(|(uid, _)| *uid);
        AgentNow { state: agent.state.clone(), since: agent.since, phone: agent.phone.clone(), call }
    }

    fn call_now(&self, call: &Call) -> CallNow {
        let phase = match &call.doing {
            Doing::Reception => PhaseNow::Reception,
            Doing::Waiting { queue, since, priority, ringing } => {
                PhaseNow::Waiting { queue: queue.clone(), since: *since, priority: *priority, ringing: ringing.clone() }
            }
            Doing::Ringing { extension } => PhaseNow::Ringing { extension: extension.clone() },
            Doing::Outside { number } => PhaseNow::Outside { number: number.clone() },
            Doing::Monitoring { mode, target } => PhaseNow::Monitoring { mode: mode.clone(), target: Some(*target) },
            Doing::Talking { queue, .. } => PhaseNow::Talking { queue: queue.clone() },
        };
        let (caller, called, origin) = (call.caller.clone(), call.called.clone(), call.origin.clone());
        CallNow { caller, called, origin, phase }
    }
}

impl Call {
    fn take(&mut self, event: &LegEvent) {
        match (&event.detail, &mut self.doing) {
            (Detail::Routed { to, .. }, _) => self.routed.clone_from(to),
            (Detail::Overflowed { .. } | Detail::Abandoned { .. }, _) => self.doing = Doing::Reception,
            (Detail::Connected { with, queue, .. }, _) => {
                self.doing = Doing::Talking { with: with.clone(), queue: queue.clone(), since: event.at };
            }
            (Detail::Offered { agent, .. }, Doing::Waiting { ringing, .. }) => ringing.push(agent.clone()),
            (Detail::OfferEnded { agent, .. }, Doing::Waiting { ringing, .. }) => ringing.retain(|id| id != agent),
            (
                Detail::OfferEnded { agent, .. },
                Doing::Ringing { extension: rung } | Doing::Outside { number: rung },
            ) if agent == rung => {
                self.doing = Doing::Reception;
            }
            (Detail::Prioritised { priority: now, .. }, Doing::Waiting { priority, .. }) => *priority = *now,
            (Detail::Sip { sent: true, message }, Doing::Reception)
                if event.leg.is_some_and(|leg| leg > 0) && message.starts_with("INVITE ") =>
            {
                if let Some(extension) = self.routed.strip_prefix("extension ") {
                    self.doing = Doing::Ringing { extension: extension.to_string() };
                } else if let Some((_, number)) =
                    self.routed.strip_prefix("trunk ").and_then(|outside| outside.split_once(' '))
                {
                    self.doing = Doing::Outside { number: number.to_string() };
                }
            }
            _ => {}
        }
    }
}

/// An offer is on its way to an agent in this state.
fn offered(state: &str) -> bool {
    state == "reserved" || state == "ringing"
}

/// An agent in this state has a caller.
fn connected(state: &str) -> bool {
    state == "talking" || state == "hold"
}

/// Smaller is served first: those who have waited up to the starvation bound in order of arrival, then all others by
/// arrival less what their priority counts for, or by priority alone when that is absolute.
type Rank = (bool, i128, u64);

fn rank(priority: u8, (arrival, first): (u64, Instant), routing: &Routing, now: Instant) -> Rank {
    let bound_s = u64::from(routing.starvation_s);
    if bound_s > 0 && now.since(first).as_secs() >= bound_s {
        return (false, 0, arrival);
    }
    let step_us = i128::from(routing.priority_step_s) * 1_000_000;
    let due = match step_us {
        0 => -i128::from(priority),
        _ => i128::from(first.as_micros()) - i128::from(priority) * step_us,
    };
    (true, due, arrival)
}

/// Which moment is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// As asked for.
    pub wall: Wall,
    /// The same by the monotonic clock.
    pub at: Instant,
}

impl Shown {
    /// The moment `wall`, told by the last event at or before it.
    pub fn after(last: &LegEvent, wall: Wall) -> Shown {
        let since_ms = (wall.as_millis() - last.wall.as_millis()).max(0) as u64;
        Shown { wall, at: last.at + Duration::from_millis(since_ms) }
    }

    /// UTC of an earlier moment, and how long ago that was.
    fn since(self, at: Instant) -> (String, Duration) {
        let ago = self.at.since(at);
        (utc(Wall::from_millis(self.wall.as_millis() - ago.as_millis() as i64)), ago)
    }
}

/// Tells how things stood. `site` is the configuration of that moment; without it reasons have the words of the box, and
/// callers stand in the order of its presets.
pub fn state(fold: &Fold, shown: Shown, site: Option<&Config>, language: Language) -> String {
    let say = Say(language);
    let routing = site.map_or_else(|| Config::preset().routing, |site| site.routing.clone());
    let standing = fold.standing(&routing, shown.at);
    let mut text = format!("{}\n", say.text(key::AT, &[("time", &utc(shown.wall))]));
    for (heading, body) in [
        (key::QUEUES, queues(fold, &standing, shown, site, say)),
        (key::AGENTS, agents(fold, &standing, shown, site, say)),
        (key::CALLS, calls(fold, shown, say)),
    ] {
        text.push_str(&format!("\n{}\n{body}", say.plain(heading)));
    }
    text
}

fn nobody(say: Say) -> String {
    format!("  {}\n", say.plain(key::NOTHING))
}

/// A duration as a bar: the longest is that of the longest.
fn bar(length: Duration, longest: Duration) -> String {
    let halves = length.as_millis() * 2 * BAR / longest.as_millis().max(1);
    format!("{}{}", "█".repeat((halves / 2) as usize), if halves % 2 == 1 { "▌" } else { "" })
}

fn queues(fold: &Fold, standing: &Standing, shown: Shown, site: Option<&Config>, say: Say) -> String {
    let waiting = |uid: &Uid| match fold.calls.get(uid).map(|call| (call, &call.doing)) {
        Some((call, Doing::Waiting { since, priority, ringing, .. })) => Some((call, *since, *priority, ringing)),
        Some(_) | None => None,
    };
    let all = || standing.queues.values().flatten().filter_map(waiting);
    let longest = all().map(|(_, since, ..)| shown.at.since(since)).max().unwrap_or_default();
    let mut rows = Vec::new();
    for (queue, callers) in &standing.queues {
        for (place, uid) in callers.iter().enumerate() {
            let Some((call, since, priority, ringing)) = waiting(uid) else { continue };
            let (utc, wait) = shown.since(since);
            rows.push(vec![
                queue.clone(),
                (place + 1).to_string(),
                uid.to_string(),
                caller(call, say),
                priority.to_string(),
                utc,
                seconds(wait),
                bar(wait, longest),
                ringing.join(" "),
            ]);
        }
    }
    let queues = site.iter().flat_map(|site| site.queues.keys().map(String::as_str));
    let empty: Vec<&str> =
        queues.filter(|queue| !rows.iter().any(|row| row.first().is_some_and(|q| q == queue))).collect();
    let empty = match empty.as_slice() {
        [] => String::new(),
        names => format!("  {}\n", say.text(key::NOBODY_WAITS, &[("queues", &names.join(", "))])),
    };
    if rows.is_empty() {
        return if empty.is_empty() { nobody(say) } else { empty };
    }
    let names = [word::QUEUE, key::PLACE, word::CALL, word::CALLER, key::PRIORITY, key::SINCE, word::WAIT];
    let names = names.map(|k| say.plain(k)).into_iter();
    // The bar stands under no heading of its own.
    let names: Vec<&str> = names.chain(["", say.plain(key::RINGING)]).collect();
    table(&names, &rows) + &empty
}

fn agents(fold: &Fold, standing: &Standing, shown: Shown, site: Option<&Config>, say: Say) -> String {
    let known = standing.agents.iter().map(|(id, agent)| {
        let (utc, lasted) = shown.since(agent.since);
        let why = fold.agents.get(id).map_or("", |agent| agent.why.as_str());
        let row = vec![
            id.clone(),
            say.state(&agent.state, site),
            utc,
            seconds(lasted),
            say.word(why).to_string(),
            dash(&agent.phone),
            agent.call.map_or_else(|| "-".to_string(), |call| call.to_string()),
        ];
        (id, row)
    });
    // Whoever the configuration names and no row does was never at work.
    let never = site.into_iter().flat_map(|site| site.agents.keys()).map(|id| {
        let dashes = ["", "", "", "", ""].map(dash);
        (id, [id.clone(), say.state("logged-out", site)].into_iter().chain(dashes).collect())
    });
    let all: BTreeMap<&String, Vec<String>> = never.chain(known).collect();
    let rows: Vec<Vec<String>> = all.into_values().collect();
    if rows.is_empty() {
        return nobody(say);
    }
    let names = [word::AGENT, key::STATE, key::SINCE, word::DURATION, ladder::REASON, key::PHONE, word::CALL];
    table(&names.map(|k| say.plain(k)), &rows)
}

fn calls(fold: &Fold, shown: Shown, say: Say) -> String {
    let mut calls: Vec<(&Uid, &Call)> = fold.calls.iter().collect();
    calls.sort_by_key(|(uid, call)| (Reverse(shown.at.since(call.began)), **uid));
    let rows: Vec<Vec<String>> = calls
        .into_iter()
        .map(|(uid, call)| {
            let (utc, lasted) = shown.since(call.began);
            vec![
                uid.to_string(),
                call.origin.clone(),
                caller(call, say),
                call.called.clone(),
                utc,
                seconds(lasted),
                doing(call, fold, shown, say),
            ]
        })
        .collect();
    if rows.is_empty() {
        return nobody(say);
    }
    let names = [word::CALL, word::ORIGIN, word::CALLER, word::CALLED, word::BEGAN, word::DURATION, key::PHASE];
    table(&names.map(|k| say.plain(k)), &rows)
}

fn doing(call: &Call, fold: &Fold, shown: Shown, say: Say) -> String {
    match &call.doing {
        Doing::Reception if call.routed.is_empty() => say.plain(key::ARRIVING).to_string(),
        Doing::Reception => say.text(key::RECEPTION, &[("to", &call.routed)]),
        Doing::Waiting { queue, .. } => say.text(key::WAITING, &[("queue", queue)]),
        Doing::Ringing { extension } => say.text(key::RINGS_AT, &[("extension", extension)]),
        Doing::Outside { number } => say.text(key::CALLS_OUTSIDE, &[("number", number)]),
        Doing::Monitoring { mode, target } => {
            let phrase = match mode.as_str() {
                "whisper" => key::WHISPERING,
                "barge" => key::BARGED,
                _ => key::LISTENING,
            };
            say.text(phrase, &[("whom", &partner_of(*target, fold, say))])
        }
        Doing::Talking { with, queue, since } => {
            let time = seconds(shown.at.since(*since));
            let words = say.text(key::TALKING, &[("with", with), ("time", &time)]);
            if queue.is_empty() { words } else { say.text(key::FROM_QUEUE, &[("words", &words), ("queue", queue)]) }
        }
    }
}

/// Who talks in a call that is heard by another.
fn partner_of(target: Uid, fold: &Fold, say: Say) -> String {
    match fold.calls.get(&target).map(|call| &call.doing) {
        Some(Doing::Talking { with, .. }) => match with.strip_prefix("supervisor ") {
            Some(id) => say.text(key::OF_SUPERVISOR, &[("id", id)]),
            None => say.text(key::OF_AGENT, &[("id", with)]),
        },
        Some(_) | None => say.plain(key::OF_SOMEBODY).to_string(),
    }
}

fn caller(call: &Call, say: Say) -> String {
    if call.caller.is_empty() { say.plain(ladder::WITHHELD).to_string() } else { call.caller.clone() }
}

fn dash(text: &str) -> String {
    if text.is_empty() { "-".to_string() } else { text.to_string() }
}

#[cfg(test)]
mod tests;
