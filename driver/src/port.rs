mod rfc2217;

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_serial::{ClearBuffer, FlowControl, SerialPort as _, SerialStream};

use self::rfc2217::Rfc2217;
use crate::error::OpenError;
use crate::port_task;
use crate::settings::Settings;

/// A serial device, a TCP peer in its place, or a device behind an RFC 2217 bridge. For [`Modem::over`](crate::Modem::over).
#[derive(Debug)]
pub struct Port(Inner);

#[derive(Debug)]
enum Inner {
    Serial(SerialStream),
    Tcp(TcpStream),
    Rfc2217(Box<Rfc2217>),
}

/// Opens a port by its name; the module is not spoken to.
///
/// | name | what it is |
/// |---|---|
/// | `/dev/ttyUSB0`, `COM3`, the path of a PTY | a serial device |
/// | `tcp://HOST:PORT`, `socket://HOST:PORT` | a TCP peer that passes bytes as they are |
/// | `rfc2217://HOST:PORT` | a serial device behind a bridge, which is told rate and flow control |
///
/// # Errors
/// The device cannot be opened, or the peer cannot be reached; the bridge does not speak RFC 2217,
/// or cannot do what the settings ask for. A device that another program has open is busy.
pub async fn open_port(name: &str, settings: &Settings) -> Result<Port, OpenError> {
    let raw = ["tcp://", "socket://"];
    if let Some(address) = raw.iter().find_map(|scheme| name.strip_prefix(scheme)) {
        let stream = connect(address).await.map_err(unreachable(address))?;
        return Ok(Port(Inner::Tcp(stream)));
    }
    if let Some(address) = name.strip_prefix("rfc2217://") {
        let stream = connect(address).await.map_err(unreachable(address))?;
        let port = Rfc2217::open(stream, settings).await;
        return port
            .map(|port| Port(Inner::Rfc2217(Box::new(port))))
            .map_err(unreachable(address));
    }
    open_device(name, settings)
}

fn unreachable(address: &str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Tcp {
        address: address.into(),
        source,
    }
}

/// `address`: `HOST:PORT`.
async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A command is one write, and its answer is waited for.
    stream.set_nodelay(true)?;
    notice_its_end(&stream)?;
    Ok(stream)
}

/// After how long without a byte a peer is asked whether it is still there, and how often: one
/// that vanishes, with its machine or its network, is missed after half a minute. Ours.
const PROBE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(10))
    .with_interval(Duration::from_secs(5));
const PROBES: u32 = 4;
#[cfg(target_os = "linux")]
const MISSED: Duration = Duration::from_secs(30);

/// Has the system notice that the peer has vanished, whether or not bytes wait for it.
fn notice_its_end(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&PROBE.with_retries(PROBES))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(MISSED))?;
    Ok(())
}

fn open_device(path: &str, settings: &Settings) -> Result<Port, OpenError> {
    let flow_control = match settings.rts_cts {
        true => FlowControl::Hardware,
        false => FlowControl::None,
    };
    let builder = tokio_serial::new(path, settings.baud_rate).flow_control(flow_control);
    let stream = SerialStream::open(&builder).map_err(|error| OpenError::Device {
        path: path.into(),
        source: reason(path, error),
    })?;
    // What is left of earlier sessions answers nobody. Where that cannot be dropped it is read,
    // and the fence copes with it.
    if let Err(error) = stream.clear(ClearBuffer::Input) {
        tracing::debug!(%error, "cannot drop old input");
    }
    Ok(Port(Inner::Serial(stream)))
}

/// The library says of a device that another program has locked that there is none.
fn reason(path: &str, error: tokio_serial::Error) -> io::Error {
    match error.kind() {
        tokio_serial::ErrorKind::NoDevice if Path::new(path).exists() => {
            io::Error::new(io::ErrorKind::ResourceBusy, error.description)
        }
        _ => error.into(),
    }
}

impl Port {
    /// Finds the rate at which a module answers `AT`, at `given` first, and leaves the device at
    /// it; `None` if it answers at none, or the port has no rate. See
    /// [`Settings::auto_baud`] for the rates and the time it takes, and [`Settings::fresh`] for
    /// what `fresh` says.
    ///
    /// Dropping the future closes the port.
    ///
    /// # Errors
    /// The port is lost.
    pub async fn find_baud_rate(self, given: u32, fresh: bool) -> io::Result<(Self, Option<u32>)> {
        let patience =
            (!fresh).then_some(atmq_protocol::dialect::lmqtt::NT26.limits.prompt_timeout);
        port_task::find_baud_rate(self, given, patience).await
    }

    /// Changes the bits per second of a serial device, for what is written and read from now on.
    ///
    /// # Errors
    /// The device does not take the rate. A TCP peer has none:
    /// [`Unsupported`](io::ErrorKind::Unsupported).
    pub fn set_baud_rate(&mut self, rate: u32) -> io::Result<()> {
        match &mut self.0 {
            Inner::Serial(stream) => stream.set_baud_rate(rate).map_err(io::Error::from),
            Inner::Tcp(_) => Err(io::ErrorKind::Unsupported.into()),
            Inner::Rfc2217(port) => port.set_baud_rate(rate),
        }
    }
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Serial(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Rfc2217(port) => Pin::new(port).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Inner::Serial(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Rfc2217(port) => Pin::new(port).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            // Nothing is buffered on this side, and to drain the device would block the thread
            // until the last bit is out, on a PTY until the other end has read it.
            Inner::Serial(_) => Poll::Ready(Ok(())),
            Inner::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Rfc2217(port) => Pin::new(port).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            // As with the flush; dropping it closes it.
            Inner::Serial(_) => Poll::Ready(Ok(())),
            Inner::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Rfc2217(port) => Pin::new(port).poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_peer_that_vanishes_is_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stream = connect(&address).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        let silence = socket.tcp_keepalive_time().unwrap();
        let probes = socket.tcp_keepalive_interval().unwrap();
        assert_eq!(
            silence + probes * socket.tcp_keepalive_retries().unwrap(),
            MISSED
        );
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(MISSED));
    }
}
