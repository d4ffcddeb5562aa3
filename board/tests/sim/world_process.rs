//! The world as a process: what it does with a second instance, with signals, with garbage on its sockets, and what a
//! register access costs.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base::line::LineEvent;
use board::sim::wire::{Direction, PERIOD_BYTES, ToClient, ToWorld, connect_seqpacket};
use board::sim::{PORTS, boot_now};
use board::{Cards, Product, Setup};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A world of its own for one test.
pub struct World {
    child: Child,
    /// Where its sockets are.
    pub dir: PathBuf,
}

impl World {
    pub fn start(name: &str) -> World {
        let dir = std::env::temp_dir().join(format!("cordboard-world-{name}-{}", std::process::id()));
        World::start_in(dir)
    }

    pub fn start_in(dir: PathBuf) -> World {
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_world")).arg("--dir").arg(&dir).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("world: ready"), "{line}");
        World { child, dir }
    }

    fn run(dir: &Path, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_world")).arg("--dir").arg(dir).args(words).output().unwrap()
    }

    /// Says a command through the program; its answer, and whether it was obeyed.
    pub fn say(&self, words: &[&str]) -> (bool, String) {
        let output = World::run(&self.dir, words);
        let text = if output.status.success() { &output.stdout } else { &output.stderr };
        (output.status.success(), String::from_utf8_lossy(text).trim().to_string())
    }

    fn connect(&self, socket: &str) -> UnixStream {
        connect_seqpacket(&self.dir.join(socket), Duration::from_secs(2)).unwrap()
    }

    fn spi(&self, stream: &mut UnixStream, mosi: &[u8]) -> Vec<u8> {
        self.try_spi(stream, mosi).unwrap()
    }

    fn try_spi(&self, stream: &mut UnixStream, mosi: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(&[&[1, 0], mosi].concat())?;
        let mut answer = vec![0; 80];
        let length = stream.read(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    }

    /// Asks it to end; whether it did so in good order.
    pub fn end(&mut self) -> bool {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn sigterm_ends_it_and_removes_the_sockets() {
    let mut world = World::start("term");
    let dir = world.dir.clone();
    let sockets = || ["spi.sock", "tdm.sock", "control.sock", "panel.sock"].map(|name| dir.join(name).exists());
    assert_eq!(sockets(), [true; 4]);
    let began = Instant::now();
    assert!(world.end());
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(sockets(), [false; 4]);
}

#[test]
fn a_second_instance_is_refused_and_a_killed_one_leaves_no_trouble() {
    let mut world = World::start("second");
    let second = World::run(&world.dir, &[]);
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr).to_string();
    assert!(text.contains("runs in") && text.contains("choose another directory"), "{text}");
    assert!(world.say(&["status"]).0, "the first is unharmed");
    world.child.kill().unwrap();
    world.child.wait().unwrap();
    let (ok, text) = world.say(&["status"]);
    assert!(!ok && text.contains("start the world with"), "{text}");
    let again = World::start_in(world.dir.clone());
    assert!(again.say(&["status"]).0);
}

#[test]
fn every_command_answers_with_a_remedy_or_ok() {
    let mut world = World::start("commands");
    for (words, ok, text) in [
        (&["ring", "1"][..], true, "ok"),
        (&["ring", "1"], false, "rings already"),
        (&["answer?", "1"], true, "ok no"),
        (&["wait", "1", "off-hook", "30"], false, "whether pbxd runs"),
        (&["wait", "1", "on-hook", "30"], true, "ok on-hook"),
        (&["press", "1", "2"], false, "`ring 1`"),
        (&["release", "1"], true, "ok"),
        (&["release", "1"], false, "ring it first"),
        (&["cut", "4"], true, "ok"),
        (&["mend", "4"], true, "ok"),
        (&["call", "1", "/nowhere/a.wav"], false, "full path"),
        (&["hear", "1", "/nowhere/a.wav", "start"], false, "may be written"),
        (&["hear", "1", "stop"], false, "start first"),
        (&["ring", "9"], false, "lines 1 to 4"),
        (&["sing", "1"], false, "say one of"),
        (&["key", "ok"], true, "ok"),
        (&["key", "enter"], false, "one of up, down"),
        (&["glitch-front"], true, "ok"),
        (&["display"], true, "ok {"),
        (&["help"], true, "ok ring LINE"),
    ] {
        let answer = world.say(words);
        assert!(answer.0 == ok && answer.1.contains(text), "{words:?}: {answer:?}");
    }
    assert!(world.end());
}

#[test]
fn garbage_on_any_socket_harms_nobody() {
    let mut world = World::start("garbage");
    let mut good = world.connect("spi.sock");
    // A small generator of odd bytes, the same in every run.
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut odd = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..300 {
        let length = (odd() % 3_000) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| odd() as u8).collect();
        for socket in ["spi.sock", "tdm.sock", "panel.sock"] {
            let mut stream = world.connect(socket);
            if socket == "tdm.sock" && round % 3 == 0 {
                let hello = ToWorld::Hello { direction: Direction::Capture, card: (round % 2) as u8 };
                let _ = stream.write(&hello.to_bytes());
            }
            // It may hang up on us while we write; that is its right.
            let _ = stream.write(&bytes);
            let _ = stream.write(&bytes[..length.min(3)]);
        }
        let mut stream = UnixStream::connect(world.dir.join("control.sock")).unwrap();
        let _ = stream.write(&bytes);
    }
    let mut stream = UnixStream::connect(world.dir.join("control.sock")).unwrap();
    stream.write_all(&[b'x'; 10_000]).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.contains("send commands one by one"), "{answer}");
    assert_eq!(world.spi(&mut good, &[0x60, 2, 0]), [0, 0xFF, 0xFF, 0x03], "the first client goes on");
    assert_eq!(world.spi(&mut good, &[]), [1]);
    assert!(world.say(&["status"]).0);
    assert!(world.end());
}

