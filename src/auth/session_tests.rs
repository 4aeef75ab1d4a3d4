//! What a session learns from answers, and how requests begin and go on.

use std::sync::Arc;
use std::time::Instant;

use super::challenge::parse_challenges;
use super::*;
use crate::url::Url;

const URL: &str = "https://registry.example.com/v2/a/manifests/1";
const REALM: &str = "https://registry.example.com/token";
const BEARER: &str = r#"Bearer realm="https://registry.example.com/token",service="s""#;

fn session() -> Session {
    let mut credentials = Credentials::default();
    credentials.set_basic("user", "pass").unwrap();
    Session::new(credentials, Arc::default())
}

fn next_step(
    session: &Session,
    sent: &Authorization,
    challenge: &[&str],
    attempts: &mut AuthAttempts,
) -> NextStep {
    let challenges = parse_challenges(challenge.iter().copied()).list;
    let scopes = [Scope::named("repository:a:pull")];
    session
        .next_step(
            sent,
            &challenges,
            &scopes,
            &Url::parse(URL).unwrap(),
            attempts,
        )
        .unwrap()
}

/// A token of this service for `repository:a:pull`.
fn token(realm: &str) -> Arc<Token> {
    let service = Service {
        realm: Url::parse(realm).unwrap(),
        name: Some("s".to_owned()),
    };
    let (scopes, now) = (pull("a"), Instant::now());
    let token = Token::from_answer(
        br#"{"token":"t"}"#,
        &service,
        &scopes,
        TokenLogin::Known,
        now,
    );
    Arc::new(token.unwrap())
}

fn pull(name: &str) -> [Scope; 1] {
    [Scope::pull(&name)]
}

fn attempts() -> AuthAttempts {
    AuthAttempts::new(Instant::now())
}

/// A session whose registry has accepted `token`.
fn logged_in(token: &Arc<Token>) -> Session {
    let session = session();
    session.keep(token, Instant::now());
    let sent = Authorization::Token(token.clone());
    session.accepted(&sent, &attempts(), Instant::now());
    session
}

#[test]
fn nothing_is_sent_before_it_is_asked_for() {
    assert!(matches!(
        session().first_step(&[], || None, Instant::now()),
        FirstStep::Send(Authorization::None)
    ));
}

#[test]
fn the_callers_own_token_is_sent_at_once_and_its_refusal_stands() {
    let mut credentials = Credentials::default();
    credentials.set_bearer("t").unwrap();
    let session = Session::new(credentials, Arc::default());
    let FirstStep::Send(sent) = session.first_step(&[], || None, Instant::now()) else {
        panic!("it is sent")
    };
    assert_eq!(sent.header().map(Secret::expose), Some("Bearer t"));
    assert!(matches!(
        next_step(&session, &sent, &[BEARER], &mut attempts()),
        NextStep::GiveUp
    ));
}

#[test]
fn basic_is_remembered_once_it_is_accepted() {
    let (session, now) = (session(), Instant::now());
    let basic = [r#"Basic realm="r""#];
    let first = next_step(&session, &Authorization::None, &basic, &mut attempts());
    let NextStep::Send(sent @ Authorization::Basic(_)) = first else {
        panic!("it is sent")
    };
    let next = session.first_step(&[], || None, now);
    assert!(matches!(next, FirstStep::Send(Authorization::None)));
    session.accepted(&sent, &attempts(), now);
    let next = session.first_step(&[], || None, now);
    assert!(matches!(next, FirstStep::Send(Authorization::Basic(_))));
}

#[test]
fn a_realm_counts_once_its_token_is_accepted_and_within_a_batch_at_once() {
    let (session, now) = (session(), Instant::now());
    let mut attempts = attempts();
    next_step(&session, &Authorization::None, &[BEARER], &mut attempts);
    let next = session.first_step(&pull("a"), || None, now);
    assert!(matches!(next, FirstStep::Send(Authorization::None)));
    let next = session.first_step(&pull("a"), || attempts.named.clone(), now);
    assert!(matches!(next, FirstStep::FetchToken(..)));
    let session = logged_in(&token(REALM));
    let next = session.first_step(&pull("b"), || None, now);
    assert!(matches!(next, FirstStep::FetchToken(..)));
    session.needs_no_token();
    let next = session.first_step(&pull("b"), || None, now);
    assert!(matches!(next, FirstStep::Send(Authorization::None)));
}

#[test]
fn b6_a_remembered_bearer_wins_over_basic_until_its_token_is_refused() {
    let (mut attempts, token) = (attempts(), token(REALM));
    let (session, sent) = (logged_in(&token), Authorization::Token(token));
    let basic = [r#"Basic realm="harbor""#];
    let next = |attempts: &mut AuthAttempts| next_step(&session, &sent, &basic, attempts);
    assert!(matches!(next(&mut attempts), NextStep::FetchToken(..)));
    // The new token is refused too.
    attempts.note(&sent);
    let NextStep::Send(password @ Authorization::Basic(_)) = next(&mut attempts) else {
        panic!("it is sent")
    };
    assert!(matches!(next(&mut attempts), NextStep::GiveUp));
    // The next request still follows the Bearer challenge.
    session.accepted(&password, &attempts, Instant::now());
    let next = session.first_step(&pull("b"), || None, Instant::now());
    assert!(matches!(next, FirstStep::FetchToken(..)));
}

#[test]
fn b5_a_401_without_a_challenge_asks_the_ping_once() {
    let session = session();
    let mut attempts = attempts();
    assert!(matches!(
        next_step(&session, &Authorization::None, &[""], &mut attempts),
        NextStep::FindChallenge
    ));
    assert!(matches!(
        next_step(&session, &Authorization::None, &[""], &mut attempts),
        NextStep::GiveUp
    ));
}

#[test]
fn r12_a_fresh_token_is_refused_once_and_for_all() {
    let session = session();
    let mut attempts = attempts();
    assert!(matches!(
        next_step(&session, &Authorization::None, &[BEARER], &mut attempts),
        NextStep::FetchToken(..)
    ));
    let sent = Authorization::Token(token(REALM));
    attempts.note(&sent);
    assert!(matches!(
        next_step(&session, &sent, &[BEARER], &mut attempts),
        NextStep::GiveUp
    ));
}

#[test]
fn r12_what_replaces_a_refused_token_is_newer() {
    let (old, new) = (token(REALM), token(REALM));
    let session = logged_in(&old);
    let cached = |refused: &Arc<Token>| {
        let (service, now) = (old.service(), Instant::now());
        let found = session.cached(service, &pull("a"), Some(refused), &attempts(), now);
        found.is_some()
    };
    assert!(!cached(&new), "an older one ends even earlier");
    session.keep(&new, Instant::now());
    assert!(cached(&old) && !cached(&new));
}

#[test]
fn s18_a_token_is_used_for_what_it_was_given_for_only() {
    let session = logged_in(&token(REALM));
    let first = |scope: &str| session.first_step(&[Scope::named(scope)], || None, Instant::now());
    assert!(matches!(
        first("repository:a:pull"),
        FirstStep::Send(Authorization::Token(_))
    ));
    for scope in ["repository:a:pull,push", "repository:b:pull"] {
        assert!(matches!(first(scope), FirstStep::FetchToken(..)), "{scope}");
    }
    // Now the registry accepts a token of another service, for another repository.
    let other = Authorization::Token(token("https://registry.example.com/other"));
    session.accepted(&other, &attempts(), Instant::now());
    assert!(matches!(
        first("repository:a:pull"),
        FirstStep::FetchToken(..)
    ));
}
