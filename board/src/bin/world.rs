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

/// What the flags say; the words after them are a command.
#[derive(Default)]
struct Options {
    dir: Option<String>,
    plugin: Option<String>,
    print_asoundrc: bool,
    help: bool,
    command: Vec<String>,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = |name: &str| args.next().cloned().ok_or_else(|| format!("{name} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--dir" => options.dir = Some(value("--dir")?),
            "--plugin" => options.plugin = Some(value("--plugin")?),
            "--print-asoundrc" => options.print_asoundrc = true,
            "--help" | "-h" => options.help = true,
            flag if flag.starts_with("--") => return Err(format!("unknown flag {flag}\n{USAGE}")),
            _ => {
                options.command.push(arg.clone());
                options.command.extend(args.by_ref().cloned());
            }
        }
    }
    Ok(options)
}

fn run(args: &[String]) -> Result<ExitCode, String> {
    let options = options(args)?;
    if options.help {
        println!("{USAGE}\ncommands: {}", control::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let dir = options.dir.ok_or_else(|| format!("--dir is missing\n{USAGE}"))?;
    if options.print_asoundrc {
        let plugin = options.plugin.ok_or_else(|| format!("--plugin is missing\n{USAGE}"))?;
        print!("{}", product::asoundrc(&absolute(&dir)?, &absolute(&plugin)?));
        return Ok(ExitCode::SUCCESS);
    }
    if !options.command.is_empty() {
        return say(Path::new(&dir), &options.command);
    }
    // Nobody may be listening; the sockets are what counts.
    server::serve(Path::new(&dir), || drop(writeln!(std::io::stdout(), "world: ready in {dir}")))?;
    Ok(ExitCode::SUCCESS)
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
