//! Tokens: how a request asks for one, and what the token service answers (distribution's token
//! authentication; OAuth2, RFC 6749).

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::challenge::Challenge;
use super::credentials::is_visible_ascii;
use super::token_answer::TokenAnswer;
use super::{Scope, Secret};
use crate::url::{BadUrl, Url, encode_query_value};

/// The lifetime of a token whose answer has no `expires_in`, and the shortest one that is believed:
/// distribution's token specification forbids less. A registry that disagrees answers 401, and
/// then the request fetches a new token.
const MIN_LIFETIME: Duration = Duration::from_secs(60);
/// The longest lifetime that is believed.
const MAX_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long before its end a token is renewed, so that it does not end while a request is sent.
const MARGIN: Duration = Duration::from_secs(5);
/// The `client_id` of the OAuth2 form. It names this program and is not a secret.
const CLIENT_ID: &str = "ocireg";
/// The longest token that is taken. Servers refuse longer header fields, and a client keeps many.
const MAX_TOKEN: usize = 64 * 1024;
/// The most bytes of a registry's name at its token service, as it stands in a URL.
const MAX_NAME: usize = 256;
/// The most scopes of one token request. Larger tokens no longer fit the header line of the nginx
/// in front of a registry (8 KiB by default).
pub(crate) const MAX_SCOPES: usize = 32;
/// The most bytes of a token request's URL.
const MAX_URL: usize = 4 * 1024;

/// The token service that a registry names in its Bearer challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// The URL that gives tokens.
    pub(crate) realm: Url,
    /// The registry's name at this service: the challenge's `service`.
    pub(crate) name: Option<String>,
}

/// Why a token service can't be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadService {
    /// Its realm is no URL that can be used.
    Realm(BadUrl),
    /// The registry's name at this service is too long.
    Name,
    /// The request would ask for too much at once.
    Request,
}

impl fmt::Display for BadService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadService::Realm(bad) => bad.fmt(f),
            BadService::Name => write!(f, "a `service` of more than {MAX_NAME} bytes"),
            BadService::Request => write!(
                f,
                "a token request of more than {MAX_SCOPES} scopes or {MAX_URL} bytes"
            ),
        }
    }
}

impl Error for BadService {}

impl Service {
    /// The service that a Bearer challenge of the registry at `url` names. A registry behind a
    /// reverse proxy may send a relative realm.
    pub(crate) fn named_by(challenge: &Challenge, url: &Url) -> Result<Service, BadService> {
        let realm = url
            .join(challenge.realm().unwrap_or_default())
            .map_err(BadService::Realm)?;
        let name = challenge.service().map(str::to_owned);
        let length = name
            .as_deref()
            .map_or(0, |name| encode_query_value(name).len());
        if length > MAX_NAME {
            return Err(BadService::Name);
        }
        Ok(Service { realm, name })
    }

    /// The URL that asks for a token with GET. It keeps the query of the realm, which some
    /// registries need, and it has a `service` only if the challenge named one.
    pub(crate) fn url_for(&self, scopes: &[Scope]) -> Result<Url, BadService> {
        let mut target = self.realm.target().to_owned();
        let mut separator = if target.contains('?') { '&' } else { '?' };
        let mut add = |name: &str, value: &str| {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            target.push_str(&encode_query_value(value));
            separator = '&';
        };
        if let Some(service) = &self.name {
            add("service", service);
        }
        for scope in scopes {
            add("scope", scope.as_str());
        }
        let url = Url::on(&self.realm.origin(), &target).map_err(BadService::Realm)?;
        if scopes.len() > MAX_SCOPES || url.to_request_string().len() > MAX_URL {
            return Err(BadService::Request);
        }
        Ok(url)
    }

