//! Where the benches play: a site of loopback addresses, the box on it under the supervisor of `run`, phones registered by
//! SIPp, and the sinks for its audio.

use super::farm::{Farm, Side};
use super::report::{Report, Row};
use super::sipp::{Load, Working};
use crate::programs::{built, share};
use crate::supervise::{Event, Launch, Supervisor, Who, Word, send};
use ::tests::peer::process::program;
use ::tests::peer::record::Workplace;
use ::tests::peer::{At, Outcome, Trouble};
use nix::sys::signal::Signal;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The box.
const BOX: Ipv4Addr = Ipv4Addr::new(127, 21, 0, 1);
/// Where the box listens for SIP.
pub const SIP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(BOX), 15_600);
/// Phones that call.
pub const CALLERS: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 21, 0, 10), 15_610);
/// Phones that are called.
pub const CALLEES: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 21, 0, 20), 15_620);
/// The carrier.
pub const CARRIER: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 21, 0, 50), 15_650);
/// RTP port of everybody at his address.
pub const RTP: u16 = 29_990;
/// RTP ports of the box.
const RTP_BOX: &str = "28000-29899";
/// Agents of each of the queues that nobody calls.
const MEMBERS: u32 = 20;
/// No turn of the control task may be longer.
pub const TURN_MAX_US: f64 = 5000.0;
/// A start on a very busy machine.
const START: Duration = Duration::from_secs(30);

/// Which site.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Name of its directory.
    pub name: &'static str,
    /// So many phones call, and as many are called: 2001 …, 3001 ….
    pub phones: u32,
    /// So many of the called are agents of the one queue.
    pub agents: u32,
    /// Whether the queue's calls are recorded.
    pub record: bool,
    /// So many queues more, each with a number and with [`MEMBERS`] of the agents.
    pub queues: u32,
}

/// A box that is started again when it dies.
pub struct Stage {
    /// Its files.
    pub place: Workplace,
    /// Sends and takes RTP.
    pub farm: Farm,
    plan: Plan,
    pid: u32,
    stop: Sender<Event>,
    words: Receiver<(Instant, Word)>,
    supervisor: JoinHandle<Result<(), String>>,
}

/// A start of the box.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// The process was there.
    pub at: Instant,
    /// It said that it is ready.
    pub ready: Instant,
}

/// What the control task says of its turns when it stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turns {
    /// 99 of 100 were not longer, in µs.
    pub p99_us: u32,
    /// The longest, in µs.
    pub longest_us: u32,
}

impl Turns {
    fn read(log: &str) -> Option<Turns> {
        let told = log.lines().rev().find_map(|line| line.split_once("99 of 100 within "))?.1;
        let mut numbers = told.split(' ').filter_map(|word| word.parse().ok());
        Some(Turns { p99_us: numbers.next()?, longest_us: numbers.next()? })
    }

    /// As rows of a bench.
    pub fn tell(turns: Option<Turns>, bench: &'static str, report: &mut Report) {
        let Some(turns) = turns else { return };
        let mut row = |what: &str, us: u32, peer| {
            let (case, what) = ("the whole run".to_owned(), what.to_owned());
            report.row(Row { bench, case, what, value: f64::from(us), unit: "µs", peer });
        };
        row("turn of control, 99 of 100", turns.p99_us, None);
        row("turn of control, longest", turns.longest_us, Some(TURN_MAX_US));
    }
}

