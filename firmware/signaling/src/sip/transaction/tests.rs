//! Dialogues of messages at given times with each of the four machines.
