//! A request that kills the process is not evaluated for ever (P21).
//!
//! A panic is caught. What cannot be caught (a stack that overflows, an abort, the
//! system's out-of-memory killer) ends the process in the middle of an evaluation,
//! and a caller who asks again would end the next one. So a [`Witness`], which
//! outlives the process, holds the fingerprints that are under evaluation:
//!
//! - requests are evaluated in groups, and a group is named in one write;
//! - after a death, the requests of the group named then are [`Suspects`];
//! - a suspect is evaluated *alone*. One that survives is no suspect any more; one
//!   that was alone when the process died [`DEATHS_MAX`] times, with no survival
//!   between, is refused from then on: `quarantined`.
//!
//! Once would not do: a process is also killed for no fault of the request at hand.
//! That this strikes the very same request alone again, before it was evaluated
//! even once, is what a poisonous request does and chance does not.
//!
//! Left to others: where the witness keeps what it knows, reading that at a start,
//! and the operator's pardon. Deaths outside evaluation are not covered.

use std::{collections::BTreeMap, fmt};

use crate::request::Fingerprint;

/// Deaths in a row, alone under evaluation, after which a request is refused.
pub const DEATHS_MAX: u32 = 2;

/// Requests that are named together. A write of the witness costs most of a
/// microsecond, evaluating some ten: one of sixteen is nothing, and sixteen
/// suspects are soon sifted.
pub const GROUP_MAX: usize = 16;

/// Suspects that are remembered. Those who never ask again are forgotten first.
const SUSPECTS_MAX: usize = 256;

/// What outlives the process. It need not outlive a loss of power, which is no
/// evidence against a request.
pub trait Witness: fmt::Debug + Send {
    /// These, at most [`GROUP_MAX`], are under evaluation from now on, and no others.
    fn evaluating(&mut self, fingerprints: &[Fingerprint]);

    /// Remembers these suspects in place of those before.
    fn remember(&mut self, suspects: &Suspects);
}

/// Nothing outlives a process that has no files.
#[derive(Debug)]
struct Forgetful;

impl Witness for Forgetful {
    fn evaluating(&mut self, _: &[Fingerprint]) {}

    fn remember(&mut self, _: &Suspects) {}
}

/// Requests that may have killed a process: how often each was alone under
/// evaluation when one died, since it last survived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects(BTreeMap<Fingerprint, u32>);

impl Suspects {
    /// Suspects as they were remembered.
    #[must_use]
    pub fn remembered(deaths: impl IntoIterator<Item = (Fingerprint, u32)>) -> Self {
        Self(deaths.into_iter().collect())
    }

    /// Each with its deaths.
    pub fn iter(&self) -> impl Iterator<Item = (Fingerprint, u32)> {
        self.0.iter().map(|(fingerprint, deaths)| (*fingerprint, *deaths))
    }

    /// Those that are refused.
    pub fn quarantined(&self) -> impl Iterator<Item = Fingerprint> {
        self.iter().filter(|(_, deaths)| *deaths >= DEATHS_MAX).map(|(fingerprint, _)| fingerprint)
    }

    /// A process died while these were under evaluation. Returns the one that this
    /// puts into quarantine.
    pub fn accuse(&mut self, evaluating: &[Fingerprint]) -> Option<Fingerprint> {
        if self.0.len() + evaluating.len() > SUSPECTS_MAX {
            self.0.retain(|_, deaths| *deaths > 0);
        }
        if let [alone, same @ ..] = evaluating
            && same.iter().all(|other| other == alone)
        {
            let deaths = self.0.entry(*alone).or_default();
            *deaths += 1;
            return (*deaths == DEATHS_MAX).then_some(*alone);
        }
        for fingerprint in evaluating {
            self.0.entry(*fingerprint).or_default();
        }
        None
    }

    /// Suspects no more. False when it was none.
    pub fn acquit(&mut self, fingerprint: Fingerprint) -> bool {
        self.0.remove(&fingerprint).is_some()
    }
}

