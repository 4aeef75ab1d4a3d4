//! Durations as people type them: `500ms`, `2s`, `1.5m`.

use std::time::Duration;

/// Reads a number and its unit: `ms`, `s`, `m` or `h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" => return Err(format!("say in which unit{EXAMPLES}")),
        _ => return Err(format!("the unit is one of ms, s, m and h{EXAMPLES}")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("not a number with a unit{EXAMPLES}"))?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("no time at all".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("too long".to_owned()),
    }
}

const EXAMPLES: &str = ", as in 500ms, 2s or 1m";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_type_them() {
        let good = [
            ("500ms", 500),
            ("2s", 2_000),
            ("1m", 60_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("2h", 7_200_000),
            ("0.5ms", 0),
        ];
        for (text, milliseconds) in good {
            let duration = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(duration.as_millis(), milliseconds, "{text}");
        }
        let bad = [
            ("5", "say in which unit, as in 500ms, 2s or 1m"),
            ("", "say in which unit"),
            ("s", "not a number"),
            ("1.2.3s", "not a number"),
            (".s", "not a number"),
            ("-1s", "the unit is one of ms, s, m and h"),
            ("+1s", "the unit is one of"),
            ("1 s", "the unit is one of"),
            ("2sec", "the unit is one of"),
            ("1e9s", "the unit is one of"),
            ("infs", "the unit is one of"),
            ("0s", "no time at all"),
            ("0.0ms", "no time at all"),
            ("99999999999999999999s", "too long"),
        ];
        for (text, expected) in bad {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
