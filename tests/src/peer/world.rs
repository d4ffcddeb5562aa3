//! The simulated world as a process: line cards, the public network behind them, and their clock. The test is the public
//! network: it rings a line, speaks into it, presses keys and takes the battery away.

use super::appliance::built;
use super::process::{Process, run};
use super::{At, Outcome};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A running world.
pub struct World {
    process: Process,
    program: PathBuf,
    dir: PathBuf,
}

impl World {
    /// Starts it with its sockets in `dir`/world, and writes there what the sound system must know of it.
    pub fn start(dir: &Path) -> Outcome<World> {
        let (program, dir) = (built("world")?, dir.join("world"));
        std::fs::create_dir_all(&dir).at(dir.display())?;
        let args = ["--dir".to_owned(), dir.display().to_string()];
        let process = Process::start("world", &program, args, &dir, &[])?;
        process.wait_line("ready", Duration::from_secs(10))?;
        let plugin = built("libvtdm.so")?.display().to_string();
        let world = dir.display().to_string();
        let sound = run(&program, ["--dir", &world, "--print-asoundrc", "--plugin", &plugin])?;
        std::fs::write(dir.join("asound.conf"), sound).at(dir.display())?;
        Ok(World { process, program, dir })
    }

    /// The directory the box is told.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Says one command to the public network and waits until it is done: `ring 1`, `speak 1 FILE.wav`, `press 1 2`,
    /// `wait 1 off-hook 5000`, `hear 1 FILE.wav start`, `release 1`. What it answered.
    pub fn say(&self, words: &[&str]) -> Outcome<String> {
        let dir = self.dir.display().to_string();
        run(&self.program, ["--dir", &dir].iter().chain(words))
    }

    /// Ends it.
    pub fn stop(mut self) -> Outcome {
        self.process.stop(Duration::from_secs(10)).map(|_| ())
    }
}
