//! CPU that a process has used, thread by thread: `/proc/PID/task/*/schedstat`, whose first word is the time on a
//! processor in ns (Documentation/scheduler/sched-stats.rst). `utime` and `stime` would count the same in steps of 10 ms.

use ::tests::peer::{At, Outcome};
use std::collections::BTreeMap;

/// Time on a processor, in ns, by the name of the thread.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    threads: BTreeMap<String, u64>,
}

impl Cpu {
    /// What the living threads of a process have used so far.
    pub fn of(pid: u32) -> Outcome<Cpu> {
        let tasks = format!("/proc/{pid}/task");
        let mut cpu = Cpu::default();
        for task in std::fs::read_dir(&tasks).at(&tasks)? {
            let dir = task.at(&tasks)?.path();
            let read = |file: &str| std::fs::read_to_string(dir.join(file));
            // A thread that ends while it is looked at is left out.
            let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else { continue };
            let used: u64 = times.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
            *cpu.threads.entry(name.trim().to_owned()).or_default() += used;
        }
        Ok(cpu)
    }

    /// What was used since `before`.
    pub fn since(&self, before: &Cpu) -> Cpu {
        let used = |name: &String, now: u64| now.saturating_sub(before.threads.get(name).copied().unwrap_or(0));
        Cpu { threads: self.threads.iter().map(|(name, now)| (name.clone(), used(name, *now))).collect() }
    }

    /// All threads, in ns.
    pub fn total_ns(&self) -> u64 {
        self.threads.values().sum()
    }

    /// One thread, in ns.
    pub fn thread_ns(&self, name: &str) -> u64 {
        self.threads.get(name).copied().unwrap_or(0)
    }

    /// Every thread that used at least a hundredth of all, the greediest first.
    pub fn shares(&self) -> Vec<(&str, u64)> {
        let least = self.total_ns() / 100;
        let mut shares: Vec<_> = self.threads.iter().map(|(name, ns)| (name.as_str(), *ns)).collect();
        shares.retain(|(_, ns)| *ns > least);
        shares.sort_by_key(|(_, ns)| std::cmp::Reverse(*ns));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_in_the_thread_that_did_it() {
        let before = Cpu::of(std::process::id()).unwrap();
        let thread = std::thread::Builder::new().name("worker".into());
        let (told, done) = std::sync::mpsc::channel();
        let (finish, wait) = std::sync::mpsc::channel::<()>();
        let work = move || {
            super::super::noise::calibrate();
            told.send(()).unwrap();
            let _ = wait.recv();
        };
        let thread = thread.spawn(work).unwrap();
        done.recv().unwrap();
        let used = Cpu::of(std::process::id()).unwrap().since(&before);
        drop(finish);
        thread.join().unwrap();
        assert!(used.thread_ns("worker") > 1_000_000, "{used:?}");
        assert!(used.total_ns() >= used.thread_ns("worker"));
    }
}
