//! Times as people write them: exact, on the clock of the wall, or from now.

use std::time::Duration;

use jiff::{
    SignedDuration, Span, Zoned,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use thiserror::Error;

use super::Timestamp;

/// Text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "\"{0}\" is not a time: write 2026-01-31T18:00:00Z, \"2026-01-31 18:00\", 18:00, \
     \"tomorrow 7:30\", or from now as +2h or +1h30m"
)]
pub struct NotATime(String);

/// The moment that `text` means: an RFC 3339 time; a date, a time of day or both, in `zone`; or a
/// time from now. A time of day is its next one; one that a change of the clock leaves out is
/// taken as if the clock had not been changed.
pub fn when(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, NotATime> {
    let wrong = || NotATime(text.to_owned());
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    if let Some(later) = text.strip_prefix('+').or_else(|| text.strip_prefix("in ")) {
        return Ok(now.after(span(later.trim()).ok_or_else(wrong)?));
    }
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Ok(exact);
    }
    let local = jiff::Timestamp::from_millisecond(now.as_ms()).map_err(|_| wrong())?;
    let local = local.to_zoned(zone.clone());
    let found = on_the_wall(text, &local).ok_or_else(wrong)?;
    let zoned = zone.to_zoned(found).map_err(|_| wrong())?;
    Ok(Timestamp::from_ms(zoned.timestamp().as_millisecond()))
}

fn on_the_wall(text: &str, now: &Zoned) -> Option<DateTime> {
    let today = now.date();
    let text = text.to_ascii_lowercase();
    let split =
        text.split_once(' ').or_else(|| text.split_once('t').filter(|(day, _)| !day.is_empty()));
    let (day, time) = match split {
        Some((day, time)) => (Some(day.trim()), time.trim()),
        None if text.contains(':') => (None, text.as_str()),
        // A bare word is no time of day.
        None => return Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight())),
    };
    let time = time_of_day(time)?;
    let Some(day) = day else {
        let at = today.to_datetime(time);
        // Later today, or else tomorrow.
        let date = if at > now.datetime() { today } else { today.tomorrow().ok()? };
        return Some(date.to_datetime(time));
    };
    let date = match day {
        "today" => today,
        "tomorrow" => today.tomorrow().ok()?,
        date => date.parse::<Date>().ok()?,
    };
    Some(date.to_datetime(time))
}

/// `7:30`, `18:00` or `18:00:30`.
fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| {
        let two = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| part.parse::<i8>().ok()).flatten()
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().map_or(Some(0), |part| part)?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// `90` (seconds), `5m`, `1h30m`, `2d`.
fn span(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let span: Span = text.parse().ok()?;
    // From now in plain time: a day is 24 hours.
    let exact: SignedDuration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(exact).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-28T16:30:00Z"; // in Berlin 17:30, the day before the clocks go on

    fn berlin(text: &str) -> Result<String, NotATime> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        when(text, NOW.parse().unwrap(), &zone).map(|time| time.to_string())
    }

    #[test]
    fn a_time_is_exact_local_or_from_now() {
        for (text, time) in [
            ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00.000Z"),
            ("2026-01-31T18:00:00+01:00", "2026-01-31T17:00:00.000Z"),
            ("2026-01-31 18:00", "2026-01-31T17:00:00.000Z"),
            ("2026-07-31T18:00:05", "2026-07-31T16:00:05.000Z"),
            ("2026-07-31", "2026-07-30T22:00:00.000Z"),
            ("18:00", "2026-03-28T17:00:00.000Z"),
            ("7:30", "2026-03-29T05:30:00.000Z"),
            ("17:30", "2026-03-29T15:30:00.000Z"),
            ("02:30", "2026-03-29T01:30:00.000Z"),
            ("tomorrow 12:00", "2026-03-29T10:00:00.000Z"),
            ("today 12:00", "2026-03-28T11:00:00.000Z"),
            ("+2h", "2026-03-28T18:30:00.000Z"),
            ("+1h30m", "2026-03-28T18:00:00.000Z"),
            ("+90", "2026-03-28T16:31:30.000Z"),
            ("+1d", "2026-03-29T16:30:00.000Z"),
            ("in 10m", "2026-03-28T16:40:00.000Z"),
            ("now", "2026-03-28T16:30:00.000Z"),
        ] {
            assert_eq!(berlin(text).as_deref(), Ok(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for text in [
            "",
            "soon",
            "25:00",
            "18",
            "18:00:00:00",
            "+",
            "+-2h",
            "2026-02-30",
            "1:234",
            "tomorrow",
        ] {
            let refusal = berlin(text).unwrap_err().to_string();
            assert!(refusal.contains("+2h"), "{text}: {refusal}");
        }
    }
}
