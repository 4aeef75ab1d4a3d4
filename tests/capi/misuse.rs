//! Calls every function with every argument wrong. The calls are generated from the header, so that
//! a new function is covered without further work.

use std::any::Any;
use std::fmt::Write;
use std::fs;

use fake_registry::{Config, FakeRegistry, Quirk};
use tempfile::TempDir;

use crate::cc::{Linkage, Program};
use crate::declarations::{Function, Kind, Parameter, constants, functions};
use crate::library::Library;
use crate::scenes::{OCI, Scene};

/// A generated C program with one block for each case.
struct Generated {
    text: String,
    cases: usize,
}

/// The argument for one parameter in a call.
#[derive(Clone, Copy)]
enum Given<'a> {
    Valid,
    /// This C expression.
    Instead(&'a str),
}

/// What a call passes for the parameter `error`.
#[derive(Clone, Copy, PartialEq)]
enum ErrorArgument {
    Given,
    Null,
}

/// The expected result of a case.
#[derive(Clone, Copy, PartialEq)]
enum Wanted<'a> {
    /// OCIREG_OK.
    Success,
    /// OCIREG_E_INVALID_ARGUMENT, with this name in the message.
    Refusal(&'a str),
    /// Any status except that for a bug.
    NoCrash,
    /// The function has no status: NULL, 0 or -1.
    Nothing,
}

impl Generated {
    fn new() -> Generated {
        Generated {
            text: "#include \"misuse.h\"\n\n\
                   int main(int count, char **arguments) {\n    begin(count, arguments);\n"
                .to_owned(),
            cases: 0,
        }
    }

    fn finished(mut self) -> Generated {
        self.text += "    end();\n    return finish();\n}\n";
        self
    }

    fn function(&mut self, function: &Function) {
        if function.parameters.is_empty() {
            return self.without_parameters(function);
        }
        for (at, parameter) in function.parameters.iter().enumerate() {
            if parameter.is_pointer() {
                self.null(function, at);
            }
            for (given, wanted) in values(function, parameter) {
                self.case(function, at, Given::Instead(given), wanted);
            }
        }
        if function.returns_status() {
            self.case(function, usize::MAX, Given::Valid, Wanted::Success);
        }
    }

    fn without_parameters(&mut self, function: &Function) {
        let name = &function.name;
        self.cases += 1;
        let _ = match name.strip_suffix("_new") {
            Some(owner) => {
                writeln!(
                    self.text,
                    "    {{ {owner} *made = {name}(); CHECK(made); {owner}_free(made); }}"
                )
            }
            None => writeln!(self.text, "    CHECK({name}() != 0);"),
        };
    }

    fn null(&mut self, function: &Function, at: usize) {
        let parameter = &function.parameters[at];
        let wanted = if !function.returns_status() {
            Wanted::Nothing
        } else if parameter.may_be_null() {
            Wanted::Success
        } else {
            Wanted::Refusal(&parameter.name)
        };
        self.case(function, at, Given::Instead("NULL"), wanted);
    }

    /// Adds a call with this argument at position `at` and valid arguments at all others.
    fn case(&mut self, function: &Function, at: usize, given: Given<'_>, wanted: Wanted<'_>) {
        self.block(function, at, given, wanted, ErrorArgument::Given);
        // The result is the same whether or not the caller wants the error.
        if matches!(wanted, Wanted::Refusal(_)) && function.has_error() {
            self.block(function, at, given, wanted, ErrorArgument::Null);
        }
    }

