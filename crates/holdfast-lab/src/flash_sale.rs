//! A flash sale: far more buyers than units, all at once.
//!
//! Every buyer asks for one unit, some of them again under a new key. Who gets one pays,
//! or lets the hold lapse; who gets none waits, and is served when a hold lapses. In the
//! end every unit is sold, to as many buyers.
//!
//! Without protection ([`FlashSale::unprotected`]) a buyer looks whether there is a unit
//! left and then takes one, in two steps, as programs do that check outside of the
//! transaction. That must oversell, or the experiment shows nothing.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::{
    history::History,
    random::Random,
    request::{Answer, Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Wrong},
};

/// What is sold.
const ITEM: &str = "item";

/// How long a hold is held that its buyer does not pay for.
const LAPSES_AFTER: &str = "PT1S";

/// How long buyers who pay, or wait, have for it: longer than any run.
const HELD_FOR: &str = "P7D";

/// Of a hundred buyers who get a unit, so many let it lapse.
const LAPSING_PERCENT: u64 = 20;

/// Of a hundred buyers, so many ask a second time under a new key.
const ASKING_AGAIN_PERCENT: u64 = 10;

/// Pays for what its buyer got at once.
const PAY: &str = "pay";

/// Pays for what became free and was offered.
const PAY_OFFER: &str = "pay for an offer";

/// A flash sale.
#[derive(Clone, Debug)]
pub struct FlashSale {
    /// How many want one.
    pub buyers: u64,
    /// How many there are.
    pub units: u64,
    /// Decides who pays and who asks again.
    pub seed: u64,
    /// Look first and take then.
    pub unprotected: bool,
}

impl Scenario for FlashSale {
    fn name(&self) -> &str {
        if self.unprotected { "flash-sale, without protection" } else { "flash-sale" }
    }

    fn prepare(&self) -> Vec<Request> {
        let operations = if self.unprotected {
            vec![
                operation("ledger.declare_asset", json!({ "asset": "UNITS", "exponent": 0 })),
                operation("ledger.open_account", json!({ "id": "supplier", "asset": "UNITS" })),
                operation("ledger.open_account", json!({ "id": ITEM, "asset": "UNITS" })),
                operation("ledger.open_account", json!({ "id": "sold", "asset": "UNITS" })),
                operation(
                    "ledger.transfer",
                    json!({ "debit_account": "supplier", "credit_account": ITEM, "amount": self.units }),
                ),
            ]
        } else {
            let item = json!({ "id": ITEM, "kind": "units", "stock": self.units });
            vec![operation("reservations.create_resource", item)]
        };
        vec![Request::write("prepare".to_owned(), "prepare", operations)]
    }

    fn lanes(&self, count: usize) -> Vec<Box<dyn Lane>> {
        let lane = |number: u64| -> Box<dyn Lane> {
            let buyers = (0..self.buyers).filter(|buyer| buyer % count as u64 == number).collect();
            let random = Random::new(self.seed ^ (number << 32));
            if self.unprotected {
                Box::new(Unprotected { buyers, looked: None })
            } else {
                let waiting = VecDeque::new();
                Box::new(Buyers { buyers, waiting, random, asked: None, units: self.units })
            }
        };
        (0..count as u64).map(lane).collect()
    }

    fn expected(&self) -> u64 {
        // Nearly everybody finds nothing left and waits.
        if self.unprotected { self.units } else { self.buyers * 2 }
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        let looked =
            |error: anyhow::Error| Wrong(format!("the state cannot be looked at: {error:#}"));
        let mut paid = BTreeSet::new();
        for record in history.records() {
            let pays = matches!(record.label, PAY | PAY_OFFER | "take") && record.answer.is_done();
            let buyer = record.key.split('-').nth(1).unwrap_or_default();
            if pays && !paid.insert(buyer.to_owned()) {
                return Wrong::because(format!("buyer {buyer} was sold two units"));
            }
        }
        let count = |label| {
            let done = history.records().iter();
            let done = done.filter(|record| record.label == label && record.answer.is_done());
            i64::try_from(done.count()).unwrap_or(i64::MAX)
        };
        let counts = vec![
            ("buyers".to_owned(), i64::try_from(self.buyers).unwrap_or(i64::MAX)),
            ("units".to_owned(), i64::try_from(self.units).unwrap_or(i64::MAX)),
            ("held".to_owned(), count("buy")),
            ("joined the waitlist".to_owned(), count("wait")),
            ("paid".to_owned(), i64::try_from(paid.len()).unwrap_or(i64::MAX)),
            ("of these, from the waitlist".to_owned(), count(PAY_OFFER)),
        ];
        let expected = self.units.min(self.buyers);
        if paid.len() as u64 != expected {
            let sold = paid.len();
            return Wrong::because(format!("{sold} units were sold, and should be {expected}"));
        }
        if !self.unprotected {
            // With so many, some let theirs lapse, and somebody who waited has it.
            let crowd = self.units >= 100 && self.buyers >= 10 * self.units;
            if crowd && count(PAY_OFFER) == 0 {
                return Wrong::because("nobody who waited was served");
            }
            let shown = look.look(vec![availability()]).map_err(looked)?;
            let level = &shown[0]["levels"][0];
            let all_sold = level["sold"] == expected && level["held"] == 0;
            if !all_sold || level["available"] != self.units - expected {
                return Wrong::because(format!("the item stands at {level}"));
            }
        }
        Ok(counts)
    }
}

