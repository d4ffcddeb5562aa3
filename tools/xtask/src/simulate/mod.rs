//! What-if staffing: the real router on recorded or generated arrivals, beside the two textbook models.

pub mod arrivals;
pub mod chance;
pub mod erlang;
pub mod models;
pub mod patience;
pub mod recorded;
pub mod site;
pub mod staffing;
pub mod tally;
