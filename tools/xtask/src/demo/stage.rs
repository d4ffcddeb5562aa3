//! What the demo needs around it: the appliance under its supervisor on a thread, its world, its store to look into,
//! and the phones of the agents.

use crate::run::{Site, absolute};
use crate::supervise::{Event, Supervisor, Who, Word, send, stop_on_signals};
use crate::world::act;
use nix::sys::signal::Signal;
use pbx::config::{Config, Destination, Language};
use pbx::event::{Detail, LegEvent};
use pbxd::store::read::open_readonly;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tests::peer::audio::Pcm;
use tests::peer::baresip::{Answer, Baresip, Phone, Transport};
use tests::peer::record::until;

/// How long the programs may take to start.
const START: Duration = Duration::from_secs(20);

/// The appliance at work.
pub struct Stage {
    /// The site.
    pub config: Config,
    /// Its data.
    pub data: PathBuf,
    /// Files of the demo itself.
    pub dir: PathBuf,
    words: Receiver<Word>,
    reports: Sender<Event>,
    supervisor: Option<JoinHandle<Result<(), String>>>,
    pbxd: u32,
}

impl Stage {
    /// Starts world and box and waits until both are ready.
    pub fn start(site: &Site, dir: &Path, language: Language) -> Result<Stage, String> {
        let config = site.read(language)?;
        let (reports, events) = channel();
        stop_on_signals(reports.clone())?;
        let supervisor = Supervisor::new(site.launches()?, events, reports.clone());
        let (tell, words) = channel();
        let supervise = move || {
            supervisor.run(&mut |word| {
                // The demo may have given up already.
                let _ = tell.send(word);
            })
        };
        let thread = std::thread::Builder::new().name("supervisor".into()).spawn(supervise);
        let supervisor = Some(thread.map_err(|e| format!("no thread: {e}"))?);
        let data = absolute(&site.data)?;
        let mut stage = Stage { config, data, dir: dir.to_path_buf(), words, reports, supervisor, pbxd: 0 };
        stage.wait_ready()?;
        Ok(stage)
    }

    /// Waits until the box says that it is ready; how long that took.
    pub fn wait_ready(&mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        loop {
            match self.words.recv_timeout(START.saturating_sub(begun.elapsed())) {
                Ok(Word::Started(Who::Pbxd, pid)) => self.pbxd = pid,
                Ok(Word::Ready(Who::Pbxd, ..)) => return Ok(begun.elapsed()),
                Ok(_) => {}
                Err(_) => return Err(self.end().err().unwrap_or_else(|| "pbxd did not get ready".into())),
            }
        }
    }

    /// SIGKILL to the box; nothing is flushed. How long until it was ready again.
    pub fn kill_box(&mut self) -> Result<Duration, String> {
        send(self.pbxd, Signal::SIGKILL)?;
        self.wait_ready()
    }

    /// A command to the world.
    pub fn act(&self, words: &[&str]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        act(&self.data, &words, Language::En).map_err(|why| format!("world {}: {why}", words.join(" ")))
    }

    /// Waits until the journal of facts holds what `wanted` looks for.
    pub fn fact<T>(&self, what: &str, limit: Duration, wanted: impl Fn(&[LegEvent]) -> Option<T>) -> Result<T, String> {
        let look = || {
            let facts = open_readonly(&self.data).and_then(|reader| reader.events_between(0, u64::MAX));
            facts.map(|facts| wanted(&facts)).map_err(|e| tests::peer::Trouble::new(e.to_string()))
        };
        until(&self.data, limit, what, look).map_err(|trouble| trouble.to_string())
    }

    /// Asks the programs to end and waits; why they ended earlier, if they did.
    pub fn end(&mut self) -> Result<(), String> {
        // Nobody listens when the supervisor has ended by itself.
        let _ = self.reports.send(Event::Stop);
        match self.supervisor.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err("the supervisor died of a bug of its own".into()),
            None => Ok(()),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(why) = self.end() {
            eprintln!("{why}");
        }
    }
}

