//! The statements, and nothing else of SQL.
//!
//! Standard SQL but for `ON CONFLICT DO NOTHING`, `unnest` of arrays and `FOR SHARE`, which the
//! engines that speak PostgreSQL's protocol share. `ON CONFLICT` is no convenience: without it one
//! taken position would undo its whole batch.

use tokio_postgres::{Client, Error, Statement};

/// How many rows the table of barriers has: sessions that confirm at the same time seldom meet.
pub(crate) const BARRIER_SLOTS: u64 = 64;

/// Tells everyone who listens.
const ANNOUNCE: &str = "SELECT pg_notify($1, $2)";

/// The texts of the statements, for tables of one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    prefix: String,
}

/// The statements, prepared in one session.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) append: Statement,
    pub(crate) lookup: Statement,
    pub(crate) read: Statement,
    pub(crate) tail: Statement,
    pub(crate) confirm: Statement,
    pub(crate) announce: Statement,
}

impl Sql {
    pub(crate) fn with_prefix(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) async fn prepare(&self, client: &Client) -> Result<Statements, Error> {
        let texts = [self.append(), self.lookup(), self.read(), self.tail(), self.confirm()];
        let [append, lookup, read, tail, confirm] = &texts;
        let (append, lookup, read, tail, confirm, announce) = tokio::try_join!(
            client.prepare(append),
            client.prepare(lookup),
            client.prepare(read),
            client.prepare(tail),
            client.prepare(confirm),
            client.prepare(ANNOUNCE),
        )?;
        Ok(Statements { append, lookup, read, tail, confirm, announce })
    }

    /// Puts what is not there; answers the positions that were put.
    ///
    /// The mark is locked in the same statement, so that no trim moves it between the look and
    /// the put; a statement that waited for a trim sees the mark as the trim left it.
    fn append(&self) -> String {
        let Self { prefix } = self;
        format!(
            "INSERT INTO {prefix}_entries (partition, position, bytes)
             SELECT mark.partition, new.position, new.bytes
             FROM unnest($2::bigint[], $3::bytea[]) AS new (position, bytes)
             CROSS JOIN (SELECT partition, below FROM {prefix}_marks
                         WHERE partition = $1 FOR SHARE) AS mark
             WHERE new.position >= mark.below
             ON CONFLICT DO NOTHING
             RETURNING position"
        )
    }

    /// The mark, and what these positions hold; one row without a position if none holds anything.
    fn lookup(&self) -> String {
        let Self { prefix } = self;
        format!(
            "SELECT mark.below, entry.position, entry.bytes
             FROM {prefix}_marks AS mark LEFT JOIN {prefix}_entries AS entry
               ON entry.partition = mark.partition AND entry.position = ANY ($2::bigint[])
             WHERE mark.partition = $1::bigint"
        )
    }

    /// The mark, and the entries from `$2` to below `$3`, in order, ending with the one that
    /// brings them to `$4` bytes; one row without a position if there are none.
    fn read(&self) -> String {
        let Self { prefix } = self;
        format!(
            "SELECT mark.below, entry.position, entry.bytes
             FROM {prefix}_marks AS mark LEFT JOIN
               (SELECT partition, position, bytes, sum(octet_length(bytes))
                         OVER (ORDER BY position) - octet_length(bytes) AS bytes_before
                FROM {prefix}_entries
                WHERE partition = $1::bigint AND position >= $2::bigint
                  AND position < $3::bigint) AS entry
               ON entry.partition = mark.partition AND entry.bytes_before < $4::bigint
             WHERE mark.partition = $1::bigint
             ORDER BY entry.position"
        )
    }

    /// The mark, and the used positions from where the first hole can be: not below `$2`, and not
    /// more than `$3` below the highest one, since nobody appends further ahead than that.
    fn tail(&self) -> String {
        let Self { prefix } = self;
        format!(
            "SELECT mark.below, entry.position
             FROM {prefix}_marks AS mark LEFT JOIN {prefix}_entries AS entry
               ON entry.partition = mark.partition
               AND entry.position >= greatest($2::bigint,
                 (SELECT max(position) FROM {prefix}_entries WHERE partition = $1::bigint)
                   - $3::bigint)
             WHERE mark.partition = $1::bigint
             ORDER BY entry.position"
        )
    }

    /// A write that says nothing: what was visible before it is as durable as it is.
    fn confirm(&self) -> String {
        let Self { prefix } = self;
        format!("UPDATE {prefix}_barriers SET passed = passed + 1 WHERE slot = $1::bigint")
    }

    /// Moves the mark up.
    pub(crate) fn move_mark(&self) -> String {
        let Self { prefix } = self;
        format!(
            "UPDATE {prefix}_marks SET below = $2::bigint
             WHERE partition = $1::bigint AND below < $2::bigint"
        )
    }

    /// The lowest position that still has a row.
    pub(crate) fn lowest(&self) -> String {
        let Self { prefix } = self;
        format!("SELECT min(position) FROM {prefix}_entries WHERE partition = $1::bigint")
    }

    /// Deletes the rows from `$2` to below `$3`, never beyond the mark.
    pub(crate) fn delete(&self) -> String {
        let Self { prefix } = self;
        format!(
            "DELETE FROM {prefix}_entries
             WHERE partition = $1::bigint AND position >= $2::bigint AND position < $3::bigint
               AND position < (SELECT below FROM {prefix}_marks WHERE partition = $1::bigint)"
        )
    }

    /// The format that the tables have.
    pub(crate) fn format(&self) -> String {
        format!("SELECT format FROM {}_format", self.prefix)
    }

    /// Makes all tables that are missing.
    pub(crate) fn create(&self, format: i32) -> String {
        let Self { prefix } = self;
        let last_slot = BARRIER_SLOTS - 1;
        format!(
            "CREATE TABLE IF NOT EXISTS {prefix}_marks (
               partition bigint PRIMARY KEY,
               below bigint NOT NULL CHECK (below >= 1));
             CREATE TABLE IF NOT EXISTS {prefix}_entries (
               partition bigint NOT NULL,
               position bigint NOT NULL CHECK (position >= 1),
               bytes bytea NOT NULL,
               PRIMARY KEY (partition, position));
             CREATE TABLE IF NOT EXISTS {prefix}_barriers (
               slot bigint PRIMARY KEY,
               passed bigint NOT NULL);
             INSERT INTO {prefix}_barriers (slot, passed)
               SELECT slot, 0 FROM generate_series(0, {last_slot}) AS slot
               ON CONFLICT DO NOTHING;
             CREATE TABLE IF NOT EXISTS {prefix}_format (
               one bigint PRIMARY KEY CHECK (one = 1),
               format integer NOT NULL);
             INSERT INTO {prefix}_format (one, format) VALUES (1, {format})
               ON CONFLICT DO NOTHING;"
        )
    }

    /// Entries are not to be compressed once more: it takes time and gains nothing.
    pub(crate) fn store_plainly(&self) -> String {
        format!("ALTER TABLE {}_entries ALTER COLUMN bytes SET STORAGE EXTERNAL", self.prefix)
    }

    /// Begins the log of a partition, if it is not there.
    pub(crate) fn begin_partition(&self) -> String {
        format!(
            "INSERT INTO {}_marks (partition, below) VALUES ($1::bigint, 1) ON CONFLICT DO NOTHING",
            self.prefix
        )
    }

    /// The channel on which appends to a partition are announced.
    pub(crate) fn channel(&self, partition: i64) -> String {
        format!("{}_{partition}", self.prefix)
    }
}
