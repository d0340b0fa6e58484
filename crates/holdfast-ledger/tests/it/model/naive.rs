//! A ledger as one would write it on a napkin: maps, and the rules one after another.

use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Open {
        account: u8,
        asset: u8,
        limit: u8,
    },
    Close(u8),
    Reopen(u8),
    Transfer(Wanted),
    Linked(Vec<Wanted>),
    Post {
        id: u8,
        amount: Option<i128>,
    },
    Void(u8),
    /// This many seconds pass.
    Advance(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) id: u8,
    pub(crate) debit: u8,
    pub(crate) credit: u8,
    pub(crate) amount: i128,
    pub(crate) pending: bool,
    pub(crate) expiry: Expiry,
    pub(crate) asset: Option<u8>,
    pub(crate) metadata: bool,
}

/// In seconds: `At` counts from the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expiry {
    Never,
    In(u64),
    At(u64),
    Both(u64),
}

/// Posted and pending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) debits: [i128; 2],
    pub(crate) credits: [i128; 2],
}

#[derive(Clone, Debug)]
struct Account {
    asset: u8,
    limit: u8,
    sums: Sums,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Posted,
    Pending,
    /// Posted after it was pending, so much of it.
    PostedPending(i128),
    Voided,
    Expired,
}

#[derive(Clone, Debug)]
struct Transfer {
    wanted: Wanted,
    asset: u8,
    made: u64,
    expires: Option<u64>,
    state: State,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    accounts: BTreeMap<u8, Account>,
    transfers: BTreeMap<u8, Transfer>,
    now: u64,
}

type Said = Result<&'static str, &'static str>;

impl Naive {
    pub(crate) fn take(&mut self, step: &Step) -> String {
        let said = match step {
            Step::Open { account, asset, limit } => self.open(*account, *asset, *limit),
            Step::Close(account) => self.close(*account),
            Step::Reopen(account) => self.reopen(*account),
            Step::Transfer(wanted) => self.transfer(wanted),
            Step::Linked(all) => self.linked(all),
            Step::Post { id, amount } => self.post(*id, *amount),
            Step::Void(id) => self.void(*id),
            Step::Advance(seconds) => return format!("fired {}", self.advance(*seconds)),
        };
        said.unwrap_or_else(|refused| refused).to_owned()
    }

    pub(crate) fn balances(&self) -> Vec<Option<Sums>> {
        (0..7).map(|id| self.accounts.get(&id).map(|account| account.sums.clone())).collect()
    }

    fn open(&mut self, id: u8, asset: u8, limit: u8) -> Said {
        if let Some(account) = self.accounts.get(&id) {
            let same = account.asset == asset && account.limit == limit;
            return if same { Ok("existed") } else { Err("account_exists") };
        }
        let account = Account { asset, limit, sums: Sums::default(), closed: false };
        self.accounts.insert(id, account);
        Ok("done")
    }

    fn close(&mut self, id: u8) -> Said {
        let account = self.accounts.get_mut(&id).ok_or("account_not_found")?;
        let sums = &account.sums;
        if sums.debits[1] != 0 || sums.credits[1] != 0 {
            return Err("account_has_pending");
        }
        if sums.debits[0] != sums.credits[0] {
            return Err("balance_not_zero");
        }
        let was = std::mem::replace(&mut account.closed, true);
        Ok(if was { "existed" } else { "done" })
    }

    fn reopen(&mut self, id: u8) -> Said {
        let account = self.accounts.get_mut(&id).ok_or("account_not_found")?;
        let was = std::mem::replace(&mut account.closed, false);
        Ok(if was { "done" } else { "existed" })
    }

    fn linked(&mut self, all: &[Wanted]) -> Said {
        if all.is_empty() {
            return Err("wrong_count");
        }
        let before = self.clone();
        let said: Result<Vec<_>, _> = all.iter().map(|wanted| self.transfer(wanted)).collect();
        let said = said.and_then(|said| {
            let first = said[0];
            if said.iter().all(|each| *each == first) { Ok(first) } else { Err("partly_exists") }
        });
        if said.is_err() {
            *self = before;
        }
        said
    }

