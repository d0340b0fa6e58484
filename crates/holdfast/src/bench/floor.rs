//! What the machine itself can do: the floors that figures are read against.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use super::measure::Latencies;

/// Bytes of the file that the append floor writes into.
const FILE_BYTES: u64 = 64 << 20;

/// Appends of `bytes` each to a preallocated file, one `fdatasync` after each:
/// what a single durable write costs whoever makes it.
pub(super) fn append_and_sync(dir: &Path, bytes: usize, run: Duration) -> io::Result<Latencies> {
    let file = File::options().read(true).write(true).create_new(true).open(dir.join("floor"))?;
    let zeros = vec![0; 1 << 20];
    for offset in (0..FILE_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    let (payload, mut offset) = (vec![0x5A; bytes], 0);
    let mut latencies = Latencies::start();
    while latencies.elapsed() < run {
        let begun = Instant::now();
        file.write_all_at(&payload, offset)?;
        file.sync_data()?;
        latencies.record(begun.elapsed());
        offset = (offset + bytes as u64) % (FILE_BYTES - bytes as u64);
    }
    latencies.stop();
    std::fs::remove_file(dir.join("floor"))?;
    Ok(latencies)
}

/// One byte there and back over loopback TCP, on one connection.
pub(super) fn ping_pong(run: Duration) -> io::Result<Latencies> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let echo = std::thread::spawn(move || -> io::Result<()> {
        let mut byte = [0; 1];
        while far.read(&mut byte)? > 0 {
            far.write_all(&byte)?;
        }
        Ok(())
    });
    let mut byte = [1; 1];
    let mut latencies = Latencies::start();
    while latencies.elapsed() < run {
        let begun = Instant::now();
        near.write_all(&byte)?;
        near.read_exact(&mut byte)?;
        latencies.record(begun.elapsed());
    }
    latencies.stop();
    drop(near);
    echo.join().expect("the echo does not panic")?;
    Ok(latencies)
}
