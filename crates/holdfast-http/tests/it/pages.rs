//! Every code has a page, every page a code, and the two say the same.

use std::collections::BTreeMap;

use holdfast_http::{
    pages::PAGES,
    problem::{Kind, Problem, Retry, of_class},
};
use holdfast_node::Registry;
use serde_json::Value;

use crate::server::TestServer;

/// Status, title and advice of every code that this build can answer.
fn codes() -> BTreeMap<&'static str, (u16, &'static str, Retry)> {
    let mut codes = BTreeMap::new();
    for kind in Kind::ALL {
        let info = kind.info();
        codes.insert(info.code, (info.status.as_u16(), info.title, info.retry));
    }
    for entry in Registry::all().commands() {
        for refusal in entry.refusals {
            let (status, retry) = of_class(refusal.class);
            let says = (status.as_u16(), refusal.summary, retry);
            let before = codes.insert(refusal.code, says);
            assert!(
                before.is_none_or(|before| before == says),
                "{} means two things",
                refusal.code
            );
        }
    }
    codes
}

#[test]
fn codes_and_pages_are_the_same() {
    let pages: Vec<_> = PAGES.iter().map(|(code, _)| *code).collect();
    assert_eq!(pages, codes().into_keys().collect::<Vec<_>>());
}

#[test]
fn a_page_says_what_the_server_says() {
    for (code, (status, title, retry)) in codes() {
        let page = PAGES.iter().find(|(name, _)| *name == code).unwrap().1;
        assert!(page.starts_with(&format!("# {code}\n\n**{status} ")), "{code}");
        for part in [title, "## What it means", "## What to do", "## Example"] {
            assert!(page.contains(part), "{code} lacks {part:?}");
        }
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let example: Value = serde_json::from_str(example.unwrap()).unwrap();
        assert_eq!(example["type"], format!("/errors/{code}"));
        assert_eq!(example["code"], code);
        assert_eq!(example["status"], status, "{code}");
        assert_eq!(example["title"], title, "{code}");
        assert_eq!(example["retry"], serde_json::to_value(retry).unwrap(), "{code}");
    }
}

#[test]
fn the_server_shows_the_page_that_a_problem_leads_to() {
    let server = TestServer::start();
    let mut client = server.client();
    let details = client.get("/v1/nothing").problem(404, "no_such_path");
    let page = client.get(details["type"].as_str().unwrap());
    assert_eq!(page.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert!(page.body.starts_with(b"# no_such_path\n"));
    client.get("/errors/nonsense").problem(404, "no_such_path");
    let problem = Problem::new(Kind::Overloaded, "x");
    assert_eq!(problem.retry_after_s(), Some(1));
}
