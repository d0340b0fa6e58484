//! The currencies of ISO 4217, so that nobody has to declare the euro.
//!
//! List one of the standard as of November 2026: active alphabetic codes that
//! have a minor unit. Precious metals, testing codes and units of account to
//! which the standard gives no minor unit (`XAU`, `XDR`, `XTS` …) are not in
//! it; who needs one declares it with the exponent they count in.

/// Codes with two decimal places, four characters each with the space.
const TWO_PLACES: &str = "\
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL \
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR \
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP \
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

/// Codes without decimal places.
const NO_PLACES: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";

/// Codes with three decimal places.
const THREE_PLACES: &str = "BHD IQD JOD KWD LYD OMR TND";

/// Codes with four decimal places.
const FOUR_PLACES: &str = "CLF UYW";

/// Decimal places between the minor unit of the currency `code` and the
/// currency; `None` when the standard does not have it.
#[must_use]
pub fn exponent(code: &str) -> Option<u8> {
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let has = |list: &str| list.as_bytes().chunks(4).any(|listed| &listed[..3] == code.as_bytes());
    [(TWO_PLACES, 2), (NO_PLACES, 0), (THREE_PLACES, 3), (FOUR_PLACES, 4)]
        .into_iter()
        .find_map(|(list, places)| has(list).then_some(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_codes_without_repeats() {
        let lists = [TWO_PLACES, NO_PLACES, THREE_PLACES, FOUR_PLACES];
        for list in lists {
            let codes: Vec<&str> = list.split(' ').collect();
            assert!(codes.iter().all(|code| code.len() == 3), "{list}");
            assert!(codes.is_sorted_by(|a, b| a < b), "{list}");
        }
        let mut all: Vec<&str> = lists.iter().flat_map(|list| list.split(' ')).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn exponents_are_those_of_the_standard() {
        for (code, places) in [("EUR", 2), ("AED", 2), ("ZWG", 2), ("JPY", 0), ("KWD", 3)] {
            assert_eq!(exponent(code), Some(places), "{code}");
        }
        assert_eq!(exponent("CLF"), Some(4));
        for unknown in ["XAU", "BTC", "eur", "EU", "", "R A", "ED "] {
            assert_eq!(exponent(unknown), None, "{unknown}");
        }
    }
}
