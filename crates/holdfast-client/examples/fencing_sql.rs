//! A table in PostgreSQL that is fenced by a lease of Holdfast's.
//!
//! A worker holds the lease `billing`, finds an invoice that nobody has charged, and charges it. Between
//! the two it may be stopped for any time. The table `fences` keeps the highest token that was
//! ever shown; the transaction that charges shows its own first, and is refused once it is lower.
//!
//! ```sql
//! CREATE TABLE fences   (lease text PRIMARY KEY, token bigint NOT NULL);
//! CREATE TABLE invoices (id int PRIMARY KEY, amount int NOT NULL, charged bool NOT NULL);
//! CREATE TABLE balances (guest text PRIMARY KEY, cents bigint NOT NULL);
//! INSERT INTO fences VALUES ('billing', 0);
//! INSERT INTO invoices VALUES (17, 2500, false);
//! INSERT INTO balances VALUES ('guest-42', 10000);
//! ```
//!
//! ```sh
//! cargo run -p holdfast-client --example fencing_sql -- http://127.0.0.1:7411 'host=127.0.0.1 user=holdfast dbname=postgres'
//! ```
//!
//! Each line on stdin lets it do one step more. Stop it after `resolved`, start another, let that
//! one finish, and continue the first: it is refused. `docs/fencing.md` says why, and a test does
//! just this (`crates/holdfast-client/tests/it/fencing/sql.rs`).

use std::{error::Error, io::BufRead, time::Duration};

use holdfast_client::{Client, ClientConfig, LeaseRequest, Server};
use tokio_postgres::{Client as Postgres, NoTls};

/// How long a grant counts unless it is renewed.
const TTL: Duration = Duration::from_secs(2);

/// Shows a token: true unless a higher one was shown before. The row stays locked until the
/// transaction ends, so whoever shows another waits for what is done under this one.
async fn show(sql: &Postgres, token: i64) -> Result<bool, tokio_postgres::Error> {
    let shown = "UPDATE fences SET token = $1 WHERE lease = 'billing' AND token <= $1";
    Ok(sql.execute(shown, &[&token]).await? == 1)
}

/// What became of an invoice.
#[derive(Debug, PartialEq, Eq)]
pub enum Charged {
    /// Once more than before.
    Charged,
    /// Somebody with a higher token has shown it: nothing was charged.
    Refused,
}

/// Charges an invoice, on whose charging somebody has resolved, under its token if it has one.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn charge(
    sql: &Postgres,
    invoice: i32,
    token: Option<i64>,
) -> Result<Charged, tokio_postgres::Error> {
    sql.batch_execute("BEGIN").await?;
    if let Some(token) = token
        && !show(sql, token).await?
    {
        sql.batch_execute("ROLLBACK").await?;
        return Ok(Charged::Refused);
    }
    let pay = "UPDATE balances SET cents = cents - amount FROM invoices \
               WHERE guest = 'guest-42' AND id = $1";
    sql.execute(pay, &[&invoice]).await?;
    sql.execute("UPDATE invoices SET charged = true WHERE id = $1", &[&invoice]).await?;
    sql.batch_execute("COMMIT").await?;
    Ok(Charged::Charged)
}

/// The worker. It tells each step, and waits for a line of `steps` where it may be stopped.
///
/// # Errors
/// When somebody does not answer.
pub async fn work(
    holdfast: &str,
    postgres: &str,
    fenced: bool,
    steps: &mut impl BufRead,
) -> Result<(), Box<dyn Error>> {
    let client = Client::new(ClientConfig::new(Server::list(holdfast)?))?;
    let (sql, connection) = tokio_postgres::connect(postgres, NoTls).await?;
    tokio::spawn(connection);

    let wait_for = Some(Duration::from_secs(3600));
    let lease =
        client.hold(&LeaseRequest { wait_for, ..LeaseRequest::new("billing", TTL) }).await?;
    let token = i64::try_from(lease.token())?;
    println!("granted {token}");

    // The new holder shows its token before it reads: whoever was before it can change nothing
    // any more of what it is about to see.
    if fenced && !show(&sql, token).await? {
        println!("refused");
        return Ok(());
    }
    let open = "SELECT id FROM invoices WHERE NOT charged ORDER BY id LIMIT 1";
    let Some(invoice) = sql.query_opt(open, &[]).await? else {
        println!("nothing to charge");
        return Ok(());
    };
    // As careful as a program can be that trusts its clock: it looks once more.
    if !lease.is_held() {
        println!("lost");
        return Ok(());
    }
    println!("resolved");
    steps.read_line(&mut String::new())?;
    match charge(&sql, invoice.get(0), fenced.then_some(token)).await? {
        Charged::Charged => println!("charged"),
        Charged::Refused => println!("refused"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [holdfast, postgres, rest @ ..] = &arguments[..] else {
        return Err("give the URL of Holdfast, and how to connect to PostgreSQL".into());
    };
    let fenced = !rest.iter().any(|argument| argument == "--without-token");
    work(holdfast, postgres, fenced, &mut std::io::stdin().lock()).await
}