/// The suspects of a partition while it runs.
#[derive(Debug)]
pub struct Quarantine {
    suspects: Suspects,
    witness: Box<dyn Witness>,
    /// What the witness was told last.
    named: Vec<Fingerprint>,
}

impl Default for Quarantine {
    /// Nobody is suspected, and nothing outlives the process.
    fn default() -> Self {
        Self::new(Suspects::default(), Box::new(Forgetful))
    }
}

impl Quarantine {
    /// Goes on with these suspects; the witness has been told that nothing is under
    /// evaluation.
    #[must_use]
    pub fn new(suspects: Suspects, witness: Box<dyn Witness>) -> Self {
        Self { suspects, witness, named: Vec::with_capacity(GROUP_MAX) }
    }

    /// Names those of the first requests that may be evaluated together, and says
    /// how many they are: one, when the first is a suspect. A request without a
    /// fingerprint is the engine's own.
    pub fn begin(
        &mut self,
        mut requests: impl Iterator<Item = Option<Fingerprint>> + Clone,
    ) -> usize {
        let group = requests.clone().take(GROUP_MAX);
        let together = match requests.next() {
            None => return 0,
            Some(first) if self.is_suspect(first) => 1,
            Some(_) => group.clone().take_while(|request| !self.is_suspect(*request)).count(),
        };
        let silent = self.named.is_empty();
        self.named.clear();
        let named = group.take(together).flatten();
        self.named.extend(named.filter(|fingerprint| !refused(&self.suspects, *fingerprint)));
        if !(silent && self.named.is_empty()) {
            self.witness.evaluating(&self.named);
        }
        together
    }

    /// Nothing is under evaluation any more.
    pub fn end(&mut self) {
        if !self.named.is_empty() {
            self.named.clear();
            self.witness.evaluating(&[]);
        }
    }

    /// The suspects there are.
    #[must_use]
    pub const fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// Is it refused?
    #[must_use]
    pub fn refuses(&self, request: Option<Fingerprint>) -> Option<Fingerprint> {
        request.filter(|fingerprint| refused(&self.suspects, *fingerprint))
    }

    /// It was evaluated, and here we are.
    pub fn survived(&mut self, request: Option<Fingerprint>) {
        if let Some(fingerprint) = request
            && self.suspects.acquit(fingerprint)
        {
            self.witness.remember(&self.suspects);
        }
    }

    fn is_suspect(&self, request: Option<Fingerprint>) -> bool {
        !self.suspects.0.is_empty()
            && request.is_some_and(|fingerprint| self.suspects.0.contains_key(&fingerprint))
    }
}

