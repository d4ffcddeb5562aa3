//! The call detail record of one call, derived from its leg events and from nothing else.

use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::event::{Detail, LegEvent};
use std::time::Duration;

/// One call in a line. Durations are by the monotonic clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cdr {
    /// The call.
    pub call: Uid,
    /// Who called; empty when withheld.
    pub caller: String,
    /// What was dialled.
    pub called: String,
    /// `line 1/1`, `extension 2001`.
    pub origin: String,
    /// When it began.
    pub began: Wall,
    /// Beginning to end; none while it lives.
    pub duration: Option<Duration>,
    /// From the caller's answer (off-hook, 2xx) to the end.
    pub billed: Option<Duration>,
    /// Queue that it was in last; empty when in none.
    pub queue: String,
    /// Who talked with the caller last: agent or extension; empty when nobody.
    pub with: String,
    /// Time in queue.
    pub wait: Duration,
    /// Offers made to agents.
    pub offers: u32,
    /// Time both parties heard each other.
    pub talk: Duration,
    /// `ANSWERED`, `NO ANSWER`, `BUSY`, `FAILED`; empty while it lives.
    pub disposition: String,
    /// Who or what ended it.
    pub ended_by: String,
    /// Its recordings with their length in ms; none while recording.
    pub recordings: Vec<(Uid, Option<u64>)>,
}

/// What is remembered while walking the events.
#[derive(Default)]
struct Marks {
    answered: Option<Instant>,
    /// Since when, and on which leg beside the caller's.
    talking: Option<(Instant, Option<u32>)>,
}

/// Derives the record; none when the first event of the call is not among `events`, which are those of one call in
/// order.
pub fn cdr(events: &[LegEvent]) -> Option<Cdr> {
    let (first, mut cdr) = events.iter().find_map(|e| match (&e.detail, e.call) {
        (Detail::CallBegan { caller, called, origin }, Some(call)) => {
            Some((e, begun(call, e.wall, caller, called, origin)))
        }
        _ => None,
    })?;
    let mut marks = Marks::default();
    for event in events {
        take(&mut cdr, &mut marks, first.at, event);
    }
    Some(cdr)
}

fn begun(call: Uid, began: Wall, caller: &str, called: &str, origin: &str) -> Cdr {
    Cdr {
        call,
        caller: caller.to_string(),
        called: called.to_string(),
        origin: origin.to_string(),
        began,
        duration: None,
        billed: None,
        queue: String::new(),
        with: String::new(),
        wait: Duration::ZERO,
        offers: 0,
        talk: Duration::ZERO,
        disposition: String::new(),
        ended_by: String::new(),
        recordings: Vec::new(),
    }
}

fn take(cdr: &mut Cdr, marks: &mut Marks, began: Instant, event: &LegEvent) {
    match &event.detail {
        Detail::Answered if event.leg == Some(0) => {
            marks.answered.get_or_insert(event.at);
        }
        Detail::Queued { queue, .. } => cdr.queue.clone_from(queue),
        Detail::Offered { .. } => cdr.offers += 1,
        Detail::Connected { with, wait_ms, .. } => {
            // Whoever takes a call over comes beside the one who answered it.
            if !cdr.with.is_empty() {
                cdr.with.push_str(", ");
            }
            cdr.with.push_str(with);
            cdr.wait += Duration::from_millis(*wait_ms);
            marks.talking.get_or_insert((event.at, event.leg));
        }
        // All visits to queues together.
        Detail::Abandoned { wait_ms, .. } | Detail::Overflowed { wait_ms, .. } => {
            cdr.wait += Duration::from_millis(*wait_ms);
        }
        Detail::LegEnded { .. } => {
            // A phone that lost the race to answer ends without ending the talk.
            if let Some((since, with)) = marks.talking
                && (event.leg == Some(0) || with == Some(0) || with.is_none() || event.leg == with)
            {
                marks.talking = None;
                cdr.talk += event.at.since(since);
            }
        }
        Detail::CallEnded { by, disposition } => {
            cdr.disposition.clone_from(disposition);
            cdr.ended_by.clone_from(by);
            cdr.duration = Some(event.at.since(began));
            cdr.billed = marks.answered.map(|since| event.at.since(since));
            if let Some((since, _)) = marks.talking.take() {
                cdr.talk += event.at.since(since);
            }
        }
        Detail::RecordingBegan { recording } => cdr.recordings.push((*recording, None)),
        Detail::RecordingEnded { recording, length_ms } => {
            if let Some(known) = cdr.recordings.iter_mut().find(|(uid, _)| uid == recording) {
                known.1 = Some(*length_ms);
            }
        }
        _ => {}
    }
}
