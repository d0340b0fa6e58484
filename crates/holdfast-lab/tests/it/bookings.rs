//! Generated bookings against a node in this process, and what the judge makes of a
//! history that was tampered with.

use holdfast_lab::{Options, Target, bookings::generated, run};

fn options() -> Options {
    Options {
        concurrency: 8,
        duplicates_percent: 20,
        kills: 0,
        stop_after: None,
        history: None,
        seed: 7,
        progress: false,
    }
}

#[test]
fn the_model_agrees_with_a_node() {
    let data = tempfile::tempdir().unwrap();
    let target = Target::in_process(&data.path().join("data")).unwrap();
    let scenario = generated::bookings(600, 1);
    let report = run(&scenario, &target, &options()).unwrap();
    assert_eq!(report.verdict, Ok(()));
    let count = |what: &str| {
        report.counts.iter().find(|(name, _)| name == what).map_or(0, |(_, count)| *count)
    };
    for what in ["held and paid", "found no room", "offered from the waitlist", "cancelled"] {
        assert!(count(what) > 0, "{what} never happened: {:?}", report.counts);
    }
    target.close().unwrap();
}

#[test]
fn the_model_notices_a_room_too_many() {
    let data = tempfile::tempdir().unwrap();
    let target = Target::in_process(&data.path().join("data")).unwrap();
    let mut scenario = generated::bookings(200, 2);
    // The server is told of one room more than the model knows of.
    let honest = generated::bookings(200, 2);
    scenario.stock.values_mut().for_each(|stock| *stock += 1);
    let lying = Lying { told: scenario, judged: honest };
    let report = run(&lying, &target, &options()).unwrap();
    let wrong = report.verdict.unwrap_err();
    assert!(wrong.0.contains("should be"), "{wrong}");
    target.close().unwrap();
}

/// Asks by one scenario and judges by another.
struct Lying {
    told: holdfast_lab::bookings::Bookings,
    judged: holdfast_lab::bookings::Bookings,
}

impl holdfast_lab::Scenario for Lying {
    fn name(&self) -> &str {
        self.told.name()
    }

    fn prepare(&self) -> Vec<holdfast_lab::Request> {
        self.told.prepare()
    }

    fn lanes(&self, count: usize) -> Vec<Box<dyn holdfast_lab::Lane>> {
        self.told.lanes(count)
    }

    fn expected(&self) -> u64 {
        self.told.expected()
    }

    fn judge(
        &self,
        history: &holdfast_lab::History,
        look: &mut dyn holdfast_lab::Look,
    ) -> Result<holdfast_lab::scenario::Counts, holdfast_lab::scenario::Wrong> {
        self.judged.judge(history, look)
    }
}
