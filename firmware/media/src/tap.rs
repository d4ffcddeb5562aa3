//! A record tap: what one leg says, put on the time line of a recording.
//!
//! A frame's place is the time at which it would have arrived without jitter; so both sides of a recording are aligned
//! to within one frame, whatever waits in a jitter buffer. Frames that never came leave a hole.

use crate::effects::{Effects, RecordFrame};
use crate::jitter::{Coverage, JitterBuffer, Position};
use crate::{Law, g711};
use base::id::Uid;
use base::limits::{FRAME_SAMPLES, TICK_US};
use base::media::{Codec, Side};
use base::time::Instant;

const FRAME: i64 = FRAME_SAMPLES as i64;
/// The tap reads this far behind the play-out, so that packets that are a little late are still recorded.
const BEHIND: i64 = 2 * FRAME;

/// The tap of one leg.
#[derive(Clone, Debug)]
pub struct Tap {
    recording: Uid,
    side: Side,
    since: Instant,
    /// Next sample of the jitter buffer to record.
    cursor: Position,
    next_index: u64,
}

impl Tap {
    /// Begins at `cursor` in the leg's jitter buffer (anything for a TDM leg).
    pub fn new(recording: Uid, side: Side, since: Instant, cursor: Position) -> Tap {
        Tap { recording, side, since, cursor, next_index: 0 }
    }

    /// Records a frame that has come in just now.
    pub fn frame(&mut self, now: Instant, audio: &Law, out: &mut Effects) {
        let arrived_us = now.as_micros() as i64 - self.since.as_micros() as i64;
        self.emit(arrived_us.div_euclid(TICK_US as i64), audio, out);
    }

    /// Whose channel it is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Records what the play-out has passed by. Called before the play-out moves. When what is played next will come
    /// mixed with other voices, everything before it is recorded and nothing from there on.
    pub fn follow(&mut self, now: Instant, codec: Codec, jitter: &JitterBuffer, mixed: bool, out: &mut Effects) {
        if let Some((next, _)) = jitter.due() {
            self.copy(now, if mixed { next } else { next - BEHIND }, codec, jitter, out);
        }
    }

    /// What lies before the play-out was recorded in a mix. Called after the play-out has moved.
    pub fn skip_played(&mut self, jitter: &JitterBuffer) {
        if let Some((next, _)) = jitter.due() {
            self.cursor = self.cursor.max(next);
        }
    }

    /// Records everything that is in the buffer.
    pub fn flush(&mut self, now: Instant, codec: Codec, jitter: &JitterBuffer, out: &mut Effects) {
        let (_, end) = jitter.range();
        self.copy(now, end + FRAME - 1, codec, jitter, out);
    }

    /// Records whole frames before `limit`.
    fn copy(&mut self, now: Instant, limit: Position, codec: Codec, jitter: &JitterBuffer, out: &mut Effects) {
        let Some((next, waits)) = jitter.due() else { return };
        let (oldest, _) = jitter.range();
        self.cursor = self.cursor.max(oldest);
        let arrived_us =
            waits.unwrap_or(now).as_micros() as i64 - jitter.depth().as_micros() as i64 - self.since.as_micros() as i64;
        while self.cursor + FRAME <= limit {
            let mut audio = [0; FRAME_SAMPLES];
            if jitter.read(self.cursor, g711::silence(codec), &mut audio) != Coverage::Nothing {
                g711::convert(codec, Codec::Pcma, &mut audio);
                let place_us = arrived_us + (self.cursor - next) * 125;
                self.emit(place_us.div_euclid(TICK_US as i64), &audio, out);
            }
            self.cursor += FRAME;
        }
    }

    /// When the play-out has dropped frames of a fast source, the tap may run ahead by one frame and then drops, too.
    fn emit(&mut self, place: i64, audio: &Law, out: &mut Effects) {
        let Ok(place) = u64::try_from(place) else { return };
        if place + 1 < self.next_index {
            return;
        }
        let index = place.max(self.next_index);
        self.next_index = index + 1;
        out.frames.push(RecordFrame { recording: self.recording, side: self.side, index, alaw: *audio });
    }
}
