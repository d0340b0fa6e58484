//! Settings: where they come from, and what is refused.

use std::fs;

use crate::process::{Data, Server, finish, holdfast, run};

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let data = Data::new();
    let file = data.temporary.path().join("holdfast.toml");
    fs::write(&file, "node = \"file\"\nlog = \"error\"\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let printed = finish(
        holdfast(&["serve", "--print-config", "--node", "flag", "--config"])
            .arg(&file)
            .env("HOLDFAST_NODE", "environment")
            .env("HOLDFAST_LOG", "debug"),
    );
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let settings: toml::Table = printed.stdout.parse().unwrap();
    assert_eq!(settings["node"].as_str(), Some("flag"));
    assert_eq!(settings["log"].as_str(), Some("debug"));
    assert_eq!(settings["listen"].as_str(), Some("127.0.0.1:1"));
    // What is printed can be used as a file.
    fs::write(&file, &printed.stdout).unwrap();
    let again = finish(holdfast(&["serve", "--print-config", "--config"]).arg(&file));
    assert_eq!(again.stdout, printed.stdout);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let data = Data::new();
    let file = data.temporary.path().join("holdfast.toml");
    fs::write(&file, "node = \"a\"\n\n[limits]\nconections_max = 5\n").unwrap();
    let refused = finish(holdfast(&["serve", "--config"]).arg(&file));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for part in ["holdfast.toml", "line 4", "conections_max", "connections_max"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let missing = run(&["serve", "--config", "/nonexistent/holdfast.toml"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.stderr.contains("/nonexistent/holdfast.toml"), "{missing:?}");
    let nowhere = run(&["serve"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("--data"), "{nowhere:?}");
    let level = run(&["serve", "--data", &data.text(), "--log", "loud=very"]);
    assert_eq!(level.code, Some(2), "{level:?}");
}

#[test]
fn without_keys_only_loopback_will_do_and_with_keys_anything() {
    let data = Data::new();
    let refused = run(&["serve", "--data", &data.text(), "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("[[keys]]"), "{refused:?}");
    let file = data.temporary.path().join("holdfast.toml");
    // printf %s open-sesame | sha256sum
    let hash = "d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";
    let keys =
        format!("[[keys]]\nname = \"a\"\nnamespace = 3\nrole = \"write\"\nsha256 = \"{hash}\"\n");
    fs::write(&file, keys).unwrap();
    let listen = ["--listen", "0.0.0.0:0", "--config", file.to_str().unwrap()];
    let server = Server::spawn(holdfast(&["serve", "--data", &data.text()]).args(listen));
    let port = server.address.port();
    let mut client = crate::client::Client::connect(([127, 0, 0, 1], port).into());
    client.get("/v1/info").problem(401, "unauthorized");
    let key = [("authorization", "Bearer open-sesame")];
    assert_eq!(client.request("GET", "/v1/info", &key, "").status, 200);
}

#[test]
fn logs_are_json_where_asked_and_each_request_is_one_line() {
    let data = Data::new();
    let arguments = ["serve", "--data", &data.text(), "--listen", "127.0.0.1:0"];
    let json = ["--log-format", "json", "--log", "debug"];
    let server = Server::spawn(holdfast(&arguments).args(json));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    server.client().request("GET", "/v1/nothing?x=1", &[("traceparent", trace)], "");
    let (status, logged) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let lines: Vec<serde_json::Value> =
        logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 1, "{logged}");
    assert_eq!(requests[0]["target"], "holdfast_http::service");
    assert_eq!(requests[0]["path"], "/v1/nothing?x=1");
    assert_eq!(requests[0]["status"], 404);
    assert_eq!(requests[0]["code"], "no_such_path");
    assert_eq!(requests[0]["trace"], trace);
}
