//! Agents: their states follow each other legally, each change has a cause, nobody is in two calls or at a phone with
//! somebody else, who misses offers rests as configured, wishes are granted, wrap-up lasts as configured whatever the wall
//! clock does, and the minutes of all states are the minutes from login to logout.

use super::Findings;
use super::book::{Book, Doing, Wrap, doing};
use super::place::crew;
use base::id::Uid;
use pbx::config::{Config, Queue};
use pbx::event::{Detail, LegEvent};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All agents.
#[derive(Debug)]
pub struct Agents {
    config: Arc<Config>,
    books: BTreeMap<String, Book>,
    contacts: BTreeMap<String, u32>,
    /// Who is ready.
    ready: BTreeSet<String>,
    surge: bool,
    /// Who serves each queue, by the surge profile and the rings that are open.
    crews: BTreeMap<String, [Vec<Vec<String>>; 2]>,
    /// Who is in wrap-up.
    wrapping: BTreeSet<String>,
    /// Somebody dialled the code that toggles between ready and not in this turn.
    toggles: bool,
    /// Left a call in this turn: it must be over, or somebody else's, when the turn is.
    left: Vec<(String, Uid)>,
    /// Over, or taken over, in this turn.
    over: BTreeSet<Uid>,
    /// Entered a call in this turn.
    entered: Vec<String>,
    /// Calls of extensions, with their phones.
    own: BTreeMap<Uid, String>,
    /// Those of them that go to the outside.
    outside: BTreeMap<Uid, String>,
}

/// Which state may follow which.
const LEGAL: [(Doing, &[Doing]); 10] = [
    (Doing::LoggedOut, &[Doing::Ready, Doing::Personal, Doing::Outbound]),
    (Doing::NotReady, &[Doing::Ready, Doing::Personal, Doing::LoggedOut, Doing::NotReady, Doing::Outbound]),
    (Doing::Ready, &[Doing::Reserved, Doing::NotReady, Doing::LoggedOut, Doing::Personal, Doing::Outbound]),
    (
        Doing::Reserved,
        &[Doing::Ringing, Doing::Talking, Doing::NotReady, Doing::Ready, Doing::Personal, Doing::Outbound],
    ),
    (Doing::Ringing, &[Doing::Talking, Doing::NotReady, Doing::Ready, Doing::Personal, Doing::Outbound]),
    (
        Doing::Talking,
        &[
            Doing::Hold,
            Doing::WrapUp,
            Doing::Ready,
            Doing::Personal,
            Doing::Outbound,
            Doing::NotReady,
            Doing::LoggedOut,
        ],
    ),
    (
        Doing::Hold,
        &[
            Doing::Talking,
            Doing::WrapUp,
            Doing::Ready,
            Doing::Personal,
            Doing::Outbound,
            Doing::NotReady,
            Doing::LoggedOut,
        ],
    ),
    (
        Doing::WrapUp,
        &[Doing::WrapUp, Doing::Ready, Doing::Personal, Doing::Outbound, Doing::NotReady, Doing::LoggedOut],
    ),
    (Doing::Personal, &[Doing::Ready, Doing::NotReady, Doing::LoggedOut, Doing::Outbound]),
    (Doing::Outbound, &[Doing::Ready, Doing::NotReady, Doing::LoggedOut, Doing::Personal]),
];

/// A timer is due within this time of its moment.
const PUNCTUAL_US: u64 = 1_000;

impl Agents {
    /// Agents of a site.
    pub fn new(config: &Arc<Config>) -> Agents {
        let book = |extension: &Option<String>| Book::new(extension.as_deref().unwrap_or_default());
        Agents {
            books: config.agents.iter().map(|(id, a)| (id.clone(), book(&a.extension))).collect(),
            config: config.clone(),
            contacts: BTreeMap::new(),
            ready: BTreeSet::new(),
            surge: false,
            crews: config
                .queues
                .iter()
                .map(|(name, queue)| (name.clone(), [false, true].map(|on| crews(queue, on))))
                .collect(),
            wrapping: BTreeSet::new(),
            toggles: false,
            left: Vec::new(),
            over: BTreeSet::new(),
            entered: Vec::new(),
            own: BTreeMap::new(),
            outside: BTreeMap::new(),
        }
    }

