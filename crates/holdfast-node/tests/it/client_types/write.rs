//! Writes files, as rustfmt would lay them out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use holdfast_state::command::{Entry, Kind, Method};
use serde_json::Value;

use super::{
    Home, parts,
    schemas::Schemas,
    types::{self, Type, rust_name},
};

const WIDTH: usize = 100;

const KEYWORDS: &[&str] = &["type", "move", "ref", "match", "use", "where", "in", "as", "for"];

const ORIGIN: &str = "//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.\n";

/// A field of a struct.
struct Field<'s> {
    name: &'s str,
    doc: String,
    value: Type,
    must: bool,
}

impl Field<'_> {
    fn rust_name(&self) -> String {
        identifier(self.name)
    }

    fn is_flag(&self) -> bool {
        self.value.rust == "bool" && !self.value.optional
    }

    fn is_list(&self) -> bool {
        self.value.rust.starts_with("Vec<") && !self.value.optional
    }

    fn is_map(&self) -> bool {
        self.value.rust.starts_with("BTreeMap<") && !self.value.optional
    }

    /// Can it be left out without saying so?
    fn has_default(&self, received_only: bool) -> bool {
        let empty = self.is_map() || (received_only && self.is_list());
        !self.must && (self.is_flag() || empty)
    }

    fn is_option(&self, received_only: bool) -> bool {
        self.value.optional || (!self.must && !self.has_default(received_only))
    }
}

/// A name as Rust has it: `RateLimit-Policy` is `rate_limit_policy`.
fn identifier(name: &str) -> String {
    let name = snake(name).replace('-', "_").replace("__", "_");
    if KEYWORDS.contains(&&*name) { format!("r#{name}") } else { name }
}

fn doc(text: &str, indent: &str) -> String {
    let lines = text.lines().map(|line| format!("{indent}/// {line}").trim_end().to_owned());
    lines.map(|line| line + "\n").collect()
}

fn description(schema: &Value, fallback: &str) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or(fallback).to_owned()
}

fn fields<'s>(schema: &'s Value, schemas: &Schemas) -> Vec<Field<'s>> {
    let all = types::fields(schema).unwrap_or_default().into_iter();
    let field = |(name, schema, must): (&'s str, &Value, bool)| Field {
        name,
        doc: description(schema, &format!("The server's `{name}`.")),
        value: types::of(schema, schemas),
        must,
    };
    all.map(field).collect()
}

/// A struct or an enum.
fn declaration(name: &str, schemas: &Schemas) -> String {
    let schema = schemas.get(name);
    if let Some(names) = types::names(schema) {
        return enumeration(name, schema, &names, schemas);
    }
    match types::choices(schema) {
        Some((tag, choices)) => choice(name, tag, &choices, schemas),
        None => structure(name, schemas),
    }
}

/// An enum of structs, which a field tells apart.
fn choice(name: &str, tag: &str, choices: &[(&str, &Value)], schemas: &Schemas) -> String {
    let (schema, rust) = (schemas.get(name), rust_name(name));
    let received_only = !schemas.is_sent(name);
    let mut out = doc(&description(schema, &format!("The server's `{rust}`.")), "");
    out += &derives(name, schemas, "");
    writeln!(out, "#[serde(tag = {tag:?}, rename_all = \"snake_case\")]").unwrap();
    if received_only {
        out += "#[non_exhaustive]\n";
    }
    writeln!(out, "pub enum {rust} {{").unwrap();
    for (choice, schema) in choices {
        out += &doc(&description(schema, &format!("`{choice}`")), "    ");
        writeln!(out, "    {} {{", camel(choice)).unwrap();
        for field in fields(schema, schemas).iter().filter(|field| field.name != tag) {
            let lines = member(field, name, schemas).replace("    pub ", "    ");
            out += &lines.lines().map(|line| format!("    {line}\n")).collect::<String>();
        }
        out += "    },\n";
    }
    if received_only {
        out += "    /// What this release of the client does not know.\n";
        out += "    #[serde(other)]\n    Unknown,\n";
    }
    out + "}\n"
}

