//! The commands of a person or a test: one line of text in, one line out, `ok …` or `error: … remedy`. Parsing is pure;
//! [`Command::run`] acts on the world.

use base::panel::Key;
use base::time::Instant;
use core::time::Duration;
use std::path::PathBuf;

use super::PORTS;
use super::person::load_wav;
use super::world::World;

/// What may be said.
pub const HELP: &str = "ring LINE | call LINE FILE.wav | answer? LINE | speak LINE FILE.wav | press LINE KEYS | \
     release LINE | hear LINE FILE.wav start | hear LINE FILE.wav stop | wait LINE off-hook MS | wait LINE on-hook MS | \
     cut LINE | mend LINE | reverse LINE | glitch LINE | break-link LINE | mend-link LINE | \
     key KEY MS | display | glitch-front | status | help";
/// A key that is pressed for no stated time.
const PRESS_MS: u64 = 120;
/// The longest press.
const PRESS_MS_MAX: u64 = 60_000;
/// The longest wait.
const WAIT_MS_MAX: u64 = 3_600_000;

/// What a person does at a line (index from 0).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Rings it.
    Ring(usize),
    /// Rings it and speaks when answered.
    Call(usize, PathBuf),
    /// Asks whether it is answered.
    Answered(usize),
    /// Speaks a file.
    Speak(usize, PathBuf),
    /// Presses keys.
    Press(usize, String),
    /// Hangs up.
    Release(usize),
    /// Listens into a file.
    HearStart(usize, PathBuf),
    /// Ends the file.
    HearStop(usize),
    /// Waits until the box holds the line (true) or lets it go.
    Wait(usize, bool, Duration),
    /// Cuts (true) or mends the cable.
    Cut(usize, bool),
    /// Changes TIP and RING.
    Reverse(usize),
    /// Resets the chip.
    Glitch(usize),
    /// Breaks (true) or mends the isolation link of the chip pair.
    BreakLink(usize, bool),
    /// Presses a key of the front for so long.
    Key(Key, Duration),
    /// Tells what the front shows, as JSON.
    Display,
    /// Resets the chips of the front.
    GlitchFront,
    /// Tells everything as JSON.
    Status,
    /// Tells the commands.
    Help,
}

/// What to answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// At once.
    Now(Result<String, String>),
    /// When the hook of the line stands so, or the time is over.
    Later {
        /// Index of the line.
        line: usize,
        /// Wanted.
        off_hook: bool,
        /// Given up then.
        until: Instant,
    },
}

impl Command {
    /// Reads one line.
    pub fn parse(text: &str) -> Result<Command, String> {
        let text = text.trim();
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match verb {
            "status" => return Ok(Command::Status),
            "display" => return Ok(Command::Display),
            "glitch-front" => return Ok(Command::GlitchFront),
            "key" => return parse_key(rest.trim()),
            "help" => return Ok(Command::Help),
            "" => return Err(format!("an empty line is no command; say one of: {HELP}")),
            _ => {}
        }
        let known = HELP.split(" | ").any(|usage| usage.split(' ').next() == Some(verb));
        if !known {
            return Err(format!("`{}` is no command; say one of: {HELP}", shown(verb)));
        }
        let (line, rest) = parse_line(rest.trim())?;
        let alone = |command: Command| {
            if rest.is_empty() {
                Ok(command)
            } else {
                Err(format!("`{}` is too much after `{verb} LINE`", shown(rest)))
            }
        };
        match verb {
            "ring" if !rest.is_empty() => Err("caller identity is not modelled yet; say `ring LINE`".into()),
            "ring" => Ok(Command::Ring(line)),
            "call" => Ok(Command::Call(line, parse_path(verb, rest)?)),
            "answer?" => alone(Command::Answered(line)),
            "speak" => Ok(Command::Speak(line, parse_path(verb, rest)?)),
            "press" => Ok(Command::Press(line, rest.to_ascii_uppercase())),
            "release" => alone(Command::Release(line)),
            "hear" => parse_hear(line, rest),
            "wait" => parse_wait(line, rest),
            "cut" => alone(Command::Cut(line, true)),
            "mend" => alone(Command::Cut(line, false)),
            "reverse" => alone(Command::Reverse(line)),
            "glitch" => alone(Command::Glitch(line)),
            "break-link" => alone(Command::BreakLink(line, true)),
            "mend-link" => alone(Command::BreakLink(line, false)),
            _ => Err(format!("say one of: {HELP}")),
        }
    }

