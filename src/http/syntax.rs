//! The parts that header grammars have in common (RFC 9110 section 5.6): lists, tokens, quoted
//! strings, optional whitespace.

/// A position in a header value. Each method reads what its name says and moves past it. If that is
/// not there, the position stays.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(value: &'a str) -> Cursor<'a> {
        Cursor { rest: value }
    }

    /// The text from the position on.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads optional whitespace, OWS and BWS (section 5.6.3), and says whether there was any.
    pub(crate) fn whitespace(&mut self) -> bool {
        !self.take_while(is_whitespace).is_empty()
    }

    /// Reads what separates list elements. Empty elements are allowed (section 5.6.1.2).
    pub(crate) fn separators(&mut self) {
        self.take_while(|c| c == ',' || is_whitespace(c));
    }

    /// Reads exactly this character, and says whether it was there.
    pub(crate) fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads a token (section 5.6.2).
    pub(crate) fn token(&mut self) -> Option<&'a str> {
        let token = self.take_while(is_token_char);
        (!token.is_empty()).then_some(token)
    }

    /// Reads characters as long as they fit. There may be none.
    pub(crate) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Reads a quoted string (section 5.6.4) and decodes its quoted-pairs. `None` if there is no
    /// opening or no closing quote.
    pub(crate) fn quoted(&mut self) -> Option<String> {
        let inner = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        let mut escaped = false;
        for (at, c) in inner.char_indices() {
            match c {
                c if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.rest = inner.get(at + 1..)?;
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    /// Moves to the end of this list element, which is a comma outside quoted strings. A quote
    /// without an end skips the whole rest: to look for elements in it would cost a scan for each.
    pub(crate) fn skip_element(&mut self) {
        loop {
            self.take_while(|c| c != ',' && c != '"');
            if self.quoted().is_none() {
                break;
            }
        }
        if self.rest.starts_with('"') {
            self.rest = "";
        }
    }
}

fn is_whitespace(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc9110_5_6_4_quoted_strings() {
        let cases = [
            (r#""""#, Some("")),
            (r#""a b""#, Some("a b")),
            (r#""a\"b\\c\d""#, Some(r#"a"b\cd"#)),
            (r#""é,=""#, Some("é,=")),
            (r#""open"#, None),
            (r#""trailing\"#, None),
            (r#""trailing\""#, None),
            ("bare", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let mut cursor = Cursor::new(value);
            assert_eq!(cursor.quoted().as_deref(), expected, "{value}");
            let rest = if expected.is_some() { "" } else { value };
            assert_eq!(cursor.rest(), rest, "{value}");
        }
    }

    #[test]
    fn rfc9110_5_6_2_tokens() {
        let cases = [
            ("Bearer realm", Some("Bearer")),
            ("a=b", Some("a")),
            ("é", None),
            (",", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(Cursor::new(value).token(), expected, "{value}");
        }
    }

    #[test]
    fn rfc9110_5_6_1_an_element_ends_at_a_comma_outside_quotes() {
        let cases = [
            ("a, b", ", b"),
            (r#"a "x,y" z, b"#, ", b"),
            (r#"a "x\",y", b"#, ", b"),
            (r#"a "open, b"#, ""),
            ("a", ""),
        ];
        for (value, rest) in cases {
            let mut cursor = Cursor::new(value);
            cursor.skip_element();
            assert_eq!(cursor.rest(), rest, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_quoted_and_read_back(text in any::<String>()) {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(Cursor::new(&quoted).quoted(), Some(text));
        }

        #[test]
        fn skipping_elements_reaches_the_end(text in any::<String>()) {
            let mut cursor = Cursor::new(&text);
            for _ in 0..=text.len() {
                cursor.skip_element();
                cursor.eat(',');
            }
            prop_assert!(cursor.is_at_end());
        }
    }
}