fn derives(name: &str, schemas: &Schemas, more: &str) -> String {
    // What is received can be shown and kept as it came.
    let serde = if schemas.is_received(name) { "Serialize, Deserialize" } else { "Serialize" };
    format!("#[derive(Clone, {more}Debug, PartialEq, Eq, {serde})]\n")
}

fn enumeration(
    name: &str,
    schema: &Value,
    names: &[(&str, Option<&str>)],
    schemas: &Schemas,
) -> String {
    let rust = rust_name(name);
    let mut out = doc(&description(schema, &format!("The server's `{rust}`.")), "");
    out += &derives(name, schemas, "Copy, ");
    out += "#[serde(rename_all = \"snake_case\")]\n";
    let received_only = !schemas.is_sent(name);
    if received_only {
        out += "#[non_exhaustive]\n";
    }
    writeln!(out, "pub enum {rust} {{").unwrap();
    for (name, description) in names {
        out += &doc(description.unwrap_or(&format!("`{name}`")), "    ");
        let variant = camel(name);
        if snake(&variant) != **name {
            writeln!(out, "    #[serde(rename = {name:?})]").unwrap();
        }
        writeln!(out, "    {variant},").unwrap();
    }
    if received_only {
        out += "    /// What this release of the client does not know.\n";
        out += "    #[serde(other)]\n    Unknown,\n";
    }
    out + "}\n"
}

fn camel(name: &str) -> String {
    let words = name.split(['_', '-', ' ']).filter(|word| !word.is_empty());
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    words.map(word).collect()
}

