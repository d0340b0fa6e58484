//! Text in the OpenMetrics format: families and their samples.

use std::fmt::{Display, Write as _};

pub(super) struct Page(pub(super) String);

impl Page {
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# TYPE holdfast_{name} {kind}\n# HELP holdfast_{name} {help}")
            .expect("a string takes everything");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        writeln!(self.0, "holdfast_{name}{{{labels}}} {value}").expect("a string takes everything");
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        writeln!(self.0, "holdfast_{name}_total {value}").expect("a string takes everything");
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        writeln!(self.0, "holdfast_{name} {value}").expect("a string takes everything");
    }
}

/// Microseconds as seconds, exactly.
pub(super) fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// A label with its value.
pub(super) fn label(name: &str, value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_exact_seconds() {
        for (us, text) in
            [(0, "0.0"), (50, "0.00005"), (1_000_000, "1.0"), (2_500_000, "2.5"), (1, "0.000001")]
        {
            assert_eq!(seconds(us), text);
        }
    }

    #[test]
    fn no_value_of_a_label_ends_it() {
        assert_eq!(label("topic", "a\"b\\c\nd"), r#"topic="a\"b\\c\nd""#);
    }
}
