//! The control task: one thread with one tokio runtime that owns the core, the SIP sockets and the order of things.
//!
//! A turn: collect what is ready, write it to the journal, let the core handle it, carry out what follows.

pub mod core;
#[cfg(test)]
mod core_tests;
pub mod datagrams;
pub mod effects;
pub mod inbox;
pub mod lock;
pub mod notify;
pub mod start;
pub mod streams;
pub mod threads;
pub mod turns;

use self::core::{Core, Recovered, Witness};
use self::datagrams::Datagrams;
use self::effects::Effects;
use self::inbox::{Arrivals, Inbox};
use self::notify::Notify;
use self::start::{Beginning, Site, address_words, data_words};
use self::streams::Streams;
use self::threads::Rooms;
use self::turns::TurnLengths;
use crate::admin::{Admin, Parts, Tickets, reset};
use crate::cli::Run;
use crate::console::{port::ConsoleThread, serial::SerialThread};
use crate::journal::{self, Journal};
use crate::panel::task::PanelThread;
use crate::seal::{self, MasterKey};
use crate::store::{self, Request, StoreError};
use crate::{build_id, clock, log};
use base::limits::TURN_INPUTS_MAX;
use base::time::{Instant, Now};
use pbx::Pbx;
use pbx::commit::CommitRow;
use pbx::config::{FACTORY, Language};
use pbx::door::{Boot, Input, Output, Rebuilt, Trouble, TroubleKind};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How long a stop waits for the core's word that it may.
const STOP_WAIT: Duration = Duration::from_secs(3);
/// How long it then waits for the store.
const FLUSH_WAIT: Duration = Duration::from_secs(2);
/// How often counts are looked at and systemd is told that we live, when systemd asks for no other pace.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs the box until it is told to stop. The error is for people, in `language`.
///
/// True when the program is to begin anew, as somebody at the box asked for.
pub fn run(options: &Run, language: Language, witness: Witness) -> Result<bool, String> {
    log::start(options.log);
    log::abort_on_panic();
    // Recordings, secrets and numbers of people: whatever this program writes is its owner's alone.
    nix::sys::stat::umask(nix::sys::stat::Mode::S_IRWXG | nix::sys::stat::Mode::S_IRWXO);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("no event queue from the kernel: {e}"))?;
    runtime.block_on(live(options, language, witness))
}

/// True when the program is to begin anew.
async fn live(options: &Run, language: Language, witness: Witness) -> Result<bool, String> {
    let file = match &options.config {
        Some(path) => Some((start::read_site(path, language)?, path.as_path())),
        None => None,
    };
    let factory = match &options.factory {
        Some(path) => start::read_site(path, language)?.text,
        None => FACTORY.to_string(),
    };
    let _lock = lock::lock(&options.data).map_err(|why| start::lock_words(&options.data, &why, language))?;
    let words = |why: &dyn std::fmt::Display| data_words(&options.data, why, language);
    reset::erase_if_marked(&options.data, language).map_err(|why| words(&why))?;
    let (inbox, arrivals) = inbox::inbox();
    let store = threads::start_store(options, inbox.clone()).map_err(|e| words(&e))?;
    let beginning = store::read::open_readonly(&options.data)
        .and_then(|reader| start::begin_with(&reader, file, &factory, language, clock::wall()))
        .map_err(|e| words(&e))??;
    let Beginning { site, mut number, fresh, unconfirmed, note } = beginning;
    for note in [&site.warnings].into_iter().filter(|note| !note.is_empty()).chain(&note) {
        tracing::warn!("{note}");
    }
    let sockets = Sockets::bind(&site, language)?;
    let master = MasterKey::open_or_create(&options.data.join("chassis.key")).map_err(|e| words(&e))?;
    let recorder = threads::start_recorder(options, &master, &store, inbox.clone()).map_err(|e| words(&e))?;
    let (core, recovered) = recover(options, &site, master, language, witness)?;
    if let Some(row) = fresh {
        // The recovered core may have asked for a commit that the store does not know yet.
        number = number.max(core.pbx().commit_now().storing.map_or(0, |storing| storing + 1));
        // A store that is full at its start reports that itself.
        let _ = store.request(Request::Commit(CommitRow { number, ..row }));
    }
    let (lines, hardware) = threads::start_hardware(options, &site.config, inbox.clone())?;
    let (tickets, again) = (Tickets::new(seal::random_u64().map_err(|e| words(&e))?), Arc::default());
    let admin = Admin::new(Parts {
        inbox: inbox.clone(),
        lookout: core.lookout(),
        store: store.client(),
        tickets: tickets.clone(),
        data: options.data.clone(),
        share: threads::share(options.share.as_deref()),
        factory,
        again: Arc::clone(&again),
    });
    let operators = Operators::start(options, &admin);
    let media = threads::start_media(options, &site.config, &recorder, inbox.clone())?;
    let rooms = Rooms { media, store, recorder, lines, tickets };
    let mut effects = sockets.into_effects(inbox.clone(), &site, &options.data, rooms);
    // What changed while the program was away.
    effects.follow(&site.config, &inbox);
    let mut control = Control::new(core, effects, inbox, arrivals, admin.wish_to_stop());
    let Recovery { mut outputs, boot, rebuilt } = recovered;
    control.carry_out(&mut outputs);
    let mut begin = vec![Input::Boot(boot), Input::Configured(Arc::new(site.config.clone()), number)];
    begin.extend(unconfirmed.map(Input::Unconfirmed));
    begin.extend(rebuilt.map(Input::Rebuilt));
    control.turn(begin);
    // The line that scripts wait for; the log goes to standard error.
    println!("ready: SIP {} UDP and TCP, data {}", site.config.sip.listen, options.data.display());
    control.notify.say("READY=1");
    // What was longer at the start delayed nobody's call.
    control.lengths = TurnLengths::default();
    control.until_stopped().await?;
    operators.stop();
    control.finish().map_err(|why| words(&why))?;
    if let Some(hardware) = hardware {
        hardware.join();
    }
    Ok(again.load(Ordering::Acquire))
}

