//! Starts the threads that the control task works with; each reports into the inbox.

use super::inbox::Inbox;
use crate::admin::{Admin, Tickets};
use crate::cli::Run;
use crate::console::serial::{SerialThread, Wanted};
use crate::console::{self, port::ConsoleThread, sources::Live};
use crate::hardware_thread::{self, HardwareThread};
use crate::media_thread::{self, HighwayCard, MediaThread, MediaThreadConfig, library};
use crate::panel::{self, task::PanelThread};
use crate::recorder::{Recorder, RecorderError};
use crate::seal::MasterKey;
use crate::store::{self, Report, Store, StoreError};
use base::line::{LineCommand, PortId};
use board::Product;
use media::Settings;
use pbx::config::Config;
use pbx::door::Input;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

/// The way to the line cards.
pub type Lines = Sender<(PortId, LineCommand)>;

/// What works beside the control task.
pub struct Rooms {
    /// The media engine.
    pub media: MediaThread,
    /// Facts and the index of recordings.
    pub store: Store,
    /// Recorded audio.
    pub recorder: Recorder,
    /// Line cards.
    pub lines: Option<Lines>,
    /// Who waits for an answer.
    pub tickets: Tickets,
}

/// Opens the databases and starts their writer.
pub fn start_store(options: &Run, inbox: Inbox) -> Result<Store, StoreError> {
    Store::start(&store::Options::new(&options.data), move |report| {
        // When even the reserved places are taken, the next report says the same and more.
        let _ = match report {
            Report::Stored(upto) => inbox.offer(upto, Input::Stored).is_ok(),
            Report::Trouble(trouble) => inbox.offer(trouble, Input::Trouble).is_ok(),
            // This one comes once.
            Report::CommitStored(number) => inbox.send(Input::CommitStored(number)),
        };
    })
}

/// Starts the thread that writes recordings.
pub fn start_recorder(
    options: &Run,
    master: &MasterKey,
    store: &Store,
    inbox: Inbox,
) -> Result<Recorder, RecorderError> {
    let told = move |trouble| {
        // When even the reserved places are taken, the next report says the same and more.
        let _ = inbox.offer(trouble, Input::Trouble);
    };
    Recorder::start(&store::Options::new(&options.data), master, store.run(), store.client(), told)
}

/// Starts the thread of the line cards when there is a chassis.
pub fn start_hardware(
    options: &Run,
    config: &Config,
    inbox: Inbox,
) -> Result<(Option<Lines>, Option<HardwareThread>), String> {
    let Some(product) = product(options) else { return Ok((None, None)) };
    let setup = board::Setup { product, country: config.chassis.country.clone() };
    let (lines, commands) = channel();
    let report = move |input| {
        inbox.send(input);
    };
    let thread = hardware_thread::spawn(setup, commands, report).map_err(|e| e.to_string())?;
    Ok((Some(lines), Some(thread)))
}

/// Starts the thread of the front panel when there is a chassis. A box without its panel works all the same.
pub fn start_panel(options: &Run, admin: Admin) -> Option<PanelThread> {
    let started = panel::task::spawn(product(options)?, admin);
    started.map_err(|why| tracing::warn!("no thread for the front panel: {why}")).ok()
}

/// Starts the thread of the console. A box without it works all the same.
pub fn start_console(options: &Run, admin: Admin) -> Option<ConsoleThread> {
    let started = console::port::spawn(&options.data, Live::new(admin, "console"));
    started.map_err(|why| tracing::warn!("no console: {why}")).ok()
}

/// Starts the thread of the console's serial line; it waits until the configuration names one.
pub fn start_serial(admin: Admin) -> Option<SerialThread> {
    let (asked, sources) = (admin.clone(), Live::new(admin, "serial console"));
    let device = move || match asked.config() {
        None => Wanted::Unknown,
        Some(config) => match &config.chassis.console_device {
            Some(device) => Wanted::Line { device: device.clone(), speed: config.chassis.console_speed },
            None => Wanted::Nothing,
        },
    };
    let started = console::serial::spawn(device, sources);
    started.map_err(|why| tracing::warn!("no thread for the serial console: {why}")).ok()
}

/// Which chassis this is; none for SIP only.
fn product(options: &Run) -> Option<Product> {
    options.world.clone().map(|world_dir| Product::Sim { world_dir })
}

/// Starts the media engine with its prompts and highways.
pub fn start_media(options: &Run, config: &Config, recorder: &Recorder, inbox: Inbox) -> Result<MediaThread, String> {
    let highways = product(options).map(|product| product.highways()).unwrap_or_default();
    let highway = highways.iter().map(|h| HighwayCard { card: h.card, device: h.pcm.to_string() }).collect();
    let settings = Settings {
        jitter_ms: config.media.jitter_ms,
        silence_timeout_ms: config.media.silence_timeout_s.saturating_mul(1_000),
        ..Settings::default()
    };
    let library = library::load_and_log(&share(options.share.as_deref()).join("prompts"));
    let thread = MediaThreadConfig { bind: config.media.address, settings, library, highway };
    let report = move |report| inbox.offer(report, Input::Media);
    let tap = recorder.tap();
    let record = move |frame| {
        // A full queue counts what it drops and raises the alarm itself.
        tap.push(frame);
    };
    media_thread::spawn(thread, report, record).map_err(|e| format!("media engine: {e}"))
}

/// Prompts and music: as told, beside the program or above it, where the package puts them, or in the source tree.
pub fn share(told: Option<&Path>) -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let beside = exe.ancestors().skip(1).map(|dir| dir.join("rootfs/share"));
    let others =
        [PathBuf::from("/usr/share/cordboard"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rootfs/share")];
    let mut places = beside.chain(others);
    told.map(Path::to_path_buf).or_else(|| places.find(|dir| dir.join("prompts").is_dir())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_configuration_knows_the_countries_that_the_driver_knows() {
        let known = drivers::si3050::country::COUNTRIES.iter().map(|country| country.code);
        assert!(known.eq(pbx::config::COUNTRIES.iter().copied()));
    }
}
