//! Every code that a comment, a message or the name of a test uses has a row in docs/registries.md,
//! so that a reader can look it up. Documentation of the library and of the command has no codes,
//! since its readers do not have that page.

use std::collections::BTreeMap;

use crate::sources::{Source, below};

const PAGE: &str = "docs/registries.md";
/// Letters of the page's sections.
const SECTIONS: &str = "ABCDEFGHIJSR";
/// Versions of the language C, which are no codes.
const C_STANDARDS: [&str; 6] = ["C89", "C90", "C99", "C11", "C17", "C23"];

/// The codes that a text uses, in their order. A code stands alone: `E1`, but not `0xE1`, `%E1`,
/// `HTTP_E1` or `E123`. Amazon's storage service is called by its full name where S3 is no code.
fn codes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '%' | '\\' | '&');
    for (at, letter) in text.char_indices() {
        let rest = &text[at + letter.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let before = &text[..at];
        let ends = !rest[digits..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let alone = !before.ends_with(joins) && ends;
        if SECTIONS.contains(letter) && (1..=2).contains(&digits) && alone {
            let code = &text[at..=at + digits];
            if !C_STANDARDS.contains(&code) && !before.ends_with("Amazon ") {
                found.push(code);
            }
        }
    }
    found
}

/// The codes at the start of a function's name: `E1` and `R17` of `fn e1_r17_something`.
fn codes_of_function(line: &str) -> Vec<String> {
    let Some((_, name)) = line.trim_start().split_once("fn ") else {
        return Vec::new();
    };
    let name = name.split(['(', '<']).next().unwrap_or_default();
    let mut found = Vec::new();
    for part in name.split('_') {
        let code = part.to_ascii_uppercase();
        if code == part || codes(&code) != [code.as_str()] {
            break;
        }
        found.push(code);
    }
    found
}

/// Files that have no codes of ours: what programs write, and the page itself.
fn is_exempt(path: &str) -> bool {
    let ends = ["Cargo.lock", "go.sum", "abi/ocireg.abi", PAGE];
    ends.iter().any(|end| path.ends_with(end)) || path.starts_with("tests/fixtures/")
}

/// Every code that is used, and where.
fn uses(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !is_exempt(&source.path)) {
        for (number, line) in source.text.lines().enumerate() {
            let mut all: Vec<String> = codes(line).into_iter().map(str::to_owned).collect();
            if source.path.ends_with(".rs") {
                all.extend(codes_of_function(line));
            }
            for code in all {
                let place = format!("{}:{}", source.path, number + 1);
                uses.entry(code).or_default().push(place);
            }
        }
    }
    uses
}

/// The rows of the page: each code with its other cells.
fn rows(page: &str) -> Vec<(&str, Vec<&str>)> {
    let cells = |line| {
        let inside: &str = str::strip_prefix(line, "| ")?.strip_suffix(" |")?;
        let mut cells = inside.split(" | ").map(str::trim);
        let code = cells.next()?;
        (codes(code) == [code]).then(|| (code, cells.collect()))
    };
    page.lines().filter_map(cells).collect()
}

fn without_row(sources: &[Source], page: &str) -> Vec<String> {
    let rows: Vec<&str> = rows(page).into_iter().map(|(code, _)| code).collect();
    let mut unknown = uses(sources);
    unknown.retain(|code, _| !rows.contains(&code.as_str()));
    let unknown = unknown.into_iter();
    unknown
        .map(|(code, places)| format!("{code}: {}", places.join(", ")))
        .collect()
}

/// Codes where users read: documentation comments of the library and of the command, and the C
/// header.
fn in_documentation(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let rust = path.starts_with("src/") || path.starts_with("cli/");
        let header = path == "include/ocireg.h" || path == "src/ffi/header.h";
        for (number, line) in text.lines().enumerate() {
            let start = line.trim_start();
            let documents = ["///", "//!", "#[doc"]
                .iter()
                .any(|it| start.starts_with(it));
            if header || (rust && documents) {
                let place = |code| format!("{path}:{}: {code}", number + 1);
                found.extend(codes(line).into_iter().map(place));
            }
        }
    }
    found
}

