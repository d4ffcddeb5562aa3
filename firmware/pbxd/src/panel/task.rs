//! The one thread that holds the front panel: looks at the core twice a second through the lookout, feeds the machine
//! with keys, shows what it says, passes on what it asks for; what takes time is done beside it. It decides nothing. A panel that is not there or fails
//! harms nobody: it is said once in the log, and tried again.

use base::panel::Signals;
use base::time::{Instant, Now};
use board::{Panel, Product};
use drivers::ssd1322::{Frame, Light};
use pbx::config::Language;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::draw;
use super::machine::{Event, Machine, Request, Settings};
use super::view::{Core, Facts, Scene, Storage, View};
use super::work::Bench;
use crate::admin::Admin;
use crate::{build_id, clock, seal};

/// Between two looks at the core.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How soon after an act its effect is looked for.
const LOOK_AFTER_ACT: Duration = Duration::from_millis(60);
/// How long an answer is waited for; keys wait meanwhile.
const LOOK_PATIENCE: Duration = Duration::from_millis(100);
/// Without an answer for so long the core counts as silent.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Between two pictures when no key asks for one.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Between two looks at disk and network.
const FACTS_EVERY: Duration = Duration::from_secs(10);
/// As the journal names it.
const ACTOR: &str = "panel";
/// File in the data directory with the panel's own settings.
const FILE: &str = "panel";

/// The running thread.
pub struct PanelThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl PanelThread {
    /// Ends it; the display is dark and nothing shines afterwards.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so on stderr; there is nothing left to end.
        let _ = self.thread.join();
    }
}

/// Starts the thread.
pub fn spawn(product: Product, admin: Admin) -> io::Result<PanelThread> {
    let (stop, stopped) = channel();
    let run = move || {
        let now = clock::instant();
        let data = admin.data().to_path_buf();
        let settings = load(&data.join(FILE));
        let panel = product.panel(now);
        let facts =
            Facts { version: env!("CARGO_PKG_VERSION").into(), build: build_id::identity(), ..Facts::default() };
        let scene = Scene { now: clock::now(), facts, core: Core::Starting };
        let machine = Machine::new(now, settings);
        let bench = Bench::new(admin.clone());
        let (began, answered, look_at, facts_at) = (now, now, now, now);
        Task { panel, machine, scene, admin, bench, data, began, answered, look_at, facts_at }.run(&stopped);
    };
    let thread = std::thread::Builder::new().name("panel".into()).spawn(run)?;
    Ok(PanelThread { stop, thread })
}

struct Task {
    panel: Box<dyn Panel>,
    machine: Machine,
    scene: Scene,
    admin: Admin,
    bench: Bench,
    data: PathBuf,
    began: Instant,
    /// When the core last answered.
    answered: Instant,
    look_at: Instant,
    facts_at: Instant,
}

