//! `Retry-After` (RFC 9110 section 10.2.3). It is a number of seconds, or a date in one of three
//! forms (section 5.6.7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long to wait from `now` on. It is zero for a date in the past, and `None` for a value that
/// can't be read. There is no cap: callers decide what is too long.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Some(seconds) = digits(value) {
        return Some(Duration::from_secs(seconds));
    }
    let date = http_date(value, now)?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Parses ASCII digits without a sign. A number that is too large becomes the largest one.
fn digits(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads the three forms of section 5.6.7. It is lenient about spaces and case, and checks the
/// numbers.
fn http_date(text: &str, now: SystemTime) -> Option<SystemTime> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let mut word = || words.next();
    let (weekday, second, third, fourth) = (word()?, word()?, word()?, word()?);
    let (fifth, sixth, rest) = (word(), word(), word());
    if rest.is_some() || !is_weekday(weekday) {
        return None;
    }
    let (date, time) = match (fifth, sixth) {
        // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        (Some(time), Some(zone)) if is_gmt(zone) => {
            (Date::new(year4(fourth)?, third, second)?, time)
        }
        // asctime: Sun Nov  6 08:49:37 1994
        (Some(year), None) => (Date::new(year4(year)?, second, third)?, fourth),
        // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
        (None, None) if is_gmt(fourth) => {
            let (day, rest) = second.split_once('-')?;
            let (month, year) = rest.split_once('-')?;
            (Date::new(year2(year, now)?, month, day)?, third)
        }
        _ => return None,
    };
    moment(date.days_since_epoch(), seconds_of_day(time)?)
}

/// A valid day of the Gregorian calendar.
struct Date {
    year: i64,
    /// 0 is January.
    month: usize,
    day: i64,
}

impl Date {
    fn new(year: i64, month: &str, day: &str) -> Option<Date> {
        let month = MONTHS
            .iter()
            .position(|(name, _)| month.eq_ignore_ascii_case(name))?;
        let day = number(day, 31)?;
        let (_, length) = MONTHS.get(month)?;
        let length = if month == FEBRUARY && is_leap(year) {
            29
        } else {
            *length
        };
        (1..=length)
            .contains(&day)
            .then_some(Date { year, month, day })
    }

    fn days_since_epoch(&self) -> i64 {
        let before: i64 = MONTHS
            .iter()
            .take(self.month)
            .map(|(_, length)| length)
            .sum();
        let leap_day = i64::from(self.month > FEBRUARY && is_leap(self.year));
        days_before_year(self.year) - days_before_year(1970) + before + leap_day + self.day - 1
    }
}

/// The number of days from 1 January of year 1 to 1 January of `year`, in the proleptic Gregorian
/// calendar.
fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn moment(days: i64, seconds: i64) -> Option<SystemTime> {
    let since_epoch = days * SECONDS_A_DAY + seconds;
    let distance = Duration::from_secs(since_epoch.unsigned_abs());
    if since_epoch < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

fn seconds_of_day(time: &str) -> Option<i64> {
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    // Second 60 is a leap second.
    Some(number(hour, 23)? * 3600 + number(minute, 59)? * 60 + number(second, 60)?)
}

/// Parses one or two digits, up to `max`. asctime pads the day with a space, so it has one digit.
fn number(text: &str, max: u64) -> Option<i64> {
    let number = digits(text).filter(|number| text.len() <= 2 && *number <= max)?;
    i64::try_from(number).ok()
}

fn year4(text: &str) -> Option<i64> {
    let year = digits(text).filter(|year| text.len() == 4 && *year >= 1)?;
    i64::try_from(year).ok()
}

/// The latest year that ends in these two digits and is at most 50 years ahead (section 5.6.7).
fn year2(text: &str, now: SystemTime) -> Option<i64> {
    let two = number(text, 99).filter(|_| text.len() == 2)?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    // This is exact to about a day, which is enough to choose the century.
    let this_year = 1970 + i64::try_from(now.as_secs() / SECONDS_A_YEAR).ok()?;
    let latest = this_year + 50;
    Some(latest - (latest - two).rem_euclid(100))
}

fn is_gmt(zone: &str) -> bool {
    zone.eq_ignore_ascii_case("GMT")
}

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.iter().any(|day| {
        word.eq_ignore_ascii_case(day)
            || day
                .get(..3)
                .is_some_and(|short| word.eq_ignore_ascii_case(short))
    })
}

