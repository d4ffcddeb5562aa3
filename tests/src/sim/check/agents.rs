//! Agents: their states follow each other legally, each change has a cause, nobody is in two calls, and wrap-up lasts
//! as configured whatever the wall clock does.

use super::Findings;
use base::id::Uid;
use pbx::config::Config;
use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

/// What the rows say of one agent.
#[derive(Debug)]
struct Book {
    extension: String,
    state: String,
    since_us: u64,
    /// Since when idle; an offer that is withdrawn does not cost the place in line.
    idle_us: u64,
    overdue: bool,
    call: Option<Uid>,
}

/// All agents.
#[derive(Debug)]
pub struct Agents {
    books: BTreeMap<String, Book>,
    contacts: BTreeMap<String, u32>,
    wrap_up_us: u64,
}

/// Which state may follow which; `not-ready` stands for all its reasons.
const LEGAL: [(&str, &[&str]); 8] = [
    ("logged-out", &["ready", "personal"]),
    ("not-ready", &["ready", "personal", "logged-out", "not-ready"]),
    ("ready", &["reserved", "not-ready", "logged-out", "personal"]),
    ("reserved", &["ringing", "talking", "not-ready", "ready", "personal"]),
    ("ringing", &["talking", "not-ready", "ready", "personal"]),
    ("talking", &["wrap-up", "ready", "personal"]),
    ("wrap-up", &["ready", "personal", "not-ready", "logged-out"]),
    ("personal", &["ready", "not-ready", "logged-out"]),
];

/// A timer is due within this time of its moment.
const PUNCTUAL_US: u64 = 1_000;

impl Agents {
    /// Agents of a site.
    pub fn new(config: &Config) -> Agents {
        let book = |extension: &str| Book {
            extension: extension.to_string(),
            state: "logged-out".into(),
            since_us: 0,
            idle_us: 0,
            overdue: false,
            call: None,
        };
        Agents {
            books: config
                .agents
                .iter()
                .map(|(id, a)| (id.clone(), book(a.extension.as_deref().unwrap_or_default())))
                .collect(),
            contacts: BTreeMap::new(),
            wrap_up_us: config.queues.values().next().map_or(0, |q| u64::from(q.wrap_up_s) * 1_000_000),
        }
    }

    /// The extension of an agent; itself when it is an extension.
    pub fn extension_of(&self, with: &str) -> String {
        self.books.get(with).map_or_else(|| with.to_string(), |b| b.extension.clone())
    }

    /// Since when an agent is ready at a phone that is registered.
    pub fn ready_since(&self, agent: &str) -> Option<u64> {
        let book = self.books.get(agent)?;
        let reachable = self.contacts.get(&book.extension).is_some_and(|n| *n > 0);
        (book.state == "ready" && reachable).then_some(book.idle_us)
    }

    /// A row.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, found: &mut Findings) {
        match &row.detail {
            Detail::AgentState { agent, from, to, why, .. } => {
                let Some(book) = self.books.get_mut(agent) else {
                    return found.push(format!("agent {agent} is not in the configuration"));
                };
                if *from != book.state {
                    found.push(format!("agent {agent} leaves {from}, but was {}", book.state));
                }
                if why.is_empty() {
                    found.push(format!("agent {agent} enters {to} without a cause"));
                }
                let follows = LEGAL.iter().find(|(s, _)| *s == plain(from)).map_or(&[][..], |(_, f)| *f);
                if !follows.contains(&plain(to)) {
                    found.push(format!("agent {agent} goes from {from} to {to}: {why}"));
                }
                if from == "wrap-up" && why.contains("time over") && now_us < book.since_us + self.wrap_up_us {
                    let lasted_us = now_us - book.since_us;
                    found.push(format!("wrap-up of agent {agent} lasted {lasted_us} us of {}", self.wrap_up_us));
                }
                if from == "talking" {
                    book.call = None;
                }
                let withdrawn = matches!(from.as_str(), "reserved" | "ringing");
                if to == "ready" && !withdrawn {
                    book.idle_us = now_us;
                }
                book.state.clone_from(to);
                book.since_us = now_us;
                book.overdue = false;
            }
            Detail::Connected { with, queue, .. } if !queue.is_empty() => {
                let Some(book) = self.books.get_mut(with) else { return };
                if let Some(other) = book.call.filter(|c| Some(*c) != row.call) {
                    found.push(format!("agent {with} is in two calls, {other} and {:?}", row.call));
                }
                if book.state != "talking" {
                    found.push(format!("agent {with} is connected while {}", book.state));
                }
                book.call = row.call;
            }
            Detail::CallEnded { .. } => {
                if let Some((id, _)) = self.books.iter().find(|(_, b)| b.call.is_some() && b.call == row.call) {
                    found.push(format!("agent {id} still talks in call {:?}, which is over", row.call));
                }
            }
            Detail::Registered { extension, contacts } => {
                self.contacts.insert(extension.clone(), *contacts);
            }
            _ => {}
        }
    }

    /// Time passed: nobody stays in wrap-up for longer than configured.
    pub fn time(&mut self, now_us: u64, grace_us: u64, found: &mut Findings) {
        for (id, book) in &mut self.books {
            let limit_us = book.since_us + self.wrap_up_us + PUNCTUAL_US + grace_us;
            if book.state == "wrap-up" && now_us > limit_us && !book.overdue {
                book.overdue = true;
                found.push(format!("agent {id} is in wrap-up since {} us", book.since_us));
            }
        }
    }

    /// The end: nobody talks, rings or is reserved.
    pub fn finish(&self, found: &mut Findings) {
        for (id, book) in &self.books {
            if matches!(plain(&book.state), "talking" | "ringing" | "reserved" | "wrap-up" | "personal") {
                found.push(format!("agent {id} is left {} since {} us", book.state, book.since_us));
            }
        }
    }
}

/// The state without its reason.
fn plain(state: &str) -> &str {
    state.split(' ').next().unwrap_or("")
}