    /// The form that asks for a token with POST and an identity token (RFC 6749 section 6), or
    /// without one, to see whether the service looks at it.
    pub(crate) fn form_for(&self, scopes: &[Scope], identity: Option<&Secret>) -> Secret {
        let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
        let mut form = format!("grant_type=refresh_token&client_id={CLIENT_ID}");
        if let Some(service) = &self.name {
            form.push_str(&format!("&service={}", encode_query_value(service)));
        }
        if !scopes.is_empty() {
            form.push_str(&format!("&scope={}", encode_query_value(&scopes.join(" "))));
        }
        if let Some(identity) = identity {
            let identity = encode_query_value(identity.expose());
            form.push_str(&format!("&refresh_token={identity}"));
        }
        Secret::new(form)
    }
}

/// With which credentials a token was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenLogin {
    /// With the registry's credentials.
    Known,
    /// With none, because the caller gave none.
    Anonymous,
    /// With none, although the caller gave some: the token service is not trusted with them.
    Withheld,
}

/// A token, and the requests that it is for.
#[derive(Debug)]
pub(crate) struct Token {
    /// `Bearer …`, ready to send.
    header: Secret,
    service: Service,
    scopes: Vec<Scope>,
    login: TokenLogin,
    received: Instant,
    /// From this moment on it is not sent again.
    renew_at: Instant,
    /// From this moment on a refusal may only mean that it has expired.
    old_at: Instant,
}

impl Token {
    /// Reads the token from a token service's answer, which came at `now`. The error text says what
    /// is wrong with the answer.
    pub(crate) fn from_answer(
        body: &[u8],
        service: &Service,
        scopes: &[Scope],
        login: TokenLogin,
        now: Instant,
    ) -> Result<Token, String> {
        // Nothing of it is shown: it may hold a token that nobody knows yet.
        let answer = TokenAnswer::parse(body).map_err(|_| {
            let what = match body.trim_ascii_start().starts_with(b"<") {
                true => "a page and no token",
                false => "no JSON object with a token",
            };
            format!("its answer is {what} ({} bytes)", body.len())
        })?;
        let token = answer
            .token
            .or(answer.access_token)
            .ok_or_else(|| "its answer has neither `token` nor `access_token`".to_owned())?;
        if token.expose().len() > MAX_TOKEN {
            let kib = MAX_TOKEN / 1024;
            return Err(format!("the token in its answer is longer than {kib} KiB"));
        }
        if !is_visible_ascii(token.expose()) {
            return Err(
                "the token in its answer has characters that tokens do not have".to_owned(),
            );
        }
        let lifetime = Lifetime::of(answer.expires_in);
        Ok(Token {
            header: Secret::new(format!("Bearer {}", token.expose())),
            service: service.clone(),
            scopes: scopes.to_vec(),
            login,
            received: now,
            renew_at: now + lifetime.believed - MARGIN,
            old_at: now + lifetime.least,
        })
    }

    pub(crate) fn header(&self) -> &Secret {
        &self.header
    }

    /// The token itself.
    pub(super) fn bare(&self) -> Secret {
        Secret::new(self.header.expose().trim_start_matches("Bearer "))
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let name = self.service.name.as_ref().map_or(0, String::len);
        let scopes: usize = self.scopes.iter().map(|scope| scope.as_str().len()).sum();
        let text = self.header.expose().len() + self.service.realm.target().len() + name + scopes;
        size_of::<Token>() + text
    }

    /// Whether it was asked for more than one scope.
    pub(crate) fn is_wide(&self) -> bool {
        self.scopes.len() > 1
    }

    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    pub(crate) fn login(&self) -> TokenLogin {
        self.login
    }

    /// Whether a request that needs `scopes` may still use it.
    pub(crate) fn serves(&self, service: &Service, scopes: &[Scope], now: Instant) -> bool {
        now < self.renew_at && self.is_for(service, scopes)
    }

