//! Operations of one transaction: done together or not at all, or each for itself.

use serde_json::{Value, json};

use super::{
    super::{
        Said,
        expected::{Expected, Judged, Moment, Wrong, time},
    },
    Naive,
};

impl Naive {
    /// Operations in a transaction, in either mode.
    pub(super) fn composed(&mut self, at: Moment, args: &Value, said: &Said) -> Judged {
        let operations = args["operations"].as_array().expect("it is made of operations");
        if args["mode"] == "each" {
            self.each(at, operations, said)
        } else {
            self.together(at, operations, said)
        }
    }

    /// Each is done or refused by itself, sees what those before it did, and has an answer of
    /// its own; all have one version and one time.
    fn each(&mut self, at: Moment, operations: &[Value], said: &Said) -> Judged {
        let results = said.body["results"].as_array().map_or(0, Vec::len);
        let told = json!({ "time": time(at.time) });
        Expected::Done(told).compare(Some(said))?;
        // Where nothing was written it is the version that was seen.
        let places = [at.version, at.version - 1].map(|version| json!(format!("0:{version}")));
        if results != operations.len() || !places.contains(&said.body["at"]) {
            let rule = format!("{} results, at version {}", operations.len(), at.version);
            return Err(Wrong::rule(&rule, &said.body));
        }
        let (mut done, mut refused) = (false, false);
        for (index, operation) in operations.iter().enumerate() {
            let body = said.body["results"][index].clone();
            let said = Said { refused: body["outcome"] == "refused", body };
            *(if said.refused { &mut refused } else { &mut done }) = true;
            self.one(at, asked(operation), Some(&said))?;
        }
        if done && refused {
            self.count("transactions: some operations refused, others done");
        }
        Ok(())
    }

    /// Operations that are done together, or not at all.
    fn together(&mut self, at: Moment, operations: &[Value], said: &Said) -> Judged {
        let refused = said.refused.then(|| said.body["index"].as_u64()).flatten();
        let before = refused.map(|_| self.clone());
        for (index, operation) in (0..).zip(operations) {
            match refused {
                Some(last) if index == last => {
                    self.one(at, asked(operation), Some(said))?;
                    break;
                }
                Some(_) => self.one(at, asked(operation), None)?,
                None => {
                    let position = usize::try_from(index).expect("a few operations");
                    let body = said.body["results"][position].clone();
                    self.one(at, asked(operation), Some(&Said { refused: false, body }))?;
                }
            }
        }
        if let Some(mut before) = before {
            // What was refused happened too.
            before.leases.counts = std::mem::take(&mut self.leases.counts);
            before.limits.counts = std::mem::take(&mut self.limits.counts);
            before.documents.counts = std::mem::take(&mut self.documents.counts);
            *self = before;
            return Ok(());
        }
        match asked(&operations[0]) {
            ("leases.guard", guard) => {
                let token = guard["token"].as_u64().expect("a guard has one");
                self.leases.written(guard["id"].as_str().unwrap_or_default(), token)
            }
            _ => Ok(()),
        }
    }
}

fn asked(operation: &Value) -> (&str, &Value) {
    (operation["op"].as_str().expect("operations have names"), &operation["args"])
}
