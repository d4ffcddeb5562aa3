//! A pseudoterminal in the place of the tty: the driver's side is ours to pull.

use super::*;
use crate::console::session::tests::Still;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// For one step on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// A cable that is plugged in at `link`.
fn plug(link: &Path) -> PtyMaster {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let _ = std::fs::remove_file(link);
    symlink(ptsname_r(&master).unwrap(), link).unwrap();
    master
}

/// Types until `wanted` is answered. Before the line is open on the other side nothing is heard, so it is typed again.
fn expect(master: &mut PtyMaster, typed: &[u8], wanted: &str) {
    let (until, mut said, mut quiet) = (Instant::now() + LONG, String::new(), true);
    while !said.contains(wanted) {
        assert!(Instant::now() < until, "waited for {wanted:?}, got {said:?}");
        if quiet {
            let _ = master.write(typed);
        }
        let mut fds = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
        quiet = poll(&mut fds, PollTimeout::from(500u16)).unwrap() == 0;
        let mut bytes = [0; 1_024];
        match if quiet { Ok(0) } else { master.read(&mut bytes) } {
            Ok(count) => said.push_str(&String::from_utf8_lossy(&bytes[..count])),
            Err(_) => {
                // Nobody has the other end open yet: what is typed meanwhile piles up.
                quiet = true;
                poll(&mut [], PollTimeout::from(200u16)).unwrap();
            }
        }
    }
}

#[test]
fn a_line_is_served_over_garbage_breaks_and_pulled_cables() {
    let dir: PathBuf = std::env::temp_dir().join(format!("pbxd-serial-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let link = dir.join("tty");
    let device = link.display().to_string();
    let thread = spawn(move || Wanted::Line { device: device.clone(), speed: 115_200 }, Still::default()).unwrap();
    let mut cable = plug(&link);
    expect(&mut cable, b"\x03", "box> ");
    cable.write_all(b"\x00\x00\xff\xfe\x1b[\x80garbage\x03").unwrap();
    expect(&mut cable, b"configure\r", "box# ");
    drop(cable);
    // Whoever plugs in next is not in the middle of another's draft.
    let mut cable = plug(&link);
    expect(&mut cable, b"\x03", "box> ");
    thread.stop();
    std::fs::remove_dir_all(&dir).unwrap();
}

/// What the other side hears within the time, until it hangs up or says no more.
fn hung_up(master: &mut PtyMaster) -> bool {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        let mut fds = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::from(500u16)).unwrap();
        let gone = fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP));
        let mut bytes = [0; 1_024];
        let heard = fds[0].any().unwrap_or(false) && master.read(&mut bytes).is_ok();
        if gone && !heard {
            return true;
        }
    }
    false
}

#[test]
fn a_line_that_is_wanted_no_more_is_left_and_a_silent_core_takes_none_away() {
    let dir = std::env::temp_dir().join(format!("pbxd-serial-left-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let link = dir.join("tty");
    let line = Wanted::Line { device: link.display().to_string(), speed: 9_600 };
    let wanted = Arc::new(Mutex::new(line.clone()));
    let asked = Arc::clone(&wanted);
    let thread = spawn(move || asked.lock().unwrap().clone(), Still::default()).unwrap();
    let mut cable = plug(&link);
    expect(&mut cable, b"configure\r", "box# ");
    // Two looks later the draft is still there.
    *wanted.lock().unwrap() = Wanted::Unknown;
    for _ in 0..5 {
        let mut fds = [PollFd::new(cable.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::from(500u16)).unwrap();
    }
    expect(&mut cable, b"\x03", "box# ");
    *wanted.lock().unwrap() = Wanted::Nothing;
    assert!(hung_up(&mut cable), "the device is given back");
    *wanted.lock().unwrap() = line;
    expect(&mut cable, b"\x03", "box> ");
    thread.stop();
    std::fs::remove_dir_all(&dir).unwrap();
}