/// The threads that people at the box talk to.
struct Operators {
    panel: Option<PanelThread>,
    serial: Option<SerialThread>,
    console: Option<ConsoleThread>,
}

impl Operators {
    fn start(options: &Run, admin: &Admin) -> Operators {
        Operators {
            panel: threads::start_panel(options, admin.clone()),
            serial: threads::start_serial(admin.clone()),
            console: threads::start_console(options, admin.clone()),
        }
    }

    /// Before the core ends: their last looks would be answered by nobody.
    fn stop(self) {
        if let Some(panel) = self.panel {
            panel.stop();
        }
        if let Some(console) = self.console {
            console.stop();
        }
        if let Some(serial) = self.serial {
            serial.stop();
        }
    }
}

/// The SIP address, taken before the state is recovered, so that the kernel keeps what arrives meanwhile.
struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Sockets {
    fn bind(site: &Site, language: Language) -> Result<Sockets, String> {
        let listen = site.config.sip.listen;
        let words = |why| address_words(listen, &why, language);
        Ok(Sockets { udp: datagrams::bind(listen).map_err(words)?, tcp: streams::listen(listen).map_err(words)? })
    }

    fn into_effects(self, inbox: Inbox, site: &Site, data: &Path, rooms: Rooms) -> Effects {
        let listen = site.config.sip.listen;
        Effects {
            data: data.to_path_buf(),
            listen,
            datagrams: Datagrams::start(self.udp, listen, inbox.clone()),
            streams: Streams::new(self.tcp, inbox, listen, clock::instant().as_micros()),
            media_commands: rooms.media.commands(),
            media: rooms.media,
            store: rooms.store,
            recorder: rooms.recorder,
            lines: rooms.lines,
            tickets: rooms.tickets,
            language: site.config.system.language,
            in_force: false,
        }
    }
}

/// What the records gave.
struct Recovery {
    /// What the store must be told again.
    outputs: Vec<Output>,
    /// The first input.
    boot: Boot,
    /// What only the leg-event journal knows.
    rebuilt: Option<Rebuilt>,
}