impl Task {
    fn run(mut self, stopped: &Receiver<()>) {
        let (mut keys, mut in_trouble, mut draw_at) = (Vec::new(), false, self.began);
        loop {
            let now = clock::now();
            self.look(now);
            let told = self.panel.poll(now.at, &mut keys).map_err(|trouble| trouble.detail);
            match (&told, in_trouble) {
                (Err(why), false) => tracing::warn!("{why}"),
                (Ok(()), true) => tracing::info!("the front panel answers again"),
                (Err(_), true) | (Ok(()), false) => {}
            }
            in_trouble = told.is_err();
            let told = self.bench.told(self.machine.language(&self.scene));
            if told.is_some() {
                // What came of it is seen before it is said.
                self.scene.facts.trial = self.bench.trial();
                self.look_at = now.at;
                self.look(now);
            }
            if !keys.is_empty() || told.is_some() || now.at >= draw_at {
                let events = keys.drain(..).map(Event::Key).chain(told.map(Event::Told)).chain([Event::Tick]);
                let requests: Vec<Request> =
                    events.flat_map(|event| self.machine.step(now.at, event, &self.scene)).collect();
                requests.into_iter().for_each(|request| self.perform(now.at, request));
                self.show(now);
                draw_at = now.at + DRAW_EVERY;
            }
            let rest = self.panel.next_poll().min(draw_at).since(clock::instant());
            match stopped.recv_timeout(rest) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.panel.set(&Frame::default(), Light::Off, Signals::default());
        // A panel that fails now cannot be told any more.
        let _ = self.panel.poll(clock::instant(), &mut keys);
    }

    fn look(&mut self, now: Now) {
        self.scene.now = now;
        if now.at >= self.facts_at {
            self.facts_at = now.at + FACTS_EVERY;
            self.scene.facts.address = address();
            self.scene.facts.storage = storage(&self.data);
        }
        self.scene.facts.up = now.at.since(self.began);
        if now.at < self.look_at {
            return;
        }
        self.look_at = now.at + LOOK_EVERY;
        self.scene.facts.dice = seal::random_u64().ok();
        match self.admin.lookout().look(LOOK_PATIENCE, move |pbx| View::of(pbx, now.at)) {
            Some(view) => {
                self.answered = now.at;
                self.scene.core = view.map_or(Core::Starting, |view| Core::Seen(Box::new(view)));
            }
            None if now.at.since(self.answered) >= SILENT_AFTER => self.scene.core = Core::Silent,
            None => {}
        }
    }

    fn show(&mut self, now: Now) {
        let picture = draw::picture(&self.machine, now.at, &self.scene);
        let light = self.machine.light(now.at, &self.scene);
        self.panel.set(picture.frame(), light, self.machine.signals(now.at, &self.scene));
    }

    fn perform(&mut self, now: Instant, request: Request) {
        match request {
            Request::Operate(act) => {
                // A person whose key had no effect presses again.
                self.admin.operate(ACTOR, act);
                self.look_at = now + LOOK_AFTER_ACT;
            }
            Request::Work(job, language) => {
                if let Some(told) = self.bench.begin(job, language) {
                    // Told at once: it asks for nothing.
                    self.machine.step(now, Event::Told(told), &self.scene);
                }
            }
            Request::Keep(settings) => {
                if let Err(why) = store(&self.data.join(FILE), settings) {
                    tracing::warn!("the panel's settings last until the next start only: {why}");
                }
            }
        }
    }
}

/// The first address that others reach the box by.
fn address() -> Option<IpAddr> {
    let all = nix::ifaddrs::getifaddrs().ok()?;
    all.filter_map(|interface| {
        let address = interface.address?;
        let address = address.as_sockaddr_in()?.ip();
        Some(IpAddr::V4(address)).filter(|address| !address.is_loopback())
    })
    .next()
}

pub(crate) fn storage(data: &Path) -> Option<Storage> {
    let disk = nix::sys::statvfs::statvfs(data).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
    Some(Storage { free_bytes: bytes(disk.blocks_available()), total_bytes: bytes(disk.blocks()) })
}

/// A file that is not there, or not ours, is the default.
fn load(path: &Path) -> Settings {
    read(&std::fs::read_to_string(path).unwrap_or_default())
}

fn read(text: &str) -> Settings {
    let mut settings = Settings::default();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("language", "zh-CN")) => settings.language = Some(Language::Zh),
            Some(("language", "en-US")) => settings.language = Some(Language::En),
            Some(("buzzer", word)) => settings.buzzer = word != "off",
            Some(_) | None => {}
        }
    }
    settings
}

fn written(settings: Settings) -> String {
    let language = settings.language.map_or(String::new(), |language| format!("language {}\n", language.tag()));
    format!("{language}buzzer {}\n", if settings.buzzer { "on" } else { "off" })
}

fn store(path: &Path, settings: Settings) -> io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, written(settings))?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_went() {
        for language in [None, Some(Language::Zh), Some(Language::En)] {
            for buzzer in [true, false] {
                let settings = Settings { language, buzzer };
                assert_eq!(read(&written(settings)), settings);
            }
        }
        assert_eq!(read("rubbish\nlanguage klingon\n"), Settings::default());
    }
}
