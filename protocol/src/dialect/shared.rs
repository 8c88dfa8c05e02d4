//! What the dialects share: checks of what a command carries, tables of numbers, and plans of which
//! nothing is a family's own.

pub(super) use super::lmqtt::command::{carriable, in_range, length_in_range, not_empty};
pub(super) use super::lmqtt::{Files, Leaving, StateOf, connected, meaning, number_of, state};