fn availability() -> Value {
    operation("reservations.availability", json!({ "resource": ITEM }))
}

/// What a lane waits to be answered.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// Holds a unit; whether it will be paid for.
    Buy(u64, bool),
    Again,
    Wait(u64),
    LookAtEntry(u64),
    LookAtItem,
    Pay,
}

/// Buyers of one lane, one after the other; then those of them who wait.
struct Buyers {
    buyers: VecDeque<u64>,
    waiting: VecDeque<u64>,
    random: Random,
    asked: Option<Asked>,
    units: u64,
}

impl Buyers {
    fn buy(&mut self, buyer: u64) -> (Asked, Request) {
        let pays = !self.random.percent(LAPSING_PERCENT);
        (Asked::Buy(buyer, pays), hold(buyer, pays, "buy"))
    }

    fn follow(&mut self, asked: Asked, answer: &Answer) -> Option<(Asked, Request)> {
        match asked {
            Asked::Buy(buyer, true) if answer.is_done() => {
                Some((Asked::Pay, pay(buyer, PAY, &format!("h{buyer}"))))
            }
            // Lapses; its buyer asks again, and has it once all the same.
            Asked::Buy(buyer, false) if answer.is_done() => {
                let again = self.random.percent(ASKING_AGAIN_PERCENT);
                again.then(|| (Asked::Again, hold(buyer, false, "ask again")))
            }
            Asked::Buy(buyer, _) => {
                let args = json!({
                    "id": format!("w{buyer}"), "resource": ITEM, "offer_expires_in": HELD_FOR
                });
                let operations = vec![operation("reservations.join_waitlist", args)];
                let request = Request::write(format!("wait-{buyer}"), "wait", operations);
                Some((Asked::Wait(buyer), request))
            }
            Asked::Wait(buyer) => {
                self.waiting.push_back(buyer);
                None
            }
            Asked::LookAtEntry(buyer) => self.after_look(buyer, answer),
            Asked::LookAtItem => {
                let level = &answer.results()[0]["levels"][0];
                // Nothing more can lapse: whoever still waits waits in vain.
                if level["sold"] == self.units {
                    self.waiting.clear();
                }
                None
            }
            Asked::Again | Asked::Pay => None,
        }
    }

    fn after_look(&mut self, buyer: u64, answer: &Answer) -> Option<(Asked, Request)> {
        let entry = answer.results().into_iter().next().unwrap_or_default();
        match (entry["status"].as_str(), entry["hold"].as_str()) {
            (Some("offered"), Some(hold)) => Some((Asked::Pay, pay(buyer, PAY_OFFER, hold))),
            _ => {
                self.waiting.push_front(buyer);
                Some((Asked::LookAtItem, Request::look("look at the item", vec![availability()])))
            }
        }
    }
}

fn hold(buyer: u64, pays: bool, label: &'static str) -> Request {
    let expires_in = if pays { HELD_FOR } else { LAPSES_AFTER };
    let args = json!({ "id": format!("h{buyer}"), "resource": ITEM, "expires_in": expires_in });
    let key = format!("{}-{buyer}", label.replace(' ', "_"));
    Request::write(key, label, vec![operation("reservations.hold", args)])
}

fn pay(buyer: u64, label: &'static str, hold: &str) -> Request {
    let operations = vec![operation("reservations.confirm", json!({ "id": hold }))];
    Request::write(format!("pay-{buyer}"), label, operations)
}

impl Lane for Buyers {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        let following = self.asked.take().zip(last);
        let following = following.and_then(|(asked, answer)| self.follow(asked, answer));
        let (asked, request) = match following {
            Some(following) => following,
            None => match self.buyers.pop_front() {
                Some(buyer) => self.buy(buyer),
                None => {
                    let buyer = self.waiting.pop_front()?;
                    let args = json!({ "id": format!("w{buyer}") });
                    let operations = vec![operation("reservations.get_waitlist_entry", args)];
                    (Asked::LookAtEntry(buyer), Request::look("look at entry", operations))
                }
            },
        };
        self.asked = Some(asked);
        Some(request)
    }
}

/// Buyers who look first and take then.
struct Unprotected {
    buyers: VecDeque<u64>,
    looked: Option<u64>,
}

impl Lane for Unprotected {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        if let Some((buyer, answer)) = self.looked.take().zip(last) {
            let left = answer.results()[0]["balance"].as_i64().unwrap_or(0);
            if left > 0 {
                let args = json!({ "debit_account": ITEM, "credit_account": "sold", "amount": 1 });
                let operations = vec![operation("ledger.transfer", args)];
                return Some(Request::write(format!("take-{buyer}"), "take", operations));
            }
        }
        let buyer = self.buyers.pop_front()?;
        self.looked = Some(buyer);
        let operations = vec![operation("ledger.account", json!({ "id": ITEM }))];
        Some(Request::look("look", operations))
    }
}
