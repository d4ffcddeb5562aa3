//! The box itself: the built `pbxd` on a loopback address with a data directory of its own, started, killed, started
//! again; and what it wrote down. The programs are taken from beside the running test, because tests of one package
//! cannot name the binaries of another.

use super::process::{Process, run};
use super::record::until;
use super::site::Site;
use super::{At, Outcome, Trouble};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a start may take on a busy machine; the promise of one second is measured where it is tested.
const START: Duration = Duration::from_secs(15);

/// A running box.
pub struct Appliance {
    process: Process,
    program: PathBuf,
    /// What the file is to it.
    option: &'static str,
    config: PathBuf,
    data: PathBuf,
    world: Option<PathBuf>,
}

/// One row of the leg-event journal.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Order.
    pub seq: i64,
    /// Monotonic time, in µs.
    pub at_us: i64,
    /// Call it belongs to, as stored; empty when none.
    pub call: String,
    /// Leg within the call.
    pub leg: Option<i64>,
    /// Who caused it.
    pub actor: String,
    /// What: the variant's name.
    pub kind: String,
    /// The variant's fields.
    pub detail: Value,
}

/// One call detail record.
#[derive(Clone, Debug, Default)]
pub struct Cdr {
    /// Uid of the call.
    pub call: String,
    /// Who called.
    pub source: String,
    /// What was dialled.
    pub destination: String,
    /// What it came to last, in Asterisk's words: `Dial`, `Queue`, `BackGround`.
    pub application: String,
    /// `ANSWERED`, `NO ANSWER`, `BUSY`, `FAILED`.
    pub disposition: String,
    /// From the first message to the end, in s.
    pub duration_s: i64,
    /// From the answer to the end, in s.
    pub talk_s: i64,
    /// Who or what ended it.
    pub ended_by: String,
    /// Queue, or empty.
    pub queue: String,
    /// Offers to agents.
    pub offers: i64,
    /// Recordings, separated by spaces.
    pub recording: String,
}

/// A program built by this workspace: beside the test, which lies in `deps`.
pub fn built(name: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe().at("path of this test")?;
    let dir = own.parent().and_then(Path::parent).at("directory of this test")?;
    let path = dir.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let release = if dir.ends_with("release") { " --release" } else { "" };
    Err(Trouble(format!("{} is not built; remedy: cargo build --locked{release} --workspace", path.display())))
}

impl Appliance {
    /// Starts a box for `site` with its data in `dir`/data and waits until SIP is bound. `world` is the directory of a
    /// running simulated world.
    pub fn start(site: &Site, dir: &Path, world: Option<&Path>) -> Outcome<Appliance> {
        Self::start_program("pbxd", site, dir, world)
    }

    /// The same with another program in the place of `pbxd`.
    pub fn start_program(name: &str, site: &Site, dir: &Path, world: Option<&Path>) -> Outcome<Appliance> {
        let config = dir.join("site.conf");
        std::fs::write(&config, if site.unset { site.factory() } else { site.text() }).at(config.display())?;
        let (program, data, world) = (built(name)?, dir.join("data"), world.map(Path::to_owned));
        std::fs::create_dir_all(&data).at(data.display())?;
        let option = if site.unset { "--factory" } else { "--config" };
        let process = launch(&program, (option, &config), &data, world.as_deref())?;
        let appliance = Appliance { process, program, option, config, data, world };
        appliance.ready()?;
        Ok(appliance)
    }

    /// Waits until it says that it is ready.
    fn ready(&self) -> Outcome {
        self.process.wait_line("ready: SIP", START).map(|_| ()).map_err(|trouble| {
            Trouble(format!("pbxd did not start: {trouble}\nits whole output:\n{}", self.process.output()))
        })
    }

    /// The directory with its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it printed since its last start.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Waits until it has printed a line with `text`.
    pub fn says(&self, text: &str, limit: Duration) -> Outcome {
        self.process.wait_line(text, limit).map(|_| ())
    }

    /// SIGKILL: nothing is flushed, nothing is said to anybody. Returns when the process is gone.
    pub fn kill9(&mut self) -> Outcome {
        self.process.kill9()
    }

    /// Waits until the program has ended by itself.
    pub fn ended(&mut self, limit: Duration) -> Outcome {
        self.process.wait_end(limit).map(|_| ())
    }

    /// Starts the program again on the same data, as a supervisor does, and waits until it is ready. How long that took.
    pub fn restart(&mut self) -> Outcome<Duration> {
        let begun = Instant::now();
        self.process = launch(&self.program, (self.option, &self.config), &self.data, self.world.as_deref())?;
        self.ready()?;
        Ok(begun.elapsed())
    }

    /// SIGTERM, and a clean end.
    pub fn stop(mut self) -> Outcome {
        let status = self.process.stop(START)?;
        if status.success() {
            return Ok(());
        }
        Err(Trouble(format!("pbxd ended with {status}:\n{}", self.process.output())))
    }

    /// Ensures the program is still the one started.
    pub fn alive(&self) -> Outcome {
        let proc = PathBuf::from(format!("/proc/{}/stat", self.pid()));
        std::fs::read_to_string(&proc).at("pbxd is gone").map(|_| ())
    }

