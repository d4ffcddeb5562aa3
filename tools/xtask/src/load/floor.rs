//! Where a load plays: a net of loopback addresses, a site with one queue or one extension, the box on it, two SIPps and
//! the ears of their phones. It plays the callers it is given and hands back what phones, SIPps and box say of it.

use crate::bench::sipp::{Load, Working};
use crate::bench::stage::registration;
use crate::programs::{built, share};
use ::tests::peer::load_ears::{CALLER_PORT, Ears, Habits, Seen, Town};
use ::tests::peer::process::Process;
use ::tests::peer::record::Workplace;
use ::tests::peer::sipp::Counts;
use ::tests::peer::{At, Outcome, Trouble};
use nix::sys::signal::Signal;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// SIP port of the box; the callers' SIPp and the phones' use the next ones.
const SIP_PORT: u16 = 15_700;
/// RTP ports of the box: below those that the kernel gives to anybody (32768 on), of which a wildcard socket takes one
/// away at every address.
const RTP_BOX: &str = "26000-31999";
/// Ports for callers at most; each is taken again when all others were. At 40 calls a second that is after 75 s.
const CALLER_PORTS_MAX: u32 = 3_000;
/// What callers dial.
const NUMBER: &str = "4008000";
/// A start or an end on a very busy machine.
const START: Duration = Duration::from_secs(30);
/// After the last call: the last rows are written in groups of half a second.
const SETTLE: Duration = Duration::from_secs(2);

/// What SIPp does by itself: without `abortunexp`, because between two messages that it sends it takes none, and gives a
/// call up when one comes just then. What it did not expect it tells all the same, and that is judged.
const BEHAVIORS: (&str, &str) = ("-default_behaviors", "bye,pingreply");

/// Who is reached by the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reached {
    /// A queue; each contact is the phone of an agent. The value of its leaf `strategy`, where that is not the default.
    Queue(Option<&'static str>),
    /// One extension that has all contacts.
    Extension,
}

/// When callers dial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// So many at once.
    AtOnce(u32),
    /// At these moments, in ms from the beginning.
    At(Vec<u64>),
    /// One after the other, so many per second, so many in all.
    Steady {
        /// Calls per second.
        rate: u32,
        /// Calls in all.
        calls: u32,
    },
}

/// Which site, and what happens there.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of its directory.
    pub name: &'static str,
    /// `N` of the net 127.22.N.0/24.
    pub net: u8,
    /// Phones.
    pub seats: u16,
    /// How they are reached.
    pub reached: Reached,
    /// Whether calls are recorded.
    pub record: bool,
    /// Callers.
    pub arrivals: Arrivals,
    /// What people do.
    pub habits: Habits,
    /// No call may take longer than this after the last has begun.
    pub limit: Duration,
}

impl Arrivals {
    /// Calls in all.
    pub fn calls(&self) -> u32 {
        match self {
            Arrivals::AtOnce(calls) | Arrivals::Steady { calls, .. } => *calls,
            Arrivals::At(moments) => moments.len() as u32,
        }
    }

    /// Until the last has dialled.
    pub fn length(&self) -> Duration {
        match self {
            Arrivals::AtOnce(_) => Duration::ZERO,
            Arrivals::At(moments) => Duration::from_millis(moments.iter().copied().max().unwrap_or(0)),
            Arrivals::Steady { rate, calls } => Duration::from_secs(u64::from(calls / rate.max(&1))),
        }
    }

    /// Ports that its callers need.
    fn ports(&self) -> u16 {
        self.calls().clamp(1, CALLER_PORTS_MAX) as u16
    }

    /// Port and moment of each caller, as SIPp reads them; taken in turn.
    fn users(&self) -> Vec<String> {
        let port = |n: usize| CALLER_PORT + 2 * (n % usize::from(self.ports())) as u16;
        match self {
            Arrivals::At(moments) => moments.iter().enumerate().map(|(n, ms)| format!("{};{ms}", port(n))).collect(),
            Arrivals::AtOnce(_) | Arrivals::Steady { .. } => {
                (0..usize::from(self.ports())).map(|n| format!("{};0", port(n))).collect()
            }
        }
    }
}