    fn block(
        &mut self,
        function: &Function,
        at: usize,
        given: Given<'_>,
        wanted: Wanted<'_>,
        error: ErrorArgument,
    ) {
        self.cases += 1;
        let mut prepare = String::new();
        let mut arguments = Vec::new();
        let mut check = String::new();
        let mut clean = String::new();
        let wrong = function.parameters.get(at);
        for (position, parameter) in function.parameters.iter().enumerate() {
            if let (true, Given::Instead(text)) = (position == at, given) {
                arguments.push(text.to_owned());
                // A wrong argument needs no code before or after the call.
                continue;
            }
            let (valid, before, after) = valid(parameter, error);
            arguments.push(valid);
            prepare += &before;
            clean += &after;
            if parameter.is_out() {
                check += "cleared(status, out != 0); ";
            }
        }
        let no_error = !function.has_error()
            || error == ErrorArgument::Null
            || wrong.is_some_and(|wrong| wrong.kind == Kind::Error);
        let error = if no_error { "NULL, 0" } else { "error, 1" };
        let name = &function.name;
        let what = wrong.map_or("all right".to_owned(), |wrong| match given {
            Given::Instead(text) => format!("{} = {text}", wrong.name),
            Given::Valid => wrong.name.clone(),
        });
        let call = format!("{name}({})", arguments.join(", "));
        let label = format!("now({name:?}, {what:?});");
        let body = match wanted {
            Wanted::Nothing => nothing(function, &call),
            Wanted::Success => {
                format!("ocireg_status status = {call}; succeeds(status, {error}); {check}")
            }
            Wanted::NoCrash => {
                format!("ocireg_status status = {call}; ends(status, {error}); {check}")
            }
            Wanted::Refusal(argument) => format!(
                "ocireg_status status = {call}; refuses(status, {error}, {argument:?}); {check}{}",
                later(function, argument)
            ),
        };
        let _ = writeln!(self.text, "    {{ {label} {prepare}{body} {clean}}}");
    }
}

/// The expected result of a function without a status for NULL.
fn nothing(function: &Function, call: &str) -> String {
    let name = function.returns.as_str();
    match name {
        "void" => format!("{call};"),
        "int64_t" => format!("CHECK({call} == -1);"),
        _ => format!("CHECK({call} == 0);"),
    }
}

/// A setting that was refused makes the client or the call fail later.
fn later(function: &Function, argument: &str) -> String {
    let Some(Kind::Mutable(of)) = function.parameters.first().map(|first| &first.kind) else {
        return String::new();
    };
    match of.as_str() {
        "ocireg_options" if argument != "options" => {
            format!("makes_no_client(options, {argument:?}); ")
        }
        "ocireg_call" if argument != "call" => format!("makes_no_call(call, {argument:?}); "),
        _ => String::new(),
    }
}

/// A valid argument, the code before the call, and the code after it.
fn valid(parameter: &Parameter, error: ErrorArgument) -> (String, String, String) {
    let name = &parameter.name;
    let none = String::new;
    match &parameter.kind {
        Kind::Text => (format!("text({name:?})"), none(), none()),
        Kind::Object(of) => (format!("the_{of}"), none(), none()),
        Kind::Mutable(of) => {
            let declared = &parameter.declared;
            (
                name.clone(),
                format!("{declared}{name} = fresh_{of}(); "),
                format!("{of}_free({name}); "),
            )
        }
        Kind::OutObject(of) => {
            let (object, free) = match of.as_str() {
                "string" => ("char", "ocireg_string_free"),
                object => (object, &*format!("{object}_free")),
            };
            (
                "&out".to_owned(),
                format!("{object} *out = garbage(); "),
                format!("{free}(out); "),
            )
        }
        Kind::OutValue(of) => ("&out".to_owned(), format!("{of} out = ({of})77; "), none()),
        Kind::Error if error == ErrorArgument::Given => (
            "&error".to_owned(),
            "ocireg_error *error = garbage(); ".to_owned(),
            "ocireg_error_free(error); ".to_owned(),
        ),
        Kind::Error => ("NULL".to_owned(), none(), none()),
        Kind::Array => ("the_array".to_owned(), none(), none()),
        Kind::Bytes => ("the_bytes".to_owned(), none(), none()),
        Kind::Number => ("1".to_owned(), none(), none()),
        Kind::Callback(of) => (format!("a_{of}"), none(), none()),
        Kind::Userdata => ("NULL".to_owned(), none(), none()),
    }
}

