//! The recorder with its thread and files.
