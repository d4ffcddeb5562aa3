//! What-if staffing: the real router on recorded or generated callers with other staff, handling times or strategy,
//! beside the two textbook models. There is no second router here: calls go through `pbx::Pbx` as on the network.

pub mod arrivals;
pub mod basis;
pub mod chance;
pub mod erlang;
pub mod models;
pub mod options;
pub mod patience;
pub mod recorded;
pub mod report;
pub mod runs;
pub mod site;
pub mod staffing;
#[cfg(test)]
mod starvation;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod whole;
pub mod words;

use basis::Basis;
use pbx::config::Language;
use report::Report;
use std::path::Path;
use std::time::Instant;

/// Does what the words after `simulate` ask for and prints the report in each language.
///
/// # Errors
/// Words for the operator.
pub fn run(data: &Path, words: &[String], languages: &[Language]) -> Result<(), String> {
    let words = words.iter().map(std::ffi::OsString::from);
    let Some(options) = options::parse(words, data.to_path_buf())? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    let languages = options.languages.clone().unwrap_or_else(|| languages.to_vec());
    let first = languages.first().copied().unwrap_or(Language::En);
    let basis = Basis::of(&options, first)?;
    let began = Instant::now();
    let runs = runs::all(&basis, &options)?;
    let took = began.elapsed();
    for language in languages {
        println!("{}", Report { basis: &basis, options: &options, runs: &runs, took, language }.text());
    }
    Ok(())
}