/// The values other than NULL with which a parameter is tested.
fn values(function: &Function, parameter: &Parameter) -> Vec<(&'static str, Wanted<'static>)> {
    if function.frees() {
        return Vec::new();
    }
    match &parameter.kind {
        // The name is leaked, so that it lives as long as the test program.
        Kind::Text if parameter.name == "path" => vec![
            ("bad_utf8", Wanted::NoCrash),
            ("\"\"", Wanted::NoCrash),
            ("a_long_text", Wanted::NoCrash),
        ],
        Kind::Text => vec![
            ("bad_utf8", Wanted::Refusal(parameter.name.clone().leak())),
            (
                "late_bad_utf8",
                Wanted::Refusal(parameter.name.clone().leak()),
            ),
            ("\"\"", Wanted::NoCrash),
            ("a_long_text", Wanted::NoCrash),
            ("\"\\n\\t\\033[31m\\177/:@\"", Wanted::NoCrash),
        ],
        // An index past the end.
        Kind::Number if function.is_accessor() => {
            vec![("SIZE_MAX", Wanted::Nothing), ("1000", Wanted::Nothing)]
        }
        Kind::Number if function.returns_status() => match parameter.declared.as_str() {
            // The right number, none, or more than memory can hold.
            "size_t" => vec![("0", Wanted::NoCrash), ("SIZE_MAX", Wanted::NoCrash)],
            "uint32_t" => vec![("0", Wanted::NoCrash), ("UINT32_MAX", Wanted::Success)],
            "uint64_t" => vec![("0", Wanted::Success), ("UINT64_MAX", Wanted::Success)],
            _ => vec![
                ("INT32_MIN", Wanted::NoCrash),
                ("INT32_MAX", Wanted::NoCrash),
                ("0", Wanted::NoCrash),
            ],
        },
        _ => Vec::new(),
    }
}

/// Checks `ocireg_status_name` for every constant of the header, and for numbers between and beyond
/// them.
fn status_names(generated: &mut Generated) {
    let constants = constants("ocireg_status");
    assert!(constants.len() > 20);
    for (name, number) in &constants {
        generated.cases += 1;
        let _ = writeln!(
            generated.text,
            "    CHECK({name} == {number} && strcmp(ocireg_status_name({name}), \"{name}\") == 0);"
        );
    }
    for unknown in ["6", "98", "100", "-1", "INT32_MIN", "INT32_MAX"] {
        let _ = writeln!(
            generated.text,
            "    CHECK(ocireg_status_name({unknown}) && \
             strcmp(ocireg_status_name({unknown}), \"unknown status\") == 0);"
        );
    }
}

fn generated() -> Generated {
    let mut generated = Generated::new();
    status_names(&mut generated);
    for function in functions() {
        generated.function(&function);
    }
    generated.finished()
}

/// Writes the program into a directory of its own.
pub(crate) fn source() -> (TempDir, String) {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("misuse.c");
    fs::write(&file, generated().text).expect("a file can be written");
    let path = file.to_str().expect("a path in UTF-8").to_owned();
    (directory, path)
}

/// A registry that answers every request, and the program for it. Long texts have this many bytes.
pub(crate) fn scene(long_text: usize) -> Scene {
    let registry =
        FakeRegistry::start(Config::new().quirk(Quirk::RateLimit("76;w=21600".to_owned())));
    registry.put_manifest("t/a", "v1", OCI, "{}");
    let (directory, path) = source();
    let arguments = vec![registry.authority(), long_text.to_string()];
    let held: Box<dyn Any + Send> = Box::new((registry, directory));
    Scene::new(&path, arguments, held)
}

#[test]
fn every_function_survives_every_wrong_argument_and_says_which() {
    let cases = generated().cases;
    assert!(cases > 400, "{cases}");
    for (linkage, long_text) in [(Linkage::Shared, 1 << 20), (Linkage::Static, 1 << 12)] {
        let scene = scene(long_text);
        let program = Program::compile(&scene.program, Library::for_tests(), linkage);
        scene.passes(&program);
    }
}
