//! Whether the box grows: its memory, descriptors and files, looked at in even steps while it works, and the slope of
//! each by least squares.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Resident memory, in kB.
    MemoryKb,
    /// Open descriptors.
    Descriptors,
    /// Write-ahead logs of all databases, in kB.
    WalKb,
    /// The ring of the input journal, in kB. It fills to its bound.
    JournalKb,
    /// The main database, in kB. It keeps every call and so grows with them.
    MainKb,
    /// The recordings, in kB. They are kept, too.
    RecordingsKb,
}

/// All, in the order of the table.
pub const SIZES: [Size; 6] =
    [Size::MemoryKb, Size::Descriptors, Size::WalKb, Size::JournalKb, Size::MainKb, Size::RecordingsKb];

impl Size {
    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Size::MemoryKb => "memory kB",
            Size::Descriptors => "descriptors",
            Size::WalKb => "WAL kB",
            Size::JournalKb => "journal kB",
            Size::MainKb => "main.db kB",
            Size::RecordingsKb => "recordings kB",
        }
    }

    /// Whether it must not grow with the number of calls.
    pub fn is_flat(self) -> bool {
        matches!(self, Size::MemoryKb | Size::Descriptors | Size::WalKb)
    }
}

/// The samples so far.
pub struct Growth {
    begun: Instant,
    every: Duration,
    /// Seconds from the beginning, and each size.
    pub samples: Vec<(u64, [u64; 6])>,
}

impl Growth {
    /// From now, one sample in `every`.
    pub fn new(every: Duration) -> Growth {
        Growth { begun: Instant::now(), every, samples: Vec::new() }
    }

    /// Takes a sample when it is time.
    pub fn look(&mut self, pid: u32, data: &Path) {
        let at = self.begun.elapsed();
        if at >= self.every * self.samples.len() as u32 {
            self.samples.push((at.as_secs(), sample(pid, data)));
        }
    }

    /// The slope of a size over the samples from `from` on per hour.
    pub fn slope_per_hour(&self, size: usize, from: usize) -> f64 {
        let points = self.samples.get(from..).unwrap_or_default();
        slope(points.iter().map(|(at, sizes)| (*at as f64, sizes[size] as f64))) * 3600.0
    }

    /// All samples, and the slopes of the later half: in the first half caches and rings fill.
    pub fn table(&self) -> String {
        let mut text = String::from("   at s");
        SIZES.iter().for_each(|size| {
            let _ = write!(text, " {:>14}", size.name());
        });
        text.push('\n');
        let step = (self.samples.len() / 24).max(1);
        let last = self.samples.len().saturating_sub(1);
        for (index, (at, sizes)) in self.samples.iter().enumerate() {
            if index % step == 0 || index == last {
                let _ = write!(text, "{at:>7}");
                sizes.iter().for_each(|size| {
                    let _ = write!(text, " {size:>14}");
                });
                text.push('\n');
            }
        }
        let _ = write!(text, "per hour");
        for size in 0..SIZES.len() {
            let _ = write!(text, " {:>+13.0} ", self.slope_per_hour(size, self.samples.len() / 2));
        }
        text.push_str("\n(slopes by least squares over the later half)\n");
        text
    }
}

fn sample(pid: u32, data: &Path) -> [u64; 6] {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let main = data.join("main.db");
    let main = std::fs::metadata(main).map_or(0, |meta| meta.len());
    let wal = |name: &str| name.ends_with("-wal");
    [
        memory.unwrap_or(0),
        descriptors as u64,
        (bytes(data, wal) + bytes(&data.join("recordings"), wal)) / 1024,
        bytes(&data.join("journal"), |_| true) / 1024,
        main / 1024,
        bytes(&data.join("recordings"), |name| !wal(name)) / 1024,
    ]
}

/// Of the files of a directory.
fn bytes(dir: &Path, counts: impl Fn(&str) -> bool) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let named = entries.flatten().filter(|entry| counts(&entry.file_name().to_string_lossy()));
    named.filter_map(|entry| entry.metadata().ok()).filter(|meta| meta.is_file()).map(|meta| meta.len()).sum()
}

fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let count = points.clone().count() as f64;
    let mean = |of: fn((f64, f64)) -> f64| points.clone().map(of).sum::<f64>() / count.max(1.0);
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (up, along) =
        points.fold((0.0, 0.0), |(up, along), (px, py)| (up + (px - x) * (py - y), along + (px - x) * (px - x)));
    if along > 0.0 { up / along } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_a_single_point_none() {
        let line = [(0.0, 5.0), (10.0, 25.0), (20.0, 45.0)];
        assert!((slope(line.into_iter()) - 2.0).abs() < 1e-9);
        assert!(slope([(1.0, 1.0)].into_iter()).abs() < 1e-9);
    }

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let mut growth = Growth::new(Duration::from_secs(60));
        growth.look(std::process::id(), Path::new("/nowhere"));
        growth.look(std::process::id(), Path::new("/nowhere"));
        let [(_, [memory, descriptors, wal, ..])] = growth.samples[..] else { panic!("{:?}", growth.samples) };
        assert!(memory > 0 && descriptors > 2 && wal == 0);
    }
}
