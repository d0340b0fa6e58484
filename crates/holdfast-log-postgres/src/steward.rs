//! What happens beside the calls: announcing, listening, and looking after the servers.
//!
//! Its connection listens to what others announce and announces what this process appended: in
//! statements of its own, since a transaction that notifies holds a lock of the whole database
//! while it commits, and appends must not queue for that. It announces at most every few
//! milliseconds, and only the highest position; nothing rests on any of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::link::Link;
use crate::log::Shared;
use crate::servers::Servers;

/// The shortest time from one announcement to the next.
const ANNOUNCED_AT_MOST_EVERY: Duration = Duration::from_millis(5);

/// How often it looks whether its connection lives and statements get on.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// A statement that takes this long makes it ask the other servers.
const SLOW: Duration = Duration::from_secs(3);

/// How often a server's settings are looked at again.
const SETTINGS_LOOKED_EVERY: Duration = Duration::from_secs(5);

/// Nothing that it asks a server for itself is waited for longer: a server may hang.
const ASKED_FOR_AT_MOST: Duration = Duration::from_secs(2);

/// Looks after one log.
pub(crate) struct Steward {
    pub(crate) shared: Arc<Shared>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) link: Link,
    /// Those by which the log is written and read.
    pub(crate) links: Vec<Arc<Link>>,
    /// The highest position appended by this process.
    pub(crate) appended: watch::Receiver<u64>,
    pub(crate) channel: String,
}

impl Steward {
    /// Works for ever; ends with the runtime.
    pub(crate) async fn run(mut self) {
        let mut look = tokio::time::interval(LOOKED_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut announced = Instant::now();
        let mut settings_looked_at = Instant::now();
        loop {
            tokio::select! {
                _ = look.tick() => {
                    self.look_at_statements().await;
                    if settings_looked_at.elapsed() >= SETTINGS_LOOKED_EVERY {
                        settings_looked_at = Instant::now();
                        self.look_at_settings().await;
                    }
                }
                changed = self.appended.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    tokio::time::sleep_until(announced + ANNOUNCED_AT_MOST_EVERY).await;
                    announced = Instant::now();
                    self.announce().await;
                }
            }
        }
    }

    async fn announce(&mut self) {
        let position = self.appended.borrow_and_update().to_string();
        let telling = async {
            let Ok(session) = self.link.session_once().await else { return };
            let Ok(statements) = session.statements().await else { return };
            // Whom it does not reach looks all the same, a little later.
            drop(session.client.execute(&statements.announce, &[&self.channel, &position]).await);
        };
        drop(timeout(ASKED_FOR_AT_MOST, telling).await);
    }

    async fn look_at_statements(&self) {
        if self.shared.pulse.oldest().is_some_and(|age| age >= SLOW) {
            self.servers.look_for_newer().await;
        }
        // Reconnects if need be, so that it goes on listening.
        drop(timeout(ASKED_FOR_AT_MOST, self.link.session_once()).await);
    }

    /// Settings change under connections that live. If they no longer do, all end, and those that
    /// are made instead are refused with the reason. It is one of those that live that is asked: a
    /// new one would be refused, and leave the others as they are.
    async fn look_at_settings(&self) {
        let Some(session) = self.links.iter().find_map(|link| link.present()) else { return };
        let Ok(Ok(found)) = timeout(ASKED_FOR_AT_MOST, session.look()).await else { return };
        self.servers.seen(found.lineage);
        if found.durability(self.shared.durability).is_err() {
            self.servers.end_sessions();
        }
    }
}
