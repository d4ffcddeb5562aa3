//! Contacts to key events: debouncing, repetition, holding. Pure; where the levels come from is the board's.

use base::panel::{Key, KeyEvent};
use base::time::Instant;
use core::time::Duration;

/// Between two readings.
pub const POLL: Duration = Duration::from_millis(15);
/// Contacts must stand still for so long.
const STEADY: Duration = Duration::from_millis(20);
/// An arrow that is down repeats after this…
const REPEAT_AFTER: Duration = Duration::from_millis(500);
/// …and then so often.
const REPEAT_EVERY: Duration = Duration::from_millis(120);
/// A key counts as held after this.
pub const HOLD: Duration = Duration::from_secs(3);

/// What one reading may tell: every key may go up while another goes down, and one repeats or is held.
pub type Events = heapless::Vec<KeyEvent, 16>;

/// A key that is down.
#[derive(Clone, Copy, Debug)]
struct Down {
    key: Key,
    since: Instant,
    repeat_at: Instant,
    held: bool,
}

/// Six contacts.
#[derive(Clone, Copy, Debug)]
pub struct Keypad {
    /// Contacts closed, as last read, bit by bit in the order of [`Key::ALL`].
    read: u8,
    /// Since when it reads so.
    read_since: Instant,
    /// Contacts closed, steadily.
    steady: u8,
    /// The key that went down last and is down still.
    down: Option<Down>,
}

impl Keypad {
    /// Nothing is pressed.
    pub fn new(now: Instant) -> Keypad {
        Keypad { read: 0, read_since: now, steady: 0, down: None }
    }

    /// One reading: bit `n` is set while the contact of `Key::ALL[n]` is closed.
    pub fn step(&mut self, now: Instant, closed: u8) -> Events {
        let mut events = Events::new();
        if closed != self.read {
            (self.read, self.read_since) = (closed, now);
        } else if closed != self.steady && now.since(self.read_since) >= STEADY {
            self.change(now, closed, &mut events);
        }
        self.linger(now, &mut events);
        events
    }

    fn change(&mut self, now: Instant, closed: u8, events: &mut Events) {
        let (went_up, went_down) = (self.steady & !closed, closed & !self.steady);
        self.steady = closed;
        for (bit, key) in Key::ALL.into_iter().enumerate() {
            if went_up >> bit & 1 == 1 {
                tell(events, KeyEvent::Released(key));
                self.down.take_if(|down| down.key == key);
            }
            if went_down >> bit & 1 == 1 {
                tell(events, KeyEvent::Pressed(key));
                self.down = Some(Down { key, since: now, repeat_at: now + REPEAT_AFTER, held: false });
            }
        }
    }

    fn linger(&mut self, now: Instant, events: &mut Events) {
        let Some(down) = &mut self.down else { return };
        let arrow = matches!(down.key, Key::Up | Key::Down | Key::Left | Key::Right);
        if arrow && now >= down.repeat_at {
            down.repeat_at = now + REPEAT_EVERY;
            tell(events, KeyEvent::Repeated(down.key));
        }
        if !down.held && now.since(down.since) >= HOLD {
            down.held = true;
            tell(events, KeyEvent::Held(down.key));
        }
    }
}

/// More than fit are not possible: six keys, and one of them repeats or is held.
fn tell(events: &mut Events, event: KeyEvent) {
    let full = events.push(event).is_err();
    debug_assert!(!full);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Plays contacts that change at given milliseconds; every event with its time.
    fn play(changes: &[(u64, u8)], until_ms: u64) -> Vec<(u64, KeyEvent)> {
        let at = |ms: u64| Instant::from_micros(ms * 1_000);
        let mut keypad = Keypad::new(at(0));
        let mut told = Vec::new();
        for ms in (0..until_ms).step_by(15) {
            let closed = changes.iter().rev().find(|(from, _)| *from <= ms).map_or(0, |(_, closed)| *closed);
            told.extend(keypad.step(at(ms), closed).into_iter().map(|event| (ms, event)));
        }
        told
    }

    #[test]
    fn bounces_are_one_press() {
        let bouncing = [(100, 16), (115, 0), (120, 16), (300, 0), (315, 16), (330, 0)];
        let told = play(&bouncing, 500);
        assert_eq!(
            told.iter().map(|(_, event)| *event).collect::<Vec<_>>(),
            [KeyEvent::Pressed(Key::Ok), KeyEvent::Released(Key::Ok)]
        );
        assert!(told[0].0 < 200, "{told:?}");
    }

    #[test]
    fn arrows_repeat_and_keys_are_held_once() {
        let told = play(&[(0, 2)], 4_000);
        assert_eq!(told.iter().filter(|(_, event)| *event == KeyEvent::Held(Key::Down)).count(), 1);
        assert!((24..32).contains(&told.iter().filter(|(_, e)| *e == KeyEvent::Repeated(Key::Down)).count()));
        let told = play(&[(0, 16)], 8_000);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].0 >= 3_000 && told[1].1 == KeyEvent::Held(Key::Ok));
    }

    #[test]
    fn all_keys_at_once_are_told_each() {
        assert_eq!(play(&[(0, 63), (100, 0)], 300).len(), 12);
    }
}
