//! `queues.redrive`: dead letters go back into their queue, each once.
//!
//! A letter that goes back is no dead letter any more, in the same step; to redrive it
//! again is refused until it dies again. It is given out as often as a new message, and
//! says what it was edited to say.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, Read as _, Stop, Tx,
    command::{Command, Method, Write},
    page::PageSize,
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    letter::LetterRefusal,
    letters::first_letters,
    receipt::{LetterId, Names},
    row::{DeliveryRow, LetterRow, StandingRow},
    span::Span,
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct RedriveDeadLetters;

/// Which letters of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveDeadLettersSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The letters: all go back, or none. When nothing is given, the first ones there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<Names<LetterId>>,
    /// How many at most, where none are named.
    #[serde(default)]
    pub limit: PageSize,
}

/// The letters are messages of the queue again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedriveDeadLettersOutcome {
    /// Always the same.
    pub outcome: WentBack,
    /// How many.
    pub count: usize,
    /// How many dead letters there still are.
    pub dead: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WentBack {
    /// The letters wait to be given out.
    Redriven,
}

impl Command for RedriveDeadLetters {
    const NAME: &'static str = "queues.redrive";
    const SUMMARY: &'static str = "Puts dead letters back into their queue.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/redrive";
    type Spec = RedriveDeadLettersSpec;
    type Outcome = RedriveDeadLettersOutcome;
    type Refusal = LetterRefusal;
}

impl Write for RedriveDeadLetters {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RedriveDeadLettersSpec,
    ) -> Result<RedriveDeadLettersOutcome, Stop<LetterRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        if name.settings(tx)?.is_none() {
            return LetterRefusal::no_queue(name);
        }
        let letters = match &spec.letters {
            Some(named) => named_letters(tx, name, named)?,
            None => first_letters(tx, name, None, spec.limit)?.rows,
        };
        let mut standing = name.standing(tx)?;
        let count = letters.len();
        for (id, row) in letters {
            redrive(tx, name, &mut standing, (id, row))?;
        }
        if count > 0 {
            name.put_standing(tx, &standing)?;
        }
        let (outcome, dead) = (WentBack::Redriven, standing.dead);
        Ok(RedriveDeadLettersOutcome { outcome, count, dead })
    }
}

/// These letters; that one is not there refuses them all.
pub(super) fn named_letters(
    tx: &Tx<'_>,
    name: Name<'_>,
    ids: &Names<LetterId>,
) -> Result<Vec<(LetterId, LetterRow)>, Stop<LetterRefusal>> {
    let mut letters = Vec::with_capacity(ids.len());
    for (index, &letter) in ids.iter().enumerate() {
        let index = Some(index);
        let not_found = || LetterRefusal::DeadLetterNotFound { index, letter };
        let row = name.letter(tx, letter)?.ok_or_else(|| Stop::Refused(not_found()))?;
        letters.push((letter, row));
    }
    Ok(letters)
}

fn redrive(
    tx: &mut Tx<'_>,
    name: Name<'_>,
    standing: &mut StandingRow,
    (id, mut row): (LetterId, LetterRow),
) -> Result<(), Abort> {
    row.redriven = row.redriven.saturating_add(1);
    name.drop_letter(tx, id)?;
    name.put_redriven(tx, id, &row)?;
    standing.dead -= 1;
    standing.out += 1;
    standing.deliveries += 1;
    let delivery = DeliveryRow {
        partition: id.partition,
        span: Span::whole(id.offset, 1),
        attempt: 0,
        until: tx.now(),
        redriven: !planted!(EditIsForgotten),
        unknown: Unknown::default(),
    };
    name.put_delivery(tx, standing.deliveries, &delivery)
}
