//! Each call begins once and ends once, belongs to one caller of the world, and its record (waiting, talking, the end)
//! agrees with what that caller lived through.

use super::super::caller::{Caller, CallerId};
use super::Findings;
use base::id::Uid;
use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

/// One call as its rows tell it.
#[derive(Debug, Default)]
struct Book {
    caller: Option<CallerId>,
    number: String,
    origin: String,
    began_us: u64,
    answered: bool,
    queued_us: Option<u64>,
    connected_us: Option<u64>,
    legs_ended: u32,
    ended: Option<(u64, String)>,
}

/// All calls.
#[derive(Debug, Default)]
pub struct Calls {
    books: BTreeMap<Uid, Book>,
    by_caller: BTreeMap<CallerId, Uid>,
    /// Who hears a call: by the supervisor's own call, the supervisor and the mode.
    monitors: BTreeMap<Uid, (String, String)>,
    /// The machine went down once: a call that ended with it may be begun again by a repeated INVITE.
    pub power_was_cut: bool,
}

/// A goodbye that gets lost is said again for 32 s, a phone without power is found out by its silence, and a fault
/// has its consequences for a while.
const LOST_US: u64 = 60_000_000;
/// Without loss and fault a goodbye is heard at once; a line takes its time to say it.
const CALM_US: u64 = 3_000_000;

/// A call that was over for so long is not told of any more.
const FORGET_US: u64 = 240_000_000;

/// No fault near this moment, in fair weather.
fn is_calm(at_us: u64, fair: bool, faults: &[u64]) -> bool {
    let next = faults.partition_point(|at| at + LOST_US < at_us);
    fair && faults.get(next).is_none_or(|at| *at > at_us + LOST_US)
}

impl Calls {
    /// The world's caller of a call, if known.
    pub fn caller_of(&self, uid: Uid) -> Option<CallerId> {
        self.books.get(&uid)?.caller
    }

    /// A row.
    pub fn row(&mut self, row: &LegEvent, caller: Option<CallerId>, found: &mut Findings) {
        let Some(uid) = row.call else { return };
        let at_us = row.at.as_micros();
        if let Detail::CallBegan { caller: number, origin, .. } = &row.detail {
            return self.began(uid, at_us, number, origin, caller, found);
        }
        if let Detail::Supervised { supervisor, act, refused, own, .. } = &row.detail
            && refused.is_empty()
        {
            self.supervised(supervisor, *own, act, found);
        }
        // What an agent does after a call is told with it, however late.
        let late = matches!(row.detail, Detail::AgentState { .. } | Detail::Disposition { .. });
        let Some(book) = self.books.get_mut(&uid) else {
            if late {
                return;
            }
            return found.push(format!("row {} of call {uid}, which never began: {:?}", row.seq, row.detail));
        };
        let after = matches!(
            row.detail,
            Detail::LegMedia { .. } | Detail::Sip { .. } | Detail::Media { .. } | Detail::SetAside { .. }
        );
        if book.ended.is_some() && !after && !late {
            found.push(format!("row {} of call {uid} after its end: {:?}", row.seq, row.detail));
        }
        match &row.detail {
            Detail::Answered if row.leg == Some(0) => book.answered = true,
            Detail::Queued { .. } => book.queued_us = Some(at_us),
            Detail::Connected { with, wait_ms, queue } => {
                let taken_over = book.connected_us.is_some() && with.starts_with("supervisor ");
                if book.connected_us.is_some() && !taken_over {
                    found.push(format!("call {uid} is answered twice, now by {with}"));
                }
                book.connected_us.get_or_insert(at_us);
                let wait_us = book.queued_us.map_or(0, |at| at_us - at);
                if !queue.is_empty() && !taken_over && wait_us / 1_000 != *wait_ms {
                    found.push(format!("call {uid} connected with {with} after {wait_ms} ms, but waited {wait_us} us"));
                }
            }
            Detail::Abandoned { wait_ms, .. } => {
                let wait_us = book.queued_us.map_or(0, |at| at_us - at);
                if wait_us / 1_000 != *wait_ms || book.connected_us.is_some() {
                    found.push(format!("call {uid} abandoned after {wait_ms} ms, but waited {wait_us} us"));
                }
            }
            Detail::LegEnded { .. } => book.legs_ended += 1,
            Detail::CallEnded { disposition, by } => {
                // The leg of a supervisor who takes a call goes on in that one.
                if book.legs_ended == 0 && !by.starts_with("supervisor ") {
                    found.push(format!("call {uid} ended without the end of a leg"));
                }
                if (disposition == "ANSWERED") && !book.answered {
                    found.push(format!("call {uid} is {disposition} but was never answered"));
                }
                if book.connected_us.is_some() && disposition != "ANSWERED" {
                    found.push(format!("call {uid} is {disposition} but was connected"));
                }
                book.ended = Some((at_us, disposition.clone()));
            }
            _ => {}
        }
    }

