//! Whether all is well with nodes, by what they say; else what is not.

use super::{Row, lag};

/// What is not well, in sentences; nothing when all is.
pub(super) fn problems(rows: &[Row], lag_max: u64) -> Vec<String> {
    let mut found: Vec<String> = rows.iter().filter_map(silent).collect();
    let leaders: Vec<&Row> = rows.iter().filter(|row| row.leads()).collect();
    let leader = leaders.iter().copied().max_by_key(|row| row.number("epoch"));
    match leader {
        None => found.push("nobody leads".to_owned()),
        Some(leader) => {
            found.extend(unheard(leader));
            for row in rows.iter().filter(|row| row.told.is_ok() && row.url != leader.url) {
                found.extend(follows(row, leader));
                found.extend(
                    lag(row, rows)
                        .filter(|lag| *lag > lag_max)
                        .map(|lag| format!("{} lacks {lag} versions", shown(row))),
                );
            }
        }
    }
    found
}

fn shown(row: &Row) -> &str {
    row.name().unwrap_or(&row.url)
}

fn silent(row: &Row) -> Option<String> {
    row.told.as_ref().err().map(|_| format!("{} does not answer", row.url))
}

/// A leader that cannot make itself heard.
fn unheard(leader: &Row) -> Option<String> {
    let over = leader.number("lease_remaining_ms") == Some(0);
    over.then(|| {
        let why = "it was halted, is cut off from the log, or the log is slow";
        format!("{} leads on a lease that is over: {why}", shown(leader))
    })
}

/// What is wrong if it does not follow this leader.
fn follows(row: &Row, leader: &Row) -> Option<String> {
    let (partition, leads) = (row.partition()?, leader.partition()?);
    let follows = partition["phase"] == "following";
    let same = partition["leader"]["node"].as_str() == leader.name()
        && partition["leader"]["epoch"] == leads["epoch"];
    if follows && same {
        return None;
    }
    let what = match partition["phase"].as_str() {
        Some("following") => match partition["leader"]["node"].as_str() {
            Some(other) => format!("follows {other} in epoch {}", partition["leader"]["epoch"]),
            None => "knows of no leader".to_owned(),
        },
        Some("leading") => format!("says that it leads, in epoch {}", partition["epoch"]),
        Some("stopped") => format!("has stopped: {}", partition["reason"].as_str().unwrap_or("-")),
        Some(_) | None => "is starting".to_owned(),
    };
    Some(format!("{} {what}; {} leads in epoch {}", shown(row), shown(leader), leads["epoch"]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(name: &str, partition: &Value) -> Row {
        let told = Ok(json!({ "node": name, "partitions": [partition] }));
        Row { url: format!("http://{name}"), told }
    }

    fn leads(epoch: u64, version: u64) -> Row {
        row("a", &json!({ "phase": "leading", "epoch": epoch, "version": version }))
    }

    fn follower(name: &str, leader: &str, epoch: u64, version: u64) -> Row {
        let leader = json!({ "node": leader, "address": "x:1", "epoch": epoch });
        row(
            name,
            &json!({ "phase": "following", "epoch": epoch, "version": version, "leader": leader }),
        )
    }

    #[test]
    fn one_leads_and_the_others_follow_it_closely() {
        let well = [leads(3, 900), follower("b", "a", 3, 890), follower("c", "a", 3, 900)];
        assert_eq!(problems(&well, 10), Vec::<String>::new());
        assert_eq!(problems(&well, 9), ["b lacks 10 versions"]);
        assert_eq!(problems(&well[..1], 0), Vec::<String>::new(), "one node on a log of its own");
    }

    #[test]
    fn what_is_not_well_is_named() {
        let gone = Row { url: "http://d".to_owned(), told: Err("refused".to_owned()) };
        let rows = [
            leads(3, 9),
            follower("b", "z", 2, 9),
            row("c", &json!({ "phase": "starting", "epoch": 0, "version": 9 })),
            row("e", &json!({ "phase": "stopped", "reason": "why", "epoch": 3, "version": 9 })),
            row("f", &json!({ "phase": "leading", "epoch": 2, "version": 9 })),
            gone.clone(),
        ];
        let found = problems(&rows, 0);
        assert_eq!(
            found,
            [
                "http://d does not answer",
                "b follows z in epoch 2; a leads in epoch 3",
                "c is starting; a leads in epoch 3",
                "e has stopped: why; a leads in epoch 3",
                "f says that it leads, in epoch 2; a leads in epoch 3",
            ]
        );
        let halted =
            json!({ "phase": "leading", "epoch": 1, "version": 1, "lease_remaining_ms": 0 });
        let found = problems(&[row("a", &halted)], 0);
        assert!(found[0].starts_with("a leads on a lease that is over"), "{found:?}");
        assert_eq!(problems(&[gone], 0), ["http://d does not answer", "nobody leads"]);
    }
}
