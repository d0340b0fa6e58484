//! The engine under a hand-driven log.
