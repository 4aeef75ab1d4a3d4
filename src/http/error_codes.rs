//! What the codes of an error body say about what was asked for (distribution spec, "Error Codes").
//!
//! [`error_body`](super::error_body) reads bodies leniently, to show them. This file reads them
//! strictly, because a wrong "not there" can stop a deployment.

use serde_json::{Map, Value};

/// The body of a refusal.
#[derive(Debug, PartialEq)]
pub(crate) enum ErrorBody {
    Empty,
    /// The list `errors` of the specification: objects, each with a code.
    Errors(Vec<Stated>),
    /// A JSON object of another form.
    OtherJson(Vec<Stated>),
    /// A page, a line of text, anything else.
    Other,
}

/// One error of a body, as sent.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Stated {
    code: String,
    message: String,
    /// As JSON text.
    detail: String,
    /// The HTTP status, which Artifactory sends in place of a code.
    status: Option<u64>,
}

impl ErrorBody {
    pub(crate) fn of(body: &[u8]) -> ErrorBody {
        if body.trim_ascii().is_empty() {
            return ErrorBody::Empty;
        }
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) else {
            return ErrorBody::Other;
        };
        let Some(Value::Array(entries)) = object.get("errors") else {
            return ErrorBody::OtherJson(vec![Stated::of(&object)]);
        };
        let objects = entries.iter().filter_map(Value::as_object);
        let stated: Vec<Stated> = objects.map(Stated::of).collect();
        let all_have_codes = stated.iter().all(Stated::has_code);
        if stated.is_empty() || stated.len() < entries.len() || !all_have_codes {
            return ErrorBody::OtherJson(stated);
        }
        ErrorBody::Errors(stated)
    }

    /// The errors of the specification's list; none of a body of another form.
    pub(crate) fn errors(&self) -> &[Stated] {
        match self {
            ErrorBody::Errors(errors) => errors,
            _ => &[],
        }
    }

    /// Whether one of the errors is that access is refused. zot sends such an error without a list
    /// around it.
    pub(crate) fn denies(&self) -> bool {
        self.stated().iter().any(Stated::denies)
    }

    /// Whether one of the errors has the status of a refusal in place of a code.
    pub(crate) fn denies_by_status(&self) -> bool {
        let refused = |error: &Stated| matches!(error.status, Some(401 | 403));
        self.stated().iter().any(refused)
    }

    fn stated(&self) -> &[Stated] {
        match self {
            ErrorBody::Errors(errors) | ErrorBody::OtherJson(errors) => errors,
            ErrorBody::Empty | ErrorBody::Other => &[],
        }
    }
}

impl Stated {
    fn of(fields: &Map<String, Value>) -> Stated {
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        let detail = fields.get("detail").filter(|detail| !detail.is_null());
        Stated {
            code: text("code"),
            message: text("message"),
            detail: detail.map(Value::to_string).unwrap_or_default(),
            status: fields.get("status").and_then(Value::as_u64),
        }
    }

    /// Codes are upper case everywhere. Quay has some with spaces, such as "METHOD NOT ALLOWED".
    /// The `NotFound` of another service's API is none.
    fn has_code(&self) -> bool {
        let is_spelled =
            |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == ' ';
        !self.code.is_empty() && self.code.chars().all(is_spelled)
    }

    fn denies(&self) -> bool {
        ["UNAUTHORIZED", "DENIED", "FORBIDDEN"].contains(&self.code.as_str())
    }

    /// Whether it says that a manifest, a tag or a repository is not there. `MANIFEST_BLOB_UNKNOWN`
    /// is olareg's for an entry of an index, `TAG_EXPIRED` Quay's for a deleted tag.
    pub(crate) fn says_missing(&self) -> bool {
        let codes = [
            "MANIFEST_UNKNOWN",
            "NAME_UNKNOWN",
            "MANIFEST_BLOB_UNKNOWN",
            "TAG_EXPIRED",
        ];
        codes.contains(&self.code.as_str())
    }

    /// Whether it has Harbor's code for what is not there, which others use for any URL.
    pub(crate) fn says_not_found(&self) -> bool {
        self.code == "NOT_FOUND"
    }

