//! The thread against a world: comes and goes, rings, is killed and started again.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::*;
use board::Product;
use board::sim::server::serve_until;

const LINE: PortId = PortId { card: 1, port: 1 };

struct World {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl World {
    fn start(dir: &Path) -> World {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ready, is_ready) = channel();
        let dir = dir.to_path_buf();
        let thread = std::thread::spawn(move || {
            serve_until(&dir, theirs.as_fd(), || ready.send(()).unwrap()).unwrap();
        });
        is_ready.recv().unwrap();
        World { stop: Some(ours), thread: Some(thread) }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

fn say(dir: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(dir.join("control.sock")).unwrap();
    writeln!(stream, "{command}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

struct Appliance {
    commands: Sender<(PortId, LineCommand)>,
    inputs: Receiver<Input>,
    thread: HardwareThread,
}

impl Appliance {
    fn start(dir: &Path) -> Appliance {
        let setup = Setup { product: Product::Sim { world_dir: dir.into() }, country: "CN".into() };
        let (commands, receiver) = channel();
        let (sender, inputs) = channel();
        // A test that has seen enough does not listen any more.
        let thread = spawn(setup, receiver, move |input| drop(sender.send(input))).unwrap();
        Appliance { commands, inputs, thread }
    }

    fn until(&self, wanted: impl Fn(&Input) -> bool) -> Input {
        let mut seen = Vec::new();
        loop {
            match self.inputs.recv_timeout(Duration::from_secs(8)) {
                Ok(input) if wanted(&input) => return input,
                Ok(input) => seen.push(input),
                Err(_) => panic!("what was waited for did not come; seen {seen:?}"),
            }
        }
    }

    fn line(&self, wanted: LineEvent) {
        self.until(|input| *input == Input::Line(LINE, wanted));
    }

    fn end(self) {
        drop(self.commands);
        self.thread.join();
    }
}

fn dir(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pbxd-hardware-{name}-{}", std::process::id()))
}

fn is_trouble(input: &Input, wanted: bool) -> bool {
    matches!(input, Input::Trouble(Trouble { kind: TroubleKind::HardwareBus, raised, .. }) if *raised == wanted)
}

#[test]
fn no_world_is_trouble_until_there_is_one() {
    let dir = dir("trouble");
    let hardware = Appliance::start(&dir);
    let Input::Trouble(trouble) = hardware.until(|input| is_trouble(input, true)) else { unreachable!() };
    assert!(trouble.detail.contains("start the world with"), "{}", trouble.detail);
    let world = World::start(&dir);
    hardware.until(|input| is_trouble(input, false));
    hardware.line(LineEvent::Attached { off_hook: false, battery: true });
    drop(world);
    hardware.until(|input| is_trouble(input, true));
    hardware.end();
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_call_outlives_the_thread() {
    let dir = dir("outlive");
    let world = World::start(&dir);
    let hardware = Appliance::start(&dir);
    hardware.line(LineEvent::Attached { off_hook: false, battery: true });
    assert_eq!(say(&dir, "ring 1"), "ok\n");
    hardware.line(LineEvent::RingBegan);
    hardware.commands.send((PortId { card: 9, port: 9 }, LineCommand::OffHook)).unwrap();
    hardware.commands.send((LINE, LineCommand::OffHook)).unwrap();
    assert_eq!(say(&dir, "wait 1 off-hook 2000"), "ok off-hook\n");
    hardware.end();
    let hardware = Appliance::start(&dir);
    hardware.line(LineEvent::Attached { off_hook: true, battery: true });
    assert!(say(&dir, "status").contains("\"exchange\":\"talking\""));
    assert_eq!(say(&dir, "release 1"), "ok\n");
    hardware.line(LineEvent::BatteryLost);
    hardware.commands.send((LINE, LineCommand::OnHook)).unwrap();
    assert_eq!(say(&dir, "wait 1 on-hook 2000"), "ok on-hook\n");
    hardware.end();
    drop(world);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn an_unknown_country_is_the_callers_to_hear() {
    let setup = Setup { product: Product::Sim { world_dir: dir("country") }, country: "Atlantis".into() };
    let (_commands, receiver) = channel();
    let Err(why) = spawn(setup, receiver, drop) else { panic!("Atlantis was accepted") };
    assert!(why.to_string().contains("use one of CN"), "{why}");
}
