//! What is stored of groups. A group's row is rewritten when somebody comes or goes, and by
//! nothing else: a member's time, and each partition's committed offset, have rows of
//! their own.

use holdfast_state::{
    Id, Lifetime, LogTime, Table, TableId, TimerId,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Groups: by the topic's id and the group's.
#[derive(Debug)]
pub struct Groups;

impl Table for Groups {
    const ID: TableId = TableId(0x0304);
    const NAME: &'static str = "topics.groups";
    type Key<'k> = (&'k str, &'k str);
    type Row = GroupRow;
}

/// Members: by topic, group, and the member's id.
#[derive(Debug)]
pub struct Members;

impl Table for Members {
    const ID: TableId = TableId(0x0305);
    const NAME: &'static str = "topics.members";
    type Key<'k> = (&'k str, &'k str, &'k str);
    type Row = MemberRow;
}

/// Committed offsets: by topic, group, and the partition's number. There is none where
/// nothing was committed.
#[derive(Debug)]
pub struct Offsets;

impl Table for Offsets {
    const ID: TableId = TableId(0x0306);
    const NAME: &'static str = "topics.offsets";
    type Key<'k> = (&'k str, &'k str, u16);
    type Row = OffsetRow;
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// One more with every change of `members`.
    pub generation: u64,
    /// Who belongs to it, sorted; each has a row in [`Members`].
    pub members: Vec<Id>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const GROUP_FIELDS: u64 = 2;

impl<C> Encode<C> for GroupRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, GROUP_FIELDS)?;
        e.u64(self.generation)?.encode(&self.members)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for GroupRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            generation: d.u64()?,
            members: d.decode()?,
            unknown: Unknown::read(d, fields, GROUP_FIELDS)?,
        })
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// When it came.
    pub joined_at: LogTime,
    /// When it is a member no more unless it joins again; `timer.due <= expires_at`.
    pub expires_at: LogTime,
    /// The timer that ends it. Joining again leaves it where it is: when it fires too
    /// early, it is set again.
    pub timer: TimerId,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const MEMBER_FIELDS: u64 = 3;

impl MemberRow {
    /// Is its time over, whether or not its timer has fired?
    #[must_use]
    pub fn is_over(&self, now: LogTime) -> bool {
        self.expires_at <= now
    }
}

impl<C> Encode<C> for MemberRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, MEMBER_FIELDS)?;
        e.encode(self.joined_at)?.encode(self.expires_at)?.encode(self.timer)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for MemberRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            joined_at: d.decode()?,
            expires_at: d.decode()?,
            timer: d.decode()?,
            unknown: Unknown::read(d, fields, MEMBER_FIELDS)?,
        })
    }
}

/// How far a group is in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetRow {
    /// Everything up to this message is done; 0 before the first.
    pub offset: u64,
    /// When that was said.
    pub time: LogTime,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const OFFSET_FIELDS: u64 = 2;

impl<C> Encode<C> for OffsetRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, OFFSET_FIELDS)?;
        e.u64(self.offset)?.encode(self.time)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for OffsetRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            offset: d.u64()?,
            time: d.decode()?,
            unknown: Unknown::read(d, fields, OFFSET_FIELDS)?,
        })
    }
}

/// How long a member stays one without joining again, when nobody says: 30 seconds.
pub const SESSION: Lifetime = match Lifetime::from_us(30_000_000) {
    Ok(session) => session,
    Err(_) => panic!("30 seconds are a lifetime"),
};