impl Stage {
    /// Starts the box, and waits until it is ready.
    pub fn open(plan: Plan) -> Outcome<(Stage, Started)> {
        let place = Workplace::new(&format!("bench-{}", plan.name))?;
        std::fs::write(place.join("site.conf"), site(plan)).at("site.conf")?;
        std::fs::create_dir_all(place.join("data")).at("data")?;
        let (stop, events) = channel();
        let (tell, words) = channel();
        let launches = vec![(Who::Pbxd, launch(&place)?)];
        let (supervisor, farm) = (Supervisor::new(launches, events, stop.clone()), Farm::start()?);
        let run = move || {
            supervisor.run(&mut |word| {
                // Nobody listens any more once the stage is closed.
                let _ = tell.send((Instant::now(), word));
            })
        };
        let supervisor = std::thread::Builder::new().name("supervisor".into()).spawn(run).at("no thread")?;
        let mut stage = Stage { place, farm, plan, pid: 0, stop, words, supervisor };
        let started = stage.started()?;
        Ok((stage, started))
    }

    /// Process id of the box.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// kill -9. When.
    pub fn kill(&self) -> Outcome<Instant> {
        let now = Instant::now();
        send(self.pid, Signal::SIGKILL).map_err(Trouble)?;
        Ok(now)
    }

    /// Waits for the next start of the box. What the farm hears counts from the moment when the process before is gone.
    pub fn started(&mut self) -> Outcome<Started> {
        let (mut at, end) = (None, Instant::now() + START);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok((when, word)) = self.words.recv_timeout(left) else {
                return Err(Trouble(format!("pbxd is not ready after {START:?}; it says\n{}", self.log())));
            };
            match word {
                Word::Started(_, pid) => {
                    self.farm.mark()?;
                    self.pid = pid;
                    at = Some(when);
                }
                Word::Ready(..) => return Ok(Started { at: at.unwrap_or(when), ready: when }),
                Word::Line(..) | Word::Died(..) => {}
            }
        }
    }

    /// What the box logged, over all its starts.
    pub fn log(&self) -> String {
        log(&self.place)
    }

    /// Registers the called phones, from the port where [`callees`](Self::callees) answers afterwards: the box reaches a
    /// phone where its REGISTER came from.
    pub fn register(&self) -> Outcome {
        let phones = self.plan.phones;
        let mut load = Load::new("bench_register", CALLEES, RTP);
        load.users = (1..=phones).map(|n| registration(3000 + n, 3000 + n)).collect();
        load.calls = Some(phones);
        let mut working = load.start(self.place.path())?;
        let counts = working.finish(Duration::from_secs(30))?;
        if counts.successful == u64::from(phones) {
            return Ok(());
        }
        Err(Trouble(format!("{} of {phones} phones registered: {}", counts.successful, working.complaints())))
    }

    /// The called phones.
    pub fn callees(&self, scenario: &'static str, talk_ms: u32) -> Outcome<Working> {
        let load = Load { talk_ms, ..Load::new(scenario, CALLEES, RTP) };
        load.start(self.place.path())
    }

    /// Extensions that call extensions.
    pub fn callers(&self) -> Load {
        let user = |n| format!("{};{};{}", 2000 + n, credentials(2000 + n), 3000 + n);
        let users = (1..=self.plan.phones).map(user).collect();
        Load { users, ..Load::new("bench_extension", CALLERS, RTP) }
    }

    /// A carrier that calls the extensions.
    pub fn carrier(&self) -> Load {
        let users = (1..=self.plan.phones).map(|n| format!("400{}", 3000 + n)).collect();
        Load { users, ..Load::new("bench_trunk", CARRIER, RTP) }
    }

    /// A carrier that calls the queue and waits until it is released.
    pub fn waiting(&self) -> Load {
        Load { users: vec!["4008000".into()], ..Load::new("bench_waiting", CARRIER, RTP) }
    }

    /// Lets the farm send and take the audio of these calls; `from` is who placed them.
    pub fn talk(&self, from: Side, calling: &Working, called: &Working, calls: usize) -> Outcome {
        let limit = Duration::from_secs(60);
        let (calling, called) = (calling.up(calls, limit)?, called.up(calls, limit)?);
        let legs =
            |side: Side, ports: Vec<u16>| ports.into_iter().map(move |port| (side, SocketAddr::from((BOX, port))));
        self.farm.legs(legs(from, calling).chain(legs(Side::Callees, called)).collect())
    }

    /// The end: the box is asked to stop, its files go. How long its turns were, when it told.
    pub fn close(self) -> Outcome<Option<Turns>> {
        let Stage { place, farm, stop, supervisor, .. } = self;
        stop.send(Event::Stop).at("supervisor")?;
        let ended = supervisor.join().map_err(|_| Trouble("the supervisor's thread died".into()))?;
        farm.stop()?;
        ended.map_err(Trouble)?;
        let turns = Turns::read(&log(&place));
        place.passed();
        Ok(turns)
    }
}