/// Opens the journal and brings the state back.
fn recover(
    options: &Run,
    site: &Site,
    master: MasterKey,
    language: Language,
    witness: Witness,
) -> Result<(Core, Recovery), String> {
    let words = |why: &dyn std::fmt::Display| data_words(&options.data, why, language);
    let build = build_id::identity();
    let journal = journal::Options {
        dir: options.data.join("journal"),
        master,
        build: build.clone(),
        config: Sha256::digest(site.text.as_bytes()).into(),
        ring: Default::default(),
    };
    let (journal, mut recovery) = Journal::open(journal).map_err(|e| words(&e))?;
    for note in &recovery.notes {
        tracing::warn!("{note}");
    }
    if let Some(seq) = recovery.newly_set_aside {
        tracing::error!("input {seq} killed the program twice and is set aside; keep the journal and report it");
    }
    let Recovered { pbx, outputs, replayed, last, lost } = self::core::recover(&mut recovery, &build, witness);
    let known = Known::read(options).map_err(|e| words(&e))?;
    if let Some(why) = &lost {
        tracing::error!("calls that were up are lost: {why}; agents and records are taken from the leg-event journal");
    }
    let known_until = if lost.is_some() { known.last } else { last };
    let machine_restarted = clock::go_on(&options.data, known_until).map_err(|e| words(&e))?;
    let recovered = last.is_some();
    if let Some(last) = last {
        let (away, calls) = (clock::instant().since(last.at), pbx.calls_live());
        tracing::info!("recovered: {replayed} inputs replayed, {calls} calls, last input {} ms ago", away.as_millis());
    }
    let mut seed = [0; 32];
    seal::random(&mut seed).map_err(|e| words(&e))?;
    let boot = Boot { seed, build, recovered, machine_restarted, events_from: known.last_seq + 1 };
    let rebuilt = match (lost.is_some(), machine_restarted) {
        (true, _) => Some(known.rebuilt),
        (false, true) => Some(known.unknown_to(&pbx)),
        (false, false) => None,
    };
    recovery.progress.finished();
    Ok((Core::new(pbx, journal, lost.is_some(), witness), Recovery { outputs, boot, rebuilt }))
}

/// What the leg-event journal knows.
struct Known {
    /// Of a state that was lost.
    rebuilt: Rebuilt,
    /// Number of its last row.
    last_seq: u64,
    /// Time of its last row.
    last: Option<Now>,
}

impl Known {
    fn read(options: &Run) -> Result<Known, StoreError> {
        let reader = store::read::open_readonly(&options.data)?;
        let last_seq = reader.last_seq()?;
        let last = reader.events_between(last_seq, last_seq + 1)?.pop().map(|e| Now { at: e.at, wall: e.wall });
        Ok(Known { rebuilt: reader.rebuilt()?, last_seq, last })
    }

    /// Calls and recordings whose inputs a power cut took from the input journal, though their rows were stored.
    fn unknown_to(self, pbx: &Pbx) -> Rebuilt {
        let Rebuilt { mut calls_open, mut recordings_open, .. } = self.rebuilt;
        calls_open.retain(|uid| !pbx.knows_call(*uid));
        recordings_open.retain(|uid| !pbx.knows_recording(*uid));
        Rebuilt { calls_open, recordings_open, ..Rebuilt::default() }
    }
}

/// The control task at work.
struct Control {
    core: Core,
    effects: Effects,
    inbox: Inbox,
    arrivals: Arrivals,
    notify: Notify,
    lengths: TurnLengths,
    outputs: Vec<Output>,
    /// Inputs that followed from carrying out outputs; they come before what waits in the inbox.
    followed: Vec<Input>,
    may_stop: bool,
    /// Somebody at the box wants it to stop as soon as there is no call.
    stop_when_idle: Arc<AtomicBool>,
    datagrams_dropped: u64,
    inbox_full: bool,
}

impl Control {
    fn new(core: Core, effects: Effects, inbox: Inbox, arrivals: Arrivals, stop_when_idle: Arc<AtomicBool>) -> Control {
        Control {
            core,
            effects,
            inbox,
            arrivals,
            notify: Notify::from_environment(),
            lengths: TurnLengths::default(),
            outputs: Vec::new(),
            followed: Vec::new(),
            may_stop: false,
            stop_when_idle,
            datagrams_dropped: 0,
            inbox_full: false,
        }
    }

