//! The least of HTTP that the examples need: one request on a connection, and one answer.

use std::{collections::BTreeMap, io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request, or an answer: its first line, its header fields by their names in lower case, and
/// its body.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) first_line: String,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn new(first_line: &str) -> Self {
        Self { first_line: first_line.to_owned(), ..Self::default() }
    }

    pub(crate) fn with(mut self, field: &str, value: &impl ToString) -> Self {
        self.fields.insert(field.to_ascii_lowercase(), value.to_string());
        self
    }

    pub(crate) fn body(self, body: &impl ToString) -> Self {
        Self { body: body.to_string(), ..self }
    }

    pub(crate) fn field(&self, field: &str) -> Option<&str> {
        self.fields.get(&field.to_ascii_lowercase()).map(String::as_str)
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let status = self.first_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.expect("an answer has a status")
    }

    async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut message = Self::default();
        reader.read_line(&mut message.first_line).await?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).await?;
            let Some((field, value)) = line.trim_end().split_once(": ") else { break };
            message.fields.insert(field.to_ascii_lowercase(), value.to_owned());
        }
        let length = message.field("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).await?;
        message.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(message)
    }

    async fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut text = format!("{}\r\nhost: localhost\r\nconnection: close\r\n", self.first_line);
        for (field, value) in &self.fields {
            text.push_str(&format!("{field}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{}", self.body.len(), self.body));
        stream.write_all(text.as_bytes()).await
    }
}

/// Asks once.
pub(crate) async fn ask(address: SocketAddr, request: Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(address).await?;
    request.write(&mut stream).await?;
    Message::read(&mut stream).await
}

/// Answers one request after the other, until the runtime ends.
pub(crate) async fn serve(
    mut answer: impl FnMut(&Message) -> Message + Send + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Ok(request) = Message::read(&mut stream).await {
                // Who asked may be gone.
                answer(&request).write(&mut stream).await.ok();
            }
        }
    });
    Ok(address)
}