    fn began(
        &mut self,
        uid: Uid,
        at_us: u64,
        number: &str,
        origin: &str,
        caller: Option<CallerId>,
        found: &mut Findings,
    ) {
        if caller.is_none() && origin.starts_with("trunk") {
            found.push(format!("call {uid} on {origin} is of {number:?}, who is nobody"));
        }
        let before = caller.and_then(|id| self.by_caller.insert(id, uid));
        let ended = |uid: &Uid| self.books.get(uid).is_some_and(|b| b.ended.is_some());
        if let Some(other) = before.filter(|other| !(self.power_was_cut && ended(other))) {
            found.push(format!("caller {number} on {origin} has two calls, {other} and {uid}"));
        }
        let (number, origin) = (number.to_string(), origin.to_string());
        let book = Book { caller, number, origin, began_us: at_us, ..Book::default() };
        if self.books.insert(uid, book).is_some() {
            found.push(format!("call {uid} begins twice"));
        }
    }

    /// Every call has its end, every caller that was answered has one call, and both agree about the times.
    pub fn finish(&mut self, callers: &BTreeMap<CallerId, Caller>, fair: bool, faults: &[u64], found: &mut Findings) {
        for (uid, book) in &self.books {
            if book.ended.is_none() {
                found.push(format!("call {uid} ({} {}) never ended", book.origin, book.number));
            }
        }
        for (id, caller) in callers {
            self.compare(*id, caller, fair, faults, found);
        }
    }

    /// Calls that were over long ago are looked at for the last time and forgotten, on both sides.
    pub fn sweep(
        &mut self,
        now_us: u64,
        callers: &mut BTreeMap<CallerId, Caller>,
        fair: bool,
        faults: &[u64],
        found: &mut Findings,
    ) {
        let old = |at_us: u64| at_us + FORGET_US < now_us;
        let over = |b: &Book| b.ended.as_ref().is_some_and(|(at, _)| old(*at));
        callers.retain(|id, caller| {
            let uid = self.by_caller.get(id).copied();
            let done = uid.and_then(|uid| self.books.get(&uid)).is_none_or(over) && caller.ended_us.is_some_and(old);
            if done {
                self.compare(*id, caller, fair, faults, found);
                self.by_caller.remove(id);
                uid.and_then(|uid| self.books.remove(&uid));
            }
            !done
        });
        self.books.retain(|_, b| b.caller.is_some() || !over(b));
    }

    /// Who hears a call now: by the supervisor's own call, the supervisor and the mode.
    pub fn monitors(&self) -> &BTreeMap<Uid, (String, String)> {
        &self.monitors
    }

    fn supervised(&mut self, supervisor: &str, own: Option<Uid>, act: &str, found: &mut Findings) {
        match (act, own) {
            ("listen" | "whisper" | "barge", Some(own)) => {
                self.monitors.insert(own, (supervisor.to_string(), act.to_string()));
            }
            ("monitor-end", Some(own)) => {
                self.monitors.remove(&own);
            }
            ("listen" | "whisper" | "barge" | "monitor-end", None) => {
                found.push(format!("supervisor {supervisor}: {act} without a call of his own"));
            }
            _ => {}
        }
    }

    fn compare(&self, id: CallerId, caller: &Caller, fair: bool, faults: &[u64], found: &mut Findings) {
        let calm = is_calm(caller.ended_us.unwrap_or(0), fair, faults);
        let lenient_us = if calm { CALM_US } else { LOST_US };
        let Some(ended_us) = caller.ended_us else {
            return found.push(format!("{id:?} never ended: {caller:?}"));
        };
        let book = self.by_caller.get(&id).and_then(|uid| self.books.get(uid).map(|b| (uid, b)));
        let Some((uid, book)) = book else {
            if caller.answered_us.is_some() {
                found.push(format!("{id:?} was answered, but has no call: {caller:?}"));
            }
            return;
        };
        if caller.answered_us.is_some() && !book.answered {
            found.push(format!("call {uid} of {id:?} was answered, but does not know"));
        }
        let late = caller.delayed && caller.heard_us > book.connected_us;
        if let (false, Some(says), Some(lived)) = (late, book.connected_us, caller.heard_us)
            && says != lived
        {
            found.push(format!("call {uid} of {id:?} connected at {says} us, the caller heard at {lived} us"));
        }
        // The first ring of a line may be set aside or lost in a restart; then the next one counts.
        if book.began_us < caller.began_us
            || (is_calm(caller.began_us, fair, faults) && book.began_us > caller.began_us + CALM_US)
        {
            found.push(format!("call {uid} of {id:?} began at {}, the caller at {}", book.began_us, caller.began_us));
        }
        // A BYE that is under way when its connection is cut is gone with it (RFC 3261 §18.4): the caller learns of the end
        // when he hangs up himself.
        let cut = |at_us: u64| faults.iter().any(|fault| (at_us..at_us + CALM_US).contains(fault));
        if let Some((at_us, _)) = &book.ended
            && at_us.abs_diff(ended_us) > lenient_us
            && !(ended_us > *at_us && cut(*at_us))
        {
            found.push(format!("call {uid} of {id:?} ended at {at_us} us, for the caller at {ended_us} us"));
        }
    }
}