    /// Does it.
    pub fn run(self, world: &mut World, now: Instant) -> Answer {
        let done = |result: Result<(), String>| Answer::Now(result.map(|()| String::new()));
        let began = |result: Result<u64, String>| Answer::Now(result.map(|at| format!("began {at}")));
        match self {
            Command::Ring(line) => done(world.ring(now, line, None)),
            Command::Call(line, path) => {
                done(load_wav(&path).and_then(|said| world.ring(now, line, Some((path.display().to_string(), said)))))
            }
            Command::Answered(line) => {
                Answer::Now(Ok(if world.is_off_hook(now, line) { "yes" } else { "no" }.to_string()))
            }
            Command::Speak(line, path) => {
                began(load_wav(&path).and_then(|said| world.speak(line, &path.display().to_string(), said)))
            }
            Command::Press(line, keys) => began(world.press(line, &keys)),
            Command::Release(line) => done(world.release(now, line)),
            Command::HearStart(line, path) => began(world.listen(line, &path)),
            Command::HearStop(line) => Answer::Now(
                world.stop_listening(line).map(|(began, samples)| format!("began {began} samples {samples}")),
            ),
            Command::Wait(line, off_hook, patience) => Answer::Later { line, off_hook, until: now + patience },
            Command::Cut(line, cut) => done(world.cut(now, line, cut)),
            Command::Reverse(line) => done(world.reverse(now, line)),
            Command::Glitch(line) => done(world.glitch(now, line)),
            Command::BreakLink(line, broken) => done(world.break_link(now, line, broken)),
            Command::Key(key, duration) => {
                world.front.press(now, key, duration);
                done(Ok(()))
            }
            Command::Display => Answer::Now(Ok(world.front.seen().to_string())),
            Command::GlitchFront => {
                world.front.glitch();
                done(Ok(()))
            }
            Command::Status => Answer::Now(Ok(world.status(now).to_string())),
            Command::Help => Answer::Now(Ok(HELP.into())),
        }
    }
}

impl Answer {
    /// Looks whether a later answer is due.
    pub fn settle(&self, world: &World, now: Instant) -> Option<Result<String, String>> {
        match self {
            Answer::Now(result) => Some(result.clone()),
            Answer::Later { line, off_hook, until } => {
                let want = if *off_hook { "off-hook" } else { "on-hook" };
                if world.is_off_hook(now, *line) == *off_hook {
                    return Some(Ok(want.into()));
                }
                let late = format!("line {} did not go {want} in time; see `status`, and whether pbxd runs", line + 1);
                (now >= *until).then_some(Err(late))
            }
        }
    }
}

fn parse_line(rest: &str) -> Result<(usize, &str), String> {
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number = word.strip_prefix("1/").unwrap_or(word).parse::<u8>().ok().filter(|n| (1..=PORTS).contains(n));
    match number {
        Some(number) => Ok((usize::from(number) - 1, rest.trim())),
        None => Err(format!("`{}` is no line; there are lines 1 to {PORTS}", shown(word))),
    }
}

fn parse_key(rest: &str) -> Result<Command, String> {
    let usage = || {
        let names = Key::ALL.map(Key::name).join(", ");
        format!(
            "say `key KEY` or `key KEY MS`; KEY is one of {names}; MS is 1 to {PRESS_MS_MAX}, {PRESS_MS} by default"
        )
    };
    let (name, ms) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let key = Key::named(name).ok_or_else(usage)?;
    let ms = match ms.trim() {
        "" => Some(PRESS_MS),
        ms => ms.parse::<u64>().ok().filter(|ms| (1..=PRESS_MS_MAX).contains(ms)),
    };
    Ok(Command::Key(key, Duration::from_millis(ms.ok_or_else(usage)?)))
}

