//! Durations on the command line: `500ms`, `2s`, `1.5m`.

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
        "" => return Err(format!("give a unit{EXAMPLES}")),
        _ => return Err(format!("the unit must be ms, s, m or h{EXAMPLES}")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("not a number with a unit{EXAMPLES}"))?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("must be more than 0".to_owned()),
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
            ("5", "give a unit, as in 500ms, 2s or 1m"),
            ("", "give a unit"),
            ("s", "not a number"),
            ("1.2.3s", "not a number"),
            (".s", "not a number"),
            ("-1s", "the unit must be ms, s, m or h"),
            ("+1s", "the unit must be"),
            ("1 s", "the unit must be"),
            ("2sec", "the unit must be"),
            ("1e9s", "the unit must be"),
            ("infs", "the unit must be"),
            ("0s", "must be more than 0"),
            ("0.0ms", "must be more than 0"),
            ("99999999999999999999s", "too long"),
        ];
        for (text, expected) in bad {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
