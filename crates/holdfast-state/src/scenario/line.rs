//! The form of a script: paragraphs of lines, each a command and its outcome.

/// A line, or several that make one command.
#[derive(Debug)]
pub(super) enum Line {
    /// A comment or an empty line.
    Text(String),
    /// A command without its outcome.
    Command(String),
}

impl Line {
    pub(super) fn command(&self) -> Option<&str> {
        match self {
            Self::Command(command) => Some(command),
            Self::Text(_) => None,
        }
    }
}

/// Commands are set apart from their outcomes up to this column.
const ALIGN_MAX: usize = 88;

/// The script's lines, outcomes taken off, in paragraphs that empty lines end.
pub(super) fn lines(script: &str) -> Vec<Vec<Line>> {
    let mut paragraphs = vec![Vec::new()];
    for line in script.lines() {
        if line.trim_start().starts_with('|') {
            continue;
        }
        let paragraph = paragraphs.last_mut().expect("there is always one");
        let bare = line.split(" -> ").next().unwrap_or_default().trim_end();
        let bare = bare.strip_suffix(" ->").unwrap_or(bare).trim_end();
        match paragraph.last_mut() {
            Some(Line::Command(command)) if bare.starts_with(' ') => {
                command.push('\n');
                command.push_str(bare);
            }
            _ if bare.is_empty() || bare.starts_with('#') => {
                paragraph.push(Line::Text(line.trim_end().to_owned()));
            }
            _ => paragraph.push(Line::Command(bare.to_owned())),
        }
        if line.trim().is_empty() {
            paragraphs.push(Vec::new());
        }
    }
    paragraphs
}

/// Appends a paragraph with its outcomes set below one another.
pub(super) fn print(out: &mut String, paragraph: &[(Line, Option<String>)]) {
    let width = |line: &Line| {
        let last = line.command()?.lines().next_back()?;
        Some(last.chars().count()).filter(|width| *width <= ALIGN_MAX)
    };
    let column = paragraph.iter().filter_map(|(line, _)| width(line)).max().unwrap_or(0);
    for (line, outcome) in paragraph {
        let text = match line {
            Line::Text(text) | Line::Command(text) => text,
        };
        out.push_str(text);
        if let Some(outcome) = outcome {
            let spaces = column.saturating_sub(width(line).unwrap_or(column));
            out.extend(std::iter::repeat_n(' ', spaces));
            let mut parts = outcome.lines();
            out.push_str(" ->");
            if let Some(first) = parts.next().filter(|first| !first.is_empty()) {
                out.push(' ');
                out.push_str(first);
            }
            for more in parts {
                out.push_str("\n    | ");
                out.push_str(more);
            }
        }
        out.push('\n');
    }
}

/// A command taken apart: its name, its body if it has one, its fields, and
/// which fields of the result are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) body: &'a str,
    pub(super) fields: Vec<(&'a str, &'a str)>,
    pub(super) words: Vec<&'a str>,
    pub(super) wanted: Vec<&'a str>,
}

/// Takes a command apart. Spaces within quotes, braces and brackets do not divide.
pub(super) fn parts(command: &str) -> Parts<'_> {
    let mut parts =
        Parts { name: "", body: "", fields: Vec::new(), words: Vec::new(), wanted: Vec::new() };
    for token in tokens(command) {
        if parts.name.is_empty() {
            parts.name = token;
        } else if token.starts_with('{') {
            parts.body = token;
        } else if let Some(list) = token.strip_prefix('[') {
            parts.wanted = list.trim_end_matches(']').split_whitespace().collect();
        } else if let Some((name, value)) = token.split_once('=') {
            parts.fields.push((name, value));
        } else {
            parts.words.push(token);
        }
    }
    parts
}

fn tokens(command: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (None, 0_usize, false, false);
    for (at, character) in command.char_indices() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '"' => quoted = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ if character.is_whitespace() && depth == 0 => {
                found.extend(start.take().map(|from| &command[from..at]));
                continue;
            }
            _ => {}
        }
        start.get_or_insert(at);
    }
    found.extend(start.map(|from| &command[from..]));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_apart_at_spaces_outside_of_values() {
        let command = "pay id=1 metadata={\"a b\": [1, \"}\"]} now [status at]";
        let parsed = parts(command);
        assert_eq!(parsed.name, "pay");
        assert_eq!(parsed.fields, [("id", "1"), ("metadata", "{\"a b\": [1, \"}\"]}")]);
        assert_eq!((parsed.words, parsed.wanted), (vec!["now"], vec!["status", "at"]));
        let parsed = parts("link {\"t\": [\n  {\"id\": \"a\\\" b\"} ] } [x]");
        assert_eq!(parsed.body, "{\"t\": [\n  {\"id\": \"a\\\" b\"} ] }");
        assert_eq!(parsed.wanted, ["x"]);
    }
}
