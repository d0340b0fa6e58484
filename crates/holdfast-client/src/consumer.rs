//! A consumer in a group: reads the partitions that are its, says what is done, and hands over.
//!
//! [`Client::consume`] joins the group and keeps the membership alive in the background. The program
//! then goes round: [`Consumer::next`] gives a batch of one partition, in order; the program does what
//! there is to do; [`Consumer::commit`] says so. A batch that was not committed comes again, here or to
//! whoever has its partition then: at least once. To have it once, commit in the transaction in which
//! the work is done ([`Consumer::commit_spec`]).
//!
//! Handing over: a [`Stopper`] makes `next` answer `None` behind the batch in hand, so what was begun is
//! finished and committed; [`Consumer::leave`] then leaves the group, and the others have its
//! partitions at once, from where it ended. When somebody else comes or goes, the group's generation
//! changes; what was in hand then comes again, and its commit is refused, which says `false`.

mod membership;

use std::{
    collections::BTreeMap,
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot, watch};

use crate::{
    api::{
        groups::{CommitOffsetsSpec, JoinGroupSpec, PartitionOffset},
        topics::Message,
    },
    client::Client,
    error::Error,
    key::IdempotencyKey,
    lifetime::Lifetime,
    problem::Problem,
    reader::{Messages, REST, Reader},
    stopper::Stopper,
};

use membership::{Member, Membership, Standing};

/// Messages were removed before they were read.
const OUT_OF_RANGE: &str = "offset_out_of_range";

/// Who reads what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRequest {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// The consumer's own id. Made up if none is given.
    pub member: Option<String>,
    /// How long it stays a member without being heard of: how long its partitions wait when it dies.
    pub ttl: Duration,
    /// Messages in a batch at most; 100 if nothing is said.
    pub limit: Option<u64>,
}

impl ConsumerRequest {
    /// A consumer of a made-up name that is given up after 30 seconds of silence.
    #[must_use]
    pub fn new(topic: &str, group: &str) -> Self {
        let (topic, group) = (topic.to_owned(), group.to_owned());
        Self { topic, group, member: None, ttl: Duration::from_secs(30), limit: None }
    }
}

/// Messages of one partition, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// The partition.
    pub partition: u16,
    /// The generation in which it was read, and can be committed.
    pub generation: u64,
    /// The messages; at least one.
    pub messages: Vec<Message>,
    /// What a commit says is done: the offset of the last.
    pub next: u64,
}

/// A member of a group.
#[derive(Debug)]
pub struct Consumer {
    client: Client,
    request: ConsumerRequest,
    member: String,
    standing: watch::Receiver<Standing>,
    /// Reads what is this consumer's in this generation.
    reader: Reader,
    generation: u64,
    /// It is over, though the keeper may not know yet.
    over: bool,
    stopper: Stopper,
    /// Has the keeper join again at once.
    nudge: Arc<Notify>,
    /// Ends the keeper, which leaves the group and says how that went.
    end: oneshot::Sender<oneshot::Sender<Result<(), Error>>>,
}

impl Client {
    /// Joins a group.
    ///
    /// # Errors
    /// `topic_not_found`, `group_full`, and all of [`Error`].
    pub async fn consume(&self, request: &ConsumerRequest) -> Result<Consumer, Error> {
        let ConsumerRequest { topic, group, ttl, .. } = request;
        let made_up = || format!("consumer-{}", IdempotencyKey::fresh());
        let member = request.member.clone().unwrap_or_else(made_up);
        let spec = JoinGroupSpec {
            ttl: Some(Lifetime(*ttl)),
            ..JoinGroupSpec::new(topic.clone(), group.clone(), member.clone())
        };
        let keeper = Member::join(self.clone(), spec).await?;
        let (told, standing) = watch::channel(Standing::Member(keeper.membership()));
        let (end, ended) = oneshot::channel();
        let nudge = Arc::new(Notify::new());
        // It ends with the consumer, whose drop ends `end`.
        tokio::spawn(keeper.run(told, Arc::clone(&nudge), ended));
        Ok(Consumer {
            client: self.clone(),
            request: request.clone(),
            member,
            standing,
            reader: self.reader(topic, BTreeMap::new()).with_limit(request.limit),
            generation: 0,
            over: false,
            stopper: Stopper::default(),
            nudge,
            end,
        })
    }
}

