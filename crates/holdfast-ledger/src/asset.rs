//! Which assets accounts may count in: those of ISO 4217, known from the start
//! ([`currencies`]), and those declared once with their exponent, the number of
//! decimal places between the minor unit and the asset.

use holdfast_state::{Asset, Read as _, Tx, tx::Abort};

use crate::{currencies, row::Assets};

/// Whether accounts may count in `asset`: it is in ISO 4217, or declared.
pub(crate) fn is_known(tx: &Tx<'_>, asset: Asset) -> Result<bool, Abort> {
    if currencies::exponent(asset.as_str()).is_some() {
        return Ok(true);
    }
    Ok(tx.get::<Assets>(asset.as_str())?.is_some())
}
