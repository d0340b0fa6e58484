//! A client that knows no more of HTTP than the tests need, so that nothing is
//! mended on the way.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// A wait this long means that a test hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert_eq!(found.next(), None, "{name} is there twice");
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Headers that do not change from second to second.
    pub(crate) fn lasting_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().filter(|(name, _)| name != "date").cloned().collect()
    }

    /// Checks that this is a problem with this code, and returns its details.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let details = self.json();
        assert_eq!(
            (self.status, details["code"].as_str(), self.header("content-type")),
            (status, Some(code), Some("application/problem+json")),
            "{details}"
        );
        assert_eq!(details["status"], status);
        assert_eq!(details["type"], format!("/errors/{code}"));
        assert!(details["title"].is_string() && details["retry"].is_string(), "{details}");
        details
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap()
    }

    pub(crate) fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request and reads its response.
    pub(crate) fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            head.push_str("content-type: application/json\r\n");
        }
        self.send(format!("{head}\r\n{body}").as_bytes()).unwrap();
        self.response(method == "HEAD").expect("the server answers")
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, &[], "")
    }

    pub(crate) fn post(&mut self, target: &str, body: &str) -> Response {
        self.request("POST", target, &[], body)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Reads a response's head.
    pub(crate) fn head(&mut self) -> io::Result<Response> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Response { status, headers, body: Vec::new() })
    }

    pub(crate) fn response(&mut self, bodiless: bool) -> io::Result<Response> {
        let mut response = self.head()?;
        if bodiless || response.status == 304 {
            return Ok(response);
        }
        let length = response.header("content-length").expect("a whole body has a length");
        response.body = vec![0; length.parse().unwrap()];
        self.stream.read_exact(&mut response.body)?;
        Ok(response)
    }

    /// The next line of a stream of events, which comes in chunks.
    pub(crate) fn event_line(&mut self) -> io::Result<String> {
        loop {
            let line = self.line()?;
            // Chunk sizes stand on lines of their own between what we read.
            if !line.is_empty() && usize::from_str_radix(&line, 16).is_err() {
                return Ok(line);
            }
        }
    }

    /// Has the server closed the connection?
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}
