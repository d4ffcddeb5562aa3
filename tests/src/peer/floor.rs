//! One test's whole floor: a directory, a site, the box, a capture. Phones are added by the test. Closing it demands what
//! every test with real peers demands: each call ended on both sides, none left anywhere, and the box stops in order.

use super::appliance::{Appliance, Fact, ladder};
use super::audio::{Pcm, demand, demand_absent};
use super::baresip::{Answer, Baresip, Transport};
use super::capture::Capture;
use super::record::Workplace;
use super::site::Site;
use super::softphone::Softphone;
use super::world::World;
use super::{At, Outcome};
use crate::ensure;
use std::time::Duration;

/// How long the other side may take to notice.
pub const SOON: Duration = Duration::from_secs(5);

/// The floor.
pub struct Floor {
    /// Its files.
    pub place: Workplace,
    /// Addresses and configuration.
    pub site: Site,
    /// The box.
    pub appliance: Appliance,
    /// The simulated world, when the site has a line.
    pub world: Option<World>,
    /// Everything on the wire.
    pub capture: Capture,
}

impl Floor {
    /// Starts capture, world (when the site has a line) and box.
    pub fn open(name: &str, site: Site) -> Outcome<Floor> {
        let place = Workplace::new(name)?;
        let capture = Capture::of(&site, place.path())?;
        let world = if site.line { Some(World::start(place.path())?) } else { None };
        let appliance = Appliance::start(&site, place.path(), world.as_ref().map(World::dir))?;
        Ok(Floor { place, site, appliance, world, capture })
    }

    /// A phone, registered.
    pub fn phone(&self, extension: &str, transport: Transport, answer: Answer) -> Outcome<Baresip> {
        let mut phone = Baresip::start(&self.site.phone(extension, transport, answer), self.place.path())?;
        phone.registered()?;
        Ok(phone)
    }

    /// A phone that one of our scenarios cannot be: virtual, with its socket at `host` of the site.
    pub fn softphone(&self, extension: &str, host: u8) -> Outcome<Softphone> {
        let address = (self.site.address(host), 15_200).into();
        let seed = u64::from(host);
        let mut phone = Softphone::new(extension, &self.site.secret(extension), address, self.site.sip(), seed)?;
        phone.register()?;
        Ok(phone)
    }

    /// Calls, rings, answers: two phones in a call.
    pub fn connect(&self, caller: &mut Baresip, callee: &mut Baresip, number: &str) -> Outcome {
        callee.from_now();
        caller.dial(number)?;
        callee.ringing(SOON)?;
        callee.accept()?;
        caller.established()?;
        callee.established().map(|_| ())
    }

    /// Demands that two phones heard each other, and nobody heard himself.
    pub fn heard_each_other(&self, a: (&str, &Baresip), b: (&str, &Baresip), length_ms: i64) -> Outcome {
        for ((hearer, phone), (speaker, _)) in [(a, b), (b, a)] {
            let heard = phone.heard()?;
            demand(&format!("{hearer} hears {speaker}"), &self.site.voice(speaker), &heard, length_ms, 60)?;
            demand_absent(&format!("{hearer} hears itself"), &self.site.voice(hearer), &heard)?;
        }
        Ok(())
    }

    /// Demands that a recording holds the caller on its left and the other party on its right channel.
    pub fn recording_holds(
        &self,
        recording: &str,
        left: &Pcm,
        right: &Pcm,
        length_ms: i64,
        missing_ms: i64,
    ) -> Outcome {
        let file = self.place.join(&format!("{recording}.wav"));
        self.appliance.export(recording, &file)?;
        demand("left channel (caller)", left, &Pcm::read(&file, 0)?, length_ms, missing_ms)?;
        demand("right channel (called)", right, &Pcm::read(&file, 1)?, length_ms, missing_ms)?;
        Ok(())
    }

    /// The end of the test: no phone has a call, the journal has `calls` calls, all ended, and the box stops in order.
    pub fn close(self, phones: Vec<Baresip>, calls: usize) -> Outcome<Vec<Fact>> {
        let facts = self.appliance.all_ended(calls)?;
        for mut phone in phones {
            ensure!(!phone.has_call()?, "a phone still has a call:\n{}", ladder(&facts));
            phone.stop()?;
        }
        self.appliance.alive()?;
        self.appliance.stop().map_err(|trouble| super::Trouble(format!("{trouble}\n{}", ladder(&facts))))?;
        self.capture.stop()?;
        if let Some(world) = self.world {
            world.stop()?;
        }
        self.place.passed();
        Ok(facts)
    }

    /// The only call detail record, when there is one alone.
    pub fn only_cdr(&self) -> Outcome<super::appliance::Cdr> {
        self.appliance.all_ended(1)?;
        let mut cdrs = self.appliance.cdrs()?;
        ensure!(cdrs.len() == 1, "one call and these records: {cdrs:#?}");
        cdrs.pop().at("record")
    }
}
