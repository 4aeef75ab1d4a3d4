//! The body of an error answer (distribution spec, "Error Codes"). The parser is lenient, because
//! registries send many forms of it.

use serde_json::{Map, Value};

use crate::error::RegistryError;
use crate::redact::Redactor;

/// The errors in the body as they may be shown, in its order. Empty if the body has none of these
/// forms:
///
/// ```text
/// {"errors":[{"code":"…","message":"…","detail":…}]}   the spec
/// {"errors":[{"status":404,"message":"…"}]}            Artifactory
/// {"code":"…","message":"…"}                           zot
/// {"details":"…"} {"message":"…"} {"error":"…"}        other registries and proxies
/// {"error":"…","error_description":"…"}                token services (RFC 6749 section 5.2)
/// ```
pub(crate) fn parse_error_body(body: &[u8], redactor: &Redactor<'_>) -> Vec<RegistryError> {
    let Some(body) = object(body) else {
        return Vec::new();
    };
    match body.get("errors") {
        Some(Value::Array(entries)) => {
            let entries = entries.iter().filter_map(|it| entry(it, redactor));
            entries.take(MAX_ENTRIES).collect()
        }
        None | Some(Value::Null) => error(&body, redactor).into_iter().collect(),
        Some(single) => entry(single, redactor).into_iter().collect(),
    }
}

fn object(body: &[u8]) -> Option<Map<String, Value>> {
    if body.len() > MAX_BODY {
        return None;
    }
    serde_json::from_slice(body).ok()
}

fn entry(entry: &Value, redactor: &Redactor<'_>) -> Option<RegistryError> {
    match entry {
        Value::Object(fields) => error(fields, redactor),
        Value::String(message) => filled(RegistryError {
            code: String::new(),
            message: redactor.shown(message, MAX_MESSAGE),
            detail: None,
        }),
        _ => None,
    }
}

fn error(fields: &Map<String, Value>, redactor: &Redactor<'_>) -> Option<RegistryError> {
    // An object under "error" holds the fields. Objects inside it are not searched.
    let fields = match fields.get("error") {
        Some(Value::Object(inner)) => inner,
        _ => fields,
    };
    let text = |name: &str| fields.get(name).and_then(text);
    let (code, message) = match (text("error"), text("error_description")) {
        (code, Some(message)) => (code, Some(message)),
        (message, None) => (None, message),
    };
    let code = text("code").or(code).or_else(|| text("status"));
    let message = text("message").or(message).or_else(|| text("details"));
    filled(RegistryError {
        code: redactor.shown(&code.unwrap_or_default(), MAX_CODE),
        message: redactor.shown(&message.unwrap_or_default(), MAX_MESSAGE),
        // `detail` may be any JSON value, so it stays JSON text (E15).
        detail: fields
            .get("detail")
            .filter(|detail| !detail.is_null())
            .map(|detail| redactor.shown(&detail.to_string(), MAX_DETAIL)),
    })
}

fn filled(error: RegistryError) -> Option<RegistryError> {
    let says_something =
        !error.code.is_empty() || !error.message.is_empty() || error.detail.is_some();
    says_something.then_some(error)
}

