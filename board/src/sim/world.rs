//! The world as a value: chips, lines, people and the sample clock. It is told the time, SPI transactions and what the
//! box plays; it owns no socket and reads no clock, so tests run it in virtual time.
//!
//! Positions are samples at 8 kHz since the world began. Period `p` holds the positions `160 p` to `160 p + 159`. At
//! its end the box receives what the lines said in it, and what the box has queued is played in the next one.

use base::time::Instant;
use core::time::Duration;
use serde_json::{Value, json};
use std::path::Path;

use super::front::Front;
use super::line::{Line, Notice};
use super::person::Person;
use super::si3050::{Chip, chain_transfer};
use super::wire::{CHANNELS, PERIOD_FRAMES, Period, SILENCE};
use super::{CARD, CHIP_SELECT, PORTS};

/// One period.
pub const PERIOD: Duration = Duration::from_millis(20);
/// A caller begins to speak so long after the answer.
const REACTION_SAMPLES: u64 = 240 * 8;
/// A world that slept for longer does not make up for what it missed.
const LATE_PERIODS_MAX: u64 = 250;

struct Port {
    chip: Chip,
    line: Line,
    person: Person,
    /// What the caller will say when answered.
    script: Option<(String, Vec<i16>)>,
}

/// Everything outside the box.
pub struct World {
    epoch: Instant,
    periods: u64,
    skipped: u64,
    spi_transactions: u64,
    ports: Vec<Port>,
    /// The front panel.
    pub front: Front,
}

impl World {
    /// A world that begins now: chips fresh from power-on, lines idle.
    pub fn new(now: Instant) -> World {
        let port = |position| Port {
            chip: Chip::new(position, now),
            line: Line::default(),
            person: Person::default(),
            script: None,
        };
        let ports = (0..PORTS).map(port).collect();
        World { epoch: now, periods: 0, skipped: 0, spi_transactions: 0, ports, front: Front::new(now) }
    }

    /// First position of the current period.
    pub fn position(&self) -> u64 {
        self.periods * PERIOD_FRAMES as u64
    }

    /// Number of the current period.
    pub fn current_period(&self) -> u64 {
        self.periods
    }

    /// When the current period ends.
    pub fn next_period(&self) -> Instant {
        self.epoch + Duration::from_micros((self.periods + 1) * PERIOD.as_micros() as u64)
    }

    /// After a long sleep of the machine: goes on from now, and says how many periods are left out.
    pub fn skip_if_late(&mut self, now: Instant) -> u64 {
        let late = now.since(self.next_period()).as_micros() as u64 / PERIOD.as_micros() as u64;
        if late <= LATE_PERIODS_MAX {
            return 0;
        }
        self.epoch += Duration::from_micros(late * PERIOD.as_micros() as u64);
        self.skipped += late;
        late
    }

    /// Brings lines and chips up to `now`.
    pub fn advance(&mut self, now: Instant) {
        let position = self.position();
        for port in &mut self.ports {
            let closes = port.chip.closes_loop(now);
            match port.line.step(now, closes) {
                Some(Notice::Answered) => {
                    if let Some((name, samples)) = port.script.take() {
                        port.person.say(&name, samples, position + REACTION_SAMPLES);
                    }
                }
                Some(Notice::Ended) => port.person.hush(position),
                None => {}
            }
            port.chip.step(now, port.line.sense(now, closes));
        }
    }

    /// One SPI transaction.
    pub fn spi(&mut self, now: Instant, card: u8, chip_select: u8, mosi: &[u8]) -> Vec<u8> {
        self.spi_transactions += 1;
        if card != CARD || chip_select != CHIP_SELECT {
            return vec![0xFF; mosi.len()];
        }
        self.advance(now);
        let miso = chain_transfer(self.ports.iter_mut().map(|port| &mut port.chip), now, mosi);
        self.advance(now);
        miso
    }

    /// Ends the current period: returns what the chips put on the highway in it, and plays `playback` to the lines in
    /// the next one.
    pub fn period(&mut self, now: Instant, playback: Option<&Period>) -> Box<Period> {
        self.advance(now);
        let position = self.position();
        let mut captured = Box::new(SILENCE);
        for port in &mut self.ports {
            let said: [i16; PERIOD_FRAMES] = port.person.speak(position);
            if let Some(slot) = port.chip.transmit_slot(now).filter(|slot| *slot < CHANNELS && port.line.is_talking()) {
                for (frame, sample) in captured.chunks_exact_mut(CHANNELS).zip(said) {
                    frame[slot] = sample;
                }
            }
            let mut heard = [0i16; PERIOD_FRAMES];
            let slot = port.chip.receive_slot(now).filter(|slot| *slot < CHANNELS && port.line.is_talking());
            if let (Some(slot), Some(playback)) = (slot, playback) {
                for (sample, frame) in heard.iter_mut().zip(playback.chunks_exact(CHANNELS)) {
                    *sample = frame[slot];
                }
            }
            port.person.hear(&heard);
        }
        self.periods += 1;
        captured
    }

