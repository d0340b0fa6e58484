//! What every event of a transfer writes: the transfer's row first, then for
//! each of its two accounts a history row and the account's row.

use holdfast_state::{Abort, Amount, Id, Read as _, StoreError, Tx};

use crate::{
    Balances,
    balances::{Event, Side},
    row::{AccountRow, Accounts, History, HistoryRow, Resolution, Status, TransferRow, Transfers},
};

/// An event of a transfer and the amounts that it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Movement<'a> {
    /// The transfer's id.
    pub(crate) transfer: &'a Id,
    /// What happens to it.
    pub(crate) event: Event,
    /// What it was made over.
    pub(crate) made: Amount,
    /// What is posted, where something is.
    pub(crate) posted: Amount,
}

impl Movement<'_> {
    /// What the event posts, sets aside, or gives back.
    const fn amount(&self) -> Amount {
        match self.event {
            Event::Posted | Event::Pending | Event::Voided | Event::Expired => self.made,
            Event::PostedPending => self.posted,
        }
    }

    /// Writes what the movement does to one account: `balances` are those after it.
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        account: &Id,
        mut row: AccountRow,
        side: Side,
        balances: Balances,
    ) -> Result<(), Abort> {
        row.balances = balances;
        row.changes += 1;
        row.version = tx.version();
        let change = HistoryRow {
            transfer: self.transfer.clone(),
            event: self.event,
            side,
            amount: self.amount(),
            version: tx.version(),
            time: tx.now(),
            balances,
        };
        tx.put::<History>((account.as_str(), row.changes), &change)?;
        tx.put::<Accounts>(account.as_str(), &row)
    }
}

/// Ends a pending transfer: its amount leaves pending, `posted` of it for good.
pub(crate) fn resolve(
    tx: &mut Tx<'_>,
    id: &Id,
    row: &mut TransferRow,
    event: Event,
    posted: Amount,
) -> Result<(), Abort> {
    row.status = match event {
        Event::Posted | Event::PostedPending => Status::Posted,
        Event::Pending => Status::Pending,
        Event::Voided => Status::Voided,
        Event::Expired => Status::Expired,
    };
    row.resolution = Some(Resolution { amount: posted, version: tx.version(), time: tx.now() });
    tx.put::<Transfers>(id.as_str(), row)?;
    let movement = Movement { transfer: id, event, made: row.amount, posted };
    for (account, side) in [(&row.debit_account, Side::Debit), (&row.credit_account, Side::Credit)]
    {
        let found = tx.get::<Accounts>(account.as_str())?;
        let found = found.ok_or_else(|| doubt(id, "names an account that is not there"))?;
        let balances = found.balances.after(side, event, row.amount, posted);
        let balances = balances.ok_or_else(|| doubt(id, "is more than its account has pending"))?;
        movement.record(tx, account, found, side, balances)?;
    }
    Ok(())
}

/// The rows do not fit together: the state must be rebuilt.
fn doubt(transfer: &Id, what: &str) -> Abort {
    StoreError::Doubt { what: format!("the pending transfer {transfer} {what}") }.into()
}
