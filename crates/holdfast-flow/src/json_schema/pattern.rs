//! A pattern: a regular expression as ECMA-262 means it (with its flag `u`), matched in linear
//! time.
//!
//! What matches is regex-lite, which reads most of it in the same way. Where it reads something
//! else it is given other words: `\s` has the white space of all of Unicode, `.` ends at four kinds
//! of line ends, a class takes `[`, `&` and `~` as they are. What only one of the two knows is refused:
//! look-around and back-references, which cannot be matched so, and flags, special boundaries
//! and POSIX classes, which no other reader of the schema would know.

use std::{iter::Peekable, str::Chars};

/// The most bytes of a pattern.
const BYTES_MAX: usize = 256;

/// The most memory that one may take, compiled.
const COMPILED_MAX: usize = 1 << 16;

/// `WhiteSpace` and `LineTerminator` of ECMA-262, section 12.
const SPACES: &str =
    r"\t-\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}";

/// Everything else.
const NO_SPACES: &str = r"\x00-\x08\x0e-\x1f!-\u{9f}\u{a1}-\u{167f}\u{1681}-\u{1fff}\u{200b}-\u{2027}\u{202a}-\u{202e}\u{2030}-\u{205e}\u{2060}-\u{2fff}\u{3001}-\u{fefe}\u{ff00}-\u{10ffff}";

/// What `.` matches: all but `LineTerminator`.
const IN_A_LINE: &str = r"[^\n\r\u{2028}\u{2029}]";

/// A pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    regex: regex_lite::Regex,
    /// Its length as it is matched.
    length: usize,
}

impl Pattern {
    /// Reads one; the error says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("expected a pattern of at most {BYTES_MAX} bytes"));
        }
        let wrong = |what: &dyn std::fmt::Display| format!("not a pattern that is judged: {what}");
        let translated = Translation::of(text).map_err(|what| wrong(&what))?;
        let built = regex_lite::RegexBuilder::new(&translated).size_limit(COMPILED_MAX).build();
        let regex = built.map_err(|error| wrong(&error))?;
        Ok(Self { text: text.to_owned(), regex, length: translated.len() })
    }

    /// The most that a match can take, in steps: the product of both lengths, by a few bytes each.
    pub(super) fn steps(&self, text: &str) -> u64 {
        (text.len() as u64).saturating_mul(self.length as u64) / 8
    }

    /// Does it match anywhere?
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// A pattern on its way into regex-lite's words.
struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    in_class: bool,
}