    /// The main database, for reading only.
    fn database(&self) -> Outcome<Connection> {
        let path = self.data.join("main.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).at(path.display())?;
        connection.busy_timeout(Duration::from_secs(5)).at(path.display())?;
        Ok(connection)
    }

    /// The leg-event journal so far.
    pub fn facts(&self) -> Outcome<Vec<Fact>> {
        let database = self.database()?;
        let sql =
            "SELECT seq, ts_us, coalesce(call_id, ''), leg_id, actor, kind, detail_json FROM leg_event ORDER BY seq";
        let mut statement = database.prepare(sql).at("leg_event")?;
        let rows = statement.query_map([], |row| {
            Ok(Fact {
                seq: row.get(0)?,
                at_us: row.get(1)?,
                call: row.get(2)?,
                leg: row.get(3)?,
                actor: row.get(4)?,
                kind: row.get(5)?,
                detail: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or(Value::Null),
            })
        });
        rows.and_then(Iterator::collect).at("leg_event")
    }

    /// Waits until `wanted` gives something for the journal. `what` names it.
    pub fn wait_facts<T>(&self, limit: Duration, what: &str, wanted: impl Fn(&[Fact]) -> Option<T>) -> Outcome<T> {
        until(&self.data, limit, what, || Ok(wanted(&self.facts()?))).map_err(|trouble| {
            let told = self.facts().map(|facts| ladder(&facts)).unwrap_or_default();
            Trouble(format!("{trouble}\nleg events:\n{told}\npbxd says:\n{}", self.log()))
        })
    }

    /// Waits until every call that began has ended, and there were `calls` of them.
    pub fn all_ended(&self, calls: usize) -> Outcome<Vec<Fact>> {
        self.wait_facts(Duration::from_secs(15), &format!("{calls} calls to be over"), |facts| {
            let count = |kind: &str| facts.iter().filter(|fact| fact.kind == kind).count();
            (count("CallBegan") == calls && count("CallEnded") == calls).then(|| facts.to_vec())
        })
    }

    /// The call detail records, oldest first.
    pub fn cdrs(&self) -> Outcome<Vec<Cdr>> {
        let database = self.database()?;
        let sql = "SELECT uniqueid, src, dst, lastapp, disposition, duration, billsec, ended_by, coalesce(queue, ''), \
                   offers, coalesce(recording_id, '') FROM cdr_asterisk ORDER BY sequence";
        let mut statement = database.prepare(sql).at("cdr_asterisk")?;
        let rows = statement.query_map([], |row| {
            Ok(Cdr {
                call: row.get(0)?,
                source: row.get(1)?,
                destination: row.get(2)?,
                application: row.get(3)?,
                disposition: row.get(4)?,
                duration_s: row.get(5)?,
                talk_s: row.get(6)?,
                ended_by: row.get(7)?,
                queue: row.get(8)?,
                offers: row.get(9)?,
                recording: row.get(10)?,
            })
        });
        rows.and_then(Iterator::collect).at("cdr_asterisk")
    }

    /// Writes a recording of the box as a WAV file and gives its path.
    pub fn export(&self, recording: &str, out: &Path) -> Outcome {
        let data = self.data.display().to_string();
        run(&self.program, ["export-recording", "--data", &data, recording, &out.display().to_string()]).map(|_| ())
    }

    /// The story of a call as `pbxd story` tells it.
    pub fn story(&self, call: &str) -> Outcome<String> {
        let data = self.data.display().to_string();
        run(&self.program, ["story", "--data", &data, call, "--lang", "en"])
    }

    /// The call detail records as `pbxd cdr` prints them.
    pub fn cdr_text(&self) -> Outcome<String> {
        let data = self.data.display().to_string();
        run(&self.program, ["cdr", "--data", &data, "--lang", "en"])
    }
}

/// The events in one line each, for messages.
pub fn ladder(facts: &[Fact]) -> String {
    let line = |fact: &Fact| {
        let leg = fact.leg.map(|leg| format!(" leg {leg}")).unwrap_or_default();
        format!(
            "{:>4} {:>11} {}{leg} [{}] {} {}\n",
            fact.seq, fact.at_us, fact.call, fact.actor, fact.kind, fact.detail
        )
    };
    facts.iter().map(line).collect()
}

fn launch(program: &Path, (option, file): (&str, &Path), data: &Path, world: Option<&Path>) -> Outcome<Process> {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("rootfs").join("share");
    let mut args = vec![option.to_owned(), file.display().to_string()];
    args.extend(["--data".to_owned(), data.display().to_string()]);
    args.extend(["--share".to_owned(), share.display().to_string()]);
    let dir = data.parent().unwrap_or(data);
    let mut env = Vec::new();
    if let Some(world) = world {
        args.extend(["--world".to_owned(), world.display().to_string()]);
        env.push(("ALSA_CONFIG_PATH", world.join("asound.conf").display().to_string()));
    }
    Process::start("pbxd", program, args, dir, &env)
}
