//! The hotel booking demand data set: real bookings of two Portuguese hotels.
//!
//! Antonio, de Almeida, Nunes: "Hotel booking demand datasets", Data in Brief 22 (2019)
//! 41-49, <https://doi.org/10.1016/j.dib.2018.11.126>. One row is one booking; it was
//! made `lead_time` days before its arrival and ended on `reservation_status_date`. What
//! it costs is the average daily rate times its nights.

use std::{collections::BTreeMap, io::Read};

use anyhow::Context as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::{Booking, Bookings, Day, End};

/// How many rooms there are, in percent of the most that were booked at one time.
const STOCK_PERCENT: u64 = 90;

/// The columns that are used.
#[derive(Debug, Deserialize)]
struct Row {
    hotel: String,
    lead_time: i32,
    arrival_date_year: i16,
    arrival_date_month: String,
    arrival_date_day_of_month: i8,
    stays_in_weekend_nights: i32,
    stays_in_week_nights: i32,
    adults: String,
    children: String,
    babies: String,
    country: String,
    reserved_room_type: String,
    adr: String,
    reservation_status: String,
    reservation_status_date: String,
}

/// Reads the data set, in booking order.
///
/// # Errors
/// When a line is not of the data set at all; a row that is no booking is counted by its
/// reason, and left out.
pub fn read(file: impl Read) -> anyhow::Result<Bookings> {
    let mut bookings = Vec::new();
    let mut rejected = BTreeMap::new();
    for (line, row) in csv::Reader::from_reader(file).deserialize().enumerate() {
        let row: Row = row.with_context(|| format!("line {}", line + 2))?;
        match booking(&row) {
            Ok(booking) => bookings.push(booking),
            Err(why) => *rejected.entry(why).or_default() += 1,
        }
    }
    bookings.sort_by_key(|booking: &Booking| booking.booked);
    let stock = Bookings::stock_for(&bookings, STOCK_PERCENT);
    Ok(Bookings { name: "hotel-bookings".to_owned(), bookings, stock, rejected })
}

/// What a row says, or why it says nothing.
fn booking(row: &Row) -> Result<Booking, &'static str> {
    let month = month(&row.arrival_date_month).ok_or("the month is none")?;
    let arrival = Date::new(row.arrival_date_year, month, row.arrival_date_day_of_month);
    let from = Day::of(arrival.map_err(|_| "the arrival is no date")?);
    let nights = row.stays_in_weekend_nights + row.stays_in_week_nights;
    if nights <= 0 {
        return Err("no nights");
    }
    let guests = [&row.adults, &row.children, &row.babies].map(|count| count.parse::<u32>());
    if guests.iter().any(Result::is_err) {
        return Err("guests are not counted");
    }
    if guests.into_iter().flatten().sum::<u32>() == 0 {
        return Err("no guests");
    }
    let rate = cents(&row.adr).ok_or("the rate is no amount")?;
    if rate < 0 {
        return Err("the rate is negative");
    }
    let end = match row.reservation_status.as_str() {
        "Check-Out" => End::CheckOut,
        "Canceled" => End::Cancel,
        "No-Show" => End::NoShow,
        _ => return Err("the status is none"),
    };
    let ended: Date = row.reservation_status_date.parse().map_err(|_| "the status has no date")?;
    let booked = Day(from.0 - row.lead_time);
    if Day::of(ended) < booked {
        return Err("it ended before it was made");
    }
    let hotel = row.hotel.split(' ').next().unwrap_or_default().to_lowercase();
    Ok(Booking {
        resource: format!("{hotel}-{}", row.reserved_room_type.trim()),
        guest: format!("guests-{}", row.country),
        hotel,
        from,
        to: Day(from.0 + nights),
        cents: rate * i64::from(nights),
        booked,
        ended: Day::of(ended),
        end,
    })
}

fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let index = MONTHS.iter().position(|month| *month == name)?;
    i8::try_from(index + 1).ok()
}

/// An amount with up to two decimal places, in hundredths.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 2 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(sign * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "hotel,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,country,reserved_room_type,adr,reservation_status,reservation_status_date";

    fn one(row: &str) -> Bookings {
        read(format!("{HEAD}\n{row}\n").as_bytes()).unwrap()
    }

    #[test]
    fn a_row_is_a_booking() {
        let found = one("City Hotel,10,2016,March,5,1,2,2,0,0,PRT,A,75.5,Canceled,2016-02-28");
        let [booking] = &found.bookings[..] else { panic!("one") };
        assert_eq!((booking.resource.as_str(), booking.guest.as_str()), ("city-A", "guests-PRT"));
        assert_eq!(booking.from.to_text(), "2016-03-05");
        assert_eq!(booking.to.to_text(), "2016-03-08");
        assert_eq!(booking.booked.to_text(), "2016-02-24");
        assert_eq!(booking.ended.to_text(), "2016-02-28");
        assert_eq!((booking.cents, booking.end), (22_650, End::Cancel));
        assert_eq!(found.stock["city-A"], 1);
    }

    #[test]
    fn dirt_is_counted_by_its_reason() {
        for (row, why) in [
            ("City Hotel,0,2016,March,5,0,0,2,0,0,PRT,A,75,Check-Out,2016-03-05", "no nights"),
            ("City Hotel,0,2016,March,5,0,1,0,0,0,PRT,A,75,Check-Out,2016-03-06", "no guests"),
            (
                "City Hotel,0,2016,March,5,0,1,2,NA,0,PRT,A,75,Check-Out,2016-03-06",
                "guests are not counted",
            ),
            (
                "City Hotel,0,2016,March,5,0,1,2,0,0,PRT,A,-6.38,Check-Out,2016-03-06",
                "the rate is negative",
            ),
            (
                "City Hotel,0,2016,March,5,0,1,2,0,0,PRT,A,7.x,Check-Out,2016-03-06",
                "the rate is no amount",
            ),
            (
                "City Hotel,0,2016,Marsch,5,0,1,2,0,0,PRT,A,7,Check-Out,2016-03-06",
                "the month is none",
            ),
            (
                "City Hotel,3,2016,March,5,0,1,2,0,0,PRT,A,7,Canceled,2016-02-28",
                "it ended before it was made",
            ),
        ] {
            let found = one(row);
            assert!(found.bookings.is_empty(), "{row}");
            assert_eq!(found.rejected, BTreeMap::from([(why, 1)]), "{row}");
        }
    }

    #[test]
    fn amounts_are_exact() {
        let cases = [("75", 7_500), ("75.5", 7_550), ("0.05", 5), ("-6.38", -638), ("-0.5", -50)];
        for (text, expected) in cases {
            assert_eq!(cents(text), Some(expected), "{text}");
        }
        for none in ["", "x", "1.234", "1.-2", "NA"] {
            assert_eq!(cents(none), None, "{none}");
        }
    }
}
