//! CPU of the real media thread for two-party calls over loopback, beside that of the bare system calls in the same run.
//!
//! `cargo bench -p pbxd --bench relay [-- CALLS SECONDS]`. A leg-frame is one packet of 20 ms taken from a phone and one
//! sent to it. Everything that the kernel does for a packet on loopback counts for the sender.

use base::id::LegKey;
use base::media::{Codec, Command, RtpRemote, RtpSend};
use base::slab::Key;
use media::{Library, Settings, rtp};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use pbxd::media_thread::{MediaThreadConfig, spawn};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const FIRST_PORT: u16 = 25_100;
/// Phones that speak in one go; the next ones follow so that all are through after a frame.
const PACE: usize = 20;
const FRAME: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo passes `--bench`; numbers are ours.
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse::<u32>().ok());
    let calls = numbers.next().unwrap_or(200).min(400);
    let seconds = numbers.next().unwrap_or(10);
    let legs = 2 * calls;
    let frames = u64::from(seconds) * 50;

    let bare = bare_ns(legs, 100)?;
    println!("bare recv + send:      {bare:6} ns per leg-frame");

    let config = MediaThreadConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        settings: Settings::default(),
        library: Library::new(),
        highway: vec![],
    };
    let thread = spawn(config, |_| Ok(()), drop)?;
    let commands = thread.commands();
    let mut phones = Vec::new();
    for index in 0..legs {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let port = FIRST_PORT + 2 * index as u16;
        let leg = LegKey::from_parts(index, 0);
        let send = RtpSend { ssrc: index, first_seq: 0, first_timestamp: 0, epoch: pbxd::clock::instant() };
        commands.send(Command::CreateRtp { leg, local_port: port, send });
        let remote = RtpRemote {
            addr: socket.local_addr()?,
            codec: Codec::Pcma,
            payload_type: 8,
            dtmf_payload_type: Some(101),
            send: true,
            receive: true,
        };
        commands.send(Command::SetRemote { leg, remote });
        if index % 2 == 1 {
            commands.send(Command::Join { a: LegKey::from_parts(index - 1, 0), b: leg });
        }
        phones.push((socket, SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    }
    // The first half second is start-up.
    talk(&phones, 0..25)?;
    let task = media_task()?;
    let before = cpu_ns(&task)?;
    let heard = talk(&phones, 25..25 + frames)?;
    let used = cpu_ns(&task)? - before;
    let leg_frames = u64::from(legs) * frames;
    println!("media thread:          {:6} ns per leg-frame, {calls} calls, {seconds} s", used / leg_frames);
    println!("                       {:6.2} % of one core", used as f64 / (f64::from(seconds) * 1e7));
    println!("packets heard:         {:6.2} %", heard as f64 * 100.0 / leg_frames as f64);
    thread.stop();
    Ok(())
}

/// All phones say a packet in each frame, spread over the 20 ms, and take what came.
fn talk(phones: &[(UdpSocket, SocketAddr)], frames: std::ops::Range<u64>) -> std::io::Result<u64> {
    let pace = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::empty())?;
    let every = TimeSpec::from_duration(FRAME * PACE as u32 / phones.len() as u32);
    pace.set(Expiration::Interval(every), TimerSetTimeFlags::empty())?;
    let mut heard = 0;
    let mut buffer = [0; 2048];
    for n in frames {
        for (index, (socket, to)) in phones.iter().enumerate() {
            let header = rtp::Header {
                payload_type: 8,
                marker: false,
                seq: n as u16,
                timestamp: n as u32 * 160,
                ssrc: index as u32,
            };
            let mut bytes = [0; 172];
            let length = rtp::write(&header, &[n as u8; 160], &mut bytes).unwrap_or_default();
            while socket.recv(&mut buffer).is_ok() {
                heard += 1;
            }
            socket.send_to(&bytes[..length], to)?;
            if index % PACE == PACE - 1 {
                pace.wait()?;
            }
        }
    }
    Ok(heard)
}

/// What one receive and one send of a packet cost without any engine, in CPU time of this thread.
fn bare_ns(sockets: u32, rounds: u32) -> std::io::Result<u64> {
    let pairs: Vec<(UdpSocket, UdpSocket)> = (0..sockets)
        .map(|_| {
            let pair = (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
            Ok(pair)
        })
        .collect::<std::io::Result<_>>()?;
    let addresses = pairs.iter().map(|(_, to)| to.local_addr()).collect::<std::io::Result<Vec<_>>>()?;
    let mut buffer = [0; 2048];
    let begun = Instant::now();
    for _ in 0..rounds {
        for (i, (from, _)) in pairs.iter().enumerate() {
            from.send_to(&[0; 172], addresses[i])?;
        }
        for (_, to) in &pairs {
            to.recv_from(&mut buffer)?;
        }
    }
    Ok(begun.elapsed().as_nanos() as u64 / u64::from(rounds * sockets))
}

/// The scheduler's account of the media thread.
fn media_task() -> std::io::Result<std::path::PathBuf> {
    for entry in std::fs::read_dir("/proc/self/task")? {
        let task = entry?.path();
        if std::fs::read_to_string(task.join("comm"))?.trim() == "media" {
            return Ok(task.join("schedstat"));
        }
    }
    Err(std::io::Error::other("no thread is named media"))
}

/// Nanoseconds on a CPU so far.
fn cpu_ns(schedstat: &std::path::Path) -> std::io::Result<u64> {
    let text = std::fs::read_to_string(schedstat)?;
    Ok(text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}