    /// The extension of an agent's phone; itself when it is an extension.
    pub fn extension_of(&self, with: &str) -> String {
        self.books.get(with).map_or_else(|| with.to_string(), |b| b.phone.clone())
    }

    /// The book of an agent.
    pub fn book(&self, agent: &str) -> Option<&Book> {
        self.books.get(agent)
    }

    /// Whether a phone can be reached.
    pub fn reachable(&self, phone: &str) -> bool {
        self.contacts.get(phone).is_some_and(|n| *n > 0)
    }

    /// Whether anybody is ready.
    pub fn anybody_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Who serves a queue when so many rings are open.
    pub fn crew(&self, queue: &str, rings: usize) -> &[String] {
        self.crews.get(queue).and_then(|by| by[usize::from(self.surge)].get(rings)).map_or(&[], Vec::as_slice)
    }

    /// The surge profile is on.
    pub fn surge(&self) -> bool {
        self.surge
    }

    /// A row.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, found: &mut Findings) {
        match &row.detail {
            Detail::AgentState { agent, from, to, why, phone } => {
                self.state(now_us, row, (agent, phone), (from, to), why, found);
            }
            Detail::Offered { queue, agent, .. } => {
                let Some(book) = self.books.get_mut(agent) else { return };
                if let Some((other, _)) = &book.offer {
                    found.push(format!("agent {agent} is offered a caller of {queue} beside one of {other}"));
                }
                book.offer = row.call.map(|uid| (queue.clone(), uid));
            }
            Detail::OfferEnded { agent, cause, .. } => self.offer_ended(now_us, row.call, agent, cause, found),
            Detail::Connected { with, queue, .. } if !queue.is_empty() => self.connected(row.call, with, queue, found),
            Detail::AgentWish { agent, wish } => {
                if let Some(book) = self.books.get_mut(agent) {
                    book.wish = Some(wish.clone()).filter(|w| w != "ready");
                }
            }
            Detail::Disposition { agent, .. } => {
                if let Some(book) = self.books.get_mut(agent) {
                    book.disposed |= book.call.is_some() && book.call == row.call;
                    if let Some(wrap) = book.wrap.as_mut() {
                        wrap.owes = false;
                    }
                }
            }
            Detail::Supervised { act, refused, .. } if act == "take-over" && refused.is_empty() => {
                self.over.extend(row.call);
            }
            Detail::CallBegan { called, origin, .. } => {
                self.toggles |= *called == self.config.codes.agent_not_ready;
                let phone = origin.strip_prefix("extension ").map(str::to_string);
                self.own.extend(row.call.zip(phone));
            }
            Detail::Routed { to, .. } if to.starts_with("trunk ") => {
                let call = row.call.and_then(|uid| Some((uid, self.own.get(&uid)?.clone())));
                self.outside.extend(call);
            }
            Detail::Surge { on, .. } => self.surge = *on,
            Detail::CallEnded { .. } => {
                self.over.extend(row.call);
                self.own.retain(|uid, _| Some(*uid) != row.call);
                self.outside.retain(|uid, _| Some(*uid) != row.call);
            }
            Detail::Registered { extension, contacts } => {
                self.contacts.insert(extension.clone(), *contacts);
            }
            _ => {}
        }
    }

    fn connected(&mut self, call: Option<Uid>, with: &str, queue: &str, found: &mut Findings) {
        let Some(uid) = call else { return };
        if let Some((id, _)) = self.books.iter().find(|(id, b)| b.call == Some(uid) && *id != with) {
            found.push(format!("call {uid} is answered by {with}, but agent {id} has it"));
        }
        let Some(book) = self.books.get_mut(with) else { return };
        if let Some(other) = book.call.filter(|c| *c != uid) {
            found.push(format!("agent {with} is in two calls, {other} and {uid}"));
        }
        if book.doing != Doing::Talking {
            found.push(format!("agent {with} is connected while {}", book.text));
        }
        book.call = Some(uid);
        book.disposed = false;
        book.last_queue = queue.to_string();
    }

    fn offer_ended(&mut self, now_us: u64, call: Option<Uid>, agent: &str, cause: &str, found: &mut Findings) {
        let Some(book) = self.books.get_mut(agent) else { return };
        let Some((queue, uid)) = book.offer.take() else {
            return found.push(format!("an offer to agent {agent} ended that did not ring"));
        };
        if call != Some(uid) {
            found.push(format!("an offer of call {uid} to agent {agent} ended in call {call:?}"));
        }
        let Some(config) = self.config.queues.get(&queue) else { return };
        // A phone that could not be rung at all: its agent was never chosen.
        let chosen = matches!(book.doing, Doing::Reserved | Doing::Ringing);
        if let Some((rule, limit, reason)) = rule_of(config, cause).filter(|_| chosen) {
            book.missed(now_us, rule, (limit, reason), u64::from(config.retry_delay_s) * 1_000_000);
        }
    }

    fn state(
        &mut self,
        now_us: u64,
        row: &LegEvent,
        (agent, phone): (&str, &str),
        (from, to): (&str, &str),
        why: &str,
        found: &mut Findings,
    ) {
        let surge = self.surge;
        let (was, will) = (doing(from), doing(to));
        let taken = self.books.iter().find(|(id, b)| *id != agent && b.at_work() && b.phone == phone);
        if let (Some((other, _)), true) = (taken, will != Doing::LoggedOut && !phone.is_empty()) {
            found.push(format!("agent {agent} works at the phone of agent {other}, {phone}"));
        }
        let Some(book) = self.books.get_mut(agent) else {
            return found.push(format!("agent {agent} is not in the configuration"));
        };
        if *from != book.text {
            found.push(format!("agent {agent} leaves {from}, but was {}", book.text));
        }
        if why.is_empty() || row.actor.is_empty() {
            found.push(format!("agent {agent} enters {to} without a cause"));
        }
        if doer(why).is_some_and(|who| !row.actor.starts_with(who)) {
            found.push(format!("agent {agent} enters {to} ({why}) by the doing of {}", row.actor));
        }
        if !LEGAL.iter().any(|(s, follow)| *s == was && follow.contains(&will)) {
            found.push(format!("agent {agent} goes from {from} to {to}: {why}"));
        }
        if book.phone != phone && was != Doing::LoggedOut {
            found.push(format!("agent {agent} moves from phone {} to {phone} while {from}", book.phone));
        }
        book.check_miss(agent, to, found);
        if was == Doing::WrapUp {
            book.leaves_wrap_up(agent, now_us, (will, why), &self.config, found);
        }
        if was.in_call() && !will.in_call() {
            self.left.extend(book.call.take().map(|uid| (agent.to_string(), uid)));
        }
        if self.toggles && why == "feature code" && book.wish.as_deref() == Some(to) {
            found.push(format!("agent {agent} takes a wish back, but is {to}"));
        }
        book.check_wish(agent, will, to, why, found);
        book.enter(now_us, was, will, to, phone, agent, found);
        if will == Doing::Talking && was != Doing::Hold {
            self.entered.push(agent.to_string());
            book.offer = None;
        }
        if will == Doing::WrapUp && was != Doing::WrapUp {
            let wrap =
                self.config.queues.get(&book.last_queue).and_then(|queue| wrap_of(queue, now_us, surge, book.disposed));
            if wrap.is_none() {
                found.push(format!("agent {agent} wraps up after a call of {}, which has none", book.last_queue));
            }
            book.wrap = wrap;
        }
        if will == Doing::WrapUp {
            self.wrapping.insert(agent.to_string());
        } else {
            self.wrapping.remove(agent);
        }
        if will == Doing::Ready {
            self.ready.insert(agent.to_string());
        } else {
            self.ready.remove(agent);
        }
    }

    /// All outputs of a turn were shown.
    pub fn turn_over(&mut self, found: &mut Findings) {
        self.toggles = false;
        for (agent, uid) in std::mem::take(&mut self.left) {
            if !self.over.contains(&uid) {
                found.push(format!("agent {agent} left call {uid}, which goes on"));
            }
        }
        for agent in std::mem::take(&mut self.entered) {
            let book = self.books.get(&agent);
            if book.is_some_and(|b| b.doing.in_call() && b.call.is_none()) {
                found.push(format!("agent {agent} talks, but is not connected"));
            }
        }
        self.outside_calls(found);
        for uid in std::mem::take(&mut self.over) {
            if let Some((id, _)) = self.books.iter().find(|(_, b)| b.call == Some(uid)) {
                found.push(format!("agent {id} still talks in call {uid}, which is over"));
            }
        }
    }

    /// Whose phone is in a call to the outside is not free, and nobody else is called outbound.
    fn outside_calls(&self, found: &mut Findings) {
        for (id, book) in self.books.iter().filter(|(_, book)| matches!(book.doing, Doing::Ready | Doing::Outbound)) {
            let outside = self.outside.values().any(|phone| *phone == book.phone);
            if outside != (book.doing == Doing::Outbound) {
                found.push(format!("agent {id} is {} and his phone {} outside: {outside}", book.text, book.phone));
            }
        }
    }

    /// Time passed: nobody stays in wrap-up for longer than configured.
    pub fn time(&mut self, now_us: u64, grace_us: u64, found: &mut Findings) {
        for id in &self.wrapping {
            let Some(book) = self.books.get_mut(id) else { continue };
            let Some(wrap) = book.wrap.filter(|_| book.doing == Doing::WrapUp && !book.overdue) else { continue };
            if now_us > wrap.end_us() + PUNCTUAL_US + grace_us {
                book.overdue = true;
                found.push(format!("agent {id} is in wrap-up since {} us", book.since_us));
            }
        }
    }

    /// The end: nobody talks, rings or is reserved.
    pub fn finish(&self, found: &mut Findings) {
        for (id, book) in &self.books {
            let rests = matches!(book.doing, Doing::LoggedOut | Doing::NotReady | Doing::Ready);
            if !rests && book.doing != Doing::WrapUp {
                found.push(format!("agent {id} is left {} since {} us", book.text, book.since_us));
            }
        }
    }
}