/// The text of a string, or the JSON of another value: some codes are numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The largest body that is parsed. The client reads no more than this of an error answer.
const MAX_BODY: usize = 64 * 1024;
/// The most entries that are kept. An answer to a push names each missing blob; a person reads only
/// the first few.
const MAX_ENTRIES: usize = 16;
const MAX_CODE: usize = 128;
const MAX_MESSAGE: usize = 512;
const MAX_DETAIL: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The entries as text: `code|message|detail`.
    fn entries_of(body: &str) -> Vec<String> {
        let as_text = |e: RegistryError| {
            let detail = e.detail.unwrap_or_default();
            format!("{}|{}|{detail}", e.code, e.message)
        };
        parse_error_body(body.as_bytes(), &Redactor::without_secrets())
            .into_iter()
            .map(as_text)
            .collect()
    }

    #[track_caller]
    fn expect_entries(cases: &[(&str, &[&str])]) {
        for (body, expected) in cases {
            assert_eq!(entries_of(body), *expected, "{body}");
        }
    }

    #[test]
    fn the_list_of_the_spec_with_entries_of_any_form() {
        expect_entries(&[
            (
                concat!(
                    r#"{"errors":[{"code":"NAME_UNKNOWN","#,
                    r#""message":"repository name not known to registry","#,
                    r#""detail":{"name":"no/such"}}]}"#
                ),
                &[r#"NAME_UNKNOWN|repository name not known to registry|{"name":"no/such"}"#],
            ),
            (
                concat!(
                    r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"m","#,
                    r#""detail":"sha256:0"},{"code":"B","message":"n","detail":null}]}"#
                ),
                &[r#"MANIFEST_BLOB_UNKNOWN|m|"sha256:0""#, "B|n|"],
            ),
            (
                r#"{"errors":[{"code":"DIGEST_INVALID","message":"m","detail":{}}]}"#,
                &["DIGEST_INVALID|m|{}"],
            ),
            (
                r#"{"errors":[{"status":404,"message":"gone"}]}"#,
                &["404|gone|"],
            ),
            (
                r#"{"errors":[{"code":"METHOD NOT ALLOWED"}]}"#,
                &["METHOD NOT ALLOWED||"],
            ),
            (
                r#"{"errors":[{"code":7,"message":["x"]}]}"#,
                &[r#"7|["x"]|"#],
            ),
            (r#"{"errors":[{"code":null},"text",3,{},[]]}"#, &["|text|"]),
            (r#"{"errors":{"code":"A","message":"b"}}"#, &["A|b|"]),
            (r#"{"errors":[]}"#, &[]),
        ]);
    }

    #[test]
    fn j2_j5_bodies_without_the_list_of_the_spec() {
        expect_entries(&[
            (
                r#"{"code":"UNAUTHORIZED","message":"authentication required"}"#,
                &["UNAUTHORIZED|authentication required|"],
            ),
            (
                r#"{"details":"too many requests"}"#,
                &["|too many requests|"],
            ),
            (r#"{"message":"no"}"#, &["|no|"]),
            (r#"{"error":"no"}"#, &["|no|"]),
            (r#"{"error":{"code":"A","message":"b"}}"#, &["A|b|"]),
            (
                r#"{"error":{"error":{"code":"A"}}}"#,
                &[r#"|{"code":"A"}|"#],
            ),
            (
                r#"{"error":"invalid_grant","error_description":"expired"}"#,
                &["invalid_grant|expired|"],
            ),
            (r#"{"name":"t/a","tags":null}"#, &[]),
            (r#"{"errors":null,"message":"no"}"#, &["|no|"]),
        ]);
    }

    #[test]
    fn bodies_of_other_servers_have_no_errors() {
        let deep = "[".repeat(60_000);
        let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(MAX_BODY));
        for body in [
            "",
            "Method not allowed\n",
            "404 page not found",
            "<html><h1>502</h1></html>",
            "<?xml version=\"1.0\"?><Error><Code>X</Code></Error>",
            "true",
            "[]",
            r#""text""#,
            r#"{"errors":[{"code":"CUT"#,
            &deep,
            &large,
        ] {
            assert_eq!(entries_of(body), [] as [&str; 0], "{body:.60}");
        }
        assert_eq!(
            parse_error_body(b"{\"message\":\"\xff\"}", &Redactor::without_secrets()),
            []
        );
    }

    #[test]
    fn s15_text_is_printable_and_everything_is_capped() {
        let entry = format!(
            r#"{{"code":"{}","message":"\u001b[2J{}","detail":"{}"}}"#,
            "C".repeat(300),
            "m".repeat(600),
            "d".repeat(2100)
        );
        let one = parse_error_body(
            format!(r#"{{"errors":[{entry}]}}"#).as_bytes(),
            &Redactor::without_secrets(),
        );
        assert_eq!(one[0].code.chars().count(), MAX_CODE + 1);
        assert_eq!(one[0].message.chars().count(), MAX_MESSAGE + 1);
        assert!(one[0].message.starts_with("\u{fffd}[2Jmm"));
        assert_eq!(
            one[0].detail.as_ref().unwrap().chars().count(),
            MAX_DETAIL + 1
        );

        let many = vec![r#"{"code":"A"}"#; 100].join(",");
        let many = parse_error_body(
            format!(r#"{{"errors":[{many}]}}"#).as_bytes(),
            &Redactor::without_secrets(),
        );
        assert_eq!(many.len(), MAX_ENTRIES);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let name = prop_oneof![
                "errors|error|code|status|message|details?|error_description",
                ".{0,4}"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(body in any::<Vec<u8>>()) {
            let _ = parse_error_body(&body, &Redactor::without_secrets());
        }

        #[test]
        fn any_json_never_panics_and_says_something(body in json()) {
            let body = body.to_string();
            for error in parse_error_body(body.as_bytes(), &Redactor::without_secrets()) {
                prop_assert!(filled(error).is_some());
            }
        }

        #[test]
        fn the_list_of_the_spec_is_read_back(
            entries in prop::collection::vec(
                ("[A-Z_]{1,20}", "[!-~é]{0,40}", "[ -~é]{0,40}"),
                1..MAX_ENTRIES,
            ),
        ) {
            let list: Vec<Value> = entries
                .iter()
                .map(|(code, message, detail)| {
                    serde_json::json!({"code": code, "message": message, "detail": detail})
                })
                .collect();
            let body = serde_json::json!({ "errors": list }).to_string();
            let read: Vec<_> = parse_error_body(body.as_bytes(), &Redactor::without_secrets())
                .into_iter()
                .map(|e| (e.code, e.message, e.detail.unwrap()))
                .collect();
            let expected: Vec<_> = entries
                .into_iter()
                .map(|(code, message, detail)| (code, message, Value::from(detail).to_string()))
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
