//! Parses the header into functions with their parameters, constants and types.

use std::fs;

use crate::library::root;

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) returns: String,
    pub(crate) parameters: Vec<Parameter>,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    /// The type, with one space between words and before the stars: `const char *`.
    pub(crate) declared: String,
    pub(crate) kind: Kind,
}

/// The kind of a parameter, as far as the rules of the header show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `const char *`.
    Text,
    /// `const T *` of an opaque type.
    Object(String),
    /// `T *` of an opaque type, or a string that the library gave.
    Mutable(String),
    /// `T **` or `char **`: receives an object for the caller.
    OutObject(String),
    /// A pointer to an enum: receives a value.
    OutValue(String),
    Error,
    /// An array whose length is the next parameter.
    Array,
    Bytes,
    Number,
    Callback(String),
    Userdata,
}

pub(crate) fn header() -> String {
    fs::read_to_string(root().join("include/ocireg.h")).expect("the header")
}

/// The header without comments and preprocessor lines.
fn code() -> String {
    let mut code = String::new();
    for part in header().split("/*") {
        // The first part is before any comment.
        let after = part.split_once("*/").map_or(part, |(_, after)| after);
        code.push_str(after);
    }
    let lines = code.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The names of the opaque types.
pub(crate) fn opaque_types() -> Vec<String> {
    statements()
        .iter()
        .filter_map(|statement| statement.strip_prefix("typedef struct "))
        .filter_map(|names| names.split(' ').next().map(str::to_owned))
        .collect()
}

/// The names of the function pointers.
fn callbacks() -> Vec<String> {
    statements()
        .iter()
        .filter(|statement| statement.starts_with("typedef "))
        .filter_map(|statement| statement.split_once("(*")?.1.split(')').next())
        .map(str::to_owned)
        .collect()
}

/// Every `OCIREG_…` constant of an enum with its number.
pub(crate) fn constants(of: &str) -> Vec<(String, i32)> {
    let code = code();
    let start = code
        .find(&format!("enum {of}\n"))
        .unwrap_or_else(|| panic!("no enum {of}"));
    let body = code[start..]
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    let constants = body.map_or("", |(body, _)| body).split(',');
    constants
        .filter_map(|constant| constant.split_once('='))
        .map(|(name, number)| {
            let number = number.trim().parse().expect("a number");
            (name.trim().to_owned(), number)
        })
        .collect()
}

/// Every function. Panics if the rules do not give a kind for a parameter.
pub(crate) fn functions() -> Vec<Function> {
    let (types, callbacks) = (opaque_types(), callbacks());
    statements()
        .iter()
        .filter(|statement| !statement.starts_with("typedef ") && statement.contains('('))
        .map(|statement| function(statement, &types, &callbacks))
        .collect()
}

/// All declarations, each in one line.
fn statements() -> Vec<String> {
    let code = code().replace("extern \"C\" {", "");
    let outside_of_enums = code.split('{').map(|part| match part.split_once('}') {
        Some((_, after)) => after,
        None => part,
    });
    let text: Vec<&str> = outside_of_enums.collect();
    let text = text.join(" ").replace("OCIREG_MUST_USE", "");
    let declarations = text.split(';').map(|declaration| {
        let words: Vec<&str> = declaration.split_whitespace().collect();
        words.join(" ")
    });
    declarations.collect()
}

fn function(statement: &str, types: &[String], callbacks: &[String]) -> Function {
    let (before, parameters) = statement.split_once('(').expect("a function");
    let (returns, name) = split_name(before);
    assert!(name.starts_with("ocireg_"), "{statement}");
    let parameters = parameters.trim_end_matches(')');
    let declared: Vec<(String, String)> = match parameters {
        "void" => Vec::new(),
        some => some.split(", ").map(split_name).collect(),
    };
    let mut of_function = Vec::new();
    for (at, (declared, name)) in declared.iter().enumerate() {
        let next = declared_after(parameters, at);
        let kind = kind(declared, name, next, types, callbacks);
        let kind = kind.unwrap_or_else(|| panic!("how is a \"{declared}\" made? In: {statement}"));
        of_function.push(Parameter {
            name: name.clone(),
            declared: declared.clone(),
            kind,
        });
    }
    Function {
        name,
        returns,
        parameters: of_function,
    }
}

/// The text of the parameter after this one.
fn declared_after(parameters: &str, at: usize) -> &str {
    parameters.split(", ").nth(at + 1).unwrap_or_default()
}

/// Splits `const char *name` into the type and the name.
fn split_name(declaration: &str) -> (String, String) {
    let at = declaration
        .rfind([' ', '*'])
        .unwrap_or_else(|| panic!("no name in {declaration}"));
    let (declared, name) = declaration.split_at(at + 1);
    (declared.trim().to_owned(), name.to_owned())
}

fn kind(
    declared: &str,
    name: &str,
    next: &str,
    types: &[String],
    callbacks: &[String],
) -> Option<Kind> {
    let known = |name: &str| types.iter().any(|known| known == name);
    let constant = declared
        .strip_prefix("const ")
        .and_then(|rest| rest.strip_suffix(" *"));
    let pointer = declared.strip_suffix(" *");
    let twice = declared.strip_suffix(" **");
    Some(match declared {
        "const char *" => Kind::Text,
        "char *" => Kind::Mutable("string".to_owned()),
        "char **" => Kind::OutObject("string".to_owned()),
        "void *" => Kind::Userdata,
        "const char *const *" if next.starts_with("size_t ") => Kind::Array,
        "const uint8_t *" if next.starts_with("size_t ") => Kind::Bytes,
        "size_t" | "int32_t" | "uint32_t" | "uint64_t" => Kind::Number,
        "ocireg_error **" if name == "error" => Kind::Error,
        "ocireg_presence *" | "ocireg_auth_scheme *" => Kind::OutValue(pointer?.to_owned()),
        callback if callbacks.iter().any(|known| known == callback) => {
            Kind::Callback(callback.to_owned())
        }
        _ => match (twice, constant, pointer) {
            (Some(object), _, _) if known(object) && name == "out" => {
                Kind::OutObject(object.to_owned())
            }
            (_, Some(object), _) if known(object) => Kind::Object(object.to_owned()),
            (_, None, Some(object)) if known(object) => Kind::Mutable(object.to_owned()),
            _ => return None,
        },
    })
}

impl Function {
    pub(crate) fn returns_status(&self) -> bool {
        self.returns == "ocireg_status" && self.parameters.iter().any(|p| p.name != "error")
            // The status of a finished call is a property of an object.
            && !self.is_accessor()
    }

    /// Whether the function returns a property of an object, with no other parameter than an index.
    pub(crate) fn is_accessor(&self) -> bool {
        let mut kinds = self.parameters.iter().map(|parameter| &parameter.kind);
        matches!(kinds.next(), Some(Kind::Object(_)))
            && kinds.all(|kind| *kind == Kind::Number)
            && self.returns != "void"
    }

    pub(crate) fn frees(&self) -> bool {
        self.name.ends_with("_free")
    }

    pub(crate) fn has_error(&self) -> bool {
        self.parameters.iter().any(|p| p.kind == Kind::Error)
    }
}

impl Parameter {
    /// Whether NULL is allowed, by the rules of the header ("ARGUMENTS").
    pub(crate) fn may_be_null(&self) -> bool {
        match &self.kind {
            Kind::Error | Kind::Userdata | Kind::Callback(_) => true,
            // The settings of a call and of a new client are optional. A setter takes them without
            // `const`.
            Kind::Object(of) => of == "ocireg_call" || of == "ocireg_options",
            _ => false,
        }
    }

    pub(crate) fn is_pointer(&self) -> bool {
        self.kind != Kind::Number
    }

    pub(crate) fn is_out(&self) -> bool {
        matches!(self.kind, Kind::OutObject(_) | Kind::OutValue(_))
    }
}

/// An unknown type is refused, so that the rules do not become too lenient unnoticed.
#[test]
fn a_parameter_of_an_unknown_type_is_refused() {
    let types = ["ocireg_client".to_owned()];
    let good = "ocireg_status ocireg_x(const ocireg_client *client, const char *name, \
                ocireg_error **error)";
    assert_eq!(function(good, &types, &[]).parameters.len(), 3);
    for bad in [
        "void ocireg_x(bool yes)",
        "void ocireg_x(double size)",
        "void ocireg_x(const ocireg_new *new)",
        "void ocireg_x(const char *const *texts)",
        "void ocireg_x(ocireg_client **clients)",
        "void ocireg_x(uint64_t *out)",
        "void ocireg_x(ocireg_new_cb callback)",
    ] {
        let result = std::panic::catch_unwind(|| function(bad, &types, &[]));
        assert!(result.is_err(), "{bad}");
    }
}

#[test]
fn the_whole_header_is_understood() {
    let functions = functions();
    let words = header()
        .lines()
        .filter(|line| !line.starts_with([' ', '/']))
        .filter(|line| line.contains("ocireg_") && line.contains('(') && !line.contains("(*"))
        .count();
    assert_eq!(functions.len(), words);
    assert!(functions.len() > 70, "{}", functions.len());
    assert!(
        functions
            .iter()
            .any(|f| f.returns_status() && f.has_error())
    );
    assert!(opaque_types().len() >= 10);
}