fn crews(queue: &Queue, surge: bool) -> Vec<Vec<String>> {
    (0..=queue.relax.len()).map(|rings| crew(queue, rings, surge)).collect()
}

/// Which rule counts this cause, after how many in a row an agent rests, and the reason that is given; none when the offer was
/// withdrawn.
fn rule_of(queue: &Queue, cause: &str) -> Option<(u8, u8, u8)> {
    match cause {
        "no-answer" | "not-confirmed" => Some((0, queue.rona_no_answer, 90)),
        "busy" => Some((1, queue.rona_busy, 90)),
        "rejected" => Some((2, queue.rona_reject, 90)),
        "unreachable" => Some((3, queue.rona_unreachable, 91)),
        _ => None,
    }
}

fn wrap_of(queue: &Queue, now_us: u64, surge: bool, disposed: bool) -> Option<Wrap> {
    let wrap_s = queue.surge_wrap_up_s.filter(|_| surge).unwrap_or(queue.wrap_up_s);
    let latest_us = now_us + u64::from(queue.wrap_up_max_s.max(wrap_s)) * 1_000_000;
    let owes = queue.disposition_required && !disposed;
    (wrap_s > 0 || owes).then(|| Wrap { until_us: now_us + u64::from(wrap_s) * 1_000_000, latest_us, owes })
}

/// Who does what a state is entered for, as the beginning of the row's actor; none where several may.
pub fn doer(why: &str) -> Option<&'static str> {
    match why {
        "feature code"
        | "id and PIN"
        | "answered"
        | "disposition given"
        | "another agent logged in"
        | "logged in at another phone"
        | "caller on hold"
        | "caller taken back" => Some("agent "),
        "phone rings" | "own call over" | "phone registered" => Some("phone "),
        "chosen by the router"
        | "phone could not be rung"
        | "phone unreachable"
        | "RONA: no answer"
        | "RONA: busy"
        | "RONA: rejected" => Some("router"),
        "wrap-up time over" => Some("timer wrap-up"),
        "forced by a supervisor" | "taken over by a supervisor" => Some("supervisor "),
        "configuration: logged-in yes" | "not in the configuration" => Some("config "),
        _ => None,
    }
}
