//! Which registry software asks for a login, where its challenge tells.

use super::challenge::{Challenge, ChallengeScheme};

/// A registry software whose challenges no other sends, and whose 404 of what is not there would
/// say too little without that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Harbor,
    /// Gitea or Forgejo.
    Gitea,
}

impl Product {
    /// The product that sends these challenges in one answer.
    pub(crate) fn of(challenges: &[Challenge]) -> Option<Product> {
        let is_basic = |challenge: &Challenge| challenge.scheme == ChallengeScheme::Basic;
        let has_bare_basic = challenges
            .iter()
            .any(|challenge| is_basic(challenge) && challenge.realm().is_none());
        challenges.iter().find_map(|challenge| {
            if is_basic(challenge) {
                let is_gitea = challenge.realm() == Some("Gitea Package API");
                return is_gitea.then_some(Product::Gitea);
            }
            if challenge.scheme != ChallengeScheme::Bearer {
                return None;
            }
            let is_at_token = challenge.realm()?.ends_with("/v2/token");
            match (challenge.service(), challenge.param("scope")) {
                (Some("harbor-registry"), _) => Some(Product::Harbor),
                (Some("container_registry"), Some("*")) if is_at_token => Some(Product::Gitea),
                // Older versions.
                (None, None) if is_at_token && has_bare_basic => Some(Product::Gitea),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::challenge::parse_challenges;

    #[test]
    fn challenges_that_name_a_product_and_those_that_do_not() {
        let (harbor, gitea) = (Some(Product::Harbor), Some(Product::Gitea));
        let cases: &[(&[&str], Option<Product>)] = &[
            (
                &[r#"Bearer realm="https://h/service/token",service="harbor-registry""#],
                harbor,
            ),
            (&[r#"Basic realm="harbor""#], None),
            (
                &[
                    r#"Bearer realm="https://h/v2/token",service="container_registry",scope="*""#,
                    "Basic",
                ],
                gitea,
            ),
            (&[r#"Bearer realm="https://h/v2/token""#, "Basic"], gitea),
            (&[r#"Bearer realm="https://h/v2/token""#], None),
            (
                &[r#"Bearer realm="https://h/v2/token""#, r#"Basic realm="x""#],
                None,
            ),
            (
                &[r#"Bearer realm="https://h/token",service="container_registry",scope="*""#],
                None,
            ),
            (
                &[r#"Bearer realm="https://h/jwt/auth",service="container_registry""#],
                None,
            ),
            (&[r#"Basic realm="Gitea Package API""#], gitea),
            (&["Negotiate"], None),
            (&[""], None),
        ];
        for (lines, expected) in cases {
            let challenges = parse_challenges(lines.iter().copied()).list;
            assert_eq!(Product::of(&challenges), *expected, "{lines:?}");
        }
    }
}
