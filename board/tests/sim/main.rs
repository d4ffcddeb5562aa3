//! Tests of the simulated product from outside.

#[cfg(test)]
mod driver_and_chip;
#[cfg(test)]
mod front;
#[cfg(test)]
mod world_process;
