//! The log from outside.
