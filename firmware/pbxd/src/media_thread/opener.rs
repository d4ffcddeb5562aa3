//! Opens PCMs beside the media thread, because opening may wait, and closes those that it gives back.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::sys::eventfd::EventFd;

use super::HighwayCard;
use super::highway::CardPcm;

/// Between two attempts to open a PCM.
const RETRY: Duration = Duration::from_secs(1);

/// The media thread's end.
pub struct Opener {
    opened: Receiver<CardPcm>,
    lost: Sender<Lost>,
    cards: usize,
}

/// A PCM that is of no use any more.
struct Lost {
    pcm: CardPcm,
    why: String,
}

impl Opener {
    /// Starts the thread, unless there is nothing to open. `wake` is written when a PCM was opened.
    pub fn start(cards: Vec<HighwayCard>, wake: Arc<EventFd>) -> io::Result<Opener> {
        let (opened_in, opened) = channel();
        let (lost, lost_out) = channel();
        let count = cards.len();
        if count > 0 {
            std::thread::Builder::new().name("media-pcm".into()).spawn(move || {
                Loop { wanted: cards, told: BTreeMap::new(), opened: opened_in, lost: lost_out, wake }.run();
            })?;
        }
        Ok(Opener { opened, lost, cards: count })
    }

    /// Whether any PCM is configured.
    pub fn has_cards(&self) -> bool {
        self.cards > 0
    }

    /// A PCM that was opened since.
    pub fn opened(&self) -> Option<CardPcm> {
        self.opened.try_recv().ok()
    }

    /// Gives one back that does not work; it is closed and opened again.
    pub fn lost(&self, pcm: CardPcm, why: String) {
        // The other end lives as long as this one.
        let _ = self.lost.send(Lost { pcm, why });
    }
}

struct Loop {
    /// To be opened.
    wanted: Vec<HighwayCard>,
    /// What was last said of each device, so that nothing is said twice.
    told: BTreeMap<String, String>,
    opened: Sender<CardPcm>,
    lost: Receiver<Lost>,
    wake: Arc<EventFd>,
}

impl Loop {
    /// Until the media thread has ended.
    fn run(mut self) {
        loop {
            if !self.attempt() {
                return;
            }
            let again = Instant::now() + RETRY;
            loop {
                let wait = if self.wanted.is_empty() { RETRY } else { again.saturating_duration_since(Instant::now()) };
                match self.lost.recv_timeout(wait) {
                    Ok(Lost { pcm, why }) => {
                        let card = pcm.card.clone();
                        self.tell(&card.device, &why);
                        self.wanted.push(card);
                    }
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Tries all that are wanted; false when nobody takes them any more.
    fn attempt(&mut self) -> bool {
        for card in std::mem::take(&mut self.wanted) {
            // Collects what libasound would otherwise print at every attempt.
            let said = alsa::Output::local_error_handler();
            match CardPcm::open(&card) {
                Ok(pcm) => {
                    if self.told.remove(&card.device).is_some() {
                        tracing::info!("media: PCM {} of card {} is open again", card.device, card.card);
                    }
                    if self.opened.send(pcm).is_err() {
                        return false;
                    }
                    let _ = self.wake.write(1);
                }
                Err(why) => {
                    let said = said.map(|said| {
                        said.borrow_mut().buffer_string(|text| String::from_utf8_lossy(text).trim().to_owned())
                    });
                    let said = said.ok().filter(|said| !said.is_empty()).map_or(String::new(), |s| format!(" ({s})"));
                    self.tell(&card.device, &format!("{why}{said}"));
                    self.wanted.push(card);
                }
            }
        }
        true
    }

    fn tell(&mut self, device: &str, why: &str) {
        if self.told.get(device).is_none_or(|before| before != why) {
            tracing::warn!(
                "media: PCM {device}: {why}. Line cards are silent until it works; check that the card's driver (or the \
                 simulated world) runs and that ALSA_CONFIG_PATH or /etc/asound.conf defines {device}"
            );
            self.told.insert(device.to_owned(), why.to_owned());
        }
    }
}