impl<'a> Translation<'a> {
    fn of(text: &'a str) -> Result<String, &'static str> {
        let rest = text.chars().peekable();
        let mut it = Self { rest, out: String::with_capacity(text.len()), in_class: false };
        while let Some(next) = it.rest.next() {
            match next {
                '\\' => it.escape()?,
                ']' if it.in_class => it.leave_class(),
                '[' | '&' | '~' if it.in_class => it.literal(next),
                '-' if it.in_class && it.rest.peek() == Some(&'-') => {
                    return Err("-- in a class");
                }
                '[' => it.enter_class()?,
                '(' => it.group()?,
                '.' if !it.in_class => it.out.push_str(IN_A_LINE),
                other => it.out.push(other),
            }
        }
        Ok(it.out)
    }

    fn enter_class(&mut self) -> Result<(), &'static str> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        if self.rest.peek() == Some(&']') {
            return Err("an empty class");
        }
        self.in_class = true;
        Ok(())
    }

    fn leave_class(&mut self) {
        self.out.push(']');
        self.in_class = false;
    }

    /// What stands behind the parenthesis is looked at, and left where it is.
    fn group(&mut self) -> Result<(), &'static str> {
        self.out.push('(');
        let mut ahead = self.rest.clone();
        if self.in_class || ahead.next() != Some('?') {
            return Ok(());
        }
        match (ahead.next(), ahead.next()) {
            (Some(':'), _) => Ok(()),
            (Some('='), _) | (Some('<'), Some('=' | '!')) | (Some('!'), _) => Err("look-around"),
            (Some('<'), Some(_)) => Ok(()),
            _ => Err("flags"),
        }
    }

    fn literal(&mut self, character: char) {
        self.out.push('\\');
        self.out.push(character);
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        let escaped = self.rest.next().ok_or("a \\ at the end")?;
        let next = self.rest.peek().copied();
        match escaped {
            's' => self.class_of(SPACES),
            'S' => self.class_of(NO_SPACES),
            'd' | 'D' | 'w' | 'W' | 'f' | 'n' | 'r' | 't' | 'v' => self.literal(escaped),
            'b' if self.in_class => self.out.push_str(r"\x08"),
            'b' | 'B' if !self.in_class && next != Some('{') => self.literal(escaped),
            '0' if !next.is_some_and(|next| next.is_ascii_digit()) => self.out.push_str(r"\x00"),
            '0'..='9' | 'k' => return Err("back-references"),
            'x' if next != Some('{') => self.literal(escaped),
            'u' => self.literal(escaped),
            'c' => {
                let letter = self.rest.next().filter(char::is_ascii_alphabetic);
                let code = u32::from(letter.ok_or("\\c without a letter")?) % 32;
                self.out.push_str(&format!(r"\x{code:02x}"));
            }
            // Words of regex-lite's own.
            '<' | '>' => self.out.push(escaped),
            other if other.is_ascii_punctuation() => self.literal(other),
            _ => return Err("unrecognized escape sequence"),
        }
        Ok(())
    }

    fn class_of(&mut self, ranges: &str) {
        let [open, close] = if self.in_class { ["", ""] } else { ["[", "]"] };
        self.out.extend([open, ranges, close]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
    }

    #[test]
    fn every_character_is_a_space_or_none_in_and_out_of_classes() {
        let patterns = [r"^\s$", r"^[\s]$", r"^[^\S]$", r"^\S$", r"^[\S]$", r"^[^\s]$"];
        let patterns = patterns.map(|pattern| Pattern::new(pattern).unwrap());
        for character in ('\0'..='\u{3100}').chain('\u{fe00}'..='\u{10100}').chain([char::MAX]) {
            let text = character.to_string();
            // As Unicode has them, but for U+0085, and with the byte order mark.
            let space =
                (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}';
            let found = patterns.each_ref().map(|pattern| pattern.is_match(&text));
            assert_eq!(found, [space, space, space, !space, !space, !space], "{character:?}");
        }
    }

    #[test]
    fn what_the_library_reads_otherwise_means_what_it_does_in_ecma_262() {
        for (pattern, is, is_not) in [
            (r"^.$", "\u{85}", "\u{2028}"),
            (r"^.$", "\u{1f432}", "\r"),
            (r"^[[a]$", "[", "b"),
            (r"^[a&&b]$", "&", "c"),
            (r"^[~~]$", "~", "-"),
            (r"^[[:alpha:]]$", "[]", "a"),
            (r"^[a.]$", ".", "b"),
            (r"^[(?i)a]$", "?", "A"),
            (r"^[\b]$", "\u{8}", "b"),
            (r"^\0\cJ\x41B\u{43}$", "\0\nABC", "0"),
            (r"^\<\>\/\-\$$", "<>/-$", ""),
            (r"^[\]\-a]+$", "]-a", "\\"),
            (r"^(?:a|(?<name>b))$", "b", "c"),
            (r"^\S+@\S+$", "a@b", "a@ b"),
            (r"\bcat\b", "a cat.", "concat"),
            (r"^a{2,3}$", "aaa", "a"),
            (r"^[^\s,]+$", "a.b", "a\u{3000}b"),
        ] {
            assert!(matches(pattern, is), "{pattern} is to match {is:?}");
            assert!(!matches(pattern, is_not), "{pattern} is not to match {is_not:?}");
        }
    }

    #[test]
    fn what_only_one_of_the_two_knows_is_refused() {
        for (pattern, why) in [
            ("(?=a)", "look-around"),
            ("(?<!a)b", "look-around"),
            (r"(a)\1", "back-references"),
            (r"(?<n>a)\k<n>", "back-references"),
            ("(?i)a", "flags"),
            ("(?P<n>a)", "flags"),
            ("[]a]", "an empty class"),
            ("[^]", "an empty class"),
            ("[--a]", "-- in a class"),
            (r"\Aa\z", "unrecognized escape"),
            (r"\b{start}a", "unrecognized escape"),
            (r"\x{41}", "unrecognized escape"),
            (r"\p{L}", "unrecognized escape"),
            (r"\c1", "\\c without a letter"),
            (r"a\", "a \\ at the end"),
            (r"a{,3}", "expected decimal"),
            ("*a", "not a pattern that is judged"),
            (&"a".repeat(257), "at most 256 bytes"),
        ] {
            let refused = Pattern::new(pattern).map(|taken| taken.text);
            let error = refused.expect_err("it is refused");
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }
}
