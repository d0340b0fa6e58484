//! What is stored: tables, and rows as short CBOR arrays.
//!
//! A limit is one row. A *counter* is a row in the table of its algorithm, under the limit,
//! the rule, the shelf (`shelf`) and the values by which the rule counts. Rows that are
//! rewritten keep the fields of later releases; a limit is replaced whole.
//! `tests/fixtures` holds rows of every released format.

use holdfast_state::{
    Id, LogTime, Table, TableId, TimerId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{quota::Algorithm, rule::Rule, stamps::Stamps};

/// Limits, by id.
#[derive(Debug)]
pub struct Limits;

impl Table for Limits {
    const ID: TableId = TableId(0x0480);
    const NAME: &'static str = "limits.limits";
    type Key<'k> = &'k str;
    type Row = LimitRow;
}

/// Which shelves a rule's counters are on: by limit, and the rule's identity.
#[derive(Debug)]
pub struct Shelves;

impl Table for Shelves {
    const ID: TableId = TableId(0x0481);
    const NAME: &'static str = "limits.shelves";
    type Key<'k> = (&'k str, Version, u16);
    type Row = ShelvesRow;
}

/// Where a counter is: limit, the rule's version, its number and the shelf, and the values
/// by which the rule counts, as a JSON list.
pub type CounterKey<'k> = (&'k str, Version, (u16, u64), &'k str);

/// Sliding logs.
#[derive(Debug)]
pub struct Logs;

impl Table for Logs {
    const ID: TableId = TableId(0x0482);
    const NAME: &'static str = "limits.logs";
    type Key<'k> = CounterKey<'k>;
    type Row = LogRow;
}

/// Stamps of sliding logs that are too many for one row: by counter and first stamp.
#[derive(Debug)]
pub struct Chunks;

impl Table for Chunks {
    const ID: TableId = TableId(0x0483);
    const NAME: &'static str = "limits.chunks";
    type Key<'k> = (&'k str, Version, (u16, u64), (&'k str, LogTime));
    type Row = ChunkRow;
}

/// Sliding counters.
#[derive(Debug)]
pub struct Windows;

impl Table for Windows {
    const ID: TableId = TableId(0x0484);
    const NAME: &'static str = "limits.windows";
    type Key<'k> = CounterKey<'k>;
    type Row = WindowRow;
}

/// Token buckets.
#[derive(Debug)]
pub struct Buckets;

impl Table for Buckets {
    const ID: TableId = TableId(0x0485);
    const NAME: &'static str = "limits.buckets";
    type Key<'k> = CounterKey<'k>;
    type Row = BucketRow;
}

/// The generic cell rate algorithm's theoretical arrival times.
#[derive(Debug)]
pub struct Arrivals;

impl Table for Arrivals {
    const ID: TableId = TableId(0x0486);
    const NAME: &'static str = "limits.arrivals";
    type Key<'k> = CounterKey<'k>;
    type Row = ArrivalRow;
}

/// What is held of limits of concurrency.
#[derive(Debug)]
pub struct Occupancies;

impl Table for Occupancies {
    const ID: TableId = TableId(0x0487);
    const NAME: &'static str = "limits.occupancies";
    type Key<'k> = CounterKey<'k>;
    type Row = OccupancyRow;
}

/// Who holds what of them: the values of the counter, and the holder behind them.
#[derive(Debug)]
pub struct Holders;

impl Table for Holders {
    const ID: TableId = TableId(0x0488);
    const NAME: &'static str = "limits.holders";
    type Key<'k> = CounterKey<'k>;
    type Row = HolderRow;
}

impl Algorithm {
    /// Where it keeps counters.
    #[must_use]
    pub const fn tables(self) -> &'static [TableId] {
        match self {
            Self::SlidingLog => &[Logs::ID, Chunks::ID],
            Self::SlidingCounter => &[Windows::ID],
            Self::TokenBucket => &[Buckets::ID],
            Self::Gcra => &[Arrivals::ID],
            Self::Concurrency => &[Occupancies::ID, Holders::ID],
        }
    }
}

/// A limit. Replaced whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LimitRow {
    /// The transaction that wrote it last: its entity tag.
    #[n(0)]
    pub version: Version,
    /// The transaction that created it; `created_version <= version`.
    #[n(1)]
    pub created_version: Version,
    /// When it was written last.
    #[n(2)]
    pub updated_at: LogTime,
    /// Its rules, in order.
    #[n(3)]
    pub rules: Vec<RuleRow>,
}

/// A rule and what stands for it in keys: no two rules whose counters there are, or ever
/// were, have both in common.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RuleRow {
    /// The transaction from which on its counters mean what they mean now.
    #[n(0)]
    pub since: Version,
    /// Its number among the rules of that transaction.
    #[n(1)]
    pub number: u16,
    /// The rule.
    #[n(2)]
    pub rule: Rule,
}

/// The shelves of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelvesRow {
    /// In which tables they are.
    pub algorithm: Algorithm,
    /// How long a shelf is written to.
    pub width_us: u64,
    /// The earliest that there may be.
    pub oldest: u64,
    /// The latest there is; `oldest <= newest`.
    pub newest: u64,
    /// The timer that clears the oldest away.
    pub timer: TimerId,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const SHELVES_FIELDS: u64 = 5;

