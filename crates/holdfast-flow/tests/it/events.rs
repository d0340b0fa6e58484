//! `CloudEvents`: what comes in one content mode leaves in another, and nothing is lost.
//!
//! Events are made here as JSON, and as header fields and a body, by code that shares
//! nothing with what reads them; then they are appended by way of the registry, as an edge
//! does it, and a page is read as a list of events.

use std::{borrow::Cow, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use holdfast_flow::topics::{
    COMMANDS, append::Append, append_batch::AppendBatch, read::ReadMessages,
};
use holdfast_state::{
    command::{
        Command, Entry, Input, SpecError,
        foreign::{AskedForm, Foreign, ToldBy},
    },
    scenario::World,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

fn entry<C: Command>() -> &'static Entry {
    COMMANDS.iter().find(|entry| entry.name == C::NAME).unwrap()
}

/// The form of a command that is told by this.
fn form<C: Command>(told_by: ToldBy) -> &'static AskedForm {
    C::ASKED_IN.iter().find(|form| form.told_by == told_by).unwrap()
}

const EVENT: ToldBy = ToldBy::MediaType("application/cloudevents+json");
const EVENTS: ToldBy = ToldBy::MediaType("application/cloudevents-batch+json");
const FIELDS: ToldBy = ToldBy::Fields("ce-");

/// A topic, as an edge has it.
struct Topic(World);

impl Topic {
    fn new() -> Self {
        let mut topic = Self(World::default());
        let create = COMMANDS.iter().find(|entry| entry.name == "topics.create").unwrap();
        topic.call(create, br#"{"id":"t"}"#, &[]).unwrap();
        topic
    }

    fn call(
        &mut self,
        entry: &Entry,
        body: &[u8],
        fields: &[(Cow<'_, str>, Cow<'_, str>)],
    ) -> Result<Value, SpecError> {
        let call = entry.parse(Input { body, fields, commands: &[] })?;
        let outcome = self.0.transact(|tx| call.run(tx)).expect("it is not refused");
        Ok(serde_json::from_slice(&outcome).unwrap())
    }

    fn append<C: Command>(
        &mut self,
        told_by: ToldBy,
        asked: Foreign<'_>,
    ) -> Result<Value, SpecError> {
        let spec = (form::<C>(told_by).read)(asked)?;
        self.call(entry::<C>(), &spec, &[("topic".into(), "t".into())])
    }

    fn structured(&mut self, event: &Value) -> Result<Value, SpecError> {
        let body = event.to_string();
        self.append::<Append>(EVENT, foreign("application/cloudevents+json", &[], body.as_bytes()))
    }

    fn batch(&mut self, events: &Value) -> Result<Value, SpecError> {
        let body = events.to_string();
        self.append::<AppendBatch>(EVENTS, foreign("", &[], body.as_bytes()))
    }

    /// All events there are.
    fn events(&mut self) -> Vec<Value> {
        let fields = [("topic".into(), "t".into()), ("limit".into(), "1000".into())];
        let page = self.call(entry::<ReadMessages>(), b"", &fields).unwrap();
        let form = &ReadMessages::ANSWERED_IN[0];
        let rendered = (form.write)(page.to_string().as_bytes());
        let names: Vec<_> = form.fields.iter().map(|(name, _)| *name).collect();
        assert!(rendered.fields.iter().map(|(name, _)| *name).eq(names));
        serde_json::from_slice(&rendered.body).unwrap()
    }
}

fn foreign<'a>(
    media_type: &'a str,
    fields: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
) -> Foreign<'a> {
    Foreign { media_type, fields, body }
}

/// An attribute as a header field has it.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' | b'"' | b'%' => write!(out, "%{byte:02x}").unwrap(),
            0x21..=0x7E => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
        out
    })
}

/// Text that is hard on whoever escapes it.
fn text() -> impl Strategy<Value = String> {
    vec(prop::sample::select("aZ09 \"\\%/:;,=é€😀~".chars().collect::<Vec<_>>()), 1..12)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Data as JSON's members say it: none, JSON, or bytes; with a media type.
fn data() -> impl Strategy<Value = Map<String, Value>> {
    let json = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text().prop_map(Value::from),
        text().prop_map(|text| json!({ "b": [text, 1.5], "a": {} })),
    ];
    let member = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    let media_type = |kind: &'static str| {
        move |mut data: Map<String, Value>| {
            data.insert("datacontenttype".to_owned(), kind.into());
            data
        }
    };
    let json = json.prop_map(move |value| member("data", value)).boxed();
    let bytes = vec(any::<u8>(), 1..40);
    let bytes = bytes.prop_map(move |bytes| member("data_base64", STANDARD.encode(bytes).into()));
    prop_oneof![
        Just(Map::new()),
        json.clone(),
        json.prop_map(media_type("application/vnd.a+json; charset=utf-8")),
        text().prop_map(move |text| member("data", text.into())).prop_map(media_type("text/plain")),
        bytes.prop_map(media_type("image/png")),
        Just(Map::new()).prop_map(media_type("text/plain")),
    ]
}

