//! Reservations as one would write them on a napkin: no levels, no index. What is
//! taken of a night is counted anew from all holds each time; after each change the
//! whole waitlist is gone through.

use std::collections::BTreeMap;

/// Nights are days 0 to 7; resource 0 has units, which are its day 0.
pub(crate) const DAYS: u8 = 8;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Resize {
        resource: u8,
        stock: u64,
        from: Option<u8>,
        to: Option<u8>,
    },
    Hold {
        id: u8,
        want: Want,
        expires: Option<u64>,
    },
    Confirm(u8),
    Release(u8),
    Extend {
        id: u8,
        seconds: u64,
    },
    Move {
        id: u8,
        resource: Option<u8>,
        from: Option<u8>,
        to: Option<u8>,
        quantity: Option<u64>,
    },
    Join {
        id: u8,
        want: Want,
        offer: u64,
    },
    Leave(u8),
    /// Confirms the offer that this entry has.
    Accept(u8),
    /// Releases it.
    Decline(u8),
    /// This many seconds pass.
    Advance(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) resource: u8,
    pub(crate) from: Option<u8>,
    pub(crate) to: Option<u8>,
    pub(crate) quantity: u64,
}

impl Want {
    /// Its days, if it is a want of what there is.
    fn days(&self) -> Result<std::ops::Range<u8>, &'static str> {
        let days = match (self.from, self.to) {
            (None, None) => None,
            (Some(from), Some(to)) if from < to => Some(from..to),
            (Some(_), Some(_)) => return Err("nights_empty"),
            _ => return Err("nights_incomplete"),
        };
        match (self.resource, days) {
            (0, None) => Ok(0..1),
            (0, Some(_)) => Err("nights_not_allowed"),
            (1 | 2, Some(days)) => Ok(days),
            (1 | 2, None) => Err("nights_required"),
            _ => Err("resource_not_found"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Held,
    Confirmed,
    Released,
    Cancelled,
    Expired,
}

#[derive(Clone, Debug)]
struct Hold {
    want: Want,
    state: State,
    expires: Option<u64>,
    asked: (Want, Option<u64>),
    made: u64,
    /// When its timer was armed, in the order of all.
    armed: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    want: Want,
    offer_seconds: u64,
    state: Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Waiting,
    Offered(usize),
    Left,
}

#[derive(Clone, Debug)]
struct Resource {
    stock: u64,
    own: BTreeMap<u8, u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Naive {
    resources: [Resource; 3],
    /// Callers' holds by number; offers have none.
    ids: BTreeMap<u8, usize>,
    holds: Vec<Hold>,
    /// In the order in which they joined.
    entries: Vec<(u8, Entry)>,
    now: u64,
    timers: usize,
}

/// Stock, held and sold.
pub(crate) type Level = (u64, u64, u64);

type Said = Result<&'static str, &'static str>;

impl Naive {
    pub(crate) fn new(stocks: [u64; 3]) -> Self {
        Self {
            resources: stocks.map(|stock| Resource { stock, own: BTreeMap::new() }),
            ids: BTreeMap::new(),
            holds: Vec::new(),
            entries: Vec::new(),
            now: 0,
            timers: 0,
        }
    }

    pub(crate) fn take(&mut self, step: &Step) -> &'static str {
        let said = match step {
            Step::Resize { resource, stock, from, to } => {
                self.resize(*resource, *stock, *from, *to)
            }
            Step::Hold { id, want, expires } => self.hold(*id, *want, *expires),
            Step::Confirm(id) => self.stored(*id).and_then(|hold| self.confirm(hold)),
            Step::Release(id) => self.stored(*id).and_then(|hold| self.release(hold)),
            Step::Extend { id, seconds } => self.extend(*id, *seconds),
            Step::Move { id, resource, from, to, quantity } => {
                self.shift(*id, *resource, *from, *to, *quantity)
            }
            Step::Join { id, want, offer } => self.join(*id, *want, *offer),
            Step::Leave(id) => self.leave(*id),
            Step::Accept(id) => self.offer_of(*id).and_then(|hold| self.confirm(hold)),
            Step::Decline(id) => self.offer_of(*id).and_then(|hold| self.release(hold)),
            Step::Advance(seconds) => {
                self.advance(*seconds);
                Ok("done")
            }
        };
        said.unwrap_or_else(|refused| refused)
    }

    pub(crate) fn levels(&self) -> Vec<Level> {
        let days = |resource: u8| if resource == 0 { 0..1 } else { 0..DAYS };
        let each = |resource: u8| days(resource).map(move |day| (resource, day));
        (0..3).flat_map(each).map(|(resource, day)| self.level(resource, day)).collect()
    }

    /// Where each entry stands, by its number.
    pub(crate) fn waiting(&self) -> BTreeMap<u8, &'static str> {
        let word = |entry: &Entry| match entry.state {
            Waits::Waiting => "waiting",
            Waits::Left => "left",
            Waits::Offered(hold) => match self.holds[hold].state {
                State::Held => "offered",
                State::Confirmed => "accepted",
                State::Released | State::Cancelled => "declined",
                State::Expired => "lapsed",
            },
        };
        self.entries.iter().map(|(id, entry)| (*id, word(entry))).collect()
    }

    /// The state of each hold that callers named.
    pub(crate) fn holds(&self) -> BTreeMap<u8, State> {
        self.ids.iter().map(|(id, hold)| (*id, self.holds[*hold].state)).collect()
    }

    fn level(&self, resource: u8, day: u8) -> Level {
        let stock = &self.resources[usize::from(resource)];
        let taken = |state: State| -> u64 {
            let of = |hold: &&Hold| {
                hold.state == state
                    && hold.want.resource == resource
                    && hold.want.days().unwrap().contains(&day)
            };
            self.holds.iter().filter(of).map(|hold| hold.want.quantity).sum()
        };
        let stock = stock.own.get(&day).copied().unwrap_or(stock.stock);
        (stock, taken(State::Held), taken(State::Confirmed))
    }

    fn has_room(&self, want: &Want) -> bool {
        want.days().unwrap().all(|day| {
            let (stock, held, sold) = self.level(want.resource, day);
            stock.saturating_sub(held + sold) >= want.quantity
        })
    }

    /// Everybody who waits and fits gets an offer, in order.
    fn offer(&mut self) {
        for index in 0..self.entries.len() {
            let (_, entry) = &self.entries[index];
            let (want, seconds) = (entry.want, entry.offer_seconds);
            if entry.state == Waits::Waiting && self.has_room(&want) {
                self.entries[index].1.state = Waits::Offered(self.make(want, Some(seconds)));
            }
        }
    }

    fn resize(&mut self, resource: u8, stock: u64, from: Option<u8>, to: Option<u8>) -> Said {
        let only = match (from, to) {
            (None, Some(_)) => return Err("nights_incomplete"),
            (Some(from), Some(to)) if from >= to => return Err("nights_empty"),
            (Some(from), Some(to)) => Some(from..to),
            (_, None) => None,
        };
        if resource > 2 {
            return Err("resource_not_found");
        }
        if resource == 0 && from.is_some() {
            return Err("nights_not_allowed");
        }
        let before = self.resources[usize::from(resource)].clone();
        let row = &mut self.resources[usize::from(resource)];
        match only {
            Some(days) => {
                for day in days {
                    if stock == before.stock {
                        row.own.remove(&day);
                    } else {
                        row.own.insert(day, stock);
                    }
                }
            }
            None => {
                if stock == before.stock {
                    return Ok("existed");
                }
                row.stock = stock;
                for day in 0..from.unwrap_or(0) {
                    let (_, held, sold) = self.level(resource, day);
                    let row = &mut self.resources[usize::from(resource)];
                    if held + sold > 0 && !row.own.contains_key(&day) {
                        row.own.insert(day, before.stock);
                    }
                }
            }
        }
        let after = &self.resources[usize::from(resource)];
        if after.stock == before.stock && after.own == before.own {
            return Ok("existed");
        }
        let days = if resource == 0 { 0..1 } else { 0..DAYS };
        for day in days {
            let (stock, held, sold) = self.level(resource, day);
            if held + sold > stock {
                self.resources[usize::from(resource)] = before;
                return Err("stock_taken");
            }
        }
        self.offer();
        Ok("done")
    }

    fn stored(&self, id: u8) -> Result<usize, &'static str> {
        self.ids.get(&id).copied().ok_or("hold_not_found")
    }

