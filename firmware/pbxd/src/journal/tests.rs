//! The journal against torn tails, damage, suspects and the ring.
use super::*;