/// What came of it.
pub struct Played {
    /// The box's files; it has ended.
    pub place: Workplace,
    /// What the phones noticed.
    pub seen: Seen,
    /// What the callers' SIPp counted.
    pub callers: Counts,
    /// What the phones' SIPp counted.
    pub phones: Counts,
    /// What a SIPp complained about, the first lines.
    pub complaints: String,
    /// Why the callers' SIPp was not waited for any longer.
    pub unfinished: Option<String>,
    /// Messages that no scenario expected, and that the box must not have sent.
    pub unexpected: Vec<String>,
    /// What the box logged.
    pub log: String,
}

/// Plays it. `look` is called about once a second with the box's process id and its data directory.
pub fn play(plan: &Plan, look: &mut dyn FnMut(u32, &std::path::Path)) -> Outcome<Played> {
    let place = Workplace::new(&format!("load-{}", plan.name))?;
    let data = place.join("data");
    std::fs::create_dir_all(&data).at(data.display())?;
    std::fs::write(place.join("site.conf"), site(plan)).at("site.conf")?;
    let town = town(plan);
    let mut pbxd = start(&place)?;
    register(plan, &town, &place)?;
    let ears = Ears::open(town, plan.habits, 7)?;
    let phones = Load {
        remote: sip(plan),
        options: vec![option(BEHAVIORS.0, BEHAVIORS.1)],
        ..Load::new("load_phone", pair(town.phones), 0)
    };
    let phones = phones.start(place.path())?;
    let mut callers = callers(plan, &town).start(place.path())?;
    ears.follow(callers.log(), phones.log())?;
    let end = Instant::now() + plan.arrivals.length() + plan.limit;
    // SIPp ends when the last of its callers has.
    let (callers_counts, unfinished) = loop {
        look(pbxd.pid(), &data);
        match callers.finish(Duration::from_secs(1)) {
            Ok(counts) => break (counts, None),
            Err(_) if Instant::now() < end => {}
            Err(trouble) => break (callers.counts()?, Some(trouble.0)),
        }
    };
    std::thread::sleep(SETTLE);
    look(pbxd.pid(), &data);
    let complaints = [callers.complaints(), phones.complaints()].concat();
    let unexpected = [callers.errors(), phones.errors()].iter().flat_map(|errors| unexpected(errors)).collect();
    let phones = phones.close()?;
    let seen = ears.close()?;
    pbxd.signal(Signal::SIGINT)?;
    let status = pbxd.wait_end(START)?;
    let log = pbxd.output();
    if !status.success() {
        return Err(Trouble(format!("pbxd ended with {status}:\n{log}")));
    }
    Ok(Played { place, seen, callers: callers_counts, phones, complaints, unfinished, unexpected, log })
}

fn start(place: &Workplace) -> Outcome<Process> {
    let text = |path: PathBuf| path.display().to_string();
    let args = [
        ["--config".to_owned(), text(place.join("site.conf"))],
        ["--data".to_owned(), text(place.join("data"))],
        ["--share".to_owned(), text(share())],
    ];
    let program = built("pbxd").map_err(Trouble)?;
    let pbxd = Process::start("pbxd", &program, args.concat(), place.path(), &[])?;
    pbxd.wait_line("ready: SIP", START).map_err(|trouble| Trouble(format!("{trouble}\n{}", pbxd.output())))?;
    Ok(pbxd)
}

fn option(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}

fn address(plan: &Plan, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 22, plan.net, host)
}

fn sip(plan: &Plan) -> std::net::SocketAddr {
    (address(plan, 1), SIP_PORT).into()
}

fn pair(address: std::net::SocketAddr) -> (Ipv4Addr, u16) {
    match address.ip() {
        std::net::IpAddr::V4(ip) => (ip, address.port()),
        std::net::IpAddr::V6(_) => (Ipv4Addr::LOCALHOST, address.port()),
    }
}

fn town(plan: &Plan) -> Town {
    Town {
        host: address(plan, 1),
        callers: (address(plan, 50), SIP_PORT + 50).into(),
        phones: (address(plan, 20), SIP_PORT + 20).into(),
        person: (address(plan, 99), SIP_PORT + 99).into(),
        caller_ports: plan.arrivals.ports(),
        seats: plan.seats,
    }
}

