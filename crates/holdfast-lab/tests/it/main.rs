//! Scenarios run small, in this process.

mod bookings;
