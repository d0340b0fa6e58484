//! Transactions of a program that has the node in its own process.
//!
//! [`Node::transact`] takes a closure of the program's own and gives its outcome or its
//! refusal back in the types that the closure has. Both are kept as JSON under the
//! idempotency key, in the transaction itself, as every answer is; so a call that is
//! made again gets the first answer, also from a later life of the process.

use std::time::Duration;

use holdfast_engine::{Asked, Decision, Fingerprint};
use holdfast_state::{LogTime, Namespace, Stop, Tx, View};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    At,
    consistency::Consistency,
    execute::{Ask, Failure, commit},
    node::Node,
};

/// For how long an answer is of use if nobody says.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a transaction is to do, for whoever has to recognise it when it is asked for
/// again.
#[derive(Clone, Debug)]
pub struct Intent {
    namespace: Namespace,
    fingerprint: Fingerprint,
    key: Option<Box<str>>,
    timeout: Duration,
}

impl Intent {
    /// The work of this name, on this input. The name stays what it is from release to
    /// release; the input is everything that the work goes by but the state.
    ///
    /// # Panics
    /// When the input cannot be written as JSON, such as a map whose keys are not text.
    #[must_use]
    pub fn new(name: &str, input: &impl Serialize) -> Self {
        let input = serde_json::to_vec(input).expect("an input is plain data");
        Self {
            namespace: Namespace::DEFAULT,
            fingerprint: Fingerprint::of(&[b"transact", name.as_bytes(), &input]),
            key: None,
            timeout: TIMEOUT,
        }
    }

    /// Done once under this key: whoever asks again gets the first answer, for at least
    /// the retention that the engine is configured with. Another name or input under the
    /// key is refused. The key is one of the namespace, in which requests over HTTP have
    /// theirs, too.
    #[must_use]
    pub fn keyed(self, key: impl Into<Box<str>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Of no use later than this, counted from the call; 10 seconds if nobody says.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// In this namespace, and not in the one of a server without credentials.
    ///
    /// # Panics
    /// For [`Namespace::SYSTEM`], whose rows are the engine's.
    #[must_use]
    pub fn in_namespace(self, namespace: Namespace) -> Self {
        assert_ne!(namespace, Namespace::SYSTEM, "the system's namespace is the engine's");
        Self { namespace, ..self }
    }
}

/// The answer of a transaction. All that it rests on is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled<O, R> {
    /// What the work came to. A refusal has written nothing.
    pub result: Result<O, R>,
    /// Its place in history.
    pub at: At,
    /// Log time when it was evaluated.
    pub time: LogTime,
    /// This is the stored answer of an earlier call.
    pub replayed: bool,
}

/// Why a transaction has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// There is none; the failure says whether anything happened.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// There is one, and it stands, but it cannot be read as the type that the caller
    /// wants: the type changed since it was stored, or does not read what it writes.
    #[error("the answer at {at} has another form: {source}")]
    OtherForm {
        /// Its place in history.
        at: At,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Node {
    /// Runs `work` as one transaction: what it writes, with the answer under the key,
    /// stands as a whole and is durable, or nothing of it does.
    ///
    /// The work runs on the partition's thread, while everybody else waits, and perhaps
    /// more than once; so it is short, asks its [`Tx`] for time and ids, and has no effect
    /// but what it does to it. What it leaves to the caller is in what it returns.
    ///
    /// # Errors
    /// [`TransactError`]; after [`Failure::TimedOut`] and
    /// [`OutcomeUnknown`](holdfast_engine::Failure::OutcomeUnknown), ask again under the
    /// same key.
    pub async fn transact<O, R>(
        &self,
        intent: Intent,
        work: impl Fn(&mut Tx<'_>) -> Result<O, Stop<R>> + Send + 'static,
    ) -> Result<Settled<O, R>, TransactError>
    where
        O: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let Intent { namespace, fingerprint, key, timeout } = intent;
        let asked = Some(Asked { fingerprint, key });
        let (after, consistency) = (None, Consistency::default());
        let ask = Ask { namespace, asked, timeout, after, consistency };
        let partition = self.partition();
        let work = move |tx: &mut Tx<'_>| match work(tx) {
            Ok(outcome) => Ok(json(&outcome)),
            Err(stop) => Err(stop.map(|refusal| json(&refusal))),
        };
        let reply = tokio::time::timeout(timeout, commit(&partition, ask, work)).await;
        let reply = reply.map_err(|_| Failure::TimedOut { timeout })??;
        let other_form = |source| TransactError::OtherForm { at: reply.at, source };
        let result = match reply.decision {
            Decision::Done => serde_json::from_slice(&reply.body).map(Ok),
            Decision::Refused => serde_json::from_slice(&reply.body).map(Err),
        };
        Ok(Settled {
            result: result.map_err(other_form)?,
            at: reply.at,
            time: reply.time,
            replayed: reply.replayed,
        })
    }

    /// The newest state of a namespace: it holds everything that anyone was told, and
    /// does not change any more. Waits until the partition leads.
    ///
    /// Reading it may end in [`Abort::Store`](holdfast_state::Abort::Store); then hand the
    /// error to [`Partition::doubt`](holdfast_engine::Partition::doubt), and the state is
    /// rebuilt.
    ///
    /// # Errors
    /// [`Failure`] when the partition has stopped.
    pub async fn view(&self, namespace: Namespace) -> Result<View, Failure> {
        let partition = self.partition();
        partition.confirmed().await?;
        Ok(partition.view(namespace))
    }
}

fn json(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("an answer is plain data")
}