    fn transfer(&mut self, wanted: &Wanted) -> Said {
        if wanted.debit == wanted.credit {
            return Err("same_account");
        }
        if wanted.amount <= 0 {
            return Err("amount_not_positive");
        }
        let expires = match wanted.expiry {
            Expiry::Both(_) => return Err("expiry_given_twice"),
            Expiry::Never => None,
            Expiry::In(_) | Expiry::At(_) if !wanted.pending => {
                return Err("expiry_without_pending");
            }
            Expiry::In(seconds) => Some(self.now + seconds),
            Expiry::At(seconds) => Some(seconds),
        };
        if let Some(made) = self.transfers.get(&wanted.id) {
            return if made.is(wanted) { Ok("existed") } else { Err("transfer_exists") };
        }
        let debit = self.accounts.get(&wanted.debit).ok_or("debit_account_not_found")?;
        let credit = self.accounts.get(&wanted.credit).ok_or("credit_account_not_found")?;
        let asset = debit.asset;
        if credit.asset != asset || wanted.asset.is_some_and(|wanted| wanted != asset) {
            return Err("asset_mismatch");
        }
        if debit.closed || credit.closed {
            return Err("account_closed");
        }
        if expires.is_some_and(|at| at <= self.now) {
            return Err("expiry_in_past");
        }
        let fits = |sums: [i128; 2]| {
            let sum = sums[0].checked_add(sums[1]).and_then(|sum| sum.checked_add(wanted.amount));
            sum.is_some()
        };
        if !fits(debit.sums.debits) || !fits(credit.sums.credits) {
            return Err("overflows");
        }
        let room = |of: [i128; 2], against: i128| of[0] + of[1] + wanted.amount <= against;
        if debit.limit == 1 && !room(debit.sums.debits, debit.sums.credits[0])
            || credit.limit == 2 && !room(credit.sums.credits, credit.sums.debits[0])
        {
            return Err("exceeds_limit");
        }
        let (place, state) = if wanted.pending { (1, State::Pending) } else { (0, State::Posted) };
        self.add(wanted, place, wanted.amount);
        let made = Transfer { wanted: wanted.clone(), asset, made: self.now, expires, state };
        self.transfers.insert(wanted.id, made);
        Ok("done")
    }

    fn add(&mut self, wanted: &Wanted, place: usize, amount: i128) {
        self.accounts.get_mut(&wanted.debit).unwrap().sums.debits[place] += amount;
        self.accounts.get_mut(&wanted.credit).unwrap().sums.credits[place] += amount;
    }

    fn end(&mut self, id: u8, state: State, posted: i128) {
        let transfer = self.transfers.get_mut(&id).unwrap();
        transfer.state = state;
        let wanted = transfer.wanted.clone();
        self.add(&wanted, 1, -wanted.amount);
        self.add(&wanted, 0, posted);
    }

    fn post(&mut self, id: u8, amount: Option<i128>) -> Said {
        if amount.is_some_and(|amount| amount <= 0) {
            return Err("amount_not_positive");
        }
        let transfer = self.transfers.get(&id).ok_or("transfer_not_found")?;
        let amount = amount.unwrap_or(transfer.wanted.amount);
        match transfer.state {
            State::Posted => Err("not_pending"),
            State::PostedPending(posted) if posted == amount => Ok("existed"),
            State::PostedPending(_) => Err("already_posted"),
            State::Voided => Err("already_voided"),
            State::Expired => Err("already_expired"),
            State::Pending if amount > transfer.wanted.amount => Err("exceeds_pending"),
            State::Pending => {
                self.end(id, State::PostedPending(amount), amount);
                Ok("done")
            }
        }
    }

    fn void(&mut self, id: u8) -> Said {
        match self.transfers.get(&id).ok_or("transfer_not_found")?.state {
            State::Posted => Err("not_pending"),
            State::PostedPending(_) => Err("already_posted"),
            State::Voided => Ok("existed"),
            State::Expired => Err("already_expired"),
            State::Pending => {
                self.end(id, State::Voided, 0);
                Ok("done")
            }
        }
    }

    fn advance(&mut self, seconds: u64) -> usize {
        self.now += seconds;
        let over = |transfer: &&Transfer| {
            transfer.state == State::Pending && transfer.expires.is_some_and(|at| at <= self.now)
        };
        let over: Vec<u8> =
            self.transfers.values().filter(over).map(|transfer| transfer.wanted.id).collect();
        over.iter().for_each(|id| self.end(*id, State::Expired, 0));
        over.len()
    }
}

impl Transfer {
    fn is(&self, again: &Wanted) -> bool {
        let expires = match again.expiry {
            Expiry::Never => None,
            Expiry::In(seconds) => Some(self.made + seconds),
            Expiry::At(seconds) | Expiry::Both(seconds) => Some(seconds),
        };
        let wanted = &self.wanted;
        (wanted.debit, wanted.credit, wanted.amount) == (again.debit, again.credit, again.amount)
            && again.asset.is_none_or(|asset| asset == self.asset)
            && wanted.pending == again.pending
            && self.expires == expires
            && wanted.metadata == again.metadata
    }
}
