//! Where others look at the core's state without disturbing the control task: a question goes to the follower's copy,
//! which is at most one rest behind, and is answered there. While no follower runs (before the first input, and while the
//! journal cannot be written) the control task answers once a second. Nobody can change anything through it.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pbx::Pbx;

use super::follower::Message;

/// Questions that wait for the control task at most; more are not answered.
const WAITING_MAX: usize = 8;

/// A question.
pub(crate) type Look = Box<dyn FnOnce(&Pbx) + Send>;

/// Cheap to clone, usable from any thread.
#[derive(Clone, Default)]
pub struct Lookout {
    way: Arc<Mutex<Way>>,
}

#[derive(Default)]
struct Way {
    follower: Option<SyncSender<Message>>,
    waiting: Vec<Look>,
}

impl Lookout {
    /// What `see` makes of the state; none when nobody answers within `patience`. `see` holds the follower up: it takes
    /// what it needs and is quick.
    pub fn look<T: Send + 'static>(
        &self,
        patience: Duration,
        see: impl FnOnce(&Pbx) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = sync_channel(1);
        // Nobody waits any more when the patience is over.
        let look: Look = Box::new(move |pbx| drop(answer.try_send(see(pbx))));
        self.ask(look);
        answered.recv_timeout(patience).ok()
    }

    fn ask(&self, look: Look) {
        let mut way = self.way();
        let unheard = match &way.follower {
            Some(follower) => match follower.try_send(Message::Look(look)) {
                Ok(()) => None,
                Err(TrySendError::Full(Message::Look(look)) | TrySendError::Disconnected(Message::Look(look))) => {
                    Some(look)
                }
                Err(TrySendError::Full(Message::Step(_)) | TrySendError::Disconnected(Message::Step(_))) => None,
            },
            None => Some(look),
        };
        if let Some(look) = unheard
            && way.waiting.len() < WAITING_MAX
        {
            way.waiting.push(look);
        }
    }

    /// Questions go to this follower from now on. One that is to end must be taken away first: it lives while it may
    /// be asked.
    pub(crate) fn through(&self, follower: Option<SyncSender<Message>>) {
        self.way().follower = follower;
    }

    /// The control task answers those whom no follower answers.
    pub(crate) fn serve(&self, pbx: &Pbx) {
        let waiting = std::mem::take(&mut self.way().waiting);
        waiting.into_iter().for_each(|look| look(pbx));
    }

    /// Nothing is left half done behind the lock, whoever panicked.
    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_follower_the_control_task_answers() {
        let lookout = Lookout::default();
        let asked = lookout.clone();
        let asker = std::thread::spawn(move || asked.look(Duration::from_secs(10), Pbx::calls_live));
        while !asker.is_finished() {
            lookout.serve(&Pbx::new());
            std::thread::yield_now();
        }
        assert_eq!(asker.join().unwrap(), Some(0));
    }

    #[test]
    fn nobody_there_is_no_answer_and_questions_do_not_pile_up() {
        let lookout = Lookout::default();
        for _ in 0..WAITING_MAX + 5 {
            assert_eq!(lookout.look(Duration::ZERO, Pbx::calls_live), None);
        }
        assert_eq!(lookout.way().waiting.len(), WAITING_MAX);
    }
}