/// Attributes and data of an event.
fn event() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
    ];
    let extensions = prop::collection::btree_map("x[a-z0-9]{1,8}", value, 0..4);
    let times = prop::sample::select(vec!["2026-11-22T10:15:00Z", "1990-12-31t23:59:60.50-08:00"]);
    let sources = prop::sample::select(vec!["/a", "urn:b", "https://c.example/d%20e?f#g"]);
    let named =
        (text(), sources, text(), option::of(text()), option::of(text()), option::of(times));
    (named, extensions, data()).prop_map(|(named, extensions, data)| {
        let (id, source, kind, subject, key, time) = named;
        let mut event = Map::from_iter(extensions);
        event.extend(data);
        let all = [("specversion", "1.0"), ("source", source), ("id", &id), ("type", &kind)];
        let some = [("subject", subject.as_deref()), ("partitionkey", key.as_deref())];
        let some = some.into_iter().chain([("time", time)]);
        let some = some.filter_map(|(name, value)| Some((name, value?)));
        event.extend(all.into_iter().chain(some).map(|(n, v)| (n.to_owned(), v.into())));
        event
    })
}

/// An event in binary mode: media type, header fields, body.
type InBinaryMode = (String, Vec<(String, Vec<u8>)>, Vec<u8>);

/// All attributes become text.
fn in_binary_mode(event: &Map<String, Value>) -> InBinaryMode {
    let (mut media_type, mut fields, mut body) = (String::new(), Vec::new(), Vec::new());
    let is_text = event.get("datacontenttype").is_some_and(|kind| kind == "text/plain");
    for (name, value) in event {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name.as_str() {
            "datacontenttype" => media_type = text,
            "data" if is_text => body = text.into_bytes(),
            "data" => body = value.to_string().into_bytes(),
            "data_base64" => body = STANDARD.decode(text).unwrap(),
            name => fields.push((format!("ce-{name}"), encoded(&text).into_bytes())),
        }
    }
    (media_type, fields, body)
}