    /// Whether it has this code and message.
    pub(crate) fn is(&self, code: &str, message: &str) -> bool {
        self.code == code && self.message.trim() == message
    }

    /// Whether its message names this repository, or the project that the repository belongs to.
    pub(crate) fn names(&self, repository: &str) -> bool {
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        let mut words = self.message.split(|c: char| !is_in_name(c));
        let project = repository.split('/').next().unwrap_or_default();
        let mut before = "";
        words.any(|word| {
            let kind = before.to_ascii_lowercase();
            if !word.is_empty() {
                before = word;
            }
            // A name of one part may be a word that any message has, such as "page".
            let is_told =
                word.contains('/') || ["artifact", "repository", "repo"].contains(&&*kind);
            word == repository && is_told || word == project && kind == "project"
        })
    }

    /// Whether it says that the manifest is there, in a type that the request does not accept.
    /// distribution and GCR say so in the message, olareg in the detail.
    pub(crate) fn is_about_accept(&self) -> bool {
        let phrases = [
            "accept header",
            "but client accepts",
            "requested media type",
        ];
        let said = format!("{}\n{}", self.message, self.detail).to_ascii_lowercase();
        phrases.iter().any(|phrase| said.contains(phrase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &str) -> Stated {
        Stated {
            message: text.to_owned(),
            ..Stated::default()
        }
    }

    #[test]
    fn a_list_counts_only_if_each_entry_has_a_code() {
        let whole = [
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#,
            r#"{"errors":[{"code":"METHOD NOT ALLOWED","message":"x"}]}"#,
            r#"{"errors":[{"code":"A"},{"code":"404","detail":{}}],"more":1}"#,
        ];
        for body in whole {
            let parsed = ErrorBody::of(body.as_bytes());
            assert!(matches!(parsed, ErrorBody::Errors(_)), "{body}");
        }
        let other = [
            "{}",
            r#"{"errors":[]}"#,
            r#"{"errors":null}"#,
            r#"{"errors":{"code":"A"}}"#,
            r#"{"errors":[{"code":"A"},"text"]}"#,
            r#"{"errors":[{"code":"A"},{"message":"b"}]}"#,
            r#"{"errors":[{"code":"not-found"}]}"#,
            r#"{"errors":[{"code":"NotFound"}]}"#,
            r#"{"errors":[{"code":404}]}"#,
            r#"{"errors":[{"code":""}]}"#,
            r#"{"errors":[{"status":404,"message":"Not Found"}]}"#,
            r#"{"code":"NAME_UNKNOWN"}"#,
        ];
        for body in other {
            let parsed = ErrorBody::of(body.as_bytes());
            assert!(matches!(parsed, ErrorBody::OtherJson(_)), "{body}");
            assert_eq!(parsed.errors(), [], "{body}");
        }
        for body in [
            "404",
            "true",
            "[]",
            "<html>",
            "{",
            "Not found.\n",
            "\u{feff}{}",
        ] {
            assert_eq!(ErrorBody::of(body.as_bytes()), ErrorBody::Other, "{body}");
        }
        assert_eq!(ErrorBody::of(b" \r\n"), ErrorBody::Empty);
    }

    #[test]
    fn a_repository_is_named_as_a_whole_word_and_a_project_as_one() {
        let cases = [
            ("artifact lib/app:1 not found", true),
            ("repository lib/app not found", true),
            ("resource not found: repo lib/app, tag 1 not found", true),
            ("project lib not found", true),
            ("Project \"lib\" not found", true),
            ("artifact other/lib/app:1 not found", false),
            ("artifact lib/app2:1 not found", false),
            ("project lib2 not found", false),
            ("lib not found", false),
            ("404 page not found", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(message(text).names("lib/app"), expected, "{text}");
        }
        assert!(!message("404 page not found").names("page"));
        assert!(message("artifact page:1 not found").names("page"));
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_words_never_panic(body in any::<Vec<u8>>(), words in ".{0,40}") {
            let _ = ErrorBody::of(&body).denies();
            let _ = message(&words).names("a/b") || message(&words).is_about_accept();
        }
    }
}
