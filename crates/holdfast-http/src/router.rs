//! From method and path to what answers.
//!
//! A tree of path segments, built once from the registry. A literal segment wins
//! over a parameter, so `/v1/a/search` and `/v1/a/{id}` may stand side by side.
//! Looking up allocates nothing but the parameters.

use std::borrow::Cow;

use holdfast_state::command::{Entry, Method as CommandMethod};
use hyper::Method;

use crate::{
    problem::{Kind, Problem},
    query::{self, Fields},
};

/// What the edge answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// The process lives.
    Health,
    /// The partition leads, or follows one that does.
    Ready,
    /// Counts, for Prometheus.
    Metrics,
    /// What this server is.
    Info,
    /// The change feed.
    Changes,
    /// The description of all of this.
    OpenApi,
    /// The page about a problem.
    ErrorPage,
}

impl BuiltIn {
    /// All of them, with their paths; all answer `GET`.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Health, "/health"),
        (Self::Ready, "/ready"),
        (Self::Metrics, "/metrics"),
        (Self::Info, "/v1/info"),
        (Self::Changes, "/v1/changes"),
        (Self::OpenApi, "/openapi.json"),
        (Self::ErrorPage, "/errors/{code}"),
    ];
}

/// What answers.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A command, and its place in the registry.
    Command(&'static Entry, usize),
    /// The edge itself.
    BuiltIn(BuiltIn),
}

/// All routes.
#[derive(Debug, Default)]
pub struct Router {
    root: Segment,
}

#[derive(Debug, Default)]
struct Segment {
    literals: Vec<(&'static str, Segment)>,
    /// Parameters may have different names in different routes of one shape.
    parameter: Option<Box<Segment>>,
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    method: Method,
    target: Target,
    names: Vec<&'static str>,
}

impl Router {
    /// Routes to these commands and to what the edge answers itself.
    #[must_use]
    pub fn new(commands: &[&'static Entry]) -> Self {
        let mut router = Self::default();
        for (index, entry) in commands.iter().enumerate() {
            router.add(method_of(entry.method), entry.path, Target::Command(entry, index));
        }
        for (built_in, path) in BuiltIn::ALL {
            router.add(Method::GET, path, Target::BuiltIn(*built_in));
        }
        router
    }

    fn add(&mut self, method: Method, path: &'static str, target: Target) {
        let mut segment = &mut self.root;
        let mut names = Vec::new();
        for part in parts(path) {
            segment = match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => {
                    names.push(name);
                    segment.parameter.get_or_insert_default()
                }
                None => segment.literal(part),
            };
        }
        segment.answers.push(Answer { method, target, names });
    }

