//! Who holds how much of a limit of concurrency, and until when: a list.
//!
//! Who is over is passed over, whether or not anything took it out.

/// What one holder has.
#[derive(Clone, Debug)]
struct Holder {
    name: String,
    cost: u64,
    until: u64,
}

/// Holders of one counter; those whose time is over may be among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Holders(Vec<Holder>);

impl Holders {
    fn in_now(&self, now: u64) -> impl Iterator<Item = &Holder> {
        self.0.iter().filter(move |holder| holder.until > now)
    }

    /// How much is held now.
    pub(super) fn held(&self, now: u64) -> u64 {
        self.in_now(now).map(|holder| holder.cost).sum()
    }

    /// Does this one hold any of it?
    pub(super) fn has(&self, name: Option<&str>, now: u64) -> bool {
        self.in_now(now).any(|holder| Some(&*holder.name) == name)
    }

    /// Somebody comes in; who is in stays as it is.
    pub(super) fn enter(&mut self, name: &str, now: u64, (cost, until): (u64, u64)) {
        if !self.has(Some(name), now) {
            self.0.push(Holder { name: name.to_owned(), cost, until });
        }
    }

    /// Somebody goes. Was it in?
    pub(super) fn release(&mut self, name: &str, now: u64) -> bool {
        let was_in = self.has(Some(name), now);
        self.0.retain(|holder| holder.name != name);
        was_in
    }

    /// Somebody stays until then. Is it in?
    pub(super) fn renew(&mut self, name: &str, now: u64, until: u64) -> bool {
        let holds = |holder: &&mut Holder| holder.name == name && holder.until > now;
        let found = self.0.iter_mut().find(holds);
        found.map(|holder| holder.until = until).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_is_counted_once_and_who_is_over_not_at_all() {
        let mut holders = Holders::default();
        holders.enter("a", 0, (2, 10));
        holders.enter("a", 5, (1, 15));
        holders.enter("b", 5, (1, 20));
        assert_eq!((holders.held(9), holders.held(10), holders.held(20)), (3, 1, 0));
        assert!(holders.renew("b", 19, 30) && !holders.renew("a", 19, 30));
        assert!(!holders.release("a", 19), "its time is over");
        assert!(holders.release("b", 29) && !holders.has(Some("b"), 29));
        assert!(!holders.has(None, 0));
    }
}
