//! The engine as the shell uses it.
