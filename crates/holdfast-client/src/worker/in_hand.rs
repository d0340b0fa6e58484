//! Messages in hand, kept out of others' sight.
//!
//! Every message that was received and is not settled is here, by its receipt, with how long it is
//! sure to be out of sight. A keeper prolongs what is due, all in one call, at a third of the
//! time; it tells the holder of each what it knows, and gives back what is dropped. A receipt
//! that a server calls stale is of a message that is somebody else's, or done, and is told so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    time::{sleep_until, timeout_at},
};

use crate::{
    api::queues::{ExtendMessagesSpec, NackMessagesSpec},
    client::Client,
    error::Error,
    problem::Problem,
    standing::{Loss, Standing, Watched},
    tenure::Tenure,
};

/// A receipt is not that of the last time its message was given out.
pub(super) const STALE: &str = "receipt_stale";

/// Where the messages are from.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub(super) client: Client,
    pub(super) topic: String,
    pub(super) queue: String,
    pub(super) visibility: Duration,
}

/// All messages in hand.
#[derive(Debug)]
pub(super) struct InHand {
    pub(super) queue: Queue,
    /// Locked for moments.
    all: Mutex<All>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct All {
    held: BTreeMap<String, Held>,
    /// Receipts to be given back.
    dropped: Vec<String>,
    /// Nothing more comes.
    closed: bool,
}

#[derive(Debug)]
struct Held {
    tenure: Tenure,
    told: watch::Sender<Standing>,
}

impl InHand {
    pub(super) fn new(queue: Queue) -> Self {
        Self { queue, all: Mutex::default(), changed: Notify::new() }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message that was received by a request that was sent then.
    pub(super) fn take(&self, receipt: &str, sent: Instant) -> Watched {
        let tenure = Tenure::new(self.queue.visibility, sent);
        let (told, watched) = Watched::until(tenure.ends());
        self.all().held.insert(receipt.to_owned(), Held { tenure, told });
        self.changed.notify_one();
        watched
    }

    /// It is settled.
    pub(super) fn settled(&self, receipt: &str) {
        self.all().held.remove(receipt);
        self.changed.notify_one();
    }

    /// It is held by nobody any more, and is given back unless it was settled, or lost.
    pub(super) fn dropped(&self, receipt: String) {
        let mut all = self.all();
        if all.held.remove(&receipt).is_some() {
            all.dropped.push(receipt);
        }
        drop(all);
        self.changed.notify_one();
    }

    /// Everything that is held is given back, and its holders are told. How many that were.
    pub(super) fn give_all_back(&self) -> usize {
        let mut all = self.all();
        let held = std::mem::take(&mut all.held);
        let count = held.len();
        for (receipt, held) in held {
            held.told.send_replace(Standing::Lost(Loss::GivenBack));
            all.dropped.push(receipt);
        }
        drop(all);
        self.changed.notify_one();
        count
    }

    /// Nothing more comes: the keeper ends when nothing is left.
    pub(super) fn close(&self) {
        self.all().closed = true;
        self.changed.notify_one();
    }

    /// When there is something to do; `None` when there never will be, some time off when there is
    /// nothing now.
    fn due(&self) -> Option<Instant> {
        let all = self.all();
        if !all.dropped.is_empty() {
            return Some(Instant::now());
        }
        let due = all.held.values().map(|held| held.tenure.due().min(held.tenure.ends())).min();
        let idle = || (!all.closed).then(|| Instant::now() + self.queue.visibility);
        due.or_else(idle)
    }

    /// What is to be prolonged now: all that will be due soon, and until when that is of use.
    fn to_prolong(&self) -> Option<(Vec<String>, Instant)> {
        let now = Instant::now();
        let soon = now + self.queue.visibility / 10;
        let mut all = self.all();
        all.held.retain(|_, held| {
            let counts = now < held.tenure.ends();
            if !counts {
                held.told.send_replace(Standing::Lost(Loss::TimeOver { last: None }));
            }
            counts
        });
        if !all.held.values().any(|held| held.tenure.due() <= now) {
            return None;
        }
        let due = all.held.iter().filter(|(_, held)| held.tenure.due() <= soon);
        let ends = due.clone().map(|(_, held)| held.tenure.ends()).max()?;
        Some((due.map(|(receipt, _)| receipt.clone()).collect(), ends))
    }

    fn prolonged(&self, receipts: &[String], sent: Instant) {
        let mut all = self.all();
        for receipt in receipts {
            if let Some(held) = all.held.get_mut(receipt) {
                held.tenure.renewed(sent);
                held.told.send_replace(Standing::Held { until: held.tenure.ends() });
            }
        }
    }

    fn missed(&self, receipts: &[String]) {
        let mut all = self.all();
        for receipt in receipts {
            if let Some(held) = all.held.get_mut(receipt) {
                held.tenure.missed(Instant::now());
            }
        }
    }

    fn lost(&self, receipt: &str, problem: Box<Problem>) {
        // One that was settled meanwhile is here no more.
        if let Some(held) = self.all().held.remove(receipt) {
            held.told.send_replace(Standing::Lost(Loss::Refused(problem)));
        }
    }
}

impl Queue {
    /// Keeps messages out of sight for their time from now on. Those whose receipts are stale,
    /// with what the server says.
    pub(super) async fn prolong(
        &self,
        receipts: &mut Vec<String>,
        deadline: Duration,
    ) -> Result<Vec<(String, Box<Problem>)>, Error> {
        let mut stale = Vec::new();
        while !receipts.is_empty() {
            let spec = ExtendMessagesSpec {
                visibility: Some(self.visibility.into()),
                ..ExtendMessagesSpec::new(&*self.topic, &*self.queue, receipts.clone())
            };
            match self.client.request(&spec).deadline(deadline).send().await {
                Ok(_) => break,
                Err(Error::Refused(problem)) => match stale_among(&problem, receipts) {
                    Some(receipt) => stale.push((receipt, problem)),
                    None => return Err(Error::Refused(problem)),
                },
                Err(error) => return Err(error),
            }
        }
        Ok(stale)
    }

