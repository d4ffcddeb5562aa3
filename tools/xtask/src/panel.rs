//! `xtask panel`: the front panel of the running simulated appliance in the terminal, pixel by pixel, with its lamps, and
//! the keyboard as its keys; or its picture as a PNG. What is drawn is what the display's chip model shows, nothing is
//! drawn anew here.

use crate::run::{absolute, world_dir};
use base::panel::{HEIGHT, WIDTH};
use board::sim::wire::CONTROL_SOCKET;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, SetArg, Termios};
use pbx::config::Language;
use pbx::text::{start as key, text};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two pictures.
const PERIOD: Duration = Duration::from_millis(100);
/// Pixels of the file for one of the display.
const PNG_SCALE: usize = 4;
/// A grey from which on a dot of braille is set.
const DOT_GREY: u8 = 6;

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panel {
    /// Data directory of the appliance.
    pub data: PathBuf,
    /// Write the picture here and end.
    pub png: Option<PathBuf>,
}

/// What the front shows.
struct Seen {
    /// Grey of each pixel, 0 to 15, row by row.
    pixels: Vec<u8>,
    brightness_pct: u64,
    /// Green, amber, red, buzzer.
    signals: [bool; 4],
}

/// Shows the panel until `q`, or writes its picture.
pub fn run(panel: &Panel, language: Language) -> Result<(), String> {
    let dir = world_dir(&absolute(&panel.data)?);
    let path = dir.join(CONTROL_SOCKET);
    let stream = UnixStream::connect(&path)
        .map_err(|_| text(key::NO_WORLD, language, &[("path", &dir.display().to_string())]))?;
    let mut world = World { reader: BufReader::new(stream) };
    if let Some(file) = &panel.png {
        let seen = world.display()?;
        return write_png(file, &seen.pixels);
    }
    let mut out = std::io::stdout();
    if !(out.is_terminal() && std::io::stdin().is_terminal()) {
        print!("{}", picture(&world.display()?, 2 * WIDTH / 4));
        return Ok(());
    }
    let raw = Raw::enter().map_err(|why| format!("terminal: {why}"))?;
    // The other screen of the terminal, without a cursor; both are given back at the end.
    let _ = write!(out, "\x1b[?1049h\x1b[?25l\x1b[2J");
    let outcome = live(&mut world, &mut out);
    let _ = write!(out, "\x1b[?25h\x1b[?1049l");
    let _ = out.flush();
    drop(raw);
    outcome
}

/// The connection to the world.
struct World {
    reader: BufReader<UnixStream>,
}

impl World {
    fn say(&mut self, command: &str) -> Result<String, String> {
        let gone = |why: std::io::Error| format!("the world: {why}");
        self.reader.get_mut().write_all(format!("{command}\n").as_bytes()).map_err(gone)?;
        let mut answer = String::new();
        self.reader.read_line(&mut answer).map_err(gone)?;
        let answer = answer.trim_end();
        answer.strip_prefix("ok").map(|rest| rest.trim_start().to_string()).ok_or_else(|| match answer {
            "" => "the world has ended".to_string(),
            other => other.to_string(),
        })
    }

    fn display(&mut self) -> Result<Seen, String> {
        let answer = self.say("display")?;
        let odd = || "the world answers as another version does; build both anew".to_string();
        let value: Value = serde_json::from_str(&answer).map_err(|_| odd())?;
        let digits = value["pixels"].as_str().ok_or_else(odd)?;
        let pixels: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).map(|grey| grey as u8).collect();
        if pixels.len() != WIDTH * HEIGHT {
            return Err(odd());
        }
        let signals = ["green", "amber", "red", "buzzer"].map(|name| value[name] == true);
        Ok(Seen { pixels, brightness_pct: value["brightness_pct"].as_u64().unwrap_or(0), signals })
    }
}

/// Picture and keys, until `q`.
fn live(world: &mut World, out: &mut impl Write) -> Result<(), String> {
    let mut input = std::io::stdin();
    loop {
        let seen = world.display()?;
        let picture = picture(&seen, columns());
        let screen = picture.replace('\n', "\x1b[K\r\n");
        write!(out, "\x1b[H{screen}\x1b[J").and_then(|()| out.flush()).map_err(|why| format!("terminal: {why}"))?;
        let until = Instant::now() + PERIOD;
        while let Some(bytes) = typed(&mut input, until)? {
            for touch in touches(&bytes) {
                match touch {
                    Touch::Quit => return Ok(()),
                    Touch::Key(command) => drop(world.say(command)?),
                }
            }
        }
    }
}

/// What was typed before `until`.
fn typed(input: &mut std::io::Stdin, until: Instant) -> Result<Option<Vec<u8>>, String> {
    let wrong = |why: std::io::Error| format!("terminal: {why}");
    let left = until.saturating_duration_since(Instant::now()).as_millis();
    let ready = {
        let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::from(left.min(1_000) as u16)).unwrap_or(0)
    };
    if ready == 0 {
        return Ok(None);
    }
    let mut bytes = [0; 64];
    match input.read(&mut bytes).map_err(wrong)? {
        0 => Ok(Some(b"q".to_vec())),
        length => Ok(Some(bytes[..length].to_vec())),
    }
}

/// What a person wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Touch {
    Key(&'static str),
    Quit,
}

/// Arrows, Enter, Esc or Backspace; `o`, `b` as well; capitals hold for as long as the panel asks for. A lone Esc is Back,
/// an Esc with something behind it an arrow.
fn touches(bytes: &[u8]) -> Vec<Touch> {
    let mut touches = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (touch, length) = match rest {
            [0x1b, b'[' | b'O', letter @ b'A'..=b'D', ..] => (Some(arrow(*letter)), 3),
            [0x1b, b'[' | b'O', ..] => (None, rest.len()),
            _ => (plain(*first), 1),
        };
        touches.extend(touch);
        rest = &rest[length..];
    }
    touches
}