const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// 365.2425 days.
const SECONDS_A_YEAR: u64 = 31_556_952;
const FEBRUARY: usize = 1;

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [(&str, i64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const EXAMPLE: u64 = 784_111_777;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn j2_seconds_and_nonsense() {
        let cases = [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("007", Some(7)),
            ("18446744073709551616", Some(u64::MAX)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("5s", None),
            ("0x10", None),
            ("٣", None),
            ("soon", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse_retry_after(value, at(EXAMPLE)), expected, "{value}");
        }
    }

    #[test]
    fn rfc9110_5_6_7_three_forms_of_a_date() {
        let cases = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(10)),
            ("Sun Nov  6 08:49:37 1994", Some(10)),
            ("sun, 06 nov 1994 08:49:37 gmt", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01 Jan 0001 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:50:60 GMT", Some(93)),
            (
                "Tue, 29 Feb 2000 00:00:00 GMT",
                Some(951_782_400 - EXAMPLE + 10),
            ),
            (
                "Fri, 31 Dec 9999 23:59:59 GMT",
                Some(253_402_300_799 - EXAMPLE + 10),
            ),
            // A year more than 50 years ahead is one of the past.
            ("Sunday, 06-Nov-45 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Nov 94 08:49:37 GMT", None),
            ("Sun, 06 Now 1994 08:49:37 GMT", None),
            ("Son, 06 Nov 1994 08:49:37 GMT", None),
            ("Mon, 29 Feb 1999 00:00:00 GMT", None),
            ("Mon, 29 Feb 1900 00:00:00 GMT", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 0000 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Sun, 06 Nov 1994 08:60:00 GMT", None),
            ("Sun, 06 Nov 1994 08:49:61 GMT", None),
            ("Sun, 06 Nov 1994 -8:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT GMT", None),
            ("1994-11-06T08:49:37Z", None),
        ];
        for (value, expected) in cases {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(
                parse_retry_after(value, at(EXAMPLE - 10)),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn rfc9110_5_6_7_a_year_of_two_digits_is_at_most_50_years_ahead() {
        let in_2026 = at(1_795_248_000);
        let in_2099 = at(4_080_000_000);
        let cases = [
            ("26", in_2026, 2026),
            ("76", in_2026, 2076),
            ("77", in_2026, 1977),
            ("99", in_2026, 1999),
            ("05", in_2099, 2105),
            ("99", in_2099, 2099),
        ];
        for (text, now, year) in cases {
            assert_eq!(year2(text, now), Some(year), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in any::<String>(), now in any::<u32>()) {
            let _ = parse_retry_after(&text, at(now.into()));
        }

        #[test]
        fn near_dates_never_panic(
            date in "(Sun|Sunday),? [0-9]{1,3}[ -](Feb|Nov)[ -][0-9]{1,5}",
            time in "[0-9:]{5,9}( GMT| [0-9]{1,9})?",
        ) {
            let text = format!("{date} {time}");
            let _ = parse_retry_after(&text, SystemTime::now());
        }

        #[test]
        fn seconds_are_read_back(seconds in any::<u64>()) {
            let wait = parse_retry_after(&seconds.to_string(), UNIX_EPOCH);
            prop_assert_eq!(wait, Some(Duration::from_secs(seconds)));
        }

        /// Counts years and months one by one, which is independent of the code under test.
        #[test]
        fn dates_are_read_back(days in 0_u64..60_000, second in 0_u64..86_400) {
            let (mut year, mut left) = (1970, days);
            let length = |year| if is_leap(year) { 366 } else { 365 };
            while left >= length(year) {
                left -= length(year);
                year += 1;
            }
            let mut month = 0;
            let length = |month: usize| match month {
                FEBRUARY if is_leap(year) => 29,
                3 | 5 | 8 | 10 => 30,
                FEBRUARY => 28,
                _ => 31,
            };
            while left >= length(month) {
                left -= length(month);
                month += 1;
            }
            let (day, name) = (left + 1, MONTHS[month].0);
            let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            let expected = Some(Duration::from_secs(days * 86_400 + second));
            for text in [
                format!("Mon, {day:02} {name} {year} {time} GMT"),
                format!("Mon {name} {day:2} {time} {year}"),
            ] {
                prop_assert_eq!(parse_retry_after(&text, UNIX_EPOCH), expected, "{}", text);
            }
        }
    }
}
