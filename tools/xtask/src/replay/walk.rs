//! The journaled inputs given to a fresh core, one after the other, and all that it says compared with what the box said:
//! leg events by number, other outputs by the digests in the journal, kept states byte for byte. Stops at the first
//! difference. No word for people is here.

use super::rows::{Rows, Stored};
use super::threads::Threads;
use base::id::Uid;
use base::time::{Now, Wall};
use pbx::Pbx;
use pbx::door::{Input, Output};
use pbx::event::LegEvent;
use pbxd::journal::follower::OutputHash;
use pbxd::journal::past::{Past, Step};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows that are shown of one moment at most.
const ROWS_MAX: u64 = 64;
/// Inputs between two signs of progress.
const PROGRESS_EVERY: u64 = 1_024;

/// What a replay did, in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Inputs given to the core.
    pub inputs: u64,
    /// Outputs that followed.
    pub outputs: u64,
    /// Leg events compared with their rows, byte for byte.
    pub events: u64,
    /// Inputs whose outputs were compared with the journal's digest.
    pub digests: u64,
    /// Kept states compared byte for byte.
    pub states: u64,
    /// Leg events without a row to compare with: not stored yet, or beyond retention.
    pub events_unknown: u64,
    /// Inputs passed over, because the state before them is not known.
    pub passed_over: u64,
    /// Inputs between one that was set aside and the restart that set it aside: in life it was handled, so nothing that
    /// followed can be compared.
    pub unsettled: u64,
    /// Kept states that this build cannot read.
    pub states_unreadable: u64,
    /// Number and time of the first and of the last input given.
    pub span: Option<((u64, Now), (u64, Now))>,
}

/// How the first difference shows.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// The outputs of this input.
    Outputs {
        /// Digest of the journal and of the replay, where they differ.
        digest: Option<(u32, u32)>,
        /// The first leg event that differs, and its row; no row: the store has later ones, but not this.
        event: Option<Box<(LegEvent, Option<LegEvent>)>>,
    },
    /// The state before this input, although no output before it differed.
    State,
    /// The input was written in another form.
    Unreadable,
    /// The core panics.
    Panic,
}

/// The first difference.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// Number of the input.
    pub seq: u64,
    /// When it was given.
    pub now: Now,
    /// Build that handled it then.
    pub build: String,
    /// The input; none when it cannot be read.
    pub input: Option<Input>,
    /// What differs.
    pub what: What,
    /// All that the core says now.
    pub outputs: Vec<Output>,
    /// The rows of the box from the first event number of this input on, of the same moment.
    pub rows: Vec<LegEvent>,
    /// The calls concerned, with their rows up to here.
    pub calls: Vec<(Uid, Vec<LegEvent>)>,
}

/// Which part of the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Begins with the newest kept state before; none: as far back as the ring reaches.
    pub from: Option<Wall>,
    /// Ends before the first input after; none: with the newest.
    pub to: Option<Wall>,
}

/// Replays. `build` is the build of this core; `progress` hears now and then how far it is and the number of the last
/// input of all.
///
/// # Errors
/// In words: files that cannot be read.
pub fn walk(
    past: &Past,
    rows: Rows,
    build: &str,
    span: Span,
    progress: &mut dyn FnMut(&Replayed, u64),
) -> Result<(Replayed, Option<Box<Difference>>), String> {
    let after = match span.from.and_then(|from| past.state_before(from)) {
        Some(after) => after,
        None => past.range().0.saturating_sub(1),
    };
    let mut walk = Walk {
        past,
        rows,
        build,
        pbx: past.from_the_beginning().then(Pbx::new).filter(|_| after == 0),
        hash: OutputHash::default(),
        threads: Threads::default(),
        unsettled: false,
        replayed: Replayed::default(),
    };
    for step in past.steps(after) {
        let step = step.map_err(|e| e.to_string())?;
        if span.to.is_some_and(|to| step.record.now.wall > to) {
            break;
        }
        if let Some(difference) = walk.step(step)? {
            return Ok((walk.replayed, Some(Box::new(difference))));
        }
        if walk.replayed.inputs.is_multiple_of(PROGRESS_EVERY) {
            progress(&walk.replayed, past.range().1);
        }
    }
    Ok((walk.replayed, None))
}

struct Walk<'a> {
    past: &'a Past,
    rows: Rows,
    build: &'a str,
    /// None: not known.
    pbx: Option<Pbx>,
    hash: OutputHash,
    threads: Threads,
    /// In life an input was handled that is set aside now, and the restart that set it aside has not come yet.
    unsettled: bool,
    replayed: Replayed,
}

