//! A web server's access log, replayed through limits of clients and their networks: what is
//! allowed equals a brute-force count. A published log where `HOLDFAST_TEST_DATA` names a
//! directory that has it, and one made up in its form.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::PathBuf};

use holdfast_coordination::limits::{
    COMMANDS, CheckLimitSpec, DescriptorValue, Descriptors, PutLimitSpec, Quota, Rules, TIMERS,
    Units, check, check::CheckedLimit, put,
};
use holdfast_state::{
    Id,
    scenario::{Vocabulary, World},
};

use super::model::has_room;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

/// A line of the log: the second within its month, and the client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    second: u64,
    client: String,
}

impl Hit {
    /// `10.0.0.1 - - [17/May/2015:10:05:03 +0000] …`
    fn parse(line: &str) -> Option<Self> {
        let (client, rest) = line.split_once(' ')?;
        let stamp = rest.split_once('[')?.1.split_once(' ')?.0;
        let (date, time) = stamp.split_once(':')?;
        let day: u64 = date.split_once('/')?.0.parse().ok()?;
        let mut parts = time.split(':').map(|part| part.parse::<u64>().ok());
        let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
        let second = ((day * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self { second, client: client.to_owned() })
    }

    fn net(&self) -> String {
        let (net, _) = self.client.rsplit_once('.').unwrap();
        net.to_owned()
    }
}

fn quota(algorithm: &str) -> Quota {
    serde_json::from_str(algorithm).unwrap()
}

fn put_limit(world: &mut World, client: &Quota, net: &Quota) {
    let [client, net] = [client, net].map(|quota| serde_json::to_string(quota).unwrap());
    let rules = format!(
        r#"[{{"name":"net","by":["net"],"quota":{net}}},{{"name":"client","by":["client"],"quota":{client}}}]"#
    );
    let rules: Rules = serde_json::from_str(&rules).unwrap();
    let id = Id::new("web").unwrap();
    let spec = PutLimitSpec { id, rules, if_match: None, if_none_match: None };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

fn ask(world: &mut World, hit: &Hit) -> bool {
    let with = |descriptors: Descriptors, name: &str, value: &str| {
        let (name, value) = (Id::new(name).unwrap(), DescriptorValue::new(value).unwrap());
        descriptors.with(name, value).unwrap()
    };
    let client = with(Descriptors::default(), "client", &hit.client);
    let descriptors = with(client, "net", &hit.net());
    let (id, cost) = (Id::new("web").unwrap(), Units::ONE);
    let spec = CheckLimitSpec { id, descriptors, cost, dry_run: false, holder: None };
    world.transact(|tx| check(tx, &spec)).unwrap().outcome == CheckedLimit::Allowed
}

/// Lets the log go by; how many hits were allowed and how many denied.
fn replay(hits: &[Hit], client: &Quota, net: &Quota) -> (usize, usize) {
    let mut world = World::default();
    put_limit(&mut world, client, net);
    let (start, first) = (world.now(), hits[0].second);
    let mut accepted: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    let mut counts = (0, 0);
    for hit in hits {
        let due = start.plus_us((hit.second - first) * 1_000_000);
        world.pass(due.since_us(world.now()), &VOCABULARY);
        let now = world.now().as_us();
        let keys = [(hit.client.clone(), client), (hit.net(), net)];
        let none = Vec::new();
        let expected = keys
            .iter()
            .all(|(key, quota)| has_room(quota, accepted.get(key).unwrap_or(&none), now, 1));
        let allowed = ask(&mut world, hit);
        assert_eq!(allowed, expected, "{hit:?}");
        if allowed {
            for (key, _) in keys {
                accepted.entry(key).or_default().push((now, 1));
            }
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
    counts
}

/// Each algorithm denies something, and not everything.
fn replay_all(mut hits: Vec<Hit>) {
    // The log is written when requests end, so its lines are not quite in order.
    hits.sort();
    let net = quota(r#"{"algorithm":"sliding_log","max":12,"window":"PT30S"}"#);
    for client in [
        r#"{"algorithm":"sliding_log","max":5,"window":"PT10S"}"#,
        r#"{"algorithm":"sliding_counter","max":5,"window":"PT10S"}"#,
        r#"{"algorithm":"token_bucket","capacity":5,"refill":1,"every":"PT3S"}"#,
        r#"{"algorithm":"gcra","max":20,"window":"PT1M","burst":4}"#,
    ] {
        let (allowed, denied) = replay(&hits, &quota(client), &net);
        assert_eq!(allowed + denied, hits.len());
        assert!(denied > hits.len() / 50 && allowed > hits.len() / 2, "{client}: {denied} denied");
    }
}

fn hits(log: &str) -> Vec<Hit> {
    log.lines().map(|line| Hit::parse(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

#[test]
fn a_published_log() {
    let path = "access_log_apache/access_2015-05-17_18.log.gz";
    let found = std::env::var_os("HOLDFAST_TEST_DATA").map(|dir| PathBuf::from(dir).join(path));
    let Some(file) = found.and_then(|path| File::open(path).ok()) else {
        eprintln!("skipped: HOLDFAST_TEST_DATA does not lead to {path}");
        return;
    };
    let mut log = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut log).unwrap();
    let hits = hits(&log);
    assert_eq!(hits.len(), 4_525);
    replay_all(hits);
}

/// Forty clients of eight networks over ten minutes, some of them in bursts.
#[test]
fn a_log_made_up_in_its_form() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut log = String::new();
    for _ in 0..300 {
        let (client, minute, second) = (random(40), random(10), random(60));
        for _ in 0..1 + random(4) * random(4) {
            log.push_str(&format!(
                "10.0.{}.{} - - [17/May/2015:10:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n",
                client % 8,
                client
            ));
        }
    }
    replay_all(hits(&log));
}
