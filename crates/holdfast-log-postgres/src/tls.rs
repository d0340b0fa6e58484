//! TLS to the server: rustls with ring, the server's certificate always verified.
//!
//! There is no mode in between: either a connection is encrypted and the server is who it says
//! (chain and host name), or it is plain, for servers on the same machine or a private wire.

use std::error::Error;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use holdfast_log::LogError;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

/// Whether connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// They are not.
    Off,
    /// They are, and the server's certificate must come from an authority in this PEM file and be
    /// valid for the host name that was connected to. The system's authorities are often in
    /// `/etc/ssl/certs/ca-certificates.crt`.
    Verified {
        /// The file of authorities.
        authorities: PathBuf,
    },
}

/// Makes connections as [`Tls`] says.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: Arc<ClientConfig>,
    mode: SslMode,
}

impl Connector {
    pub(crate) fn new(tls: &Tls) -> Result<Self, LogError> {
        let mut authorities = RootCertStore::empty();
        let mode = match tls {
            Tls::Off => SslMode::Disable,
            Tls::Verified { authorities: file } => {
                let unusable = |what: String| LogError::BadOptions {
                    what: format!("authorities for TLS in {}: {what}", file.display()),
                };
                let certificates = CertificateDer::pem_file_iter(file)
                    .map_err(|error| unusable(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                    // A system's bundle may hold one that rustls cannot use; the others serve.
                    drop(authorities.add(certificate));
                }
                if authorities.is_empty() {
                    return Err(unusable("none is usable".to_owned()));
                }
                SslMode::Require
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the versions of TLS that rustls does")
            .with_root_certificates(authorities)
            .with_no_client_auth();
        Ok(Self { client: Arc::new(client), mode })
    }

    pub(crate) fn mode(&self) -> SslMode {
        self.mode
    }
}

/// One connection about to be encrypted.
#[derive(Debug)]
pub(crate) struct Handshake {
    client: Arc<ClientConfig>,
    host: String,
}

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S> MakeTlsConnect<S> for Connector
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, io::Error> {
        Ok(Handshake { client: Arc::clone(&self.client), host: host.to_owned() })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted<S>, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.host)?;
            let encrypted = TlsConnector::from(self.client).connect(name, stream).await?;
            Ok(Encrypted(encrypted))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    /// None: the certificate is verified, which is what binding would add for a password.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
