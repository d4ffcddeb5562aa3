//! Failures to log in, by user and by line, so that nobody can try passwords all night. In memory alone: whoever can
//! start the program anew has other ways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::time::Instant;

/// Names remembered at most; of more the one that failed longest ago is forgotten.
const NAMES_MAX: usize = 64;

/// Failures in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// Locked out until then.
    pub until: Option<Instant>,
}

/// All of them; cheap to clone.
#[derive(Clone, Default)]
pub struct Guard {
    table: Arc<Mutex<BTreeMap<String, (Failures, Instant)>>>,
}

impl Guard {
    /// Of a user or line; none when there were none.
    pub fn of(&self, name: &str) -> Failures {
        self.table().get(name).map_or(Failures::default(), |(failures, _)| *failures)
    }

    /// Remembers; none forgets.
    pub fn set(&self, name: &str, failures: Failures, now: Instant) {
        let mut table = self.table();
        if failures == Failures::default() {
            table.remove(name);
            return;
        }
        table.insert(name.to_string(), (failures, now));
        if table.len() > NAMES_MAX {
            let oldest = table.iter().min_by_key(|(_, (_, at))| *at).map(|(name, _)| name.clone());
            oldest.map(|name| table.remove(&name));
        }
    }

    /// Nothing is left half done behind the lock, whoever panicked.
    fn table(&self) -> MutexGuard<'_, BTreeMap<String, (Failures, Instant)>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_remembered_and_bounded() {
        let guard = Guard::default();
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        guard.set("alice", Failures { count: 2, until: None }, at(1));
        assert_eq!(guard.of("alice").count, 2);
        for name in 0..NAMES_MAX as u64 {
            guard.set(&name.to_string(), Failures { count: 1, until: None }, at(2 + name));
        }
        assert_eq!((guard.of("alice").count, guard.of("0").count), (0, 1));
        guard.set("0", Failures::default(), at(99));
        assert_eq!(guard.of("0"), Failures::default());
    }
}
