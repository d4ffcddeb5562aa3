//! The core and its input journal, one turn at a time: write the inputs down, handle each, leave the outputs for the
//! shell. No socket, thread or clock is named here.

use crate::journal::follower::{Follower, FollowerReport, OutputHash, Pace};
use crate::journal::lookout::Lookout;
use crate::journal::{Journal, JournalError, Recovery};
use base::time::{Instant, Now};
use pbx::Pbx;
use pbx::door::{Input, Output, Trouble, TroubleKind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Rest after a follower was lost, so that starting another (a copy of the whole state) does not add to the load that
/// lost it.
const FOLLOWER_REST: Duration = Duration::from_secs(10);

/// Looks in a row at which the journal's helper thread must have had no trouble to count as well again.
const QUIET_LOOKS_MIN: u32 = 10;

/// Sees every input before the core handles it, in life and in recovery. The product looks away; a test program panics
/// at an input of its choice.
pub type Witness = fn(&Input);

/// Looks away.
pub fn nobody(_: &Input) {}

/// The core with its journal.
pub struct Core {
    pbx: Pbx,
    journal: Journal,
    follower: Option<Follower>,
    /// Where a follower tells that it came to other outputs.
    diverged: (Sender<String>, Receiver<String>),
    /// No follower is started before.
    follower_rest_until: Instant,
    hash: OutputHash,
    /// Encoded inputs of the turn at hand; kept for their capacity.
    payloads: Vec<Vec<u8>>,
    /// The journal missed inputs: the state must be saved before anything is appended.
    missed: bool,
    /// The core was told that the journal cannot be written.
    told: bool,
    /// Looks without trouble of the journal's helper thread, since it had some.
    quiet_looks: Option<u32>,
    witness: Witness,
    lookout: Lookout,
}

/// The recovered state and what its inputs had asked of the store.
#[derive(Default)]
pub struct Recovered {
    /// The state.
    pub pbx: Pbx,
    /// Outputs for the store, to be given to it again.
    pub outputs: Vec<Output>,
    /// Inputs replayed.
    pub replayed: usize,
    /// Time of the last one, or of the state.
    pub last: Option<Now>,
    /// Why the records could not be used; then everything else is empty.
    pub lost: Option<String>,
}

/// Brings back the state that the records describe. What was asked of the store is collected, because the store may
/// have missed it and takes it twice without harm; everything else went out before.
pub fn recover(recovery: &mut Recovery, build: &str, witness: Witness) -> Recovered {
    if recovery.rebuild {
        return Recovered { lost: Some("recovery died again and again".into()), ..Recovered::default() };
    }
    replay(recovery, build, witness).unwrap_or_else(|why| Recovered { lost: Some(why), ..Recovered::default() })
}

fn replay(recovery: &mut Recovery, build: &str, witness: Witness) -> Result<Recovered, String> {
    let mut recovered = Recovered::default();
    if let Some(snapshot) = &recovery.snapshot {
        recovered.pbx = state(&snapshot.bytes, snapshot.build == build)
            .ok_or_else(|| format!("the state after input {} was saved in another form", snapshot.seq))?;
    }
    let known = recovery.snapshot.is_some() || !recovery.tail.is_empty();
    recovered.replayed = recovery.tail.len();
    let mut out = Vec::new();
    for record in recovery.tail.drain(..) {
        recovery.progress.entering(record.seq);
        let input = match postcard::take_from_bytes::<Input>(&record.payload) {
            Ok((input, [])) => input,
            Ok(_) | Err(_) => return Err(format!("input {} was written in another form", record.seq)),
        };
        let input = match record.set_aside {
            true => Input::SetAside { seq: record.seq, input: Box::new(input) },
            false => input,
        };
        witness(&input);
        recovered.pbx.handle(record.now, input, &mut out);
        let kept = out.drain(..).filter(is_for_store);
        recovered.outputs.extend(kept);
    }
    recovered.last = known.then(|| recovered.pbx.last_input());
    Ok(recovered)
}

fn is_for_store(output: &Output) -> bool {
    matches!(output, Output::Record(_) | Output::Recording(_) | Output::StoreCommit(_) | Output::CommitConfirmed(_))
}

/// Reads a saved state. Another build may have saved it in another form that reads as nonsense: it must also come out
/// as it went in.
fn state(bytes: &[u8], same_build: bool) -> Option<Pbx> {
    let (pbx, rest) = postcard::take_from_bytes::<Pbx>(bytes).ok()?;
    let whole = rest.is_empty() && (same_build || postcard::to_allocvec(&pbx).is_ok_and(|again| again == bytes));
    whole.then_some(pbx)
}

impl Core {
    /// Goes on with a recovered or empty state. `anew` says that the journal's records do not lead to it: it is saved
    /// before anything is appended.
    pub fn new(pbx: Pbx, journal: Journal, anew: bool, witness: Witness) -> Core {
        Core {
            pbx,
            journal,
            follower: None,
            diverged: channel(),
            follower_rest_until: Instant::BOOT,
            hash: OutputHash::default(),
            payloads: Vec::new(),
            missed: anew,
            told: false,
            quiet_looks: None,
            witness,
            lookout: Lookout::default(),
        }
    }

    /// Where others look at the state.
    pub fn lookout(&self) -> Lookout {
        self.lookout.clone()
    }

    /// When the core wants to hear of the time.
    pub fn deadline(&self) -> Option<Instant> {
        self.pbx.deadline()
    }

    /// The state, to look at.
    pub fn pbx(&self) -> &Pbx {
        &self.pbx
    }

    /// One turn. The inputs are in the journal before the first is handled; when the journal cannot be written, calls
    /// go on without it and the trouble is returned (once, and once more when it works again).
    pub fn turn(&mut self, now: Now, inputs: &mut Vec<Input>, out: &mut Vec<Output>) -> Option<Trouble> {
        let (first_seq, trouble) = match self.write_down(now, inputs) {
            Ok(first_seq) => {
                self.missed = false;
                let well = std::mem::take(&mut self.told).then(|| store_trouble(false, String::new()));
                (Some(first_seq), well)
            }
            Err(why) => {
                self.dismiss_follower(now.at);
                self.missed = true;
                let is_new = !std::mem::replace(&mut self.told, true);
                (None, is_new.then(|| store_trouble(true, why.to_string())))
            }
        };
        for (index, input) in inputs.drain(..).enumerate() {
            let before = out.len();
            (self.witness)(&input);
            self.pbx.handle(now, input, out);
            if let Some(first_seq) = first_seq {
                let seq = first_seq + index as u64;
                let digest = self.hash.of(&out[before..]);
                self.journal.put_outputs(seq, digest);
                self.follow(seq, now, index, digest);
            }
        }
        trouble
    }

    /// Journals the inputs; the number of the first. Saves the state before, when the journal has a hole behind it.
    fn write_down(&mut self, now: Now, inputs: &[Input]) -> Result<u64, JournalError> {
        self.encode(inputs)?;
        let before = self.journal.next_seq().saturating_sub(1);
        if self.missed {
            let state = postcard::to_allocvec(&self.pbx).map_err(|_| JournalError::Encoding)?;
            self.journal.snapshot(before, state);
            self.journal.after_gap();
        }
        let first_seq = self.journal.append(now, &self.payloads[..inputs.len()])?;
        if self.follower.is_none() && now.at >= self.follower_rest_until {
            self.start_follower(before);
        }
        Ok(first_seq)
    }

    fn encode(&mut self, inputs: &[Input]) -> Result<(), JournalError> {
        if self.payloads.len() < inputs.len() {
            self.payloads.resize_with(inputs.len(), Vec::new);
        }
        for (input, payload) in inputs.iter().zip(&mut self.payloads) {
            let mut buffer = std::mem::take(payload);
            buffer.clear();
            *payload = postcard::to_extend(input, buffer).map_err(|_| JournalError::Encoding)?;
        }
        Ok(())
    }

    fn start_follower(&mut self, seq: u64) {
        let found = self.diverged.0.clone();
        let told = move |report| match report {
            FollowerReport::Diverged { seq, detail } => {
                // Its receiver lives as long as the core; without one nobody is left to be told.
                let _ = found.send(format!("input {seq}: {detail}"));
            }
            FollowerReport::Ended { detail } => tracing::warn!("the follower ended: {detail}"),
        };
        match Follower::start(self.pbx.clone(), seq, Pace::default(), self.journal.snapshot_sink(), told) {
            Ok(mut follower) => {
                follower.show(&self.lookout);
                self.follower = Some(follower);
            }
            Err(why) => tracing::warn!("no thread for the follower, snapshots pause: {why}"),
        }
    }

    fn follow(&mut self, seq: u64, now: Now, index: usize, digest: u32) {
        let Some(follower) = &mut self.follower else { return };
        let payload = self.payloads.get_mut(index).map(std::mem::take).unwrap_or_default();
        if follower.step(seq, now, payload, digest).is_err() {
            self.dismiss_follower(now.at);
        }
    }

    /// Lets a follower go. Its end is waited for elsewhere: it may have much to do yet.
    fn dismiss_follower(&mut self, at: Instant) {
        let Some(mut follower) = self.follower.take() else { return };
        follower.hide();
        self.follower_rest_until = at + FOLLOWER_REST;
        let waits = std::thread::Builder::new().name("follower end".into()).spawn(move || follower.finish());
        if let Err(why) = waits {
            tracing::warn!("no thread to end the follower in, it was waited for: {why}");
        }
    }

    /// What the threads behind the core found wrong, or well again, since the last question, asked once a second.
    pub fn troubles(&mut self) -> impl Iterator<Item = Trouble> {
        self.lookout.serve(&self.pbx);
        let unwritten = match self.journal.take_trouble() {
            Some(why) => {
                self.quiet_looks = Some(0);
                Some(store_trouble(true, why.to_string()))
            }
            None => {
                self.quiet_looks = self.quiet_looks.map(|looks| looks + 1);
                let well = self.quiet_looks.take_if(|looks| *looks >= QUIET_LOOKS_MIN);
                well.map(|_| store_trouble(false, String::new()))
            }
        };
        let kind = TroubleKind::Diverged;
        let diverged = self.diverged.1.try_iter().map(move |detail| Trouble { kind, raised: true, detail });
        unwritten.into_iter().chain(diverged)
    }

    /// The end: the state goes to disk and the journal says that the stop was asked for.
    pub fn finish(self) -> Result<(), JournalError> {
        match self.follower {
            Some(follower) => follower.finish(),
            None => {
                let state = postcard::to_allocvec(&self.pbx).map_err(|_| JournalError::Encoding)?;
                self.journal.snapshot(self.journal.next_seq().saturating_sub(1), state);
            }
        }
        self.journal.mark_clean_stop()
    }
}

fn store_trouble(raised: bool, detail: String) -> Trouble {
    Trouble { kind: TroubleKind::StoreWrite, raised, detail }
}
