//! The whole way through the sound system: a program that opens the PCM through the `alsa` crate as the box does, the
//! plugin, the world's sockets, chips and lines. Samples are compared one by one.
//!
//! One test function, because libasound reads its configuration once per process; each part starts a world of its own.
#![allow(unsafe_code)]

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alsa::pcm::{Access, Format, Frames, HwParams, PCM, State};
use alsa::poll::{Descriptors, poll};
use alsa::{Direction, ValueOr};
use base::line::{LineCommand, LineEvent};
use board::sim::{boot_now, server};
use board::{Cards, Product, Setup};

const CHANNELS: usize = 8;
const PERIOD: usize = 160;

/// A world in a thread of this process.
struct Rig {
    dir: PathBuf,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Rig {
    fn start(dir: &Path) -> Rig {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ready, is_ready) = channel();
        let path = dir.to_path_buf();
        let thread = std::thread::spawn(move || {
            server::serve_until(&path, theirs.as_fd(), || ready.send(()).unwrap()).unwrap();
        });
        is_ready.recv().unwrap();
        Rig { dir: dir.into(), stop: Some(ours), thread: Some(thread) }
    }

    fn say(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.dir.join("control.sock")).unwrap();
        writeln!(stream, "{command}").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.starts_with("ok"), "{command}: {answer}");
        answer
    }

    fn status(&self) -> serde_json::Value {
        serde_json::from_str(self.say("status").strip_prefix("ok ").unwrap()).unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers whatever rings, until told to stop; leaves the hooks as they are.
struct Answerer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Answerer {
    fn start(dir: &Path) -> Answerer {
        let setup = Setup { product: Product::Sim { world_dir: dir.into() }, country: "CN".into() };
        let (stop, stopped): (Sender<()>, Receiver<()>) = channel();
        let (ready, is_ready) = channel();
        let thread = std::thread::spawn(move || {
            let mut cards = Cards::new(&setup, boot_now()).unwrap();
            let (mut events, mut attached) = (Vec::new(), 0);
            loop {
                cards.poll(boot_now(), &mut events).unwrap();
                for (port, event) in std::mem::take(&mut events) {
                    match event {
                        LineEvent::Attached { .. } => attached += 1,
                        LineEvent::RingBegan => {
                            cards.command(boot_now(), port, LineCommand::OffHook, &mut events).unwrap();
                        }
                        LineEvent::BatteryLost => {
                            cards.command(boot_now(), port, LineCommand::OnHook, &mut events).unwrap();
                        }
                        _ => {}
                    }
                }
                if attached == 4 {
                    attached = 0;
                    ready.send(()).unwrap();
                }
                let left = cards.next_poll().since(boot_now());
                if stopped.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        });
        is_ready.recv_timeout(Duration::from_secs(5)).expect("four ports attach");
        Answerer { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Answerer {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

fn open(direction: Direction) -> alsa::Result<PCM> {
    let pcm = PCM::new("cordboard0", direction, true)?;
    {
        let hw = HwParams::any(&pcm)?;
        hw.set_access(Access::RWInterleaved)?;
        hw.set_format(Format::s16())?;
        hw.set_channels(CHANNELS as u32)?;
        hw.set_rate(8_000, ValueOr::Nearest)?;
        hw.set_period_size(PERIOD as Frames, ValueOr::Nearest)?;
        hw.set_buffer_size(4 * PERIOD as Frames)?;
        pcm.hw_params(&hw)?;
        let sw = pcm.sw_params_current()?;
        sw.set_avail_min(PERIOD as Frames)?;
        sw.set_start_threshold(2 * PERIOD as Frames)?;
        pcm.sw_params(&sw)?;
    }
    pcm.prepare()?;
    Ok(pcm)
}

/// Waits until a period can be read; `Err` as the PCM says.
fn read_period(pcm: &PCM) -> alsa::Result<Vec<i16>> {
    let mut samples = vec![0i16; CHANNELS * PERIOD];
    let deadline = Instant::now() + Duration::from_secs(3);
    loop {
        assert!(Instant::now() < deadline, "no period within 3 s");
        match pcm.io_i16()?.readi(&mut samples) {
            Ok(frames) => {
                assert_eq!(frames, PERIOD);
                return Ok(samples);
            }
            Err(why) if why.errno() == nix::libc::EAGAIN => {
                let mut fds = pcm.get()?;
                poll(&mut fds, 1_000)?;
                pcm.revents(&fds)?;
            }
            Err(why) => return Err(why),
        }
    }
}

fn write_period(pcm: &PCM, samples: &[i16]) -> alsa::Result<()> {
    assert_eq!(pcm.io_i16()?.writei(samples)?, PERIOD);
    Ok(())
}

fn channel_of(period: &[i16], channel: usize) -> impl Iterator<Item = i16> + '_ {
    period.iter().skip(channel).step_by(CHANNELS).copied()
}

/// Never zero, never twice within its 30,000 samples.
fn ramp(i: usize) -> i16 {
    (i % 30_000) as i16 + 1
}

fn write_wav(path: &Path, samples: impl Iterator<Item = i16>) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.for_each(|s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
}

fn read_wav(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().samples::<i16>().map(Result::unwrap).collect()
}

/// Where the ramp begins, having checked that `count` samples of it follow without a gap.
fn find_ramp(samples: &[i16], count: usize) -> usize {
    let start = samples.iter().position(|s| *s != 0).expect("something was heard");
    assert_eq!(samples[start], ramp(0), "the first sample heard is the first said");
    let wrong = (0..count).find(|i| samples.get(start + i).copied() != Some(ramp(*i)));
    assert_eq!(wrong, None, "sample {wrong:?} of {count} is {:?}", wrong.map(|i| samples.get(start + i)));
    start
}

/// A busy machine may make this program late, which one of the parts is about; then a part is done again.
fn in_time(part: fn(&Path) -> alsa::Result<()>, dir: &Path) {
    let late = |result: &alsa::Result<()>| result.as_ref().is_err_and(|why| why.errno() == nix::libc::EPIPE);
    let done = (0..5).map(|_| part(dir)).find(|result| !late(result));
    done.expect("in time once in five").unwrap();
}

/// Speech of line 2 comes in on channel 1 sample by sample, is played back, and is heard by the caller.
fn every_sample_arrives_both_ways(dir: &Path) -> alsa::Result<()> {
    let rig = Rig::start(dir);
    let _answerer = Answerer::start(dir);
    let (speech, heard) = (dir.join("speech.wav"), dir.join("heard.wav"));
    write_wav(&speech, (0..12_000).map(ramp));
    let (capture, playback) = (open(Direction::Capture)?, open(Direction::Playback)?);
    assert_eq!(open(Direction::Capture).unwrap_err().errno(), nix::libc::EBUSY);
    let answer = rig.say(&format!("hear 2 {} start", heard.display()));
    let began_hearing: u64 = answer.trim().strip_prefix("ok began ").unwrap().parse().unwrap();
    rig.say(&format!("call 2 {}", speech.display()));
    rig.say("wait 2 off-hook 3000");
    let began_saying = rig.status()["lines"][1]["sounds"][0]["began"].as_u64().unwrap();
    capture.start()?;
    let mut captured = Vec::new();
    write_period(&playback, &[0; CHANNELS * PERIOD])?;
    for _ in 0..90 {
        let period = read_period(&capture)?;
        captured.extend(channel_of(&period, 1));
        assert!(channel_of(&period, 0).all(|s| s == 0), "other lines are silent");
        write_period(&playback, &period)?;
    }
    find_ramp(&captured, 12_000);
    rig.say("hear 2 stop");
    let heard = read_wav(&heard);
    let round_trip = began_hearing + find_ramp(&heard, 11_000) as u64 - began_saying;
    println!("line to box to line: {round_trip} samples = {} ms", round_trip / 8);
    assert!(round_trip <= 4 * PERIOD as u64);
    let highway = &rig.status()["highway"];
    assert_eq!((&highway["underruns"], &highway["undelivered"]), (&0.into(), &0.into()), "{highway}");
    Ok(())
}

/// A program that comes back finds the call where it is now, not where it left.
fn reopening_joins_at_the_current_period(dir: &Path) -> alsa::Result<()> {
    let rig = Rig::start(dir);
    let answerer = Answerer::start(dir);
    let speech = dir.join("speech.wav");
    write_wav(&speech, (0..24_000).map(ramp));
    rig.say(&format!("call 1 {}", speech.display()));
    rig.say("wait 1 off-hook 3000");
    let listen = |periods: usize| -> alsa::Result<Vec<i16>> {
        let capture = open(Direction::Capture)?;
        capture.start()?;
        let mut heard = Vec::new();
        for _ in 0..periods {
            heard.extend(channel_of(&read_period(&capture)?, 0));
        }
        Ok(heard)
    };
    let before = listen(30)?;
    drop(answerer);
    wait_ms(&rig, 200);
    let after = listen(10)?;
    let (last, first) = (*before.last().unwrap(), after[0]);
    let gap = i32::from(first) - i32::from(last);
    assert!((160 * 5..160 * 30).contains(&gap), "gap of {gap} samples");
    assert!(after.windows(2).all(|w| w[1] == w[0] + 1));
    Ok(())
}

/// Too late is an xrun as with any card, and recovering from it works.
fn a_late_program_recovers(dir: &Path) -> alsa::Result<()> {
    let rig = Rig::start(dir);
    let capture = open(Direction::Capture)?;
    let playback = open(Direction::Playback)?;
    capture.start()?;
    write_period(&playback, &[0; CHANNELS * PERIOD])?;
    write_period(&playback, &[0; CHANNELS * PERIOD])?;
    read_period(&capture)?;
    assert!(UnixStream::connect(rig.dir.join("control.sock")).is_ok());
    wait_ms(&rig, 200);
    assert_eq!(read_period(&capture).unwrap_err().errno(), nix::libc::EPIPE);
    assert_eq!(write_period(&playback, &[0; CHANNELS * PERIOD]).unwrap_err().errno(), nix::libc::EPIPE);
    for pcm in [&capture, &playback] {
        assert_eq!(pcm.state(), State::XRun);
        pcm.prepare()?;
    }
    capture.start()?;
    for _ in 0..5 {
        read_period(&capture)?;
    }
    write_period(&playback, &[0; CHANNELS * PERIOD])?;
    write_period(&playback, &[0; CHANNELS * PERIOD])?;
    assert_eq!(playback.state(), State::Running);
    Ok(())
}

/// Lets the world's own clock pass: it answers a wait that cannot come true.
fn wait_ms(rig: &Rig, ms: u64) {
    let mut stream = UnixStream::connect(rig.dir.join("control.sock")).unwrap();
    writeln!(stream, "wait 4 off-hook {ms}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("error: line 4"), "{answer}");
}

/// The end of the world is an error, not a silence; a new world is joined by opening again.
fn the_end_of_the_world_is_told(dir: &Path) -> alsa::Result<()> {
    let rig = Rig::start(dir);
    let capture = open(Direction::Capture)?;
    let playback = open(Direction::Playback)?;
    capture.start()?;
    read_period(&capture)?;
    drop(rig);
    let began = Instant::now();
    let why = loop {
        if let Err(why) = read_period(&capture) {
            break why;
        }
    };
    assert_eq!(why.errno(), nix::libc::ENODEV);
    assert!(began.elapsed() < Duration::from_millis(500));
    let write = (0..5).find_map(|_| write_period(&playback, &[0; CHANNELS * PERIOD]).err());
    assert_eq!(write.unwrap().errno(), nix::libc::ENODEV);
    assert_eq!(open(Direction::Capture).unwrap_err().errno(), nix::libc::ENODEV);
    drop((capture, playback));
    let _rig = Rig::start(dir);
    let capture = open(Direction::Capture)?;
    capture.start()?;
    read_period(&capture)?;
    Ok(())
}

/// Where cargo put the plugin: beside this test's own directory.
fn plugin() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let candidates = [deps.join("libvtdm.so"), deps.parent().unwrap().join("libvtdm.so")];
    candidates.iter().find(|path| path.exists()).expect("cargo builds the plugin before this test").clone()
}

#[test]
fn the_highway_through_the_sound_system() {
    let dir = std::env::temp_dir().join(format!("cordboard-highway-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let config = dir.join("asoundrc");
    std::fs::write(&config, board::sim::product::asoundrc(&dir, &plugin())).unwrap();
    // SAFETY: the only test of this process, and no other thread yet.
    unsafe { std::env::set_var("ALSA_CONFIG_PATH", &config) };
    in_time(every_sample_arrives_both_ways, &dir);
    in_time(reopening_joins_at_the_current_period, &dir);
    in_time(a_late_program_recovers, &dir);
    in_time(the_end_of_the_world_is_told, &dir);
    std::fs::remove_dir_all(&dir).unwrap();
}