    /// What answers, and the parameters in the path. `HEAD` goes where `GET` does.
    ///
    /// # Errors
    /// `no_such_path`, `method_not_allowed`, `malformed_request`
    pub fn find<'p>(
        &self,
        method: &Method,
        path: &'p str,
    ) -> Result<(Target, Fields<'p>), Problem> {
        let mut values = Vec::new();
        let segment = self.root.descend(parts(path), &mut values);
        let segment = segment.filter(|segment| !segment.answers.is_empty());
        let segment =
            segment.ok_or_else(|| Problem::new(Kind::NoSuchPath, format_args!("{path:?}")))?;
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let answer = segment.answers.iter().find(|answer| answer.method == *method);
        let answer = answer.ok_or_else(|| segment.refuse(method))?;
        let named = answer.names.iter().zip(values);
        let parameters: Result<Fields<'p>, Problem> =
            named.map(|(name, raw)| Ok((Cow::Borrowed(*name), query::segment(raw)?))).collect();
        Ok((answer.target, parameters?))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn method_of(method: CommandMethod) -> Method {
    match method {
        CommandMethod::Get => Method::GET,
        CommandMethod::Post => Method::POST,
        CommandMethod::Put => Method::PUT,
        CommandMethod::Patch => Method::PATCH,
        CommandMethod::Delete => Method::DELETE,
    }
}

impl Segment {
    fn literal(&mut self, part: &'static str) -> &mut Self {
        let found = self.literals.iter().position(|(name, _)| *name == part);
        let index = found.unwrap_or_else(|| {
            self.literals.push((part, Self::default()));
            self.literals.len() - 1
        });
        &mut self.literals[index].1
    }

    fn descend<'p>(
        &self,
        mut parts: impl Iterator<Item = &'p str> + Clone,
        values: &mut Vec<&'p str>,
    ) -> Option<&Self> {
        let Some(part) = parts.next() else { return Some(self) };
        if let Some((_, next)) = self.literals.iter().find(|(name, _)| *name == part)
            && let Some(found) = next.descend(parts.clone(), values)
            && !found.answers.is_empty()
        {
            return Some(found);
        }
        let next = self.parameter.as_ref().filter(|_| !part.is_empty())?;
        let mark = values.len();
        values.push(part);
        let found = next.descend(parts, values);
        if found.is_none() {
            values.truncate(mark);
        }
        found
    }

    fn refuse(&self, method: &Method) -> Problem {
        let mut allowed: Vec<_> =
            self.answers.iter().map(|answer| answer.method.as_str()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        let allowed = allowed.join(", ");
        Problem::new(Kind::MethodNotAllowed, format_args!("{method} is none of {allowed}"))
            .allowing(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let mut router = Router::new(&[]);
        let info = || Target::BuiltIn(BuiltIn::Info);
        router.add(Method::GET, "/v1/a/{id}", info());
        router.add(Method::POST, "/v1/a/{name}/close", Target::BuiltIn(BuiltIn::Changes));
        router.add(Method::PUT, "/v1/a/{id}", Target::BuiltIn(BuiltIn::Ready));
        router.add(Method::GET, "/v1/a/search", Target::BuiltIn(BuiltIn::Health));
        router.add(Method::GET, "/v1/a/{id}/b/{other}", info());
        router
    }

    fn found(method: &Method, path: &str) -> Result<(BuiltIn, Vec<(String, String)>), String> {
        let found = router().find(method, path);
        found
            .map(|(target, parameters)| {
                let Target::BuiltIn(built_in) = target else { panic!("only built-ins here") };
                let owned = |text: Cow<'_, str>| text.into_owned();
                let pairs = parameters.into_iter().map(|(n, v)| (owned(n), owned(v)));
                (built_in, pairs.collect())
            })
            .map_err(|problem| problem.allow().unwrap_or(problem.code).to_owned())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn literals_win_and_parameters_are_named_by_their_route() {
        assert_eq!(
            found(&Method::GET, "/v1/a/x%20y"),
            Ok((BuiltIn::Info, vec![pair("id", "x y")]))
        );
        assert_eq!(found(&Method::HEAD, "/v1/a/search"), Ok((BuiltIn::Health, vec![])));
        let close = found(&Method::POST, "/v1/a/search/close");
        assert_eq!(close, Ok((BuiltIn::Changes, vec![pair("name", "search")])));
        let both = found(&Method::GET, "/v1/a/1/b/2");
        assert_eq!(both, Ok((BuiltIn::Info, vec![pair("id", "1"), pair("other", "2")])));
        assert_eq!(found(&Method::GET, "/health"), Ok((BuiltIn::Health, vec![])));
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_is_not_allowed() {
        for path in ["/", "", "/v1", "/v1/a", "/v1/a/", "/v1/a/x/", "/v1//x", "/health/"] {
            assert_eq!(found(&Method::GET, path), Err("no_such_path".to_owned()), "{path:?}");
        }
        assert_eq!(found(&Method::POST, "/v1/a/x"), Err("GET, PUT, HEAD".to_owned()));
        assert_eq!(found(&Method::GET, "/v1/a/x/close"), Err("POST".to_owned()));
        assert_eq!(found(&Method::GET, "/v1/a/%zz"), Err("malformed_request".to_owned()));
    }
}
