//! A server on fresh data, where the bench has its log, and what is asked of it over HTTP: first what
//! a run needs, then load after load, a figure each.

use std::time::Instant;

use anyhow::ensure;
use tokio::runtime::{Builder, Runtime};

use super::{
    BenchArgs,
    ground::Ground,
    http_load::{self, Load, Stop},
    measure::{Figure, print},
    over_http::{Server, until_it_answers},
};

/// Connections over which is made what a run needs.
const MAKERS: u64 = 16;

/// Writes the n-th request of a load.
pub(super) type WriteRequest = fn(u64, &mut Vec<u8>);

/// A server that answers, and the thread that asks it.
pub(super) struct Trial<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) server: Server,
    pub(super) runtime: Runtime,
    _ground: Ground,
}

impl<'a> Trial<'a> {
    pub(super) fn begin(args: &'a BenchArgs) -> anyhow::Result<Self> {
        let ground = args.ground.ground()?;
        let server = Server::start(&ground)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(until_it_answers(server.address))?;
        Ok(Self { args, server, runtime, _ground: ground })
    }

    /// Makes what the run needs: so many requests, all of which have to be answered 200.
    pub(super) fn make(&self, count: u64, request: WriteRequest) -> anyhow::Result<Load> {
        self.make_from(MAKERS, (0, count), request)
    }

    /// As [`Trial::make`], over so many connections, of the requests from one number to before another.
    pub(super) fn make_from(
        &self,
        connections: u64,
        numbers: (u64, u64),
        request: WriteRequest,
    ) -> anyhow::Result<Load> {
        let load = http_load::run_from(self.server.address, connections, numbers, request);
        let load = self.runtime.block_on(load)?;
        ensure!(load.others == 0, "{} of what the run needs could not be made", load.others);
        Ok(load)
    }

    /// Asks for as long as a figure takes, over as many connections as were chosen, and prints it.
    pub(super) fn measure(&self, name: &str, request: WriteRequest) -> anyhow::Result<()> {
        self.show(name, "", &self.load(request)?);
        Ok(())
    }

    pub(super) fn load(&self, request: WriteRequest) -> anyhow::Result<Load> {
        let until = Stop::At(Instant::now() + self.args.run_for());
        let load = http_load::run(self.server.address, self.args.connections, until, request);
        Ok(self.runtime.block_on(load)?)
    }

    /// Prints the figure of a load; `note` goes before what is noted of every load.
    pub(super) fn show(&self, name: &str, note: &str, load: &Load) {
        let (connections, others) = (self.args.connections, load.others);
        let note = format!("{note}{connections} connections, {others} answers other than 200");
        print(&Figure::new(name, &load.latencies, note), self.args.json);
    }
}