impl<C> Encode<C> for ShelvesRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, SHELVES_FIELDS)?;
        e.encode(self.algorithm)?.u64(self.width_us)?;
        e.u64(self.oldest)?.u64(self.newest)?.encode(self.timer)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for ShelvesRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            algorithm: d.decode()?,
            width_us: d.u64()?,
            oldest: d.u64()?,
            newest: d.u64()?,
            timer: d.decode()?,
            unknown: Unknown::read(d, fields, SHELVES_FIELDS)?,
        })
    }
}

/// A sliding log: `front`, then the stamps of chunks, then `tail`. Sums of costs go round
/// at 2^64; only their differences mean anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRow {
    /// What was ever accepted.
    pub total: u64,
    /// What of it came before `front`.
    pub before: u64,
    /// The earliest stamps that count.
    pub front: Stamps,
    /// May there be stamps in chunks behind `front`?
    pub chunks: bool,
    /// The latest stamps.
    pub tail: Stamps,
    /// What edges hold that have not said yet how much of it they used; at most 64.
    pub held: Vec<Held>,
    /// Fields of a later release.
    pub unknown: Unknown,
}

/// A slice of the quota that an edge holds: permits that it gives away by itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Held {
    /// Its name, until it is said how much of it was used: what was said is not said again.
    #[n(0)]
    pub slice: Option<Id>,
    /// How many.
    #[n(1)]
    pub permits: u64,
    /// From when on it gives none of them away. They count for a window longer.
    #[n(2)]
    pub expires_at: LogTime,
}

const LOG_FIELDS: u64 = 6;

impl<C> Encode<C> for LogRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, LOG_FIELDS)?;
        e.u64(self.total)?.u64(self.before)?.encode(&self.front)?;
        e.bool(self.chunks)?.encode(&self.tail)?.encode(&self.held)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for LogRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            total: d.u64()?,
            before: d.u64()?,
            front: d.decode()?,
            chunks: d.bool()?,
            tail: d.decode()?,
            held: d.decode()?,
            unknown: Unknown::read(d, fields, LOG_FIELDS)?,
        })
    }
}

/// Stamps in the middle of a sliding log. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ChunkRow {
    /// What was accepted before its first stamp, as [`LogRow`] counts.
    #[n(0)]
    pub before: u64,
    /// Its stamps; at least one.
    #[n(1)]
    pub stamps: Stamps,
}

/// A sliding counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowRow {
    /// Which fixed window `current` is of: they are numbered from 1970 on.
    pub number: u64,
    /// What was accepted in it.
    pub current: u64,
    /// What was accepted in the one before.
    pub previous: u64,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const WINDOW_FIELDS: u64 = 3;

impl<C> Encode<C> for WindowRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, WINDOW_FIELDS)?;
        e.u64(self.number)?.u64(self.current)?.u64(self.previous)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for WindowRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            number: d.u64()?,
            current: d.u64()?,
            previous: d.u64()?,
            unknown: Unknown::read(d, fields, WINDOW_FIELDS)?,
        })
    }
}

/// A token bucket: `tokens` and `part / every` of another were in it at `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketRow {
    /// Whole tokens.
    pub tokens: u64,
    /// Parts of the next; `part < every` of the quota, in microseconds.
    pub part: u64,
    /// When.
    pub at: LogTime,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const BUCKET_FIELDS: u64 = 3;

impl<C> Encode<C> for BucketRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, BUCKET_FIELDS)?;
        e.u64(self.tokens)?.u64(self.part)?.encode(self.at)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for BucketRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            tokens: d.u64()?,
            part: d.u64()?,
            at: d.decode()?,
            unknown: Unknown::read(d, fields, BUCKET_FIELDS)?,
        })
    }
}

/// A theoretical arrival time: `us + part / max` microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrivalRow {
    /// Whole microseconds.
    pub us: u64,
    /// Parts of the next; `part < max` of the quota.
    pub part: u64,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const ARRIVAL_FIELDS: u64 = 2;

impl<C> Encode<C> for ArrivalRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, ARRIVAL_FIELDS)?;
        e.u64(self.us)?.u64(self.part)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for ArrivalRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            us: d.u64()?,
            part: d.u64()?,
            unknown: Unknown::read(d, fields, ARRIVAL_FIELDS)?,
        })
    }
}

/// What is held of a counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OccupancyRow {
    /// When how much of it ends.
    pub ends: Stamps,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const OCCUPANCY_FIELDS: u64 = 1;

impl<C> Encode<C> for OccupancyRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, OCCUPANCY_FIELDS)?;
        e.encode(&self.ends)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for OccupancyRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self { ends: d.decode()?, unknown: Unknown::read(d, fields, OCCUPANCY_FIELDS)? })
    }
}

/// What one holder has of a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderRow {
    /// How much.
    pub cost: u64,
    /// Until when; [`OccupancyRow::ends`] has it there.
    pub ends: LogTime,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const HOLDER_FIELDS: u64 = 2;

impl<C> Encode<C> for HolderRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, HOLDER_FIELDS)?;
        e.u64(self.cost)?.encode(self.ends)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for HolderRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            cost: d.u64()?,
            ends: d.decode()?,
            unknown: Unknown::read(d, fields, HOLDER_FIELDS)?,
        })
    }
}
