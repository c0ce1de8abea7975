//! Moments: `<t:1630360800:R>`, `<t:2025-07-22T10:00:00+02:00>`, `<t:10:00>`.

use crate::{scan::Scanner, sink::Sink, tree::Inline};

const DAY: i64 = 86_400;

/// Reads fixed patterns of digits and signs.
struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == byte).then(|| self.rest = rest)
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })?;
        self.rest = rest;
        Some(number)
    }

    /// Runs `read`, and stands where it was if that fails.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let found = read(self);
        if found.is_none() {
            self.rest = before;
        }
        found
    }

    /// `±hh:mm` in seconds. Without it times are UTC.
    fn zone(&mut self) -> i64 {
        self.maybe(|r| {
            let sign = if r.maybe(|r| r.take(b'-')).is_some() { -1 } else { r.take(b'+').map(|()| 1)? };
            let hours = r.digits(2)?;
            r.take(b':')?;
            let minutes = r.digits(2)?;
            (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
        })
        .unwrap_or(0)
    }

    /// `hh:mm:ss` or, where allowed, `hh:mm`, as seconds of the day.
    fn clock(&mut self, seconds_needed: bool) -> Option<i64> {
        let hours = self.digits(2)?;
        self.take(b':')?;
        let minutes = self.digits(2)?;
        let seconds = self.maybe(|r| {
            r.take(b':')?;
            r.digits(2)
        });
        if seconds_needed && seconds.is_none() {
            return None;
        }
        let seconds = seconds.unwrap_or(0);
        let whole = hours * 3600 + minutes * 60 + seconds;
        (minutes < 60 && seconds < 60 && whole <= DAY).then_some(whole)
    }

    /// `yyyy-mm-ddThh:mm:ss`, perhaps with milliseconds and a zone.
    fn date(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        self.take(b'-')?;
        let month = self.digits(2)?;
        self.take(b'-')?;
        let day = self.digits(2)?;
        self.take(b'T')?;
        let clock = self.clock(true)?;
        self.maybe(|r| {
            r.take(b'.')?;
            r.digits(3)
        });
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
        valid.then(|| days_since_1970(year, month, day) * DAY + clock - self.zone())
    }

    fn moment(&mut self, now: Option<i64>) -> Option<i64> {
        if let Some(seconds) = self.maybe(|r| r.digits(10)) {
            return Some(seconds);
        }
        if let Some(seconds) = self.maybe(Self::date) {
            return Some(seconds);
        }
        let clock = self.clock(false)?;
        let zone = self.zone();
        Some(now?.div_euclid(DAY) * DAY + clock - zone)
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; days beyond the month's end run on.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last.
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

/// The reverse: year, month and day.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

impl Scanner<'_> {
    /// The end of the moment that begins there, its seconds and its format.
    fn moment_at(&self, at: usize) -> Option<(usize, i64, char)> {
        if !self.starts(at, "<t:") {
            return None;
        }
        let mut reader = Reader { rest: self.text.as_bytes().get(at + 3..)? };
        let seconds = reader.moment(self.options.now)?;
        let format = reader.maybe(|r| {
            r.take(b':')?;
            let (first, rest) = r.rest.split_first()?;
            r.rest = rest;
            b"tTdDfFR".contains(first).then_some(*first as char)
        });
        reader.take(b'>')?;
        Some((self.text.len() - reader.rest.len(), seconds, format.unwrap_or('t')))
    }

    pub(crate) fn timestamp<S: Sink>(&mut self, at: usize, out: &mut S) -> Option<usize> {
        let (end, seconds, format) = self.moment_at(at)?;
        out.node(|| Inline::Timestamp { seconds, format });
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970_both_ways() {
        for (days, date) in
            [(0, (1970, 1, 1)), (11_016, (2000, 2, 29)), (-1, (1969, 12, 31)), (20_291, (2025, 7, 22))]
        {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days);
            assert_eq!(date_of(days), date);
        }
    }
}