    /// Turn after turn, until a signal asks for the end and the core agrees or the patience is over.
    async fn until_stopped(&mut self) -> Result<(), String> {
        let no_signals = |e| format!("no signals from the kernel: {e}");
        let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        let mut look = tokio::time::interval(notify::watchdog_period().unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut stop_by: Option<Instant> = None;
        while !self.may_stop && stop_by.is_none_or(|by| clock::instant() < by) {
            let mut batch = std::mem::take(&mut self.followed);
            let due = self.next_due(stop_by, !batch.is_empty());
            tokio::select! {
                input = self.arrivals.recv() => batch.extend(input),
                () = self.effects.streams.accept() => {}
                () = tokio::time::sleep(due) => {}
                _ = look.tick() => self.look(&mut batch),
                // A service manager stops and starts programs: calls talk on. A person at the keyboard ends the show.
                _ = terminate.recv() => batch.push(Input::Stop { end_calls: false }),
                _ = interrupt.recv() => batch.push(Input::Stop { end_calls: true }),
            }
            self.fill(&mut batch);
            if batch.iter().any(|input| matches!(input, Input::Stop { .. })) {
                stop_by.get_or_insert(clock::instant() + STOP_WAIT);
                self.notify.say("STOPPING=1");
            }
            self.turn(batch);
        }
        Ok(())
    }

    /// How long to sleep when nothing arrives.
    fn next_due(&self, stop_by: Option<Instant>, at_once: bool) -> Duration {
        let now = clock::instant();
        let due = self.core.deadline().into_iter().chain(stop_by).min().map(|at| at.since(now));
        if at_once { Duration::ZERO } else { due.unwrap_or(LOOK_EVERY) }
    }

    /// Adds what else is ready, the time first when it has come.
    fn fill(&mut self, batch: &mut Vec<Input>) {
        if self.core.deadline().is_some_and(|at| at <= clock::instant()) {
            batch.push(Input::Timer);
        }
        while batch.len() < TURN_INPUTS_MAX
            && let Ok(input) = self.arrivals.try_recv()
        {
            batch.push(input);
        }
        for input in batch.iter() {
            if let Input::Sip(signaling::sip::door::Input::Closed { conn }) = input {
                self.effects.streams.close(*conn);
            }
        }
    }

    fn turn(&mut self, mut batch: Vec<Input>) {
        if batch.is_empty() {
            return;
        }
        let began = clock::instant();
        let trouble = self.core.turn(clock::now(), &mut batch, &mut self.outputs);
        let mut outputs = std::mem::take(&mut self.outputs);
        self.carry_out(&mut outputs);
        self.outputs = outputs;
        self.followed.extend(trouble.map(Input::Trouble));
        self.lengths.add(clock::instant().since(began));
    }

    fn carry_out(&mut self, outputs: &mut Vec<Output>) {
        self.may_stop |= self.effects.perform(outputs, &mut self.followed);
        if std::mem::take(&mut self.effects.in_force)
            && let Some(config) = self.core.pbx().config()
        {
            self.effects.follow(&config, &self.inbox);
        }
    }

    /// Once a second: a sign of life, and counts that have grown become trouble.
    fn look(&mut self, batch: &mut Vec<Input>) {
        self.notify.say("WATCHDOG=1");
        if self.core.pbx().is_empty() {
            self.effects.datagrams.forget_former();
        }
        if self.core.pbx().calls_live() == 0 && self.stop_when_idle.swap(false, Ordering::AcqRel) {
            batch.push(Input::Stop { end_calls: false });
        }
        batch.extend(self.core.troubles().map(Input::Trouble));
        let dropped = self.inbox.datagrams_dropped();
        let grown = dropped - self.datagrams_dropped;
        self.datagrams_dropped = dropped;
        if grown > 0 {
            self.inbox_full = true;
            let detail = format!("{grown} in a second, {dropped} since the start");
            batch.push(Input::Trouble(Trouble { kind: TroubleKind::InboxFull, raised: true, detail }));
        } else if std::mem::take(&mut self.inbox_full) {
            batch.push(Input::Trouble(Trouble { kind: TroubleKind::InboxFull, raised: false, detail: String::new() }));
        }
    }

    /// Lets the store catch up and tells the core, so that the last snapshot needs nothing told again.
    fn settle(&mut self) {
        if !self.effects.store.flush(FLUSH_WAIT) {
            tracing::warn!("the store did not catch up; what it misses is told again at the next start");
        }
        let mut last = std::mem::take(&mut self.followed);
        while let Ok(input) = self.arrivals.try_recv() {
            last.push(input);
        }
        self.turn(last);
    }

    /// The end: everything to disk.
    fn finish(mut self) -> Result<(), crate::journal::JournalError> {
        self.settle();
        let lengths = &self.lengths;
        let (p99, max) = (lengths.p99().as_micros(), lengths.max().as_micros());
        tracing::info!("stopped after {} turns; 99 of 100 within {p99} µs, longest {max} µs", lengths.count());
        let calls = self.core.pbx().calls_live();
        if calls > 0 {
            tracing::info!("{calls} calls go on at the next start");
        }
        let outcome = self.core.finish();
        self.effects.finish();
        outcome
    }
}