fn callers(plan: &Plan, town: &Town) -> Load {
    let calls = plan.arrivals.calls();
    let rate = match &plan.arrivals {
        Arrivals::Steady { rate, .. } => *rate,
        // All of them are made at once; each waits for its moment.
        Arrivals::AtOnce(_) | Arrivals::At(_) => calls.max(1_000),
    };
    Load {
        remote: sip(plan),
        users: plan.arrivals.users(),
        rate,
        at_once: calls.max(1),
        calls: Some(calls),
        options: vec![option("-s", NUMBER), option("-cid_str", "%u-load"), option(BEHAVIORS.0, BEHAVIORS.1)],
        ..Load::new("load_caller", pair(town.callers), 0)
    }
}

/// Registers all contacts, from where the phones' SIPp answers afterwards.
fn register(plan: &Plan, town: &Town, place: &Workplace) -> Outcome {
    let contact = |seat| match plan.reached {
        Reached::Queue(_) => registration(3000 + seat, 3000 + seat),
        Reached::Extension => registration(3001, 3000 + seat),
    };
    let mut load = Load { remote: sip(plan), ..Load::new("bench_register", pair(town.phones), 0) };
    load.users = (1..=u32::from(plan.seats)).map(contact).collect();
    load.calls = Some(plan.seats.into());
    let mut working: Working = load.start(place.path())?;
    let counts = working.finish(START)?;
    if counts.successful == u64::from(plan.seats) {
        return Ok(());
    }
    Err(Trouble(format!("{} of {} phones registered: {}", counts.successful, plan.seats, working.complaints())))
}

fn site(plan: &Plan) -> String {
    let (host, record) = (address(plan, 1), if plan.record { "yes" } else { "no" });
    let mut text = format!(
        "system {{ name load; language en-US; }}\nsip {{ listen {}; realm cordboard; expires-max-s 86400; }}\n\
         media {{ address {host}; rtp-ports {RTP_BOX}; jitter-ms 40; }}\ntrunk carrier {{ address {}; record no; }}\n",
        sip(plan),
        address(plan, 50)
    );
    let seats = 1..=u32::from(plan.seats);
    match plan.reached {
        Reached::Queue(strategy) => {
            for seat in seats.clone() {
                let (extension, agent) = (3000 + seat, 5000 + seat);
                let _ = writeln!(text, "extension {extension} {{ secret secret-{extension}; }}");
                let _ = writeln!(text, "agent {agent} {{ extension {extension}; logged-in yes; }}");
            }
            let agents: Vec<String> = seats.map(|seat| (5000 + seat).to_string()).collect();
            let strategy = strategy.map(|name| format!("strategy {name}; ")).unwrap_or_default();
            let _ = writeln!(
                text,
                "queue load {{ agents [ {} ]; {strategy}wrap-up-s 0; max-wait-s 0; record {record}; }}\n\
                 did {NUMBER} {{ to queue load; }}",
                agents.join(" ")
            );
        }
        Reached::Extension => {
            let _ = writeln!(
                text,
                "extension 3001 {{ secret secret-3001; record {record}; }}\ndid {NUMBER} {{ to extension 3001; }}"
            );
        }
    }
    text
}

/// The first lines of messages that SIPp did not expect; not those that reached it while it was about to send, not our
/// own persons', and not an INVITE repeated because SIPp was slow to answer it.
fn unexpected(errors: &str) -> Vec<String> {
    let told = errors.split("on unexpected message").skip(1).filter_map(|told| told.lines().next());
    let again = "while expecting 'CANCEL' (index";
    let fine = |told: &&str| {
        told.contains("while sending")
            || told.contains("received 'MESSAGE sip:load")
            || (told.contains(again) && told.contains("received 'INVITE"))
    };
    told.filter(|told| !fine(told)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_box_must_not_send_is_found_in_the_errors() {
        let errors = "The following events occurred:\n2026: Continuing call on unexpected message for Call-Id 'a': while \
                      expecting 'ACK' (index 9), received 'BYE sip:load SIP/2.0\nVia: x\n'2026: Continuing call on \
                      unexpected message for Call-Id 'b': while sending (index 18), received 'CANCEL sip:x SIP/2.0\n'";
        let found = unexpected(errors);
        assert!(found.len() == 1 && found[0].contains("BYE"), "{found:?}");
    }

    #[test]
    fn callers_get_their_moments_and_their_own_ports() {
        assert_eq!(Arrivals::At(vec![5, 900]).users(), ["24000;5", "24002;900"]);
        let steady = Arrivals::Steady { rate: 40, calls: 144_000 };
        assert_eq!((steady.users().len(), steady.calls(), steady.length()), (3000, 144_000, Duration::from_secs(3600)));
    }
}