#[test]
fn more_connections_than_it_takes_are_closed() {
    let world = World::start("crowd");
    let crowd: Vec<UnixStream> = (0..40).map(|_| world.connect("spi.sock")).collect();
    assert!(world.say(&["status"]).0);
    drop(crowd);
    // Until the world has noticed that the crowd is gone, a newcomer is one too many and is closed.
    let served = (0..100).find_map(|_| {
        assert!(world.say(&["status"]).0);
        let mut one = world.connect("spi.sock");
        world.try_spi(&mut one, &[0x60, 2, 0]).ok().filter(|answer| answer.len() > 3)
    });
    assert_eq!(served.map(|answer| answer[3]), Some(3));
}

#[test]
fn a_reader_that_sleeps_holds_nobody_up() {
    let mut world = World::start("sleeper");
    let mut sleeper = world.connect("tdm.sock");
    sleeper.write_all(&ToWorld::Hello { direction: Direction::Capture, card: 1 }.to_bytes()).unwrap();
    sleeper.write_all(&ToWorld::Start { run: 1 }.to_bytes()).unwrap();
    let mut other = world.connect("tdm.sock");
    other.write_all(&ToWorld::Hello { direction: Direction::Playback, card: 1 }.to_bytes()).unwrap();
    other.write_all(&ToWorld::Start { run: 7 }.to_bytes()).unwrap();
    let mut buffer = vec![0; PERIOD_BYTES + 64];
    let (mut ticks, mut last) = (0, None);
    while ticks < 100 {
        let length = other.read(&mut buffer).unwrap();
        if let Some(ToClient::Tick { run: 7, period, samples: None }) = ToClient::from_bytes(&buffer[..length]) {
            assert!(last.is_none_or(|last| period == last + 1), "no period is left out");
            last = Some(period);
            ticks += 1;
        }
    }
    assert!(world.end());
}

/// Not a promise: printed for the record, with a bound far above.
#[test]
fn cost_of_a_register_access() {
    let world = World::start("cost");
    let mut stream = world.connect("spi.sock");
    const COUNT: u32 = 5_000;
    let began = Instant::now();
    for _ in 0..COUNT {
        assert_eq!(world.spi(&mut stream, &[0x60, 2, 0])[3], 3);
    }
    let each = began.elapsed() / COUNT;
    println!("one register access over the world's socket: {each:?}");
    assert!(each < Duration::from_millis(5));
}

#[test]
fn the_whole_card_attaches_and_goes_on_after_the_world_is_back() {
    let mut world = World::start("card");
    let setup = Setup { product: Product::Sim { world_dir: world.dir.clone() }, country: "CN".into() };
    let mut cards = Cards::new(&setup, boot_now()).unwrap();
    let attach = |cards: &mut Cards| {
        let (mut events, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(5));
        let (_quiet, tick) = std::sync::mpsc::channel::<()>();
        loop {
            cards.poll(boot_now(), &mut events).unwrap();
            let attached = events.iter().filter(|(_, e)| matches!(e, LineEvent::Attached { .. })).count();
            if attached == usize::from(PORTS) {
                return events;
            }
            assert!(Instant::now() < deadline, "{events:?}");
            let _ = tick.recv_timeout(cards.next_poll().since(boot_now()));
        }
    };
    assert_eq!(attach(&mut cards).len(), usize::from(PORTS));
    let dir = world.dir.clone();
    assert!(world.end());
    let mut events = Vec::new();
    let trouble = cards.poll(boot_now(), &mut events).and_then(|()| {
        let (_quiet, tick) = std::sync::mpsc::channel::<()>();
        let _ = tick.recv_timeout(Duration::from_millis(20));
        cards.poll(boot_now(), &mut events)
    });
    assert!(trouble.unwrap_err().detail.contains("start the world with"));
    assert_eq!(events.len(), usize::from(PORTS), "each port tells its fault: {events:?}");
    assert!(cards.poll(boot_now(), &mut events).is_err());
    assert_eq!(events.len(), usize::from(PORTS), "once");
    let _again = World::start_in(dir);
    attach(&mut cards);
}