fn log(place: &Workplace) -> String {
    std::fs::read_to_string(place.join("pbxd.log")).unwrap_or_default()
}

/// pbxd with its log in a file. `setpriv` lets it end with this program, the shell becomes it.
fn launch(place: &Workplace) -> Outcome<Launch> {
    let text = |path: PathBuf| path.display().to_string();
    let mut args: Vec<String> = ["--pdeathsig", "KILL", "--", "/bin/sh", "-c"].map(str::to_owned).to_vec();
    args.push(format!("exec \"$0\" \"$@\" 2>>'{}'", text(place.join("pbxd.log"))));
    args.push(text(built("pbxd").map_err(Trouble)?));
    args.extend(["--config".to_owned(), text(place.join("site.conf"))]);
    args.extend(["--data".to_owned(), text(place.join("data"))]);
    args.extend(["--share".to_owned(), text(share())]);
    Ok(Launch { program: program("setpriv", "util-linux")?, args, env: Vec::new() })
}

/// A line of users for `bench_register`: the extension, and the user of the contact.
pub fn registration(extension: u32, contact: u32) -> String {
    format!("{extension};{};{contact}", credentials(extension))
}

/// As SIPp takes them out of a list of users.
fn credentials(extension: u32) -> String {
    format!("[authentication username={extension} password=secret-{extension}]")
}

/// The configuration.
pub fn site(plan: Plan) -> String {
    let mut text = format!(
        "system {{ name bench; language en-US; }}\nsip {{ listen {SIP}; realm cordboard; }}\n\
         media {{ address {BOX}; rtp-ports {RTP_BOX}; jitter-ms 40; }}\ntrunk carrier {{ address {}; record no; }}\n",
        CARRIER.0
    );
    for n in 1..=plan.phones {
        for extension in [2000 + n, 3000 + n] {
            let _ = writeln!(text, "extension {extension} {{ secret secret-{extension}; }}");
        }
        let _ = writeln!(text, "did 400{0} {{ to extension {0}; }}", 3000 + n);
    }
    for n in 1..=plan.agents {
        let _ = writeln!(text, "agent {} {{ extension {}; logged-in yes; }}", 5000 + n, 3000 + n);
    }
    if plan.agents > 0 {
        let names: Vec<String> = (1..=plan.agents).map(|n| (5000 + n).to_string()).collect();
        let record = if plan.record { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "queue support {{ agents [ {} ]; wrap-up-s 0; max-wait-s 0; record {record}; }}\ndid 4008000 {{ to queue support; }}",
            names.join(" ")
        );
    }
    for n in 0..plan.queues {
        let member = |m: u32| (5001 + (n * 4 + m) % plan.agents.max(1)).to_string();
        let names: Vec<String> = (0..MEMBERS.min(plan.agents)).map(member).collect();
        let _ = writeln!(text, "queue q{n} {{ agents [ {} ]; }}\ndid 4009{n:03} {{ to queue q{n}; }}", names.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_turns_are_read_from_the_log() {
        let log = "INFO a\nINFO pbxd: stopped after 70 turns; 99 of 100 within 320 µs, longest 4100 µs\n";
        assert_eq!(Turns::read(log), Some(Turns { p99_us: 320, longest_us: 4100 }));
        assert_eq!(Turns::read("INFO a"), None);
    }
}