/// Who takes part: the line's caller, and the agents of the queue behind key 2 of the line's menu.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Line that rings, e.g. `1`.
    pub line: String,
    /// The menu.
    pub menu: String,
    /// Languages of the menu's prompt, in order, and its name.
    pub prompts: Vec<(&'static str, String)>,
    /// The queue behind the key.
    pub queue: String,
    /// Agents with their extensions, in the order of the queue.
    pub agents: Vec<(String, String)>,
}

impl Cast {
    /// Finds the roles in a configuration; says what is missing for the demo.
    pub fn of(config: &Config) -> Result<Cast, String> {
        let (port, line) = config.lines.iter().next().ok_or("the demo needs an analog line (`card 1 { port 1 … }`)")?;
        let Some(Destination::Menu(menu)) = config.dids.get(&line.did).map(|did| &did.to) else {
            return Err(format!("the demo needs `did {} {{ to menu … }}`", line.did));
        };
        let values = config.menus.get(menu).ok_or_else(|| format!("there is no menu {menu}"))?;
        let Some(Destination::Queue(queue)) = values.keys.get(&'2') else {
            return Err(format!("the demo needs `menu {menu} {{ key 2 {{ to queue … }} }}`"));
        };
        let agents = config.queues.get(queue).map(|q| q.agents.clone()).unwrap_or_default();
        let at_work = |id: String| {
            let agent = config.agents.get(&id).filter(|a| a.logged_in)?;
            Some((id, agent.extension.clone()?))
        };
        let agents: Vec<(String, String)> = agents.into_iter().filter_map(at_work).take(2).collect();
        if agents.is_empty() {
            return Err(format!("the demo needs an agent with `logged-in yes` in queue {queue}"));
        }
        let prompts = values.languages.iter().map(|l| (l.tag(), values.prompt.clone())).collect();
        Ok(Cast { line: port.port.to_string(), menu: menu.clone(), prompts, queue: queue.clone(), agents })
    }
}

/// Starts a desk phone for each agent and waits until it is registered.
pub fn phones(stage: &Stage, cast: &Cast, voice: &Pcm) -> Result<Vec<(String, Baresip)>, String> {
    let registrar = stage.config.sip.listen;
    let mut phones = Vec::new();
    for (seat, (_, extension)) in (0u8..).zip(&cast.agents) {
        let secret = stage.config.extensions.get(extension).map(|e| e.secret.clone()).unwrap_or_default();
        let phone = Phone {
            extension: extension.clone(),
            secret,
            sip_port: registrar.port() + 10 + 2 * u16::from(seat),
            rtp_port: stage.config.media.rtp_ports.1 + 1 + 4 * u16::from(seat),
            control: control_address(registrar, seat),
            registrar,
            transport: if seat == 0 { Transport::Udp } else { Transport::Tcp },
            answer: Answer::Manual,
            voice: voice.clone(),
            register_s: 60,
        };
        let running = Baresip::start(&phone, &stage.dir).map_err(|e| e.to_string())?;
        let wanted = |facts: &[LegEvent]| {
            let here = |d: &Detail| matches!(d, Detail::Registered { extension: e, contacts: 1 } if e == extension);
            facts.iter().any(|f| here(&f.detail)).then_some(())
        };
        let what = format!("phone {extension} to be registered");
        stage.fact(&what, START, wanted).map_err(|e| format!("{e}\n{}", running.log()))?;
        phones.push((extension.clone(), running));
    }
    Ok(phones)
}

/// An address for the control socket that only this phone has: boxes on other ports have other phones.
fn control_address(near: SocketAddr, seat: u8) -> Ipv4Addr {
    let [high, low] = near.port().to_be_bytes();
    let own = match near.ip() {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(v6) => [127, 0, 0, v6.octets()[15]],
    };
    Ipv4Addr::new(127, 64 + high % 64, low, 11u8.wrapping_add(own[3].wrapping_mul(4)).wrapping_add(seat))
}
