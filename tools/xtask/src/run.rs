//! `xtask run`: the simulated appliance in the foreground, and the launches that the demo shares.

use crate::banner::banner;
use crate::programs::{built, demo_site, share};
use crate::supervise::{Launch, Supervisor, Who, Word, name, stop_on_signals};
use pbx::config::{Config, Language};
use pbx::text::{start as key, text};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;

/// What to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// The configuration; none for the demo site.
    pub config: Option<PathBuf>,
    /// Where everything is kept.
    pub data: PathBuf,
    /// With line cards.
    pub world: bool,
    /// Log lines up to this level.
    pub log: String,
}

/// Directory of the world's sockets for a data directory.
pub fn world_dir(data: &Path) -> PathBuf {
    data.join("world")
}

/// An absolute path, so that it means the same to every program started.
pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
}

impl Site {
    /// The configuration file.
    pub fn config_path(&self) -> Result<PathBuf, String> {
        absolute(&self.config.clone().unwrap_or_else(demo_site))
    }

    /// Reads the configuration; the error lists its problems.
    pub fn read(&self, language: Language) -> Result<Config, String> {
        pbxd::control::start::read_site(&self.config_path()?, language).map(|site| site.config)
    }

    /// How to start the programs, in order. Makes the data directory.
    pub fn launches(&self) -> Result<Vec<(Who, Launch)>, String> {
        let data = absolute(&self.data)?;
        std::fs::create_dir_all(&data).map_err(|e| format!("{}: {e}", data.display()))?;
        let text = |path: &Path| path.display().to_string();
        let mut launches = Vec::new();
        let mut args = vec!["--config".into(), text(&self.config_path()?), "--data".into(), text(&data)];
        args.extend(["--share".into(), text(&absolute(&share())?), "--log".into(), self.log.clone()]);
        let mut env = Vec::new();
        if self.world {
            let dir = world_dir(&data);
            std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
            let world = Launch { program: built("world")?, args: vec!["--dir".into(), text(&dir)], env: Vec::new() };
            env.push(("ALSA_CONFIG_PATH".to_string(), text(&asoundrc(&dir)?)));
            args.extend(["--world".into(), text(&dir)]);
            launches.push((Who::World, world));
        }
        launches.push((Who::Pbxd, Launch { program: built("pbxd")?, args, env }));
        Ok(launches)
    }
}

/// Writes the ALSA configuration that names the highway of the world in `dir`.
fn asoundrc(dir: &Path) -> Result<PathBuf, String> {
    let plugin = built("libvtdm.so")?;
    let world = built("world")?;
    let output = Command::new(&world)
        .arg("--dir")
        .arg(dir)
        .args(["--print-asoundrc", "--plugin"])
        .arg(&plugin)
        .output()
        .map_err(|e| format!("{}: {e}", world.display()))?;
    if !output.status.success() {
        return Err(format!("world --print-asoundrc: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let path = dir.join("asound.conf");
    std::fs::write(&path, &output.stdout).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// Runs until Ctrl-C. `languages` are those of the words to the person.
pub fn run(site: &Site, languages: &[Language]) -> Result<(), String> {
    let first = if let [one] = languages { *one } else { Language::En };
    let config = site.read(first)?;
    let (reports, events) = channel();
    stop_on_signals(reports.clone())?;
    let launches = site.launches()?;
    let (config_path, data) = (site.config_path()?, absolute(&site.data)?);
    let mut tell = |word: Word| match word {
        Word::Ready(Who::Pbxd, _, false) => {
            for language in languages {
                println!("\n{}", banner(&config, &config_path, &data, site.world, *language));
            }
            println!();
        }
        Word::Died(who, why, rest) => {
            let why = format!("{} {why}", name(who));
            for language in languages {
                eprintln!("{}", text(key::DIED, *language, &[("why", &why)]));
            }
            if !rest.is_zero() {
                eprintln!("{} keeps dying; next start in {} s", name(who), rest.as_secs());
            }
        }
        Word::Line(who, line) => println!("{}: {line}", name(who)),
        Word::Started(..) | Word::Ready(..) => {}
    };
    Supervisor::new(launches, events, reports).run(&mut tell)?;
    for language in languages {
        println!("{}", text(key::STOPPED, *language, &[("path", &data.display().to_string())]));
    }
    Ok(())
}
