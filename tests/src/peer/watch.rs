//! A growing list that one thread fills and another waits on. It is how output lines, phone events and captured packets
//! become something a test can wait for; it knows nothing about their meaning.

use super::{Outcome, Trouble};
use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The list. Clones share it.
pub struct Watch<T> {
    shared: Arc<(Mutex<Inner<T>>, Condvar)>,
}

struct Inner<T> {
    items: Vec<T>,
    closed: bool,
}

impl<T> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Watch { shared: self.shared.clone() }
    }
}

impl<T> Default for Watch<T> {
    fn default() -> Self {
        Watch { shared: Arc::new((Mutex::new(Inner { items: Vec::new(), closed: false }), Condvar::new())) }
    }
}

impl<T: Clone + Debug> Watch<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one item and wakes those who wait.
    pub fn push(&self, item: T) {
        self.lock().items.push(item);
        self.shared.1.notify_all();
    }

    /// Nothing more will come (the program ended): waits end at once.
    pub fn close(&self) {
        self.lock().closed = true;
        self.shared.1.notify_all();
    }

    /// How many items there are; a mark to wait from.
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// True when nothing came yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything from `from` on.
    pub fn since(&self, from: usize) -> Vec<T> {
        self.lock().items.get(from..).map(<[T]>::to_vec).unwrap_or_default()
    }

    /// The first item at or after `from` that `wanted` accepts, and its place. Waits at most `limit`; `what` names it.
    pub fn wait(&self, from: usize, limit: Duration, what: &str, wanted: impl Fn(&T) -> bool) -> Outcome<(usize, T)> {
        let end = Instant::now() + limit;
        let mut looked = from;
        let mut inner = self.lock();
        loop {
            while let Some(item) = inner.items.get(looked) {
                if wanted(item) {
                    return Ok((looked, item.clone()));
                }
                looked += 1;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || inner.closed {
                let why = if inner.closed { "it ended first" } else { "time ran out" };
                let seen = inner.items.get(from..).unwrap_or_default();
                let tail = &seen[seen.len().saturating_sub(12)..];
                return Err(Trouble(format!("waited {limit:?} for {what}, {why}; last seen: {tail:#?}")));
            }
            inner =
                self.shared.1.wait_timeout(inner, left).map(|(guard, _)| guard).unwrap_or_else(|e| e.into_inner().0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_finds_what_another_thread_appends() {
        let watch: Watch<u32> = Watch::default();
        let writer = watch.clone();
        let thread = std::thread::spawn(move || (0..10).for_each(|n| writer.push(n)));
        let found = watch.wait(0, Duration::from_secs(5), "seven", |n| *n == 7).unwrap();
        assert_eq!(found, (7, 7));
        thread.join().unwrap();
    }

    #[test]
    fn a_closed_list_ends_the_wait_and_shows_what_was_seen() {
        let watch: Watch<&str> = Watch::default();
        watch.push("began");
        watch.close();
        let trouble = watch.wait(0, Duration::from_secs(60), "the end", |line| *line == "end").unwrap_err();
        assert!(trouble.0.contains("the end") && trouble.0.contains("began"), "{trouble}");
    }
}