    fn offer_of(&self, id: u8) -> Result<usize, &'static str> {
        let entry = self.entries.iter().find(|(entry, _)| *entry == id);
        match entry.map(|(_, entry)| entry.state) {
            Some(Waits::Offered(hold)) => Ok(hold),
            _ => Err("no offer"),
        }
    }

    fn over(&self, hold: usize) -> bool {
        let hold = &self.holds[hold];
        hold.state == State::Held && hold.expires.is_some_and(|at| at <= self.now)
    }

    fn standing(&self, hold: usize) -> Result<State, &'static str> {
        match self.holds[hold].state {
            _ if self.over(hold) => Err("hold_expired"),
            State::Expired => Err("hold_expired"),
            State::Released => Err("hold_released"),
            State::Cancelled => Err("hold_cancelled"),
            state => Ok(state),
        }
    }

    fn hold(&mut self, id: u8, want: Want, expires: Option<u64>) -> Said {
        let found = self.ids.get(&id).map(|hold| &self.holds[*hold]);
        match want.days() {
            Err(early) if early == "nights_empty" || early == "nights_incomplete" => {
                return Err(early);
            }
            _ => {}
        }
        if let Some(hold) = found {
            let again = (want, expires.map(|seconds| hold.made + seconds));
            return if again == hold.asked { Ok("existed") } else { Err("hold_exists") };
        }
        want.days()?;
        if !self.has_room(&want) {
            return Err("sold_out");
        }
        let hold = self.make(want, expires);
        self.ids.insert(id, hold);
        Ok("done")
    }

    fn make(&mut self, want: Want, seconds: Option<u64>) -> usize {
        let expires = seconds.map(|seconds| self.now + seconds);
        let (asked, made) = ((want, expires), self.now);
        self.timers += 1;
        let armed = self.timers;
        self.holds.push(Hold { want, state: State::Held, expires, asked, made, armed });
        self.holds.len() - 1
    }

    fn confirm(&mut self, hold: usize) -> Said {
        match self.standing(hold)? {
            State::Confirmed => Ok("existed"),
            _ => {
                self.holds[hold].state = State::Confirmed;
                Ok("done")
            }
        }
    }

    fn release(&mut self, hold: usize) -> Said {
        match self.standing(hold) {
            Err("hold_released" | "hold_cancelled") => return Ok("existed"),
            Err(expired) => return Err(expired),
            Ok(State::Confirmed) => self.holds[hold].state = State::Cancelled,
            Ok(_) => self.holds[hold].state = State::Released,
        }
        self.offer();
        Ok("done")
    }

    fn extend(&mut self, id: u8, seconds: u64) -> Said {
        let hold = self.stored(id)?;
        if self.standing(hold)? == State::Confirmed {
            return Err("hold_confirmed");
        }
        let requested = self.now + seconds;
        match self.holds[hold].expires {
            Some(at) if at == requested => Ok("existed"),
            Some(at) if at < requested => {
                self.holds[hold].expires = Some(requested);
                self.timers += 1;
                self.holds[hold].armed = self.timers;
                Ok("done")
            }
            _ => Err("expiry_not_later"),
        }
    }

    fn shift(
        &mut self,
        id: u8,
        resource: Option<u8>,
        from: Option<u8>,
        to: Option<u8>,
        quantity: Option<u64>,
    ) -> Said {
        let hold = self.stored(id)?;
        let state = self.standing(hold)?;
        let before = self.holds[hold].want;
        let mut want = before;
        want.resource = resource.unwrap_or(before.resource);
        if want.resource == 0 {
            (want.from, want.to) = (None, None);
        }
        want.from = from.or(want.from);
        want.to = to.or(want.to);
        want.quantity = quantity.unwrap_or(before.quantity);
        want.days()?;
        if want == before {
            return Ok("existed");
        }
        self.holds[hold].state = State::Released;
        let fits = self.has_room(&want);
        self.holds[hold].state = state;
        if !fits {
            return Err("sold_out");
        }
        self.holds[hold].want = want;
        self.offer();
        Ok("done")
    }

    fn join(&mut self, id: u8, want: Want, offer_seconds: u64) -> Said {
        match want.days() {
            Err(early) if early == "nights_empty" || early == "nights_incomplete" => {
                return Err(early);
            }
            _ => {}
        }
        if let Some((_, entry)) = self.entries.iter().find(|(entry, _)| *entry == id) {
            let same = (entry.want, entry.offer_seconds) == (want, offer_seconds);
            return if same { Ok("existed") } else { Err("entry_exists") };
        }
        want.days()?;
        self.entries.push((id, Entry { want, offer_seconds, state: Waits::Waiting }));
        self.offer();
        Ok("done")
    }

    fn leave(&mut self, id: u8) -> Said {
        let entry = self.entries.iter_mut().find(|(entry, _)| *entry == id);
        let (_, entry) = entry.ok_or("entry_not_found")?;
        match entry.state {
            Waits::Offered(_) => Err("entry_offered"),
            Waits::Left => Ok("existed"),
            Waits::Waiting => {
                entry.state = Waits::Left;
                Ok("done")
            }
        }
    }

    /// Time passes; what falls due on the way ends at its time. Of those due at one
    /// time the one that was made or extended first comes first.
    fn advance(&mut self, seconds: u64) {
        let until = self.now + seconds;
        loop {
            let held = (0..self.holds.len()).filter(|hold| self.holds[*hold].state == State::Held);
            let due = held.filter_map(|hold| {
                let row = &self.holds[hold];
                Some((row.expires?, row.armed, hold))
            });
            let Some((at, _, hold)) = due.filter(|(at, ..)| *at <= until).min() else { break };
            self.now = self.now.max(at);
            self.holds[hold].state = State::Expired;
            self.offer();
        }
        self.now = until;
    }
}