/// Numbers of design decisions, which no reader of this repository can look up. A line may end
/// between the word and the number.
fn decisions(sources: &[Source]) -> Vec<String> {
    const WORD: &str = "decision";
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let text = text.to_ascii_lowercase();
        for (at, _) in text.match_indices(WORD) {
            let rest = text[at + WORD.len()..].trim_start_matches('s');
            let between = |c: char| c.is_whitespace() || "_-/!#*".contains(c);
            let number = rest.trim_start_matches(between);
            if number.len() < rest.len() && number.starts_with(|c: char| c.is_ascii_digit()) {
                let line = text[..at].matches('\n').count() + 1;
                found.push(format!("{path}:{line}"));
            }
        }
    }
    found
}

fn page(sources: &[Source]) -> &str {
    let found = sources.iter().find(|source| source.path == PAGE);
    &found.expect("the page is there").text
}

#[test]
fn every_code_has_its_row() {
    let sources = below("");
    assert_eq!(without_row(&sources, page(&sources)), Vec::<String>::new());
}

#[test]
fn every_row_says_something_and_where_it_is_from() {
    let sources = below("");
    let rows = rows(page(&sources));
    let mut codes: Vec<&str> = rows.iter().map(|(code, _)| *code).collect();
    for (code, cells) in &rows {
        assert_eq!(
            cells.len(),
            3,
            "{code} has what happens, what we do, the source"
        );
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{code}");
    }
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count, "a code has one row");
}

#[test]
fn documentation_has_no_codes() {
    assert_eq!(in_documentation(&below("")), Vec::<String>::new());
}

#[test]
fn no_decision_is_named_by_its_number() {
    assert_eq!(decisions(&below("")), Vec::<String>::new());
}

/// A source with `@` for a letter that starts a code, so that this file has no such code itself.
fn fixture(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.replace('@', "E").replace("DECIDED", WORD_SPELT_APART),
    }
}

const WORD_SPELT_APART: &str = concat!("deci", "sion");

#[test]
fn a_code_without_a_row_is_found_wherever_it_stands() {
    let page =
        "| code | what | we | source |\n| E1 | a | b | c |\n| text | E2 | b | c |\n".to_owned();
    let used = [
        "// A proxy (@2) may do so.",
        "/// @2: so it is.",
        "# @1, @2",
        "    fn e1_e2_a_proxy_may_do_so() {",
        "pub(crate) async fn e2() {",
        "Quirk: \"@2: what it does\";",
        "rows @1 to @2",
    ];
    for text in used {
        let found = without_row(&[fixture("fake-registry/src/a.rs", text)], &page);
        assert_eq!(
            found,
            [format!("{}2: fake-registry/src/a.rs:1", 'E')],
            "{text}"
        );
    }
    let fine = [
        "// @1 and @1, but 0x@2, %@2, @222, V@2, @2x, \\@2, @2_X",
        "fn e1_a_proxy_of_e2() {",
        "fn encode_e2() {",
        "/* C99 or newer */",
    ];
    for text in fine {
        let found = without_row(&[fixture("src/a.rs", text)], &page);
        assert_eq!(found, Vec::<String>::new(), "{text}");
    }
    let lock = [fixture("bench/Cargo.lock", "@2"), fixture(PAGE, "@2")];
    assert_eq!(without_row(&lock, &page), Vec::<String>::new());
}

#[test]
fn a_code_in_documentation_is_found() {
    for (path, text, found) in [
        ("src/a.rs", "    /// As a proxy does it (@1).", 1),
        ("src/a.rs", "//! @1 and @2", 2),
        ("cli/src/a.rs", "#[doc = \"@1\"]", 1),
        ("include/ocireg.h", " * @1", 1),
        ("src/a.rs", "    // As a proxy does it (@1).", 0),
        ("src/a.rs", "/// Files in Amazon S3, from C99.", 0),
        ("tests/it/a.rs", "/// @1", 0),
    ] {
        let sources = [fixture(path, text)];
        assert_eq!(in_documentation(&sources).len(), found, "{path}: {text}");
    }
}

#[test]
fn a_numbered_decision_is_found() {
    for (text, found) in [
        ("// (DECIDED 7)", 1),
        ("/// As (DECIDED\n/// 7) says.", 1),
        ("fn DECIDED_7_it_works() {", 1),
        ("# DECIDEDs 7 and 9, DECIDED-7", 2),
        ("// A DECIDED of 7 people: the DECIDED.", 0),
    ] {
        let sources = [fixture("src/a.rs", text)];
        assert_eq!(decisions(&sources).len(), found, "{text}");
    }
}
