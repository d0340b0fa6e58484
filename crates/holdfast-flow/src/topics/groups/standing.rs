//! A group as it stands, and the one way to change who belongs to it.

use holdfast_planted::planted;
use holdfast_state::{Abort, Id, Lifetime, LogTime, Read, TimerId, Tx, unknown::Unknown};

use super::{
    expire::EXPIRE,
    offsets::GroupPlace,
    row::{GroupRow, Groups, MemberRow, Members, OffsetRow, Offsets},
};
use crate::topics::{
    floor::floor,
    sequence::{Sequence, doubt},
};

/// A group's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) topic: &'a Id,
    pub(super) group: &'a Id,
}

impl Name<'_> {
    pub(super) fn group(self, state: &impl Read) -> Result<Option<GroupRow>, Abort> {
        state.get::<Groups>((self.topic.as_str(), self.group.as_str()))
    }

    /// A member of the group, if it is one and its time is not over.
    pub(super) fn member(self, state: &impl Read, member: &Id) -> Result<Option<MemberRow>, Abort> {
        let row = self.member_row(state, member)?;
        Ok(row.filter(|row| !row.is_over(state.now())))
    }

    pub(super) fn member_row(
        self,
        state: &impl Read,
        member: &Id,
    ) -> Result<Option<MemberRow>, Abort> {
        state.get::<Members>((self.topic.as_str(), self.group.as_str(), member.as_str()))
    }

    /// How far the group is in a partition: 0 where it is nowhere.
    pub(super) fn committed(self, state: &impl Read, partition: u16) -> Result<u64, Abort> {
        let row = state.get::<Offsets>((self.topic.as_str(), self.group.as_str(), partition))?;
        Ok(row.map_or(0, |row| row.offset))
    }

    /// Where the group goes on in a partition. What was removed before it came there is lost
    /// to it; a group that is nowhere has lost nothing, and begins with what there is.
    pub(super) fn place(self, state: &impl Read, partition: u16) -> Result<GroupPlace, Abort> {
        let row = state.get::<Offsets>((self.topic.as_str(), self.group.as_str(), partition))?;
        let removed = Sequence::new(self.topic, partition).head(state)?.removed();
        let told = row.as_ref().filter(|_| !planted!(LossIsNotTold));
        let lost = told.map_or(0, |row| removed.saturating_sub(row.offset));
        let offset = row.map_or(0, |row| row.offset).max(removed);
        Ok(GroupPlace { partition, offset, lost })
    }

    pub(super) fn put_offset(
        self,
        tx: &mut Tx<'_>,
        partition: u16,
        offset: u64,
    ) -> Result<(), Abort> {
        let row = OffsetRow { offset, time: tx.now(), unknown: Unknown::default() };
        tx.put::<Offsets>((self.topic.as_str(), self.group.as_str(), partition), &row)
    }

    pub(super) fn put_member(
        self,
        tx: &mut Tx<'_>,
        member: &Id,
        row: &MemberRow,
    ) -> Result<(), Abort> {
        tx.put::<Members>((self.topic.as_str(), self.group.as_str(), member.as_str()), row)
    }

    fn put(self, tx: &mut Tx<'_>, row: &GroupRow) -> Result<(), Abort> {
        tx.put::<Groups>((self.topic.as_str(), self.group.as_str()), row)
    }

    /// Sets the timer that ends a membership.
    pub(super) fn arm(self, tx: &mut Tx<'_>, member: &Id, due: LogTime) -> Result<TimerId, Abort> {
        let payload = (self.topic.clone(), self.group.clone(), member.clone());
        tx.arm_timer(due, EXPIRE, &payload)
    }

    /// Somebody comes who is not among the members.
    pub(super) fn enter(
        self,
        tx: &mut Tx<'_>,
        row: &mut GroupRow,
        member: &Id,
        ttl: Lifetime,
    ) -> Result<MemberRow, Abort> {
        let (joined_at, expires_at) = (tx.now(), tx.now().plus_us(ttl.as_us()));
        let timer = self.arm(tx, member, expires_at)?;
        let entered = MemberRow { joined_at, expires_at, timer, unknown: Unknown::default() };
        self.put_member(tx, member, &entered)?;
        let place = row.members.binary_search(member);
        row.members.insert(place.expect_err("it is not among the members"), member.clone());
        row.generation += 1;
        self.put(tx, row)?;
        Ok(entered)
    }

    /// A member goes.
    pub(super) fn drop(
        self,
        tx: &mut Tx<'_>,
        row: &mut GroupRow,
        member: &Id,
        gone: &MemberRow,
    ) -> Result<(), Abort> {
        tx.cancel_timer(gone.timer)?;
        tx.delete::<Members>((self.topic.as_str(), self.group.as_str(), member.as_str()))?;
        let none = |_| doubt(format!("{self:?} does not know its member {member}"));
        row.members.remove(row.members.binary_search(member).map_err(none)?);
        row.generation += 1;
        self.put(tx, row)
    }

    /// A new generation of the same members: what they were told counts no more.
    pub(super) fn renew(self, tx: &mut Tx<'_>, mut row: GroupRow) -> Result<GroupRow, Abort> {
        row.generation += u64::from(!planted!(SeekKeepsGeneration));
        self.put(tx, &row)?;
        Ok(row)
    }
}

/// A group that nobody has joined.
pub(super) fn new_group(state: &impl Read) -> Result<GroupRow, Abort> {
    let generation = floor(state)?;
    Ok(GroupRow { generation, members: Vec::new(), unknown: Unknown::default() })
}