    /// Rings a line (index from 0). `script` is what the caller says when answered.
    pub fn ring(&mut self, now: Instant, line: usize, script: Option<(String, Vec<i16>)>) -> Result<(), String> {
        self.advance(now);
        let port = self.port(line)?;
        port.line.ring(now)?;
        port.script = script;
        Ok(())
    }

    /// The caller speaks at once; says from which position.
    pub fn speak(&mut self, line: usize, name: &str, samples: Vec<i16>) -> Result<u64, String> {
        let position = self.position();
        let port = self.talking(line)?;
        port.person.say(name, samples, position);
        Ok(position)
    }

    /// The caller presses keys one after the other; says from which position.
    pub fn press(&mut self, line: usize, keys: &str) -> Result<u64, String> {
        let position = self.position();
        let port = self.talking(line)?;
        if let Some(key) = keys.chars().find(|key| !"0123456789*#ABCD".contains(*key)) {
            return Err(format!("`{key}` is not on a key pad; use 0-9 * # A-D"));
        }
        let began = keys.chars().filter_map(|key| port.person.press(key, position)).next();
        began.ok_or_else(|| "no key named; use 0-9 * # A-D".into())
    }

    /// The caller hangs up.
    pub fn release(&mut self, now: Instant, line: usize) -> Result<(), String> {
        self.advance(now);
        let position = self.position();
        let port = self.port(line)?;
        port.line.release(now)?;
        port.script = None;
        port.person.hush(position);
        self.advance(now);
        Ok(())
    }

    /// Cuts (true) or mends the cable of a line.
    pub fn cut(&mut self, now: Instant, line: usize, cut: bool) -> Result<(), String> {
        self.port(line)?.line.cut(cut);
        self.advance(now);
        Ok(())
    }

    /// Changes TIP and RING of a line.
    pub fn reverse(&mut self, now: Instant, line: usize) -> Result<(), String> {
        self.port(line)?.line.reverse();
        self.advance(now);
        Ok(())
    }

    /// A glitch of the supply resets a line's chip.
    pub fn glitch(&mut self, now: Instant, line: usize) -> Result<(), String> {
        self.port(line)?.chip.reset();
        self.advance(now);
        Ok(())
    }

    /// Breaks (true) or mends the isolation link inside a line's chip pair.
    pub fn break_link(&mut self, now: Instant, line: usize, broken: bool) -> Result<(), String> {
        self.port(line)?.chip.break_link(broken);
        self.advance(now);
        Ok(())
    }

    /// The caller listens into a file; says from which position.
    pub fn listen(&mut self, line: usize, path: &Path) -> Result<u64, String> {
        let position = self.position() + PERIOD_FRAMES as u64;
        self.port(line)?.person.listen(path, position)?;
        Ok(position)
    }

    /// Ends the file; says where it began and how many samples it holds.
    pub fn stop_listening(&mut self, line: usize) -> Result<(u64, u64), String> {
        self.port(line)?.person.stop_listening()
    }

    /// Whether the box holds the line.
    pub fn is_off_hook(&self, now: Instant, line: usize) -> bool {
        self.ports.get(line).is_some_and(|port| port.chip.closes_loop(now))
    }

    /// Number of lines.
    pub fn lines(&self) -> usize {
        self.ports.len()
    }

    /// Everything a test wants to know.
    pub fn status(&self, now: Instant) -> Value {
        let lines: Vec<Value> = self.ports.iter().enumerate().map(|(i, port)| status_of(now, i + 1, port)).collect();
        json!({
            "position": self.position(),
            "period": self.periods,
            "epoch_us": self.epoch.as_micros(),
            "now_us": now.as_micros(),
            "skipped_periods": self.skipped,
            "spi_transactions": self.spi_transactions,
            "lines": lines,
            "front": self.front.signals_seen(),
        })
    }

    fn port(&mut self, line: usize) -> Result<&mut Port, String> {
        self.ports.get_mut(line).ok_or_else(|| format!("no line {}; there are lines 1 to {PORTS}", line + 1))
    }

    fn talking(&mut self, line: usize) -> Result<&mut Port, String> {
        let port = self.port(line)?;
        if port.line.is_talking() {
            return Ok(port);
        }
        let state = port.line.exchange().name();
        Err(format!(
            "line {0} is {state}, nobody is connected; `ring {0}` and `wait {0} off-hook 5000` first",
            line + 1
        ))
    }
}

fn status_of(now: Instant, number: usize, port: &Port) -> Value {
    let closes = port.chip.closes_loop(now);
    let sounds: Vec<Value> = port
        .person
        .sounds()
        .map(|(name, began, ended)| json!({ "name": name, "began": began, "ended": ended }))
        .collect();
    let ear = port
        .person
        .ear()
        .map(|ear| json!({ "path": ear.path.display().to_string(), "began": ear.began, "samples": ear.samples }));
    json!({
        "line": number,
        "exchange": port.line.exchange().name(),
        "hook": if closes { "off" } else { "on" },
        "cut": port.line.is_cut(),
        "battery_mv": port.line.sense(now, closes).millivolts,
        "sounds": sounds,
        "ear": ear,
        "pcm_mode": port.chip.register(33),
    })
}