    /// Whether `service` gave it for `scopes`. A token without a scope serves only requests that
    /// need none, and they need such a token.
    pub(crate) fn is_for(&self, service: &Service, scopes: &[Scope]) -> bool {
        self.service == *service
            && scopes.is_empty() == self.is_scopeless()
            && scopes
                .iter()
                .all(|need| self.scopes.iter().any(|have| have.covers(need)))
    }

    pub(crate) fn is_scopeless(&self) -> bool {
        self.scopes.is_empty()
    }

    pub(crate) fn is_spent(&self, now: Instant) -> bool {
        now >= self.renew_at
    }

    /// Whether it may be accepted where `refused` was not: it is newer, or it is for one scope
    /// where `refused` was for several.
    pub(crate) fn may_replace(&self, refused: &Token) -> bool {
        self.received > refused.received || refused.is_wide() && !self.is_wide()
    }

    /// Whether it serves the same requests as `other`.
    pub(crate) fn is_same_as(&self, other: &Token) -> bool {
        self.service == other.service && self.scopes == other.scopes
    }

    pub(crate) fn was_received_since(&self, moment: Instant) -> bool {
        self.received >= moment
    }

    /// Whether it may have expired. After a minute it may have, whatever its service said; before,
    /// only if its service said so.
    pub(crate) fn is_old(&self, now: Instant) -> bool {
        now >= self.old_at
    }
}

/// How long a token lasts.
struct Lifetime {
    /// How long the token is sent.
    believed: Duration,
    /// How long the token is certain to be valid.
    least: Duration,
}

