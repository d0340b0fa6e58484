//! `holdfast lab run flash-sale`: its sizes.

use clap::Args;
use holdfast_lab::flash_sale::FlashSale;

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// Arguments of `lab run flash-sale`.
#[derive(Debug, Args)]
pub(crate) struct FlashSaleArguments {
    /// How many want a unit.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    buyers: u64,
    /// How many units there are.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    units: u64,
    /// The control: look whether one is left, then take it, in two steps. It oversells.
    #[arg(long)]
    without_protection: bool,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

impl FlashSaleArguments {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let sale = FlashSale {
            buyers: self.buyers,
            units: self.units,
            seed: self.scenario.seed(),
            unprotected: self.without_protection,
        };
        scenario::run(&sale, &self.scenario)
    }
}
