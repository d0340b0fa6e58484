//! Commands of a program's own, over HTTP beside those of Holdfast.

use std::sync::Arc;

use holdfast::{
    Abort, Id, KeyPart, MemoryLog, Node, NodeConfig, Primitive, Read, Registry, Stop, Storage,
    Table, TableId, TableInfo, Tx,
    command::{Command, Entry, Method, Never, Query, Write},
    http::{HttpConfig, Keys, Limits, Server},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::Client;

struct Points;

impl Table for Points {
    const ID: TableId = TableId(0x7f01);
    const NAME: &'static str = "loyalty.points";
    type Key<'k> = &'k str;
    type Row = u64;
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantSpec {
    guest: Id,
    points: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowSpec {
    guest: Id,
}

#[derive(Serialize, JsonSchema)]
struct Standing {
    points: u64,
}

struct Grant;

impl Command for Grant {
    const NAME: &'static str = "loyalty.grant";
    const SUMMARY: &'static str = "Grants a guest points.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/loyalty/{guest}/points";
    type Spec = GrantSpec;
    type Outcome = Standing;
    type Refusal = Never;
}

impl Write for Grant {
    fn run(tx: &mut Tx<'_>, spec: &GrantSpec) -> Result<Standing, Stop<Never>> {
        let points = points_of(tx, &spec.guest)? + u64::from(spec.points);
        tx.put::<Points>(&spec.guest, &points)?;
        Ok(Standing { points })
    }
}

struct Show;

impl Command for Show {
    const NAME: &'static str = "loyalty.show";
    const SUMMARY: &'static str = "Shows a guest's points.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/loyalty/{guest}";
    type Spec = ShowSpec;
    type Outcome = Standing;
    type Refusal = Never;
}

impl Query for Show {
    fn run(state: &impl Read, spec: &ShowSpec) -> Result<Standing, Stop<Never>> {
        Ok(Standing { points: points_of(state, &spec.guest)? })
    }
}

fn points_of(state: &impl Read, guest: &str) -> Result<u64, Abort> {
    Ok(state.get::<Points>(guest)?.unwrap_or(0))
}

const LOYALTY: Primitive = Primitive {
    commands: &[Entry::write::<Grant>(), Entry::query::<Show>()],
    timers: &[],
    tables: &[TableInfo::of::<Points>(&[KeyPart::Text])],
    audit: None,
    instruments: &[],
};

#[test]
fn they_are_served_composed_followed_and_run_later() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let storage = Storage::Memory(MemoryLog::default());
    let registry = Registry::all().with(&LOYALTY);
    let node = Node::open(NodeConfig { registry, ..NodeConfig::new(storage) }).unwrap();
    let config = HttpConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        keys: Keys::default(),
        limits: Limits::default(),
    };
    let server = runtime.block_on(Server::bind(Arc::new(node), config)).unwrap();
    let mut client = Client::connect(server.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = runtime.spawn(server.run(async { drop(stopped.await) }));

    let json = [("content-type", "application/json"), ("idempotency-key", "g-1")];
    for replayed in [None, Some("true")] {
        let target = "/v1/loyalty/guest-42/points";
        let granted = client.request("POST", target, &json, r#"{"points":5}"#);
        assert_eq!((granted.status, granted.json()), (200, json!({ "points": 5 })), "{granted:?}");
        assert_eq!(granted.header("idempotency-replayed"), replayed);
    }
    let both = json!({ "operations": [
        { "op": "loyalty.grant", "args": { "guest": "guest-42", "points": 2 } },
        { "op": "ledger.open_account", "args": { "id": "guest-42", "asset": "EUR" } },
        { "name": "now", "op": "loyalty.show", "args": { "guest": "guest-42" } },
    ] });
    let done = client.request("POST", "/v1/transactions", &json[..1], &both.to_string());
    assert_eq!(done.json()["results"][2], json!({ "name": "now", "points": 7 }), "{done:?}");
    assert_eq!(client.get("/v1/loyalty/guest-42").json(), json!({ "points": 7 }));
    let changes = client.get("/v1/changes?table=loyalty.points").json();
    let change = json!({ "op": "put", "table": "loyalty.points", "key": ["guest-42"], "row": 7 });
    assert_eq!(changes["transactions"][1]["changes"], json!([change]));
    // A timer of a user's runs them too.
    let later = json!({ "fires_at": "2020-01-01T00:00:00Z", "operations": [
        { "op": "loyalty.grant", "args": { "guest": "guest-7", "points": 3 } } ] });
    let armed = client.request("POST", "/v1/timers", &json[..1], &later.to_string());
    assert_eq!(armed.status, 200, "{armed:?}");
    let after = armed.header("holdfast-at").unwrap().split_once(':').unwrap().1.to_owned();
    let fired = client.get(&format!("/v1/changes?table=loyalty.points&after={after}&wait=15"));
    assert_eq!(
        fired.json()["transactions"][0]["changes"][0]["key"],
        json!(["guest-7"]),
        "{fired:?}"
    );
    let described = client.get("/openapi.json").json();
    assert!(described["paths"]["/v1/loyalty/{guest}"]["get"].is_object());
    drop(client);
    stop.send(()).unwrap();
    assert_eq!(runtime.block_on(running).unwrap(), 0);
}
