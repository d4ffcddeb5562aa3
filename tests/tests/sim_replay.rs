//! The journal of a run, given to a fresh box, leads to the same outputs byte for byte; also with the box stored and
//! taken back in the middle, at each of its inputs in turn over many seeds.

#![allow(clippy::unwrap_used)]

use pbx::Pbx;
use tests::sim::plan::Plan;
use tests::sim::run::number_from;
use tests::sim::world::{Journal, World};

/// Seeds of a test run.
const SEEDS: u64 = 60;

fn journal(seed: u64) -> Journal {
    let plan = Plan { journal: true, ..Plan::short(seed) };
    World::new(plan).run().journal
}

/// Replays and says at which input the outputs differ first.
fn replay(journal: &Journal, stored_at: Option<usize>) -> Option<usize> {
    let mut pbx = Pbx::new();
    for (n, (now, input)) in journal.inputs.iter().enumerate() {
        if stored_at == Some(n) {
            let bytes = postcard::to_allocvec(&pbx).unwrap();
            pbx = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(postcard::to_allocvec(&pbx).unwrap(), bytes, "a state that was read is written differently");
        }
        let mut outputs = Vec::new();
        pbx.handle(*now, input.clone(), &mut outputs);
        if postcard::to_allocvec(&outputs).unwrap() != journal.outputs[n] {
            return Some(n);
        }
    }
    None
}

fn seeds() -> std::ops::Range<u64> {
    match number_from("CORDBOARD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from("CORDBOARD_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn the_same_journal_gives_the_same_outputs_byte_for_byte() {
    for seed in seeds() {
        let journal = journal(seed);
        assert!(journal.inputs.len() > 100, "seed {seed}: only {} inputs", journal.inputs.len());
        assert_eq!(replay(&journal, None), None, "seed {seed}: first difference at this input");
    }
}

#[test]
fn so_it_does_when_the_box_is_stored_and_taken_back_in_the_middle() {
    for seed in seeds() {
        let journal = journal(seed);
        let length = journal.inputs.len();
        for part in [1, 3, 5] {
            let at = length * part / 6;
            assert_eq!(replay(&journal, Some(at)), None, "seed {seed}, stored at {at}: first difference at this input");
        }
    }
}
