//! The PCMs of the TDM highway: one for each line card, 8 channels S16_LE at 8 kHz, periods of 20 ms, both directions
//! moving together. The first card that runs gives the beat.

use std::time::Duration;

use alsa::pcm::{Access, Format, HwParams, PCM, State};
use alsa::poll::{Descriptors, pollfd};
use alsa::{Direction, ValueOr};
use base::limits::{FRAME_SAMPLES, TICK_US, TIMESLOTS_PER_CARD};
use base::time::Instant;
use media::{CardFrame, HighwayFrame};
use nix::errno::Errno;

use super::HighwayCard;
use super::opener::Opener;

const RATE: u32 = 8_000;
const PERIOD: i64 = FRAME_SAMPLES as i64;
/// Periods that the sound system buffers each way.
const PERIODS: i64 = 4;
/// Periods of silence queued for the lines before the start: what a late tick may cost.
const LEAD_PERIODS: usize = 2;
/// A PCM that is ahead of the clock by more has no clock of its own (a file, for instance).
const AHEAD_MAX: Duration = Duration::from_millis(100);
/// Periods after which that is measured anew, so that a slightly fast clock is not taken for none.
const MEASURED_PERIODS: u64 = 500;

type Samples = [i16; FRAME_SAMPLES * TIMESLOTS_PER_CARD];

/// Both directions of one card.
pub struct CardPcm {
    /// Which card, by which device.
    pub card: HighwayCard,
    capture: PCM,
    playback: PCM,
    /// Since when its periods are counted, and how many it has given since.
    since: Option<Instant>,
    periods: u64,
}

impl CardPcm {
    /// Opens both directions, which may wait for the sound system.
    pub fn open(card: &HighwayCard) -> alsa::Result<CardPcm> {
        let open = |direction| {
            let pcm = PCM::new(&card.device, direction, true)?;
            configure(&pcm)?;
            Ok::<PCM, alsa::Error>(pcm)
        };
        let capture = open(Direction::Capture)?;
        let playback = open(Direction::Playback)?;
        Ok(CardPcm { card: card.clone(), capture, playback, since: None, periods: 0 })
    }

    /// Begins anew, both directions at once: after opening and after an overrun.
    fn start(&mut self, now: Instant) -> alsa::Result<()> {
        for pcm in [&self.capture, &self.playback] {
            // Fails when it does not run, which is what is wanted.
            let _ = pcm.drop();
            pcm.prepare()?;
        }
        let silence: Samples = [0; FRAME_SAMPLES * TIMESLOTS_PER_CARD];
        for _ in 0..LEAD_PERIODS {
            self.playback.io_i16()?.writei(&silence)?;
        }
        self.playback.start()?;
        self.capture.start()?;
        self.since = Some(now);
        self.periods = 0;
        Ok(())
    }

    /// Reads one period, when one is there.
    fn read(&mut self, now: Instant, frame: &mut CardFrame) -> Result<bool, Trouble> {
        let since = self.since.ok_or(Trouble::Late)?;
        if self.capture.avail_update().map_err(trouble)? < PERIOD {
            // A device that was pulled out goes on saying that nothing is there.
            return match self.capture.state() {
                State::Running | State::Prepared | State::Draining | State::Paused => Ok(false),
                State::XRun | State::Suspended => Err(Trouble::Late),
                state @ (State::Open | State::Setup | State::Disconnected) => {
                    Err(Trouble::Lost(format!("it has gone (state {state:?})")))
                }
            };
        }
        let mut samples: Samples = [0; FRAME_SAMPLES * TIMESLOTS_PER_CARD];
        match self.capture.io_i16().and_then(|io| io.readi(&mut samples)) {
            Ok(FRAME_SAMPLES) => {}
            Ok(_) => return Err(Trouble::Late),
            Err(why) if why.errno() == Errno::EAGAIN as i32 => return Ok(false),
            Err(why) => return Err(trouble(why)),
        }
        for (i, channels) in samples.chunks_exact(TIMESLOTS_PER_CARD).enumerate() {
            for (slot, sample) in frame.slots.iter_mut().zip(channels) {
                slot[i] = *sample;
            }
        }
        self.periods += 1;
        let given = Duration::from_micros(self.periods * TICK_US);
        if given > now.since(since) + AHEAD_MAX {
            return Err(Trouble::Lost("it runs faster than time, so it is no telephony highway".into()));
        }
        if self.periods >= MEASURED_PERIODS {
            self.since = Some(now);
            self.periods = 0;
        }
        Ok(true)
    }

    /// Writes one period; a full buffer drops it.
    fn write(&mut self, frame: &CardFrame) -> Result<(), Trouble> {
        let mut samples: Samples = [0; FRAME_SAMPLES * TIMESLOTS_PER_CARD];
        for (i, channels) in samples.chunks_exact_mut(TIMESLOTS_PER_CARD).enumerate() {
            for (slot, sample) in frame.slots.iter().zip(channels) {
                *sample = slot[i];
            }
        }
        match self.playback.io_i16().and_then(|io| io.writei(&samples)) {
            Ok(_) => Ok(()),
            Err(why) if why.errno() == Errno::EAGAIN as i32 => Ok(()),
            Err(why) => Err(trouble(why)),
        }
    }
}