/// As serde makes a name of a variant.
fn snake(variant: &str) -> String {
    let mut out = String::new();
    for (at, c) in variant.char_indices() {
        if at > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn structure(name: &str, schemas: &Schemas) -> String {
    let (schema, rust) = (schemas.get(name), rust_name(name));
    let fields = fields(schema, schemas);
    let received_only = !schemas.is_sent(name);
    let free = !received_only && fields.iter().all(|field| !field.must);
    let mut out = doc(&description(schema, &format!("The server's `{rust}`.")), "");
    out += &derives(name, schemas, if free { "Default, " } else { "" });
    if received_only {
        out += "#[non_exhaustive]\n";
    }
    writeln!(out, "pub struct {rust} {{").unwrap();
    for field in &fields {
        out += &member(field, name, schemas);
    }
    out += "}\n";
    if !received_only && !free {
        out += &constructor(&rust, &fields);
    }
    out
}

fn member(field: &Field<'_>, owner: &str, schemas: &Schemas) -> String {
    let received_only = !schemas.is_sent(owner);
    let mut out = doc(&field.doc, "    ");
    let option = field.is_option(received_only);
    let rest = match (option, field.has_default(received_only)) {
        (true, _) => "default, skip_serializing_if = \"Option::is_none\"",
        (false, true) if field.is_flag() => "default, skip_serializing_if = \"std::ops::Not::not\"",
        (false, true) if field.is_map() => "default, skip_serializing_if = \"BTreeMap::is_empty\"",
        (false, true) => "default, skip_serializing_if = \"Vec::is_empty\"",
        (false, false) => "",
    };
    // Without `Deserialize` there is nothing to be a default for.
    let rest = if schemas.is_received(owner) { rest } else { rest.trim_start_matches("default, ") };
    let mut attributes: Vec<String> = Vec::new();
    if field.rust_name().trim_start_matches("r#") != field.name {
        attributes.push(format!("rename = {:?}", field.name));
    }
    attributes.extend((!rest.is_empty()).then(|| rest.to_owned()));
    if !attributes.is_empty() {
        out += &wrapped("    #[serde(", &attributes, ")]", "    ");
    }
    let rust = &field.value.rust;
    let rust = if option { format!("Option<{rust}>") } else { rust.clone() };
    writeln!(out, "    pub {}: {rust},", field.rust_name()).unwrap();
    out
}

/// `new` with what must be there.
fn constructor(rust: &str, fields: &[Field<'_>]) -> String {
    let must: Vec<_> = fields.iter().filter(|field| field.must).collect();
    let argument = |field: &&Field<'_>| {
        let name = field.rust_name();
        match &*field.value.rust {
            "String" | "Lifetime" => format!("{name}: impl Into<{}>", field.value.rust),
            other => format!("{name}: {other}"),
        }
    };
    let value = |field: &Field<'_>| {
        let name = field.rust_name();
        match &*field.value.rust {
            "String" | "Lifetime" if field.must => format!("{name}: {name}.into()"),
            _ if field.must => name,
            "bool" if field.is_flag() => format!("{name}: false"),
            map if map.starts_with("BTreeMap") => format!("{name}: BTreeMap::new()"),
            _ => format!("{name}: None"),
        }
    };
    let arguments: Vec<_> = must.iter().map(argument).collect();
    let values: Vec<_> = fields.iter().map(value).collect();
    let mut out = format!("\nimpl {rust} {{\n");
    out += "    /// With what must be there, and nothing else.\n    #[must_use]\n";
    out += &wrapped("    pub fn new(", &arguments, ") -> Self {", "    ");
    out += &wrapped_braces("        Self {", &values, "        ");
    out + "    }\n}\n"
}

fn wrapped(begin: &str, parts: &[String], end: &str, indent: &str) -> String {
    let line = format!("{begin}{}{end}\n", parts.join(", "));
    if line.len() <= WIDTH + 1 {
        return line;
    }
    let parts: String = parts.iter().map(|part| format!("{indent}    {part},\n")).collect();
    format!("{begin}\n{parts}{indent}{end}\n")
}

fn wrapped_braces(begin: &str, parts: &[String], indent: &str) -> String {
    let line = format!("{begin} {} }}\n", parts.join(", "));
    if line.len() <= WIDTH + 1 {
        return line;
    }
    let parts: String = parts.iter().map(|part| format!("{indent}    {part},\n")).collect();
    format!("{begin}\n{parts}{indent}}}\n")
}

/// The file of a command.
pub(super) fn command(
    entry: &Entry,
    schemas: &Schemas,
    own: &[String],
    homes: &BTreeMap<String, Home>,
) -> String {
    let (spec, outcome) = (schemas.spec(entry), schemas.outcome(entry));
    let mut first = vec![spec.to_owned(), outcome.to_owned()];
    first.retain(|name| own.contains(name));
    first.dedup();
    let rest: Vec<_> = own.iter().filter(|name| !first.contains(name)).cloned().collect();
    let types: Vec<_> =
        first.into_iter().chain(rest).map(|name| declaration(&name, schemas)).collect();
    let body = types.join("\n") + "\n" + &implementation(entry, schemas);
    let here = Home::Command(entry.name.to_owned());
    let mut out = format!("//! `{}`: {}\n//!\n{ORIGIN}", entry.name, entry.summary);
    let mut needed = used_by(&[spec.to_owned(), outcome.to_owned()], own, schemas);
    needed.extend([spec.to_owned(), outcome.to_owned()]);
    out += &imports(&body, &needed, &here, homes, true);
    out + "\n" + &body
}

fn implementation(entry: &Entry, schemas: &Schemas) -> String {
    let (spec, outcome) = (schemas.spec(entry), schemas.outcome(entry));
    let method = match entry.method {
        Method::Get => "Get",
        Method::Post => "Post",
        Method::Put => "Put",
        Method::Patch => "Patch",
        Method::Delete => "Delete",
    };
    let kind = match entry.kind {
        Kind::Write => "Write",
        Kind::Query => "Query",
    };
    let mut out = format!("impl Command for {} {{\n", rust_name(spec));
    writeln!(out, "    type Outcome = {};", rust_name(outcome)).unwrap();
    writeln!(out, "    const NAME: &'static str = {:?};", entry.name).unwrap();
    writeln!(out, "    const KIND: Kind = Kind::{kind};").unwrap();
    writeln!(out, "    const METHOD: Method = Method::{method};").unwrap();
    out += "\n    fn target(&self) -> String {\n";
    out += &target(entry, schemas);
    out += "    }\n";
    if entry.awaited {
        out += "\n    fn wait(&self) -> Duration {\n";
        out += "        Duration::from_secs(self.wait.unwrap_or_default())\n    }\n";
    }
    out + "}\n"
}

fn target(entry: &Entry, schemas: &Schemas) -> String {
    let in_path: Vec<_> = entry.path_fields().collect();
    let fields = fields(schemas.get(schemas.spec(entry)), schemas);
    let mut path = format!("{:?}", entry.path);
    if !in_path.is_empty() {
        let (mut pattern, mut values) = (entry.path.to_owned(), Vec::new());
        for name in &in_path {
            pattern = pattern.replace(&format!("{{{name}}}"), "{}");
            let text = fields.iter().any(|it| it.name == *name && it.value.rust == "String");
            let member = format!("self.{}", identifier(name));
            // Digits need no encoding.
            values.push(if text { format!("encode(&{member})") } else { member });
        }
        path = format!("format!({pattern:?}, {})", values.join(", "));
        if path.len() + 8 > WIDTH {
            let values: String = values.iter().map(|v| format!("            {v},\n")).collect();
            path = format!("format!(\n            {pattern:?},\n{values}        )");
        }
    }
    let in_body = matches!(entry.method, Method::Post | Method::Put | Method::Patch);
    let queried = fields.iter().filter(|field| !in_path.contains(&field.name) && !in_body);
    let queried: Vec<_> = queried.collect();
    if queried.is_empty() {
        let owned = if in_path.is_empty() { ".to_owned()" } else { "" };
        return format!("        {path}{owned}\n");
    }
    let mut out = format!("        Target::at({path})\n");
    for field in queried {
        let (name, member) = (field.name, field.rust_name());
        writeln!(out, "            .field({name:?}, &self.{member})").unwrap();
    }
    out + "            .finish()\n"
}

/// The file of a primitive.
pub(super) fn primitive(
    name: &str,
    entries: &[&Entry],
    schemas: &Schemas,
    own: &[String],
    homes: &BTreeMap<String, Home>,
) -> String {
    let mut out = format!("//! Commands of `{name}`.\n//!\n{ORIGIN}\n");
    for entry in entries {
        writeln!(out, "mod {};", identifier(parts(entry).1)).unwrap();
    }
    let types: Vec<_> = own.iter().map(|name| declaration(name, schemas)).collect();
    let body = types.join("\n");
    out += &imports(
        &body,
        &used_by(&[], own, schemas),
        &Home::Primitive(name.to_owned()),
        homes,
        false,
    );
    out.push('\n');
    for entry in entries {
        let here = Home::Command(entry.name.to_owned());
        let own = homes.iter().filter(|(_, home)| **home == here);
        let names: Vec<_> = own.map(|(name, _)| rust_name(name)).collect();
        out += &reexport(&identifier(parts(entry).1), &names);
    }
    if body.is_empty() { out } else { out + "\n" + &body }
}

fn reexport(module: &str, names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("pub use {module}::{one};\n"),
        more => {
            let line = format!("pub use {module}::{{{}}};\n", more.join(", "));
            if line.len() <= WIDTH + 1 {
                return line;
            }
            format!("pub use {module}::{{\n{}}};\n", filled(more))
        }
    }
}

