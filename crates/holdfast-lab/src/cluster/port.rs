//! Ports of loopback that a process can come back to.
//!
//! A port that the system chose may be given away while whoever had it is dead: to a connection
//! that goes out. So these lie below those that the system gives to connections.

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher as _, Hasher as _},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use crate::random::Random;

/// The lowest that is taken.
const LOWEST: u64 = 10_240;

/// Where Linux says from which port on it gives them to connections.
const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// How many are tried.
const TRIED: usize = 200;

/// So many addresses that nobody listens on now, all different.
///
/// # Errors
/// When there are none.
pub fn addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let mut random = Random::new(RandomState::new().build_hasher().finish());
    let given_away = fs::read_to_string(RANGE).ok();
    let given_away = given_away.and_then(|range| range.split_whitespace().next()?.parse().ok());
    let above = given_away.filter(|first| *first > LOWEST + 1_000).unwrap_or(32_768);
    // Held until all are found, so that none is found twice.
    let mut held = Vec::with_capacity(count);
    for _ in 0..TRIED {
        if held.len() == count {
            break;
        }
        let port = u16::try_from(LOWEST + random.below(above - LOWEST)).unwrap_or(u16::MAX);
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    }
    if held.len() < count {
        return Err(io::Error::other("no port of loopback is free"));
    }
    held.iter().map(TcpListener::local_addr).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_different_and_free() {
        let found = addresses(8).unwrap();
        let held: Vec<_> =
            found.iter().map(|address| TcpListener::bind(address).unwrap()).collect();
        assert_eq!(held.len(), 8, "all at one time");
    }
}
