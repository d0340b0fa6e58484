//! Who may do what, and whose state they see.

use std::sync::Arc;

use holdfast_http::{BindError, HttpConfig, Key, Keys, Limits, Role, Server};
use holdfast_log::MemoryLog;
use holdfast_node::{Node, NodeConfig, Storage};
use holdfast_state::Namespace;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::server::Setup;

/// Keys whose secrets are role and namespace: `read-7`, `write-7`, `write-8`, `admin-7`.
pub(crate) fn keys() -> Keys {
    let key = |role: Role, namespace: u32| {
        let name = format!("{}-{namespace}", role.as_str());
        let sha256 = Sha256::digest(&name).into();
        Key { name, namespace: Namespace::new(namespace), role, sha256 }
    };
    let (seven, eight) = (7, 8);
    Keys::new(vec![
        key(Role::Read, seven),
        key(Role::Write, seven),
        key(Role::Write, eight),
        key(Role::Admin, seven),
    ])
}

#[test]
fn a_namespace_is_seen_by_its_own_keys_only() {
    let server = Setup { keys: keys(), ..Setup::default() }.start();
    let mut client = server.client();
    let mut as_key = |secret: &str, method: &str, target: &str, body: &str| {
        let secret = format!("Bearer {secret}");
        let headers = [("authorization", secret.as_str()), ("idempotency-key", "same")];
        client.request(method, target, &headers, body)
    };
    let note = "/v1/lab/notes/a";
    assert_eq!(as_key("write-7", "PUT", note, r#"{"text":"seven"}"#).status, 200);
    // The same idempotency key of another namespace is another key.
    let other = as_key("write-8", "PUT", note, r#"{"text":"eight"}"#);
    assert_eq!((other.status, other.header("idempotency-replayed")), (200, None));
    assert_eq!(as_key("read-7", "GET", note, "").json(), json!("seven"));
    assert_eq!(as_key("write-8", "GET", note, "").json(), json!("eight"));
    let feed = as_key("read-7", "GET", "/v1/changes", "").json();
    assert_eq!(feed["transactions"].as_array().map(Vec::len), Some(1), "{feed}");
    assert_eq!(feed["transactions"][0]["changes"][0]["row"], json!({"0": "seven"}));
    assert_eq!(feed["next"], 2);
}

#[test]
fn roles_bound_what_a_key_may_do() {
    let server = Setup { keys: keys(), ..Setup::default() }.start();
    let mut client = server.client();
    for (secret, target, status) in [
        ("read-7", "/v1/info", 200),
        ("read-7", "/v1/lab/notes", 200),
        ("read-7", "/metrics", 403),
        ("write-7", "/metrics", 403),
        ("admin-7", "/metrics", 200),
        ("admin-8", "/v1/info", 401),
    ] {
        let secret = format!("Bearer {secret}");
        let response = client.request("GET", target, &[("authorization", &secret)], "");
        assert_eq!(response.status, status, "{secret} {target}");
    }
    for open in ["/health", "/ready", "/openapi.json", "/errors/forbidden"] {
        assert_eq!(client.get(open).status, 200, "{open}");
    }
    for closed in ["/metrics", "/v1/info", "/v1/changes"] {
        client.get(closed).problem(401, "unauthorized");
    }
}

#[test]
fn without_keys_only_loopback_will_do() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = NodeConfig::new(Storage::Memory(MemoryLog::new()));
    let node = Arc::new(Node::open(node).unwrap());
    let bind = |listen: &str, keys: Keys| {
        let config =
            HttpConfig { listen: listen.parse().unwrap(), keys, limits: Limits::default() };
        runtime.block_on(Server::bind(Arc::clone(&node), config))
    };
    let refused = bind("0.0.0.0:0", Keys::default()).unwrap_err();
    assert!(matches!(refused, BindError::NoKeys { .. }), "{refused}");
    assert!(refused.to_string().contains("[[keys]]"), "{refused}");
    assert!(bind("0.0.0.0:0", keys()).is_ok());
    assert!(bind("127.0.0.1:0", Keys::default()).is_ok());
    drop(node.close());
}