/// Names as rustfmt fills lines with them.
fn filled(names: &[String]) -> String {
    let (mut out, mut line) = (String::new(), String::from("   "));
    for name in names {
        if line.len() + name.len() + 2 > WIDTH {
            out += &(line + "\n");
            line = String::from("   ");
        }
        write!(line, " {name},").unwrap();
    }
    out + &line + "\n"
}

/// The file of all.
pub(super) fn all(
    primitives: &[&str],
    schemas: &Schemas,
    own: &[String],
    homes: &BTreeMap<String, Home>,
) -> String {
    let mut out =
        "//! What can be asked and what is answered: a type for every command of the registry,\n\
         //! by primitive.\n//!\n"
            .to_owned();
    out += ORIGIN;
    out += "//!\n//! What a command takes is made with `new`, from what it must have, and the rest as fields:\n\
            //! `AcquireLeaseSpec { ttl, ..AcquireLeaseSpec::new(id, owner) }`. Answers may have more\n\
            //! fields in later releases of the server, which this one passes over.\n\n";
    for name in primitives {
        writeln!(out, "pub mod {};", identifier(name)).unwrap();
    }
    let types: Vec<_> = own.iter().map(|name| declaration(name, schemas)).collect();
    let body = types.join("\n");
    out += &imports(&body, &used_by(&[], own, schemas), &Home::All, homes, false);
    if body.is_empty() { out } else { out + "\n" + &body }
}