fn arrow(letter: u8) -> Touch {
    Touch::Key(match letter {
        b'A' => "key up",
        b'B' => "key down",
        b'C' => "key right",
        _ => "key left",
    })
}

fn plain(byte: u8) -> Option<Touch> {
    match byte {
        b'\r' | b'\n' | b'o' => Some(Touch::Key("key ok")),
        0x1b | 0x7f | 0x08 | b'b' => Some(Touch::Key("key back")),
        b'O' => Some(Touch::Key("key ok 3300")),
        b'B' => Some(Touch::Key("key back 3300")),
        b'q' | 0x03 | 0x04 => Some(Touch::Quit),
        _ => None,
    }
}

/// Columns of the terminal, 128 when it does not say.
fn columns() -> usize {
    let size = std::process::Command::new("stty").arg("size").stdin(std::process::Stdio::inherit()).output();
    let text = size.map(|output| String::from_utf8_lossy(&output.stdout).to_string()).unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(WIDTH / 2)
}

/// The front in characters: half blocks in their greys where the terminal is wide enough, else braille.
fn picture(seen: &Seen, columns: usize) -> String {
    let mut out = String::new();
    let light = |on, colour: &str| if on { format!("\x1b[{colour}m●\x1b[0m") } else { "○".to_string() };
    let [green, amber, red, buzzer] = seen.signals;
    let (green, amber, red) = (light(green, "32"), light(amber, "33"), light(red, "31"));
    let sound = if buzzer { "♪" } else { " " };
    let _ = writeln!(out, "{green} {amber} {red} {sound}  {} %", seen.brightness_pct);
    match columns {
        WIDTH.. => half_blocks(seen, &mut out),
        _ => braille(seen, &mut out),
    }
    if columns < WIDTH / 2 {
        let _ = writeln!(out, "the terminal is {columns} wide; the picture needs {}", WIDTH / 2);
    }
    out.push_str("arrows, Enter = OK, Esc = Back; O and B hold OK and Back for 3 s; q ends\n");
    out
}

fn half_blocks(seen: &Seen, out: &mut String) {
    let grey = |x: usize, y: usize| u32::from(seen.pixels[y * WIDTH + x]) * 17;
    for y in (0..HEIGHT).step_by(2) {
        let mut before = None;
        for x in 0..WIDTH {
            let colours = (grey(x, y), grey(x, y + 1));
            if before != Some(colours) {
                let (upper, lower) = colours;
                let _ = write!(out, "\x1b[38;2;{upper};{upper};{upper}m\x1b[48;2;{lower};{lower};{lower}m");
                before = Some(colours);
            }
            out.push('▀');
        }
        out.push_str("\x1b[0m\n");
    }
}

fn braille(seen: &Seen, out: &mut String) {
    // Bits of a braille character, by row and column of its dots.
    const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    for y in (0..HEIGHT).step_by(4) {
        for x in (0..WIDTH).step_by(2) {
            let dots = (0..4).flat_map(|dy| (0..2).map(move |dx| (dx, dy)));
            let set = dots.filter(|(dx, dy)| seen.pixels[(y + dy) * WIDTH + x + dx] >= DOT_GREY);
            let bits = set.fold(0x2800, |bits, (dx, dy)| bits | BITS[dy][dx]);
            out.push(char::from_u32(bits).unwrap_or(' '));
        }
        out.push('\n');
    }
}

/// Writes the pixels, each as a square.
fn write_png(path: &Path, pixels: &[u8]) -> Result<(), String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = std::fs::File::create(path).map_err(|why| wrong(&why))?;
    let (width, height) = (WIDTH * PNG_SCALE, HEIGHT * PNG_SCALE);
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let at = |index: usize| pixels[index / width / PNG_SCALE * WIDTH + index % width / PNG_SCALE] * 17;
    let bytes: Vec<u8> = (0..width * height).map(at).collect();
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&bytes)).map_err(|why| wrong(&why))
}

/// The terminal without line editing and echo; as it was when dropped.
pub(crate) struct Raw {
    before: Termios,
}

impl Raw {
    pub(crate) fn enter() -> nix::Result<Raw> {
        let before = termios::tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        termios::tcsetattr(std::io::stdin(), SetArg::TCSAFLUSH, &raw)?;
        Ok(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_escape_sequences() {
        let said = |bytes: &[u8]| touches(bytes);
        assert_eq!(said(b"\x1b[A\x1bOC\r"), [Touch::Key("key up"), Touch::Key("key right"), Touch::Key("key ok")]);
        assert_eq!(said(b"\x1b"), [Touch::Key("key back")]);
        assert_eq!(said(b"\x1b[5~xO"), []);
        assert_eq!(said(b"Oq"), [Touch::Key("key ok 3300"), Touch::Quit]);
    }

    #[test]
    fn the_picture_is_the_pixels() {
        let mut pixels = vec![0; WIDTH * HEIGHT];
        (pixels[0], pixels[WIDTH + 1]) = (15, 15);
        let seen = Seen { pixels, brightness_pct: 62, signals: [true, false, false, false] };
        let text = picture(&seen, 128);
        assert_eq!(text.lines().nth(1).and_then(|line| line.chars().next()), char::from_u32(0x2800 | 0x01 | 0x10));
        assert_eq!(text.lines().filter(|line| line.chars().count() == 128).count(), 16);
        assert!(picture(&seen, 256).contains("\x1b[38;2;255;255;255m\x1b[48;2;0;0;0m▀"));
        assert!(picture(&seen, 80).contains("80 wide"));
    }
}
