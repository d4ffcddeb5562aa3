//! Who has a draft of the configuration open, so that two admins learn of each other, and the lock of one who wants to be
//! the only one. Drafts themselves are their owners'.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::time::Instant;

/// Somebody at work on a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Editing {
    /// `alice`.
    pub who: String,
    /// `console`, `/dev/ttyS0`, `panel`.
    pub line: String,
    /// Last time that something was typed.
    pub touched: Instant,
    /// Nobody else may commit.
    pub exclusive: bool,
}

/// All who are at work; cheap to clone.
#[derive(Clone, Default)]
pub struct Desks {
    table: Arc<Mutex<(u64, BTreeMap<u64, Editing>)>>,
}

/// One's own place; leaving it is dropping it.
pub struct Desk {
    number: u64,
    desks: Desks,
}

impl Desks {
    /// Begins to edit; the others who do.
    ///
    /// # Errors
    /// Who has locked the configuration, or, when one wants to lock it oneself, who is at work on it.
    pub fn enter(
        &self,
        who: &str,
        line: &str,
        exclusive: bool,
        now: Instant,
    ) -> Result<(Desk, Vec<Editing>), Box<Editing>> {
        let mut table = self.table();
        let held = table.1.values().find(|editing| editing.exclusive || exclusive);
        if let Some(held) = held {
            return Err(Box::new(held.clone()));
        }
        let others = table.1.values().cloned().collect();
        table.0 += 1;
        let number = table.0;
        table.1.insert(number, Editing { who: who.into(), line: line.into(), touched: now, exclusive });
        Ok((Desk { number, desks: self.clone() }, others))
    }

    /// All who are at work, in the order in which they began.
    pub fn all(&self) -> Vec<Editing> {
        self.table().1.values().cloned().collect()
    }

    /// Nothing is left half done behind the lock, whoever panicked.
    fn table(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Editing>)> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Something was typed.
    pub fn touch(&self, now: Instant) {
        if let Some(editing) = self.desks.table().1.get_mut(&self.number) {
            editing.touched = now;
        }
    }

    /// The others who are at work.
    pub fn others(&self) -> Vec<Editing> {
        let table = self.desks.table();
        table.1.iter().filter(|(number, _)| **number != self.number).map(|(_, editing)| editing.clone()).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.desks.table().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_learns_of_the_others_and_a_lock_keeps_them_out() {
        let desks = Desks::default();
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        let (alice, others) = desks.enter("alice", "console", false, at(1)).ok().unwrap();
        assert!(others.is_empty());
        let (bob, others) = desks.enter("bob", "panel", false, at(2)).ok().unwrap();
        assert_eq!(others[0].who, "alice");
        alice.touch(at(5));
        assert_eq!(bob.others()[0].touched, at(5));
        assert_eq!(desks.enter("carol", "console", true, at(6)).err().unwrap().who, "alice");
        drop((alice, bob));
        let lock = desks.enter("carol", "console", true, at(7)).ok().unwrap();
        assert_eq!(desks.enter("bob", "panel", false, at(8)).err().unwrap().who, "carol");
        drop(lock);
        assert!(desks.all().is_empty() && desks.enter("bob", "panel", false, at(9)).is_ok());
    }
}
