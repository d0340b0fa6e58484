//! What an error of the server means for what was asked: the table of SQLSTATEs.
//!
//! Everything here is safe to ask again, since an append is sent again with the same bytes and a
//! position that holds them already is found so (P6). The question is only whether asking again
//! can help, and whether this connection may be used for it. A reason stands beside each row.

use tokio_postgres::Error;

/// What to do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ask again, on this connection.
    Again,
    /// Ask again, on another connection: this one is gone, or its server cannot serve.
    Elsewhere,
    /// Do not ask again: a person has to change something first (P8).
    Never,
}

/// What an error means. What happened to the statement is unknown for `Elsewhere`.
pub(crate) fn verdict(error: &Error) -> Verdict {
    match error.code() {
        Some(code) => of_code(code.code()),
        None if is_of_the_client(error) => Verdict::Never,
        // The connection broke, or what came is no message of the protocol.
        None => Verdict::Elsewhere,
    }
}

/// What the client itself will not do: log in without the password that it is asked for, or in a
/// way that it does not know. Its kinds of errors have no names but what they say.
fn is_of_the_client(error: &Error) -> bool {
    let text = error.to_string();
    ["invalid configuration", "authentication error"].iter().any(|kind| text.starts_with(kind))
}

fn of_code(code: &str) -> Verdict {
    match code {
        // Written by somebody between our look and our INSERT; look again.
        "23505"
        // Serialization failure, deadlock, lock not available: rolled back, may work now.
        | "40001" | "40P01" | "55P03"
        // Cancelled by a person: rolled back. (While it waited for standbys it would not be an
        // error but a warning, which makes the session doubt its commit.)
        | "57014" => Verdict::Again,
        // Whether it was committed is not known; a fresh connection finds out.
        "40003"
        // This server has become a standby, or shuts down, or starts.
        | "25006" | "57P01" | "57P02" | "57P03" | "57P05" => Verdict::Elsewhere,
        // The database was dropped.
        "57P04"
        // Bytes on the server's disk are not what was written: nothing to be retried upon.
        | "XX001" | "XX002" => Verdict::Never,
        _ => of_class(code),
    }
}

fn of_class(code: &str) -> Verdict {
    match code.get(..2) {
        // Connection exceptions.
        Some("08")
        // The operating system failed the server, which may restart or fail over.
        | Some("58") => Verdict::Elsewhere,
        // Disk full, out of memory, too many connections: nothing was written, and somebody is
        // likely to make room; whoever waits has a deadline of his own.
        Some("53") => Verdict::Again,
        // Not supported, wrong data, limits of a statement: the same statement fails the same way.
        Some("0A" | "22" | "54")
        // Who we are, or what we may do.
        | Some("28" | "3D" | "42") => Verdict::Never,
        // What nobody foresaw is tried again, within the patience that every call has.
        _ => Verdict::Again,
    }
}

/// What the server or the system said, with its code where there is one.
pub(crate) fn said(error: &Error) -> String {
    use std::error::Error as _;
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_verdict() {
        let rows = [
            ("23505", Verdict::Again),
            ("40001", Verdict::Again),
            ("40P01", Verdict::Again),
            ("57014", Verdict::Again),
            ("53100", Verdict::Again),
            ("53300", Verdict::Again),
            ("40003", Verdict::Elsewhere),
            ("08006", Verdict::Elsewhere),
            ("57P01", Verdict::Elsewhere),
            ("57P03", Verdict::Elsewhere),
            ("25006", Verdict::Elsewhere),
            ("58030", Verdict::Elsewhere),
            ("57P04", Verdict::Never),
            ("XX001", Verdict::Never),
            ("42501", Verdict::Never),
            ("42P01", Verdict::Never),
            ("28P01", Verdict::Never),
            ("3D000", Verdict::Never),
            ("54000", Verdict::Never),
            ("XX000", Verdict::Again),
            ("", Verdict::Again),
        ];
        for (code, verdict) in rows {
            assert_eq!(of_code(code), verdict, "{code}");
        }
    }
}
