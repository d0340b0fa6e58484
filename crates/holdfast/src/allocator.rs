//! The memory allocator of the binary, and how long it keeps what is free.
//!
//! What a request brings is allocated by one thread, kept by others and freed by yet another, which
//! is what mimalloc is good at (`docs/adr/0015-allocator.md`). By itself it gives free memory back after a
//! second. A server under load frees a table of recent rows every moment, so a second's worth is
//! as much as all that it holds; a tenth of that costs nothing that can be measured.
//! `MIMALLOC_PURGE_DELAY`, in milliseconds, has the last word.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, in this release of the library.
const PURGE_DELAY: c_int = 15;

/// Milliseconds for which what is free is kept.
const KEPT_MS: c_long = 100;

#[expect(
    unsafe_code,
    reason = "the library's options are set by functions in C, which take numbers"
)]
mod library {
    use std::ffi::{c_int, c_long};

    unsafe extern "C" {
        /// Sets an option that the environment does not set. Of a number that is none, nothing comes.
        pub(super) safe fn mi_option_set_default(option: c_int, value: c_long);
        #[cfg(test)]
        pub(super) safe fn mi_option_get(option: c_int) -> c_long;
    }
}

/// Has free memory given back sooner. To be called once, at the start.
pub(crate) fn configure() {
    library::mi_option_set_default(PURGE_DELAY, KEPT_MS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_has_the_number_it_is_set_by() {
        // No other option begins with this value: if it is another, they were numbered anew.
        assert_eq!(library::mi_option_get(PURGE_DELAY), 1000);
        configure();
        assert_eq!(library::mi_option_get(PURGE_DELAY), KEPT_MS);
    }
}
