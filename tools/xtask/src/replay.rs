//! `xtask replay`: gives the journaled inputs to a fresh core and to a second one that is saved and read back on the
//! way, and compares what both put out, byte for byte.

use pbx::Pbx;
use pbx::door::{Input, Output};
use pbxd::journal::{History, history};
use pbxd::seal::MasterKey;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Inputs after which the second core is saved and read back.
const SAVE_EVERY: usize = 1_000;

/// What a replay found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Inputs given.
    pub inputs: usize,
    /// Outputs that followed.
    pub outputs: usize,
    /// SHA-256 over all outputs in their journal form, hexadecimal.
    pub hash: String,
    /// First input at which the two cores differed.
    pub diverged_at: Option<u64>,
    /// Builds that wrote the journal.
    pub builds: Vec<String>,
}

/// Replays all of the journal in `data`.
pub fn replay(data: &Path) -> Result<Replayed, String> {
    let master = MasterKey::open_or_create(&data.join("chassis.key")).map_err(|e| e.to_string())?;
    let history = history(&data.join("journal"), &master).map_err(|e| e.to_string())?;
    replay_history(history)
}

fn begin(history: &History) -> Result<Pbx, String> {
    match &history.snapshot {
        Some(s) => postcard::from_bytes(&s.bytes).map_err(|e| format!("snapshot after input {}: {e}", s.seq)),
        None => Ok(Pbx::new()),
    }
}

fn replay_history(history: History) -> Result<Replayed, String> {
    let (mut one, mut other) = (begin(&history)?, begin(&history)?);
    let mut hash = Sha256::new();
    let (mut out, mut out_other): (Vec<Output>, Vec<Output>) = (Vec::new(), Vec::new());
    let mut replayed =
        Replayed { inputs: 0, outputs: 0, hash: String::new(), diverged_at: None, builds: history.builds };
    for record in history.records {
        let input: Input = postcard::from_bytes(&record.payload).map_err(|e| format!("input {}: {e}", record.seq))?;
        let input = match record.set_aside {
            true => Input::SetAside { seq: record.seq, input: Box::new(input) },
            false => input,
        };
        one.handle(record.now, input.clone(), &mut out);
        other.handle(record.now, input, &mut out_other);
        let bytes = postcard::to_allocvec(&out).map_err(|e| format!("outputs of input {}: {e}", record.seq))?;
        let bytes_other = postcard::to_allocvec(&out_other).map_err(|e| e.to_string())?;
        if bytes != bytes_other && replayed.diverged_at.is_none() {
            replayed.diverged_at = Some(record.seq);
        }
        hash.update(&bytes);
        replayed.inputs += 1;
        replayed.outputs += out.len();
        out.clear();
        out_other.clear();
        if replayed.inputs.is_multiple_of(SAVE_EVERY) {
            let saved = postcard::to_allocvec(&other).map_err(|e| format!("saving the state: {e}"))?;
            other = postcard::from_bytes(&saved).map_err(|e| format!("reading the state back: {e}"))?;
        }
    }
    replayed.hash = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(replayed)
}