fn refused(suspects: &Suspects, fingerprint: Fingerprint) -> bool {
    suspects.0.get(&fingerprint).is_some_and(|deaths| *deaths >= DEATHS_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const POISON: u8 = 9;

    fn print(number: u8) -> Fingerprint {
        Fingerprint([number; 16])
    }

    /// What is left when the process is gone.
    #[derive(Clone, Debug, Default)]
    struct Left(Arc<Mutex<(Vec<Fingerprint>, Suspects, usize)>>);

    impl Witness for Left {
        fn evaluating(&mut self, fingerprints: &[Fingerprint]) {
            let mut left = self.0.lock().unwrap();
            left.0 = fingerprints.to_vec();
            left.2 += 1;
        }

        fn remember(&mut self, suspects: &Suspects) {
            self.0.lock().unwrap().1 = suspects.clone();
        }
    }

    impl Left {
        /// The next process begins: what was found, and who goes into quarantine.
        fn start(&self) -> (Quarantine, Option<Fingerprint>) {
            let mut left = self.0.lock().unwrap();
            let named = std::mem::take(&mut left.0);
            let quarantined = left.1.accuse(&named);
            (Quarantine::new(left.1.clone(), Box::new(self.clone())), quarantined)
        }

        /// Evaluates these in order until one kills the process; which were refused.
        fn live(&self, requests: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
            let (mut quarantine, _) = self.start();
            let (mut rest, mut refused) = (requests, Vec::new());
            while !rest.is_empty() {
                let group = rest.iter().map(|number| Some(print(*number)));
                let (group, after) = rest.split_at(quarantine.begin(group));
                for number in group {
                    if quarantine.refuses(Some(print(*number))).is_some() {
                        refused.push(*number);
                    } else if *number == POISON {
                        return Err(refused);
                    } else {
                        quarantine.survived(Some(print(*number)));
                    }
                }
                rest = after;
            }
            quarantine.end();
            Ok(refused)
        }
    }

    #[test]
    fn p21_a_poisonous_request_is_refused_after_two_deaths_alone() {
        let left = Left::default();
        assert_eq!(left.live(&[POISON]), Err(vec![]));
        assert_eq!(left.live(&[POISON]), Err(vec![]));
        assert_eq!(left.live(&[POISON, 1]), Ok(vec![POISON]));
        let several = Left::default();
        assert_eq!(several.live(&[POISON; 5]), Err(vec![]), "the same one is no company");
        assert_eq!(several.live(&[POISON; 5]), Err(vec![]));
        assert_eq!(several.live(&[POISON; 5]), Ok(vec![POISON; 5]));
        assert_eq!(left.live(&[1, POISON, POISON]), Ok(vec![POISON, POISON]), "for good");
    }

    #[test]
    fn p21_in_company_it_is_found_by_one_death_more_and_nobody_else_is() {
        let left = Left::default();
        let company: Vec<u8> = (1..40).collect();
        assert!(left.live(&company).is_err());
        let suspects = left.0.lock().unwrap().0.len();
        assert_eq!(suspects, GROUP_MAX, "the group with the poison in it, and no other");
        assert!(left.live(&company).is_err());
        assert!(left.live(&company).is_err());
        assert_eq!(left.live(&company), Ok(vec![POISON]));
        let suspects = left.0.lock().unwrap().1.clone();
        assert_eq!(suspects.iter().collect::<Vec<_>>(), [(print(POISON), DEATHS_MAX)]);
    }

    #[test]
    fn p21_a_survival_between_two_deaths_acquits() {
        let left = Left::default();
        for _ in 0..10 {
            let (mut quarantine, quarantined) = left.start();
            assert_eq!(quarantined, None);
            quarantine.begin([Some(print(1))].into_iter());
            quarantine.survived(Some(print(1)));
            quarantine.begin([Some(print(1))].into_iter());
            // Somebody pulls the plug.
        }
        let (_, quarantined) = left.start();
        assert_eq!(quarantined, None);
    }

    #[test]
    fn a_group_is_one_write_and_the_engines_own_requests_are_none() {
        let left = Left::default();
        let (mut quarantine, _) = left.start();
        assert_eq!(quarantine.begin((0..9).map(|number| Some(print(number)))), 9);
        quarantine.end();
        quarantine.end();
        assert_eq!(left.0.lock().unwrap().2, 2);
        assert_eq!(quarantine.begin([None, Some(print(1)), None].into_iter()), 3);
        assert_eq!(left.0.lock().unwrap().0, [print(1)]);
        assert_eq!(quarantine.begin(std::iter::empty()), 0);
    }

    #[test]
    fn suspects_are_bounded_and_those_with_deaths_stay_longest() {
        let mut suspects = Suspects::default();
        suspects.accuse(&[print(0)]);
        for group in 0..100u8 {
            let named: Vec<_> = (0..16u8)
                .map(|number| Fingerprint([[group, number]; 8].concat().try_into().unwrap()))
                .collect();
            suspects.accuse(&named);
            assert!(suspects.0.len() <= SUSPECTS_MAX);
        }
        assert!(
            suspects.iter().any(|(fingerprint, deaths)| (fingerprint, deaths) == (print(0), 1))
        );
    }
}
