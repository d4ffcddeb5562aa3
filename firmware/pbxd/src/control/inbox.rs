//! The way into the control task for every other thread and socket: one bounded queue, with a place kept free for
//! those whose news must not be lost.

use base::limits::{CONTROL_INBOX_MAX, CONTROL_INBOX_SHED};
use pbx::door::Input;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Places that datagrams may not take, so that a flood on the network cannot displace a digit, a line event or a
/// word of the store.
const RESERVED: usize = CONTROL_INBOX_MAX / 4;

/// The sending end; cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Inbox {
    queue: mpsc::Sender<Input>,
    datagrams_dropped: Arc<AtomicU64>,
}

/// The receiving end, owned by the control task.
pub type Arrivals = mpsc::Receiver<Input>;

/// Both ends of a new inbox.
pub fn inbox() -> (Inbox, Arrivals) {
    let (queue, arrivals) = mpsc::channel(CONTROL_INBOX_MAX + RESERVED);
    (Inbox { queue, datagrams_dropped: Arc::default() }, arrivals)
}

impl Inbox {
    /// Inputs waiting.
    pub fn fill(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Whether new calls are to be refused with 503 now.
    pub fn sheds(&self) -> bool {
        self.fill() >= CONTROL_INBOX_SHED
    }

    /// From the network: refused and counted when the inbox is full.
    pub fn datagram(&self, input: Input) {
        if self.fill() >= CONTROL_INBOX_MAX || self.queue.try_send(input).is_err() {
            self.datagrams_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// From a thread of the box that must not wait (the media tick). What was offered comes back when even the reserved
    /// places are taken; the caller keeps it and tries again at its next turn.
    pub fn offer<T>(&self, news: T, input: impl FnOnce(T) -> Input) -> Result<(), T> {
        match self.queue.try_reserve() {
            Ok(place) => {
                place.send(input(news));
                Ok(())
            }
            Err(_) => Err(news),
        }
    }

    /// From a thread that may wait (hardware, store). False when the control task has ended.
    pub fn send(&self, input: Input) -> bool {
        self.queue.blocking_send(input).is_ok()
    }

    /// From a task of the control thread that may wait (a TCP reader: the peer's window closes meanwhile).
    pub async fn stream(&self, input: Input) -> bool {
        self.queue.send(input).await.is_ok()
    }

    /// Datagrams dropped so far because the inbox was full.
    pub fn datagrams_dropped(&self) -> u64 {
        self.datagrams_dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_leaves_room_for_the_box() {
        let (inbox, mut arrivals) = inbox();
        for _ in 0..CONTROL_INBOX_SHED {
            assert!(!inbox.sheds());
            inbox.datagram(Input::Timer);
        }
        assert!(inbox.sheds());
        for _ in CONTROL_INBOX_SHED..CONTROL_INBOX_MAX + 7 {
            inbox.datagram(Input::Timer);
        }
        assert_eq!(inbox.datagrams_dropped(), 7);
        assert_eq!(inbox.offer((), |()| Input::Stop { end_calls: false }), Ok(()), "a reserved place");
        while arrivals.try_recv().is_ok() {}
        assert_eq!(inbox.fill(), 0);
    }
}