impl Lifetime {
    /// Understands `expires_in`. The lifetime counts from the receipt of the answer, on the
    /// monotonic clock. `issued_at` is not read, because the clock of the service may differ from
    /// ours.
    fn of(seconds: Option<f64>) -> Lifetime {
        let said = match seconds {
            Some(seconds) if seconds >= MAX_LIFETIME.as_secs_f64() => MAX_LIFETIME,
            Some(seconds) if seconds > 0.0 => Duration::from_secs_f64(seconds),
            _ => MIN_LIFETIME,
        };
        Lifetime {
            believed: said.max(MIN_LIFETIME),
            least: said.min(MIN_LIFETIME),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(realm: &str, name: Option<&str>) -> Service {
        Service {
            realm: Url::parse(realm).unwrap(),
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn b3_c7_the_url_of_a_token_request() {
        let scopes = [Scope::named("repository:a/b:pull"), Scope::named("*")];
        let cases = [
            (
                service("https://auth.example.com/token", Some("reg")),
                &scopes[..1],
                "https://auth.example.com/token?service=reg&scope=repository%3Aa%2Fb%3Apull",
            ),
            (
                service("https://auth.example.com/token?x=1", Some("a b&c")),
                &[],
                "https://auth.example.com/token?x=1&service=a%20b%26c",
            ),
            (
                service("https://auth.example.com/token", None),
                &[],
                "https://auth.example.com/token",
            ),
            (
                service("https://auth.example.com/token", None),
                &scopes[..],
                "https://auth.example.com/token?scope=repository%3Aa%2Fb%3Apull&scope=%2A",
            ),
        ];
        for (service, scopes, expected) in cases {
            assert_eq!(
                service.url_for(scopes).unwrap().to_request_string(),
                expected
            );
        }
    }

    #[test]
    fn c3_the_form_of_an_identity_token() {
        let scopes = [
            Scope::named("repository:a:pull"),
            Scope::named("repository:b:pull"),
        ];
        let form =
            service("https://x/", Some("reg")).form_for(&scopes, Some(&Secret::new("id+en/tity=")));
        assert_eq!(
            form.expose(),
            "grant_type=refresh_token&client_id=ocireg&service=reg\
             &scope=repository%3Aa%3Apull%20repository%3Ab%3Apull\
             &refresh_token=id%2Ben%2Ftity%3D"
        );
    }

    #[test]
    fn c1_c2_what_a_token_service_answers() {
        let ok = [
            (r#"{"token":"t"}"#, "Bearer t", 60),
            (r#"{"access_token":"a"}"#, "Bearer a", 60),
            (r#"{"token":"","access_token":"a"}"#, "Bearer a", 60),
            (
                r#"{"token":null,"access_token":"a","expires_in":null}"#,
                "Bearer a",
                60,
            ),
            (
                r#"{"token":"t","access_token":"t","expires_in":300}"#,
                "Bearer t",
                300,
            ),
            (r#"{"token":"t","expires_in":1}"#, "Bearer t", 60),
            (r#"{"token":"t","expires_in":-5}"#, "Bearer t", 60),
            (r#"{"token":"t","expires_in":"900"}"#, "Bearer t", 900),
            (r#"{"token":"t","expires_in":90.5}"#, "Bearer t", 90),
            (
                r#"{"token":"t","expires_in":1e300}"#,
                "Bearer t",
                31_536_000,
            ),
            (
                r#"{"token":"t","issued_at":"1970-01-01T00:00:00Z","expires_in":300}"#,
                "Bearer t",
                300,
            ),
        ];
        let service = service("https://auth.example.com/token", None);
        let now = Instant::now();
        for (body, header, seconds) in ok {
            let token =
                Token::from_answer(body.as_bytes(), &service, &[], TokenLogin::Anonymous, now)
                    .unwrap();
            assert_eq!(token.header().expose(), header, "{body}");
            let life = token.renew_at.duration_since(now) + MARGIN;
            assert_eq!(life.as_secs(), seconds, "{body}");
        }
    }

    #[test]
    fn c9_answers_without_a_usable_token() {
        let service = service("https://auth.example.com/token", None);
        let now = Instant::now();
        let bad = [
            ("", "its answer is no JSON object"),
            ("<html>nope</html>", "a page and no token (17 bytes)"),
            (
                "bare-secret-token",
                "no JSON object with a token (17 bytes)",
            ),
            (r#"["token"]"#, "no JSON object"),
            (r#"{"token":12}"#, "neither"),
            (r#"{"token":""}"#, "neither"),
            (r#"{}"#, "neither"),
            (r#"{"token":"a b"}"#, "characters"),
            ("{\"token\":\"a\\r\\nHost: evil\"}", "characters"),
        ];
        for (body, problem) in bad {
            let error =
                Token::from_answer(body.as_bytes(), &service, &[], TokenLogin::Anonymous, now)
                    .unwrap_err();
            assert!(error.contains(problem), "{body}: {error}");
        }
    }

    #[test]
    fn r12_a_token_serves_what_it_covers_until_shortly_before_its_end() {
        let service = service("https://auth.example.com/token", None);
        let scopes = [
            Scope::named("repository:a:pull,push"),
            Scope::named("repository:b:pull"),
        ];
        let now = Instant::now();
        let token = Token::from_answer(
            br#"{"token":"t","expires_in":300}"#,
            &service,
            &scopes,
            TokenLogin::Known,
            now,
        )
        .unwrap();
        let pull = |name: &str| [Scope::pull(&name)];
        let after = |seconds| now + Duration::from_secs(seconds);
        assert!(token.serves(&service, &pull("a"), after(294)));
        assert!(token.serves(&service, &pull("b"), now));
        assert!(!token.serves(&service, &pull("c"), now));
        assert!(!token.serves(&service, &pull("a"), after(295)));
        assert!(token.is_spent(after(295)));
        assert!(!token.is_old(after(59)) && token.is_old(after(60)));
        for (expires_in, seconds) in [("1", 1), ("0", 60), ("-5", 60), ("\"30\"", 30)] {
            let body = format!(r#"{{"token":"t","expires_in":{expires_in}}}"#);
            let token = Token::from_answer(body.as_bytes(), &service, &[], TokenLogin::Known, now);
            let token = token.unwrap();
            assert!(!token.is_old(after(seconds - 1)) && token.is_old(after(seconds)));
        }
    }
}
