//! The world of the simulated appliance. `world --dir DIR` runs it until SIGTERM; `world --dir DIR COMMAND …` says one
//! command to a running one; `world --dir DIR --print-asoundrc --plugin PATH` prints the sound system's configuration.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use board::sim::wire::CONTROL_SOCKET;
use board::sim::{control, product, server};

const USAGE: &str = "usage: world --dir DIR                                  run the world, until SIGTERM or Ctrl-C
       world --dir DIR COMMAND …                        say a command to it, e.g. `ring 1`
       world --dir DIR --print-asoundrc --plugin PATH   print what ALSA_CONFIG_PATH must point to";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("world: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<ExitCode, String> {
    match args {
        [flag] if flag == "--help" || flag == "-h" => {
            println!("{USAGE}\ncommands: {}", control::HELP);
            Ok(ExitCode::SUCCESS)
        }
        [flag, dir] if flag == "--dir" => {
            server::serve(Path::new(dir), || println!("world: ready in {dir}"))?;
            Ok(ExitCode::SUCCESS)
        }
        [flag, dir, print, plugin, path] if flag == "--dir" && print == "--print-asoundrc" && plugin == "--plugin" => {
            print!("{}", product::asoundrc(&absolute(dir)?, &absolute(path)?));
            Ok(ExitCode::SUCCESS)
        }
        [flag, dir, command @ ..] if flag == "--dir" && !command[0].starts_with("--") => say(Path::new(dir), command),
        _ => Err(USAGE.into()),
    }
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|why| format!("{path}: {why}"))
}

/// Sends one command; files in it are named by their full path, because the world may run elsewhere.
fn say(dir: &Path, words: &[String]) -> Result<ExitCode, String> {
    let mut words = words.to_vec();
    if let (Some("call" | "speak" | "hear"), Some(file)) = (words.first().map(String::as_str), words.get(2))
        && !matches!(file.as_str(), "start" | "stop")
    {
        words[2] = absolute(file)?.display().to_string();
    }
    let path = dir.join(CONTROL_SOCKET);
    let fail = |why| format!("{}: {why}; start the world with `world --dir {}`", path.display(), dir.display());
    let mut stream = UnixStream::connect(&path).map_err(fail)?;
    stream.write_all(format!("{}\n", words.join(" ")).as_bytes()).map_err(fail)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(fail)?;
    match answer.trim_end().strip_prefix("ok") {
        Some(text) => {
            println!("ok{text}");
            Ok(ExitCode::SUCCESS)
        }
        None if answer.is_empty() => Err(format!("the world in {} ended without an answer", dir.display())),
        None => {
            eprintln!("world: {}", answer.trim_end().trim_start_matches("error: "));
            Ok(ExitCode::FAILURE)
        }
    }
}
