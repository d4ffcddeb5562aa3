//! What-if staffing: the real router on recorded or generated arrivals, beside the two textbook models.

pub mod erlang;
