//! Who waits for an answer of the core. The numbers begin anew at random with each start of the program: an answer to
//! somebody who waited before it must find nobody.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pbx::commit::Answer;

/// Cheap to clone; one end waits, the other answers.
#[derive(Clone, Default)]
pub struct Tickets {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    next: u64,
    waiting: BTreeMap<u64, SyncSender<Answer>>,
}

impl Tickets {
    /// Nobody waits. `from` is the random beginning.
    pub fn new(from: u64) -> Tickets {
        Tickets { table: Arc::new(Mutex::new(Table { next: from, waiting: BTreeMap::new() })) }
    }

    /// A number, and where its answer comes.
    pub fn draw(&self) -> (u64, Receiver<Answer>) {
        let (answer, answered) = sync_channel(1);
        let mut table = self.table();
        let ticket = table.next;
        table.next = ticket.wrapping_add(1);
        table.waiting.insert(ticket, answer);
        (ticket, answered)
    }

    /// Nobody waits for it any more.
    pub fn forget(&self, ticket: u64) {
        self.table().waiting.remove(&ticket);
    }

    /// Answers whoever waits; never waits itself.
    pub fn answer(&self, ticket: u64, answer: Answer) {
        if let Some(waiting) = self.table().waiting.remove(&ticket) {
            // Who has gone needs no answer.
            let _ = waiting.try_send(answer);
        }
    }

    /// Nothing is left half done behind the lock, whoever panicked.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_who_waits_and_nobody_else() {
        let tickets = Tickets::new(u64::MAX);
        let (first, answered) = tickets.draw();
        let (second, other) = tickets.draw();
        assert_eq!((first, second), (u64::MAX, 0));
        tickets.answer(7, Answer::Busy);
        tickets.answer(first, Answer::Overtaken);
        tickets.answer(first, Answer::Busy);
        assert_eq!(answered.try_recv(), Ok(Answer::Overtaken));
        assert!(answered.try_recv().is_err() && other.try_recv().is_err());
        tickets.forget(second);
        tickets.answer(second, Answer::Busy);
        assert!(other.try_recv().is_err());
    }
}