fn parse_path(verb: &str, rest: &str) -> Result<PathBuf, String> {
    if rest.is_empty() { Err(format!("`{verb}` needs a file: {verb} LINE FILE.wav")) } else { Ok(rest.into()) }
}

fn parse_hear(line: usize, rest: &str) -> Result<Command, String> {
    let (path, what) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
    match what {
        "start" => Ok(Command::HearStart(line, parse_path("hear", path.trim())?)),
        "stop" => Ok(Command::HearStop(line)),
        _ => Err("say `hear LINE FILE.wav start` or `hear LINE FILE.wav stop`".into()),
    }
}

fn parse_wait(line: usize, rest: &str) -> Result<Command, String> {
    let usage = || format!("say `wait LINE off-hook MS` or `wait LINE on-hook MS`, MS from 0 to {WAIT_MS_MAX}");
    let (hook, ms) = rest.split_once(char::is_whitespace).ok_or_else(usage)?;
    let ms = ms.trim().parse::<u64>().ok().filter(|ms| *ms <= WAIT_MS_MAX).ok_or_else(usage)?;
    match hook {
        "off-hook" => Ok(Command::Wait(line, true, Duration::from_millis(ms))),
        "on-hook" => Ok(Command::Wait(line, false, Duration::from_millis(ms))),
        _ => Err(usage()),
    }
}

/// Someone else's words in our answer: printable, and not too many.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        assert_eq!(Command::parse("ring 1\r"), Ok(Command::Ring(0)));
        assert_eq!(Command::parse("call 1/4 /tmp/a b.wav"), Ok(Command::Call(3, "/tmp/a b.wav".into())));
        assert_eq!(Command::parse("press 2 12#"), Ok(Command::Press(1, "12#".into())));
        assert_eq!(Command::parse("hear 1 /tmp/a b.wav start"), Ok(Command::HearStart(0, "/tmp/a b.wav".into())));
        assert_eq!(Command::parse("hear 1 stop"), Ok(Command::HearStop(0)));
        assert_eq!(Command::parse("key ok"), Ok(Command::Key(Key::Ok, Duration::from_millis(120))));
        assert_eq!(Command::parse("key back 3200"), Ok(Command::Key(Key::Back, Duration::from_millis(3_200))));
        assert_eq!(Command::parse("wait 1 off-hook 500"), Ok(Command::Wait(0, true, Duration::from_millis(500))));
    }

    #[test]
    fn every_error_says_what_to_do() {
        for (text, remedy) in [
            ("", "say one of"),
            ("dance 1", "say one of"),
            ("ring", "lines 1 to 4"),
            ("ring 5", "lines 1 to 4"),
            ("ring 1 12345", "say `ring LINE`"),
            ("speak 1", "speak LINE FILE.wav"),
            ("hear 1 a.wav", "start"),
            ("wait 1 off-hook", "MS from 0"),
            ("wait 1 off-hook 99999999999", "MS from 0"),
            ("release 1 now", "too much"),
            ("key", "up, down, left, right, ok, back"),
            ("key enter", "up, down, left, right, ok, back"),
            ("key ok 0", "1 to 60000"),
        ] {
            let error = Command::parse(text).unwrap_err();
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }

    #[test]
    fn a_wait_ends_by_time() {
        let mut world = World::new(Instant::BOOT);
        let answer = Command::Wait(0, true, Duration::from_millis(10)).run(&mut world, Instant::BOOT);
        assert_eq!(answer.settle(&world, Instant::from_micros(9_999)), None);
        assert!(answer.settle(&world, Instant::from_micros(10_000)).unwrap().is_err());
    }
}
