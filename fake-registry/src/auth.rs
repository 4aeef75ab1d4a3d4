//! Access control: tokens, passwords, and the challenge for everyone else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use raw_http::{Answer, Recorded};
use serde_json::Value;

use crate::answer::error;
use crate::effects::Quirks;
use crate::quirk::{Quirk, value};
use crate::routes::Endpoint;

/// The answer to a request without access; `None` if it has access.
pub(crate) fn refuse(quirks: &Quirks, request: &Recorded, endpoint: &Endpoint) -> Option<Answer> {
    let (bearer, basic) = (value!(quirks, Bearer), value!(quirks, Basic));
    let sent = request.header("authorization").unwrap_or_default();
    let password = |pair| sent == format!("Basic {}", STANDARD.encode(pair));
    if (&bearer, &basic) == (&None, &None) || basic.is_some_and(password) {
        return None;
    }
    let name = endpoint.repository();
    let catalog = *endpoint == Endpoint::Catalog;
    let actions = match request.method.as_str() {
        "GET" | "HEAD" => "pull",
        "DELETE" => "delete",
        _ => "pull,push",
    };
    let scope = name.map(|name| format!("repository:{name}:{actions}"));
    let scope = scope.or_else(|| catalog.then(|| "registry:catalog:*".to_owned()));
    let harbor = quirks.has(Quirk::Harbor);
    let token = sent.strip_prefix("Bearer ");
    let problem = token.and_then(|token| problem(token, scope.as_deref()));
    if token.is_some() && problem.is_none() && bearer.is_some() && !(harbor && catalog) {
        return None;
    } else if problem.is_some() && quirks.has(Quirk::ForbidBadTokens) {
        return Some(error(403, "DENIED"));
    }
    let parameter = |name, value: Option<&str>| value.map(|it| format!(",{name}=\"{it}\""));
    let challenge = match bearer {
        None => "Basic realm=\"fake-registry\"".to_owned(),
        Some(_) if harbor && (catalog || !sent.is_empty()) => "Basic realm=\"harbor\"".to_owned(),
        Some(_) if harbor && name.is_some_and(|it| it.starts_with("unknown/")) => String::new(),
        Some(challenge) => {
            let scope = parameter("scope", scope.as_deref()).unwrap_or_default();
            let problem = parameter("error", problem).unwrap_or_default();
            format!("Bearer {challenge}{scope}{problem}")
        }
    };
    let mut answer = error(401, "UNAUTHORIZED");
    answer.add(&format!("WWW-Authenticate: {challenge}"));
    Some(answer)
}

/// What is wrong with a token, as an error code of RFC 6750. The claims are checked, the signature
/// is not.
fn problem(token: &str, scope: Option<&str>) -> Option<&'static str> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap_or_default());
    let claims: Value = serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_default();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    if claims["exp"].as_f64().unwrap_or_default() <= now.as_secs_f64() {
        return Some("invalid_token");
    }
    let (resource, actions) = scope?.rsplit_once(':')?;
    let allows = |grant: &Value, action: &str| {
        let of = |field| grant[field].as_str().unwrap_or_default();
        let mut granted = grant["actions"].as_array().into_iter().flatten();
        resource == format!("{}:{}", of("type"), of("name")) && granted.any(|it| it == action)
    };
    let grants = claims["access"].as_array().into_iter().flatten();
    let allowed = |action| grants.clone().any(|grant| allows(grant, action));
    (!actions.split(',').all(allowed)).then_some("insufficient_scope")
}
