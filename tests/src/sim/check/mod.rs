//! The checkers: they know the rules of the house, not its code. They are shown leg events, media commands and facts of
//! the world, and say what was wrong.

pub mod agents;
pub mod book;
pub mod calls;
pub mod hours;
pub mod memory;
pub mod place;
pub mod queues;
pub mod recordings;
pub mod secrets;
pub mod terms;
#[cfg(test)]
mod tests;

use super::caller::{Caller, CallerId};
use agents::Agents;
use base::media::Command;
use calls::Calls;
use pbx::config::Config;
use pbx::door::RecordingChange;
use pbx::event::{Detail, LegEvent};
use queues::Queues;
use recordings::Recordings;
use secrets::Secrets;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a checker found: when, and in words.
pub type Findings = Vec<String>;

/// All checkers.
#[derive(Debug)]
pub struct Checks {
    calls: Calls,
    agents: Agents,
    queues: Queues,
    recordings: Recordings,
    secrets: Secrets,
    found: Vec<(u64, String)>,
    /// Callers whose call the box declared over in this turn.
    pub ended: Vec<CallerId>,
    /// Time-out of a silent phone, as configured.
    pub silence_timeout_s: u32,
    /// Last restart of the program, or return from it.
    pub restarted_us: Option<u64>,
}

/// At most so many findings are kept.
const FOUND_MAX: usize = 20;

impl Checks {
    /// Checkers for a site.
    pub fn new(config: &Config) -> Checks {
        let shared = Arc::new(config.clone());
        Checks {
            calls: Calls::default(),
            agents: Agents::new(&shared),
            queues: Queues::new(&shared),
            recordings: Recordings::default(),
            secrets: Secrets::default(),
            found: Vec::new(),
            ended: Vec::new(),
            silence_timeout_s: config.media.silence_timeout_s,
            restarted_us: None,
        }
    }

    /// The world's caller of a call, if known.
    pub fn caller_of(&self, uid: base::id::Uid) -> Option<CallerId> {
        self.calls.caller_of(uid)
    }

    /// The extension of an agent; itself when it is an extension.
    pub fn extension_of(&self, with: &str) -> String {
        self.agents.extension_of(with)
    }

    /// Whether nothing was wrong so far.
    pub fn well(&self) -> bool {
        self.found.is_empty()
    }

    /// Takes the findings.
    pub fn take(&mut self) -> Vec<String> {
        let line = |(us, what): (u64, String)| format!("at {}.{:06}: {what}", us / 1_000_000, us % 1_000_000);
        std::mem::take(&mut self.found).into_iter().map(line).collect()
    }

    /// Something was wrong.
    pub fn say(&mut self, now_us: u64, what: String) {
        if self.found.len() < FOUND_MAX {
            self.found.push((now_us, what));
        }
    }

    fn gather(&mut self, now_us: u64, findings: Findings) {
        for what in findings {
            self.say(now_us, what);
        }
    }

    /// A row of the leg-event journal; `caller` is who is behind a call that begins.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, caller: Option<CallerId>) {
        let mut found = Findings::new();
        if row.at.as_micros() != now_us {
            found.push(format!("row {} is dated {:?}", row.seq, row.at));
        }
        self.calls.row(row, caller, &mut found);
        // What a decision rests on is the state of the agents before it.
        let decides = matches!(row.detail, Detail::Offered { .. } | Detail::AgentState { .. });
        if decides {
            self.queues.row(now_us, row, &self.agents, &mut found);
        }
        self.agents.row(now_us, row, &mut found);
        if !decides {
            self.queues.row(now_us, row, &self.agents, &mut found);
        }
        self.secrets.row(now_us, row, &mut found);
        if let (Detail::CallEnded { .. }, Some(uid)) = (&row.detail, row.call) {
            self.ended.extend(self.calls.caller_of(uid));
        }
        self.gather(now_us, found);
    }

    /// A command to the media engine.
    pub fn command(&mut self, now_us: u64, command: &Command) {
        let mut found = Findings::new();
        self.recordings.command(command, &mut found);
        self.gather(now_us, found);
    }

    /// A recording opens or closes.
    pub fn recording(&mut self, now_us: u64, change: &RecordingChange) {
        let mut found = Findings::new();
        self.recordings.change(now_us, change, &mut found);
        self.gather(now_us, found);
    }

    /// An input has been handled; all its outputs were shown.
    pub fn turn_over(&mut self, now_us: u64) {
        let mut found = Findings::new();
        self.agents.turn_over(&mut found);
        self.queues.turn_over(now_us, &self.agents, &mut found);
        self.gather(now_us, found);
    }

    /// Somebody types a PIN now.
    pub fn secret_typed(&mut self, now_us: u64, pin: &str) {
        self.secrets.typed(now_us, pin);
    }

    /// Bytes that leave the box.
    pub fn leaves(&mut self, now_us: u64, bytes: &[u8]) {
        let mut found = Findings::new();
        self.secrets.leaves(now_us, bytes, &mut found);
        self.gather(now_us, found);
    }

    /// What a supervisor hears, as the rows tell: mode by supervisor.
    pub fn heard_by_supervisors(&self) -> &BTreeMap<base::id::Uid, (String, String)> {
        self.calls.monitors()
    }

    /// Forgets calls that were over long ago, after a last look at them.
    pub fn sweep(&mut self, now_us: u64, callers: &mut BTreeMap<CallerId, Caller>, fair: bool, faults: &[u64]) {
        let mut found = Findings::new();
        self.calls.sweep(now_us, callers, fair, faults, &mut found);
        self.gather(now_us, found);
    }

    /// Time passed.
    pub fn time(&mut self, now_us: u64) {
        let mut found = Findings::new();
        let grace_us = if self.restarted_us.is_some_and(|at| now_us < at + 3_000_000) { 3_000_000 } else { 0 };
        self.queues.time(now_us, grace_us, &mut found);
        self.agents.time(now_us, grace_us, &mut found);
        self.gather(now_us, found);
    }

    /// The machine went down: whoever calls again has a second call.
    pub fn power_cut(&mut self) {
        self.calls.power_was_cut = true;
    }

    /// The program was killed, or came back.
    pub fn restarted(&mut self, now_us: u64) {
        self.restarted_us = Some(now_us);
    }

    /// The end of the run: what must have an end has one. In fair weather, far from a fault, the box and its callers
    /// agree about times much more closely.
    pub fn finish(&mut self, now_us: u64, callers: &BTreeMap<CallerId, Caller>, fair: bool, faults: &[u64]) {
        let mut found = Findings::new();
        self.calls.finish(callers, fair, faults, &mut found);
        self.agents.finish(&mut found);
        self.queues.finish(&mut found);
        self.recordings.finish(&mut found);
        self.gather(now_us, found);
    }
}
