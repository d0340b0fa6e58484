//! What can be set: a TOML file, over it the environment, over it the command line.
//!
//! Every setting has a default, so an empty file is a good one. A key that is not
//! known is refused with its line: a misspelt limit that silently does nothing is
//! worse than a server that does not start.

mod keys;
mod postgres;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use holdfast_http::{HttpConfig, Keys, Limits};
use holdfast_log::entry::CLAIM_TEXT_BYTES_MAX;
use holdfast_node::{NodeConfig, Storage};
use serde::{Deserialize, Serialize};

use crate::{exit::Failure, logging::LogFormat};

pub(crate) use keys::KeyConfig;
pub(crate) use postgres::PostgresConfig;

/// All settings of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where data lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,
    /// Where entries go before the log is trimmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archive: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Where other nodes reach this one, if that is not where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advertise: Option<String>,
    /// What this node is called.
    pub(crate) node: String,
    /// What is logged.
    pub(crate) log: String,
    /// How it is logged.
    pub(crate) log_format: LogFormat,
    /// Take the machine's clock as it is, even if it is far from log time.
    pub(crate) accept_clock: bool,
    /// Bounds of the HTTP edge.
    pub(crate) limits: LimitsConfig,
    /// Settings of the partition.
    pub(crate) engine: EngineConfig,
    /// A log that several nodes share, instead of one in files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres: Option<PostgresConfig>,
    /// Credentials.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<KeyConfig>,
}

/// Bounds of the HTTP edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsConfig {
    connections_max: usize,
    requests_max: usize,
    followers_max: usize,
    body_bytes_max: usize,
    bulk_body_bytes_max: usize,
    bodies_bytes_max: usize,
    head_timeout_ms: u64,
    body_timeout_ms: u64,
    request_timeout_ms: u64,
    request_timeout_max_ms: u64,
    drain_timeout_ms: u64,
}

/// Settings of the partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EngineConfig {
    waiting_max: usize,
    idempotency_retention_s: u64,
    snapshot_bytes: u64,
    log_segment_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            archive: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 7411)),
            advertise: None,
            node: "holdfast-0".to_owned(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            accept_clock: false,
            limits: LimitsConfig::default(),
            engine: EngineConfig::default(),
            postgres: None,
            keys: Vec::new(),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        let ms = |time: Duration| u64::try_from(time.as_millis()).expect("defaults are short");
        Self {
            connections_max: limits.connections_max,
            requests_max: limits.requests_max,
            followers_max: limits.followers_max,
            body_bytes_max: limits.body_bytes_max,
            bulk_body_bytes_max: limits.bulk_body_bytes_max,
            bodies_bytes_max: limits.bodies_bytes_max,
            head_timeout_ms: ms(limits.head_timeout),
            body_timeout_ms: ms(limits.body_timeout),
            request_timeout_ms: ms(limits.request_timeout),
            request_timeout_max_ms: ms(limits.request_timeout_max),
            drain_timeout_ms: ms(limits.drain_timeout),
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        let engine = holdfast_engine::Config::default();
        Self {
            waiting_max: engine.waiting_max,
            idempotency_retention_s: engine.retention_us / 1_000_000,
            snapshot_bytes: engine.snapshot_bytes,
            log_segment_bytes: holdfast_log::FileLogOptions::default().segment_bytes,
        }
    }
}

impl Config {
    /// Reads the file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        Self::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    /// What no type can say.
    pub(crate) fn check(&self) -> Result<(), String> {
        let limits = &self.limits;
        if limits.request_timeout_ms == 0
            || limits.request_timeout_ms > limits.request_timeout_max_ms
        {
            return Err(
                "limits.request_timeout_ms is not between 1 and limits.request_timeout_max_ms"
                    .to_owned(),
            );
        }
        if self.engine.idempotency_retention_s < 60 {
            return Err("engine.idempotency_retention_s is less than 60".to_owned());
        }
        if self.node.is_empty() || self.node.len() > 256 {
            return Err("node is not a name of 1 to 256 bytes".to_owned());
        }
        if let Some(address) = &self.advertise
            && (address.is_empty() || address.len() > CLAIM_TEXT_BYTES_MAX)
        {
            return Err(format!(
                "advertise is not an address of 1 to {CLAIM_TEXT_BYTES_MAX} bytes"
            ));
        }
        if let Some(postgres) = &self.postgres {
            postgres.check()?;
        }
        keys::check(&self.keys)
    }