impl Consumer {
    /// The consumer's id in the group.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// How many messages the topic removed in each of this consumer's partitions that the group
    /// had not committed, as of when it joined last: where that is not 0, batches go on behind them.
    #[must_use]
    pub fn lost(&self) -> BTreeMap<u16, u64> {
        match &*self.standing.borrow() {
            Standing::Member(membership) => {
                let places = membership.partitions.iter();
                places.map(|place| (place.partition, place.lost.unwrap_or(0))).collect()
            }
            Standing::Refused(_) => BTreeMap::new(),
        }
    }

    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The next batch; waits for one. `None` once it was stopped. Dropped before it is done it has
    /// skipped nothing.
    ///
    /// # Errors
    /// [`Error`]: the topic is gone, say. What passes by itself is waited for.
    pub async fn next(&mut self) -> Result<Option<Batch>, Error> {
        let stopper = self.stopper.clone();
        loop {
            let membership = self.membership()?;
            let until = membership.map(|membership| membership.until);
            let read = async {
                match until {
                    Some(_) => self.reader.next().await,
                    None => pending().await,
                }
            };
            let read = tokio::select! {
                biased;
                () = stopper.stopped() => return Ok(None),
                changed = self.standing.changed() => match changed {
                    Ok(()) => continue,
                    // The keeper is gone, and with it the runtime that it ran on.
                    Err(_) => return Ok(None),
                },
                () = over(until) => continue,
                read = read => read,
            };
            match read {
                Ok(Messages { partition, messages, next }) => {
                    let generation = self.generation;
                    return Ok(Some(Batch { partition, generation, messages, next }));
                }
                Err(error) if error.code() == Some(OUT_OF_RANGE) => {
                    // Where the group goes on it is told when it joins; begin there.
                    self.generation = 0;
                    self.nudge.notify_one();
                    tokio::time::sleep(REST).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Everything up to the end of this batch, in its partition, is done; batches before it
    /// included, whether or not they were committed. False if the partition was dealt out anew
    /// meanwhile: then the batch comes again, to whose it is.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn commit(&mut self, batch: &Batch) -> Result<bool, Error> {
        match self.client.call(&self.commit_spec(batch)).await {
            Ok(_) => Ok(true),
            Err(error) if self.is_over(batch, &error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Does this error say that the batch's generation is over? For who commits in a transaction of
    /// its own, and would have been answered `false` here. The consumer joins again at once then.
    pub fn is_over(&mut self, batch: &Batch, error: &Error) -> bool {
        let codes = ["generation_stale", "partition_not_assigned"];
        let is_over = error.code().is_some_and(|code| codes.contains(&code));
        if is_over && batch.generation == self.generation {
            self.over = true;
            self.nudge.notify_one();
        }
        is_over
    }

    /// The commit as an operation, for the transaction in which the work of the batch is done: both
    /// happen, or neither.
    #[must_use]
    pub fn commit_spec(&self, batch: &Batch) -> CommitOffsetsSpec {
        let ConsumerRequest { topic, group, .. } = &self.request;
        let offset = PartitionOffset { partition: batch.partition, offset: batch.next };
        CommitOffsetsSpec::new(
            topic.clone(),
            group.clone(),
            self.member.clone(),
            batch.generation,
            vec![offset],
        )
    }

    /// Leaves the group; the others have its partitions at once.
    ///
    /// # Errors
    /// [`Error`]; then its time in the group ends with its ttl.
    pub async fn leave(self) -> Result<(), Error> {
        let (reply, left) = oneshot::channel();
        if self.end.send(reply).is_err() {
            // The keeper ended with a refusal: it is no member.
            return Ok(());
        }
        left.await.unwrap_or(Ok(()))
    }

    /// The membership as it stands, with positions that fit; `None` while it is not known to last.
    fn membership(&mut self) -> Result<Option<Membership>, Error> {
        let standing = self.standing.borrow_and_update().clone();
        let membership = match standing {
            Standing::Member(membership) => membership,
            Standing::Refused(problem) => return Err(Error::Refused(problem)),
        };
        let known_over = self.over && membership.generation == self.generation;
        if known_over || membership.until <= Instant::now() {
            return Ok(None);
        }
        if membership.generation != self.generation {
            self.over = false;
            // What was read and not committed is read again: somebody may have set the group back.
            let committed = membership.partitions.iter();
            let places = committed.map(|place| (place.partition, place.offset)).collect();
            self.reader.go_to(places, membership.at);
            self.generation = membership.generation;
        }
        Ok(Some(membership))
    }
}

/// Waits until a membership is not known to last; for ever where none does.
async fn over(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => pending().await,
    }
}

/// For the keeper, and for who asks it.
type Refusal = Box<Problem>;