/// The same event with text for all extension attributes, as header fields have them.
fn with_text(mut event: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in &mut event {
        if name != "data" && !value.is_string() {
            *value = value.to_string().into();
        }
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(events in vec(event(), 1..5)) {
        let mut topic = Topic::new();
        let mut expected: Vec<Map<String, Value>> = Vec::new();
        let same = |one: &Map<_, _>, other: &Map<_, _>| {
            one.get("id") == other.get("id") && one.get("source") == other.get("source")
        };
        for event in events {
            if !expected.iter().any(|other| same(other, &event)) {
                expected.push(event);
            }
        }
        let list = Value::from(expected.iter().cloned().map(Value::Object).collect::<Vec<_>>());
        for (event, again) in expected.iter().zip([false, true].into_iter().cycle()) {
            let outcome = topic.structured(&Value::Object(event.clone())).unwrap();
            prop_assert!(outcome["existed"].is_null());
            if again {
                let outcome = topic.structured(&Value::Object(event.clone())).unwrap();
                prop_assert_eq!(&outcome["existed"], true);
            }
        }
        let mut other = Topic::new();
        other.batch(&list).unwrap();
        prop_assert_eq!(&Value::from(topic.events()), &list);
        prop_assert_eq!(Value::from(other.events()), list);
        let mut binary = Topic::new();
        for event in &expected {
            let (media_type, fields, body) = in_binary_mode(event);
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
            binary.append::<Append>(FIELDS, foreign(&media_type, &fields, &body)).unwrap();
        }
        let expected: Vec<_> = expected.into_iter().map(with_text).map(Value::Object).collect();
        prop_assert_eq!(binary.events(), expected);
    }
}

/// An event, with these members instead of its own; `null` for none.
fn example(changed: Value) -> Value {
    let mut event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t" });
    let Value::Object(changed) = changed else { unreachable!("members are an object") };
    event.as_object_mut().unwrap().extend(changed);
    event
}

#[test]
fn what_is_wrong_is_named() {
    let mut topic = Topic::new();
    let long = "x".repeat(1025);
    for (changed, pointer) in [
        (json!({ "specversion": null }), "/specversion"),
        (json!({ "specversion": "0.3" }), "/specversion"),
        (json!({ "specversion": 1 }), "/specversion"),
        (json!({ "id": "" }), "/id"),
        (json!({ "id": 5 }), "/id"),
        (json!({ "id": long }), "/id"),
        (json!({ "source": null }), "/source"),
        (json!({ "source": "a b" }), "/source"),
        (json!({ "type": null }), "/type"),
        (json!({ "type": "a\nb" }), "/type"),
        (json!({ "time": "yesterday" }), "/time"),
        (json!({ "datacontenttype": "json" }), "/datacontenttype"),
        (json!({ "dataschema": "/relative" }), "/dataschema"),
        (json!({ "subject": "" }), "/subject"),
        (json!({ "partitionkey": "x".repeat(257) }), "/partitionkey"),
        (json!({ "partitionkey": 7 }), "/partitionkey"),
        (json!({ "traceParent": "x" }), "/traceParent"),
        (json!({ "a/b": "x" }), "/a~1b"),
        (json!({ "x": {} }), "/x"),
        (json!({ "x": 1.5 }), "/x"),
        (json!({ "data_base64": "?" }), "/data_base64"),
        (json!({ "data_base64": 5 }), "/data_base64"),
        (json!({ "data": 1, "data_base64": "AA==" }), "/data_base64"),
        (json!({ "data": "x".repeat(65_535) }), "/data"),
    ] {
        let event = example(changed);
        let error = topic.structured(&event).unwrap_err();
        assert_eq!((error.pointer.as_str(), error.malformed), (pointer, false), "{event}");
        let error = topic.batch(&json!([example(json!({})), event])).unwrap_err();
        assert_eq!(error.pointer, format!("/1{pointer}"));
    }
    let twice = topic.batch(&json!([example(json!({})), example(json!({ "type": "u" }))]));
    assert_eq!(twice.unwrap_err().message, "two messages have the source \"/s\" and the id \"1\"");
    assert_eq!(topic.batch(&json!([])).unwrap_err().message, "1 to 1000 messages, not 0");
    let many = (0..65).map(|number| (format!("x{number}"), number.into())).collect();
    assert_eq!(topic.structured(&example(Value::Object(many))).unwrap_err().pointer, "/");
    assert_eq!(topic.events(), Vec::<Value>::new());
}

#[test]
fn what_is_no_json_or_says_a_thing_twice_is_refused() {
    let read = |body: &str| {
        let asked = foreign("", &[], body.as_bytes());
        (form::<Append>(EVENT).read)(asked).map_err(|error| error.malformed)
    };
    assert!(read("{").unwrap_err());
    assert!(read("{} {}").unwrap_err());
    assert!(!read("[]").unwrap_err());
    let twice = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","id":"2"}"#;
    assert!(!read(twice).unwrap_err());
    assert!(read(&twice.replace(",\"id\":\"2\"", "")).is_ok());
}

#[test]
fn header_fields_are_held_to_the_binding() {
    let least: [(&str, &[u8]); 4] = [
        ("ce-specversion", b"1.0"),
        ("ce-id", b"\"a b\""),
        ("ce-source", b"/s"),
        ("ce-type", b"t"),
    ];
    let read = |more: &[(&str, &[u8])], media_type: &str, body: &[u8]| {
        let fields: Vec<_> = least.iter().chain(more).copied().collect();
        (form::<Append>(FIELDS).read)(foreign(media_type, &fields, body))
            .map(|spec| serde_json::from_slice::<Value>(&spec).unwrap())
            .map_err(|error| error.pointer)
    };
    assert_eq!(read(&[], "", b"").unwrap()["event"]["id"], "a b");
    assert_eq!(read(&[("ce-subject", b"%ff")], "", b"").unwrap_err(), "/subject");
    assert_eq!(read(&[("ce-id", b"2")], "", b"").unwrap_err(), "/id");
    let datacontenttype = [("ce-datacontenttype", &b"text/plain"[..])];
    assert_eq!(read(&datacontenttype, "", b"").unwrap_err(), "/datacontenttype");
    assert_eq!(read(&[("ce-data", b"x")], "", b"").unwrap_err(), "/data");
    assert_eq!(read(&[], "json", b"1").unwrap_err(), "/datacontenttype");
    assert_eq!(read(&[], "application/json", b"{").unwrap_err(), "/data");
    assert_eq!(read(&[], "image/png", &[0; 65_537]).unwrap_err(), "/data");
    // Without a media type data is JSON if it can be, as in an event that is JSON.
    assert_eq!(read(&[], "", b"[1]").unwrap()["data"], json!([1]));
    assert_eq!(read(&[], "", b"[1").unwrap()["event"]["data_base64"], "WzE=");
    // Text that is not in UTF-8 is bytes.
    assert_eq!(read(&[], "text/plain", b"\xe4").unwrap()["event"]["data_base64"], "5A==");
    let latin = read(&[], "text/plain;charset=iso-8859-1", b"a").unwrap();
    assert_eq!(latin["event"]["data_base64"], "YQ==");
}

#[test]
fn messages_that_are_no_events_are_events_of_their_topic() {
    let mut topic = Topic::new();
    let fields = [("topic".into(), "t".into())];
    for body in [r#"{"type":"a","id":"m-1","key":"k","data":[1.50]}"#, r#"{"type":"b"}"#] {
        topic.call(entry::<Append>(), body.as_bytes(), &fields).unwrap();
    }
    let events = topic.events();
    let expected = json!({
        "specversion": "1.0", "source": "/v1/topics/t", "id": "m-1", "type": "a",
        "partitionkey": "k", "time": "2026-01-01T00:00:00.000Z",
        "datacontenttype": "application/json", "data": [1.50],
    });
    assert_eq!(events[0], expected);
    assert!(events[1]["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!((events[1].get("data"), events[1].get("datacontenttype")), (None, None));
}