    /// Gives messages back, at once. Those that are not this worker's any more need not be.
    pub(super) async fn give_back(&self, mut receipts: Vec<String>) {
        while !receipts.is_empty() {
            let spec = NackMessagesSpec::new(&*self.topic, &*self.queue, receipts.clone());
            match self.client.call(&spec).await {
                Err(Error::Refused(problem)) if stale_among(&problem, &mut receipts).is_some() => {}
                // Otherwise they come into sight when their time is over.
                _ => return,
            }
        }
    }
}

/// Takes out the receipt that is stale, where a problem names one.
fn stale_among(problem: &Problem, receipts: &mut Vec<String>) -> Option<String> {
    let index = problem.fact("index").filter(|_| problem.code == STALE)?;
    let index = index.parse::<usize>().ok().filter(|index| *index < receipts.len())?;
    Some(receipts.remove(index))
}

/// Keeps everything in hand until nothing more comes and nothing is left.
pub(super) async fn keep(in_hand: Arc<InHand>) {
    while let Some(due) = in_hand.due() {
        tokio::select! {
            biased;
            () = in_hand.changed.notified() => {}
            () = sleep_until(due.into()) => {}
        }
        let dropped = std::mem::take(&mut in_hand.all().dropped);
        in_hand.queue.give_back(dropped).await;
        if let Some((receipts, ends)) = in_hand.to_prolong() {
            prolong(&in_hand, receipts, ends).await;
        }
    }
}

async fn prolong(in_hand: &InHand, mut receipts: Vec<String>, ends: Instant) {
    let sent = Instant::now();
    let asked = receipts.clone();
    let prolonging = in_hand.queue.prolong(&mut receipts, ends - sent);
    match timeout_at(ends.into(), prolonging).await {
        Ok(Ok(stale)) => {
            in_hand.prolonged(&receipts, sent);
            for (receipt, problem) in stale {
                in_hand.lost(&receipt, problem);
            }
        }
        Ok(Err(Error::Refused(problem))) => {
            for receipt in asked {
                in_hand.lost(&receipt, problem.clone());
            }
        }
        Ok(Err(_)) | Err(_) => in_hand.missed(&asked),
    }
}