impl Walk<'_> {
    fn step(&mut self, step: Step) -> Result<Option<Difference>, String> {
        if let Some(difference) = self.kept_state(&step)? {
            return Ok(Some(difference));
        }
        let input = match postcard::take_from_bytes::<Input>(&step.record.payload) {
            Ok((input, [])) => input,
            Ok(_) | Err(_) => {
                let event = self.pbx.as_ref().map(|pbx| pbx.last_event() + 1);
                return self.differs(&step, None, What::Unreadable, Vec::new(), event).map(Some);
            }
        };
        if let Input::Boot(boot) = &input {
            self.unsettled = false;
            if !boot.recovered {
                self.pbx = Some(Pbx::new());
            }
        }
        let Some(pbx) = &mut self.pbx else {
            self.replayed.passed_over += 1;
            return Ok(None);
        };
        self.unsettled |= step.record.set_aside;
        let given = match step.record.set_aside {
            true => Input::SetAside { seq: step.record.seq, input: Box::new(input.clone()) },
            false => input.clone(),
        };
        let before = pbx.last_event();
        let mut outputs = Vec::new();
        let handled = catch_unwind(AssertUnwindSafe(|| pbx.handle(step.record.now, given, &mut outputs)));
        if handled.is_err() {
            return self.differs(&step, Some(input), What::Panic, outputs, Some(before + 1)).map(Some);
        }
        self.count(&step, &outputs);
        match self.compare(&step, &outputs)? {
            Some(what) => self.differs(&step, Some(input), what, outputs, Some(before + 1)).map(Some),
            None => {
                self.threads.note(&input, &outputs);
                Ok(None)
            }
        }
    }

    fn count(&mut self, step: &Step, outputs: &[Output]) {
        let here = (step.record.seq, step.record.now);
        self.replayed.inputs += 1;
        self.replayed.outputs += outputs.len() as u64;
        self.replayed.unsettled += u64::from(self.unsettled);
        let first = self.replayed.span.map_or(here, |(first, _)| first);
        self.replayed.span = Some((first, here));
    }

    /// The state before this input: takes over a kept one when none is known, compares when one is.
    fn kept_state(&mut self, step: &Step) -> Result<Option<Difference>, String> {
        let seq = step.record.seq.saturating_sub(1);
        if step.gap {
            // Whether a state of this number is the one before or behind the gap cannot be told: the next will do.
            self.pbx = None;
            return Ok(None);
        }
        if self.past.states().binary_search(&seq).is_err() {
            return Ok(None);
        }
        let Some(kept) = self.past.state(seq).map_err(|e| e.to_string())? else { return Ok(None) };
        let same_build = kept.build == self.build;
        let Some(pbx) = &self.pbx else {
            self.pbx = read_state(&kept.bytes, same_build);
            self.replayed.states_unreadable += u64::from(self.pbx.is_none());
            return Ok(None);
        };
        if !same_build || self.unsettled {
            return Ok(None);
        }
        let state = postcard::to_allocvec(pbx).map_err(|e| format!("state after input {seq}: {e}"))?;
        if state == kept.bytes {
            self.replayed.states += 1;
            return Ok(None);
        }
        let input = postcard::from_bytes(&step.record.payload).ok();
        let before = pbx.last_event();
        self.differs(step, input, What::State, Vec::new(), Some(before + 1)).map(Some)
    }

    fn compare(&mut self, step: &Step, outputs: &[Output]) -> Result<Option<What>, String> {
        if self.unsettled {
            return Ok(None);
        }
        let ours = self.hash.of(outputs);
        let digest = step.digest.filter(|theirs| *theirs != ours).map(|theirs| (theirs, ours));
        self.replayed.digests += u64::from(step.digest.is_some());
        for output in outputs {
            let Output::Record(event) = output else { continue };
            let row = match self.rows.compare(event).map_err(|e| e.to_string())? {
                Stored::Same => {
                    self.replayed.events += 1;
                    continue;
                }
                Stored::Forgotten | Stored::NotYet => {
                    self.replayed.events_unknown += 1;
                    continue;
                }
                Stored::Missing => None,
                Stored::Other(row) => Some(*row),
            };
            return Ok(Some(What::Outputs { digest, event: Some(Box::new((event.clone(), row))) }));
        }
        Ok(digest.map(|digest| What::Outputs { digest: Some(digest), event: None }))
    }

    /// Collects all that a person needs. `event` is the first number that events of this input
    /// can have, when the state is known.
    fn differs(
        &self,
        step: &Step,
        input: Option<Input>,
        what: What,
        outputs: Vec<Output>,
        event: Option<u64>,
    ) -> Result<Difference, String> {
        let words = |e: pbxd::store::StoreError| e.to_string();
        let (seq, now) = (step.record.seq, step.record.now);
        let rows = match event {
            None => Vec::new(),
            Some(event) => self.rows.at_moment(event, now.at, ROWS_MAX).map_err(words)?,
        };
        let mut concerned = input.as_ref().map(|input| self.threads.calls(input, &outputs)).unwrap_or_default();
        concerned.extend(rows.iter().filter_map(|row| row.call));
        let until = rows.last().map_or(event.map_or(0, |event| event - 1), |last| last.seq);
        let mut calls = Vec::new();
        for call in concerned {
            let mut events = self.rows.reader().call_events_until(call, until).map_err(words)?;
            if events.is_empty() {
                events = outputs.iter().filter_map(|output| event_of(output, call)).collect();
            }
            calls.push((call, events));
        }
        Ok(Difference { seq, now, build: step.build.clone(), input, what, outputs, rows, calls })
    }
}

fn event_of(output: &Output, call: Uid) -> Option<LegEvent> {
    let Output::Record(event) = output else { return None };
    (event.call == Some(call)).then(|| event.clone())
}

/// Another build may have saved a state in a form that reads as nonsense: it must also come out as it went in.
fn read_state(bytes: &[u8], same_build: bool) -> Option<Pbx> {
    let (pbx, rest) = postcard::take_from_bytes::<Pbx>(bytes).ok()?;
    let whole = rest.is_empty() && (same_build || postcard::to_allocvec(&pbx).is_ok_and(|again| again == bytes));
    whole.then_some(pbx)
}