    /// Where the node whose own data is here has its log.
    pub(crate) fn storage(&self, data: &Path) -> Storage {
        match &self.postgres {
            Some(postgres) => postgres.storage(data),
            None => Storage::Directory(data.to_owned()),
        }
    }

    /// As a file would say it.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are plain data")
    }

    /// For the node.
    pub(crate) fn node(&self, storage: Storage) -> NodeConfig {
        let mut node = NodeConfig::new(storage);
        node.archive.clone_from(&self.archive);
        node.engine.node.clone_from(&self.node);
        node.engine.address = self.advertise.clone().unwrap_or_else(|| self.listen.to_string());
        if let Some(postgres) = &self.postgres {
            node.engine.leadership = postgres.leadership();
            node.engine.reads = postgres.reads();
        }
        node.engine.waiting_max = self.engine.waiting_max;
        node.engine.retention_us = self.engine.idempotency_retention_s.saturating_mul(1_000_000);
        node.engine.snapshot_bytes = self.engine.snapshot_bytes;
        if self.accept_clock {
            node.engine.clock = None;
        }
        node.log.segment_bytes = self.engine.log_segment_bytes;
        node
    }

    /// For the edge.
    pub(crate) fn http(&self) -> HttpConfig {
        let limits = &self.limits;
        let limits = Limits {
            connections_max: limits.connections_max,
            requests_max: limits.requests_max,
            followers_max: limits.followers_max,
            body_bytes_max: limits.body_bytes_max,
            bulk_body_bytes_max: limits.bulk_body_bytes_max,
            bodies_bytes_max: limits.bodies_bytes_max,
            head_timeout: Duration::from_millis(limits.head_timeout_ms),
            body_timeout: Duration::from_millis(limits.body_timeout_ms),
            request_timeout: Duration::from_millis(limits.request_timeout_ms),
            request_timeout_max: Duration::from_millis(limits.request_timeout_max_ms),
            drain_timeout: Duration::from_millis(limits.drain_timeout_ms),
            ..Limits::default()
        };
        let keys = Keys::new(self.keys.iter().map(KeyConfig::key).collect());
        HttpConfig { listen: self.listen, keys, limits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_all_defaults_and_what_is_printed_is_read_back() {
        let config = Config::parse("").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(Config::parse(&config.to_toml()), Ok(config));
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        for (text, line, name) in [
            ("listen = \"127.0.0.1:1\"\nlisen = 3\n", "line 2", "lisen"),
            ("\n[limits]\nconections_max = 3\n", "line 3", "conections_max"),
            ("[[keys]]\nname = \"a\"\nsecret = \"x\"\n", "line 3", "secret"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(line) && error.contains(name), "{error}");
        }
    }

    #[test]
    fn impossible_values_are_refused() {
        let sha = "0".repeat(64);
        let key = |name: &str, namespace: u32| {
            format!(
                "[[keys]]\nname = {name:?}\nnamespace = {namespace}\nrole = \"read\"\nsha256 = \"{sha}\"\n"
            )
        };
        assert!(Config::parse(&key("a", 1)).is_ok());
        for bad in [
            "limits.request_timeout_ms = 0",
            "limits.request_timeout_ms = 61_000",
            "engine.idempotency_retention_s = 1",
            "node = \"\"",
            "advertise = \"\"",
            &format!("advertise = {:?}", "a".repeat(CLAIM_TEXT_BYTES_MAX + 1)),
            "listen = \"localhost\"",
            "[postgres]\nservers = \"host=a\"",
            "[postgres]\nsnapshots = \"/s\"",
            "[postgres]\nservers = \"host=a\"\nsnapshots = \"/s\"\nlease_ms = 1",
            "[postgres]\nservers = \"host=a\"\nsnapshots = \"/s\"\nreads = \"fast\"",
            &key("a", 0),
            &key("", 1),
            &(key("a", 1) + &key("a", 2)),
            &key("a", 1).replace("read", "reader"),
            &key("a", 1).replace(&sha, "00"),
            &key("a", 1).replace("00", "0g"),
        ] {
            assert!(Config::parse(bad).is_err(), "{bad}");
        }
    }
}