/// Declared types that these types name.
fn used_by(more: &[String], own: &[String], schemas: &Schemas) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut open: Vec<_> = own.iter().chain(more).cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        for name in types::references(schemas.get(&name)) {
            if types::is_declared(schemas.get(&name)) {
                used.insert(name);
            } else if seen.insert(name.clone()) {
                open.push(name);
            }
        }
    }
    used
}

fn imports(
    body: &str,
    needed: &BTreeSet<String>,
    here: &Home,
    homes: &BTreeMap<String, Home>,
    is_command: bool,
) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<_> = body.split(|c| !word(c)).collect();
    let named = needed.iter().filter(|name| words.contains(&*rust_name(name)));
    let mut ours = elsewhere(named, here, homes);
    if is_command {
        ours.push(group("command", &of_commands(body)));
    }
    for (name, place) in [("Json", "json"), ("Lifetime", "lifetime")] {
        if words.contains(name) {
            ours.push(format!("{place}::{name}"));
        }
    }
    ours.sort();
    let mut out = String::new();
    if words.contains("BTreeMap") {
        out += "\nuse std::collections::BTreeMap;\n";
    }
    if body.contains("Duration::") {
        out += "\nuse std::time::Duration;\n";
    }
    // What stands in the list of a `derive`, alone or with others.
    let derived = |word: &str| body.lines().any(|l| l.starts_with("#[derive") && l.contains(word));
    let serde = [("Deserialize", "Deserialize"), ("Serialize", " Serialize")];
    let serde = serde.iter().filter(|(_, mark)| derived(mark)).map(|(name, _)| (*name).to_owned());
    let serde: Vec<_> = serde.collect();
    if !serde.is_empty() {
        writeln!(out, "\nuse {};", group("serde", &serde)).unwrap();
    }
    match &ours[..] {
        [] => out,
        [one] => out + &format!("\nuse crate::{one};\n"),
        more => {
            let line = format!("use crate::{{{}}};\n", more.join(", "));
            if line.len() <= WIDTH + 1 && !more.iter().any(|part| part.contains('{')) {
                return out + "\n" + &line;
            }
            let each: String = more.iter().map(|part| format!("    {part},\n")).collect();
            out + &format!("\nuse crate::{{\n{each}}};\n")
        }
    }
}

/// Declared types of other files, by the module that has them.
fn elsewhere<'n>(
    names: impl Iterator<Item = &'n String>,
    here: &Home,
    homes: &BTreeMap<String, Home>,
) -> Vec<String> {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let homes = names.filter_map(|name| Some((name, homes.get(name)?)));
    for (name, home) in homes.filter(|(_, home)| *home != here) {
        let place = match home {
            Home::All => "api".to_owned(),
            Home::Primitive(primitive) => format!("api::{primitive}"),
            Home::Command(command) => format!("api::{}", command.split_once('.').unwrap().0),
        };
        places.entry(place).or_default().insert(rust_name(name));
    }
    let groups = places.into_iter();
    groups.map(|(place, names)| group(&place, &names.into_iter().collect::<Vec<_>>())).collect()
}

/// What the file of a command needs of `command`.
fn of_commands(body: &str) -> Vec<String> {
    let optional = [("Target", "Target::at"), ("encode", "encode(&")];
    let optional = optional.iter().filter(|(_, mark)| body.contains(mark)).map(|(name, _)| *name);
    let always = ["Command", "Kind", "Method"].into_iter();
    always.chain(optional).map(str::to_owned).collect()
}

fn group(place: &str, names: &[String]) -> String {
    match names {
        [one] => format!("{place}::{one}"),
        more => format!("{place}::{{{}}}", more.join(", ")),
    }
}