/// What is wrong with a PCM.
enum Trouble {
    /// We came too late: begin anew.
    Late,
    /// Only opening again helps.
    Lost(String),
}

fn trouble(why: alsa::Error) -> Trouble {
    if why.errno() == Errno::EPIPE as i32 || why.errno() == Errno::ESTRPIPE as i32 {
        Trouble::Late
    } else {
        Trouble::Lost(why.to_string())
    }
}

fn configure(pcm: &PCM) -> alsa::Result<()> {
    {
        let hardware = HwParams::any(pcm)?;
        hardware.set_access(Access::RWInterleaved)?;
        hardware.set_format(Format::S16LE)?;
        hardware.set_channels(TIMESLOTS_PER_CARD as u32)?;
        hardware.set_rate(RATE, ValueOr::Nearest)?;
        hardware.set_period_size(PERIOD, ValueOr::Nearest)?;
        hardware.set_buffer_size(PERIODS * PERIOD)?;
        pcm.hw_params(&hardware)?;
    }
    let software = pcm.sw_params_current()?;
    software.set_avail_min(PERIOD)?;
    // Both directions are started by hand.
    software.set_start_threshold(i64::from(i32::MAX))?;
    pcm.sw_params(&software)
}

/// All cards.
pub struct Highway {
    opener: Opener,
    running: Vec<CardPcm>,
    input: HighwayFrame,
    output: HighwayFrame,
    /// Overruns and underruns so far.
    pub late: u64,
}

impl Highway {
    /// No card runs yet; the opener brings them.
    pub fn new(opener: Opener) -> Highway {
        Highway {
            opener,
            running: Vec::with_capacity(16),
            input: HighwayFrame::default(),
            output: HighwayFrame::default(),
            late: 0,
        }
    }

    /// Whether there is any card by configuration.
    pub fn has_cards(&self) -> bool {
        self.opener.has_cards()
    }

    /// Takes over what was opened since. True when the poll descriptors have changed.
    pub fn take_opened(&mut self, now: Instant) -> bool {
        let mut changed = false;
        while let Some(mut pcm) = self.opener.opened() {
            match pcm.start(now) {
                Ok(()) => {
                    self.running.push(pcm);
                    changed = true;
                }
                Err(why) => self.opener.lost(pcm, why.to_string()),
            }
        }
        if changed {
            self.running.sort_by_key(|pcm| pcm.card.card);
            self.lay_out();
        }
        changed
    }

    /// Poll descriptors of the captures; playback moves with them.
    pub fn descriptors(&self, out: &mut Vec<pollfd>) {
        for pcm in &self.running {
            if let Ok(descriptors) = pcm.capture.get() {
                out.extend(descriptors);
            }
        }
    }

    /// Reads a period of every card, when the leading card has one. `None` when there is none yet.
    pub fn read(&mut self, now: Instant) -> Beat {
        let mut beat = Beat::default();
        let mut index = 0;
        while index < self.running.len() {
            let leads = index == 0;
            if !leads && !beat.period {
                break;
            }
            let pcm = &mut self.running[index];
            let frame = &mut self.input.cards[index];
            match pcm.read(now, frame) {
                Ok(true) => beat.period |= leads,
                // A card that is a little behind the leading one is silent for a moment.
                Ok(false) => frame.slots = [media::SILENCE; TIMESLOTS_PER_CARD],
                Err(trouble) => {
                    beat.changed |= self.mend(index, now, trouble);
                    if beat.changed {
                        continue;
                    }
                }
            }
            index += 1;
        }
        beat
    }

    /// What the lines said in the last period, and the place for what they are to hear.
    pub fn frames(&mut self) -> (&HighwayFrame, &mut HighwayFrame) {
        (&self.input, &mut self.output)
    }

    /// Gives the lines what they are to hear. True when the poll descriptors have changed.
    pub fn write(&mut self, now: Instant) -> bool {
        let mut changed = false;
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].write(&self.output.cards[index]) {
                Ok(()) => index += 1,
                Err(trouble) => {
                    let lost = self.mend(index, now, trouble);
                    changed |= lost;
                    index += usize::from(!lost);
                }
            }
        }
        changed
    }

    /// Begins a PCM anew or gives it back. True when it is gone.
    fn mend(&mut self, index: usize, now: Instant, trouble: Trouble) -> bool {
        let why = match trouble {
            Trouble::Late => {
                self.late += 1;
                match self.running[index].start(now) {
                    Ok(()) => return false,
                    Err(why) => why.to_string(),
                }
            }
            Trouble::Lost(why) => why,
        };
        let pcm = self.running.remove(index);
        self.opener.lost(pcm, why);
        self.lay_out();
        true
    }

    fn lay_out(&mut self) {
        let cards: Vec<u8> = self.running.iter().map(|pcm| pcm.card.card).collect();
        self.input = HighwayFrame::new(&cards);
        self.output = HighwayFrame::new(&cards);
    }
}

/// What reading brought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Beat {
    /// The leading card had a period: tick now.
    pub period: bool,
    /// The poll descriptors have changed.
    pub changed: bool,
}
