//! No secret is in what the library returns or logs (S15). Each secret is a canary: a text that the
//! tests look for.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_registry::{Ca, Config, Quirk};
use ocireg::{CallOptions, Client, ClientBuilder, ErrorKind};
use raw_http::Answer;
use token_service::{Quirk as Odd, TokenService};

use crate::auth_support::*;

const CANARY_USER: &str = "canary-user-Xq7";
const CANARY_PASSWORD: &str = "canary/pass:wörd+Xq8";
const CANARY_TOKEN: &str = "canary-token-Xq9";
const CANARY_IDENTITY: &str = "canary/identity+Xq0";
const CANARY_HEADER: &str = "canary header Xq1";
const CANARY_QUERY: &str = "canary%2Fsignature%2BXq2";
const CANARIES: [&str; 6] = [
    CANARY_USER,
    CANARY_PASSWORD,
    CANARY_TOKEN,
    CANARY_IDENTITY,
    CANARY_HEADER,
    CANARY_QUERY,
];

/// Records what the library logs, also for other tests that run at the same time.
struct Log {
    on: AtomicBool,
    records: Mutex<String>,
}

static LOG: Log = Log {
    on: AtomicBool::new(false),
    records: Mutex::new(String::new()),
};

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.on.load(Ordering::Relaxed) && metadata.target().starts_with("ocireg")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(records, "{} {}", record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

/// Everything that the library returned in one scenario.
#[derive(Default)]
pub(crate) struct Output(pub(crate) String);

impl Output {
    pub(crate) fn debug(&mut self, value: &impl Debug) {
        let _ = writeln!(self.0, "{value:?}\n{value:#?}");
    }

    pub(crate) fn error(&mut self, error: &ocireg::Error) {
        self.debug(error);
        let _ = writeln!(self.0, "{error}\n{error:#}\n{}", error.message());
        self.debug(&(
            error.hint(),
            error.subject(),
            error.registry_errors(),
            error.rate_limit(),
        ));
        let mut source = error.source();
        while let Some(cause) = source {
            let _ = writeln!(self.0, "{cause}\n{cause:?}");
            source = cause.source();
        }
    }
}

/// A canary in each encoding that may be applied to it.
fn encodings(secret: &str) -> Vec<String> {
    let percent = |upper: bool| -> String {
        let encode = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        };
        secret.bytes().map(encode).collect()
    };
    let mut all = vec![
        secret.to_owned(),
        secret.escape_default().to_string(),
        percent(true),
        percent(false),
    ];
    // Base64 of a text differs with its offset modulo 3, and its first and last letters depend on
    // what is around it.
    for offset in 0..3 {
        let encoded = STANDARD.encode("x".repeat(offset) + secret);
        let encoded = encoded.trim_end_matches('=');
        all.push(encoded[4..encoded.len() - 2].to_owned());
    }
    all
}

#[track_caller]
fn assert_no_canary(scenario: &str, said: &str) {
    for canary in CANARIES {
        for encoded in encodings(canary) {
            assert!(!said.contains(&encoded), "{scenario}: {encoded} in\n{said}");
        }
    }
    // The tokens of the service are JWTs; and no password may appear as Basic.
    for start in ["eyJ0", "eyJh", "Basic Y2Fu", "Bearer canary"] {
        assert!(!said.contains(start), "{scenario}: {start} in\n{said}");
    }
}

#[test]
fn an_encoded_canary_is_found() {
    for text in [
        format!(
            "x {}",
            STANDARD.encode(format!("{CANARY_USER}:{CANARY_PASSWORD}"))
        ),
        "canary%2Fpass%3Aw%C3%B6rd%2BXq8".to_owned(),
        "token=canary-token-Xq9&".to_owned(),
    ] {
        let found = std::panic::catch_unwind(|| assert_no_canary("", &text)).is_err();
        assert!(found, "{text}");
    }
}

/// A client with all kinds of secrets for a registry.
fn with_all_secrets(registry: &str) -> ClientBuilder {
    builder()
        .retries(1)
        .basic(registry, CANARY_USER, CANARY_PASSWORD)
        .identity_token(registry, CANARY_IDENTITY)
        .add_header(registry, "X-Canary", CANARY_HEADER)
}

fn ask(said: &mut Output, client: &Client, registry: &str) {
    said.debug(client);
    let image = reference(&format!("{registry}/mine:1"));
    let repository = format!("{registry}/mine").parse().unwrap();
    let host = crate::auth_support::registry(registry);
    let errors = [
        client.exists(&image).err(),
        client.digest(&image).err(),
        client.tags(&repository).err(),
        client.catalog(&host).err(),
        client.check_login(&host).err(),
        client.ping(&host).err(),
    ];
    errors.iter().flatten().for_each(|error| said.error(error));
    said.debug(&client.warnings(&host));
}

#[test]
fn s15_no_secret_is_shown_when_a_token_service_fails() {
    begin();
    let body = |status, body: &str| {
        Odd::Answer(
            u64::MAX,
            status,
            "application/json",
            body.as_bytes().to_vec(),
        )
    };
    let quirks = [
        Odd::ScopeWanted,
        Odd::NoPost(404),
        Odd::Fail(u64::MAX, 401),
        Odd::Fail(u64::MAX, 403),
        Odd::Fail(u64::MAX, 503),
        Odd::Limit(u64::MAX, "0"),
        Odd::Redirect(302, format!("http://127.0.0.1:1/x?sig={CANARY_QUERY}&")),
        // Answers with a token in the wrong place.
        body(200, CANARY_TOKEN),
        body(200, &format!("{{\"token\":\"{CANARY_TOKEN}")),
        body(200, &format!("[\"{CANARY_TOKEN}\"]")),
        body(200, &format!("\"{CANARY_TOKEN}\"")),
        body(200, &format!("token={CANARY_TOKEN}")),
        body(200, &format!("{{\"token\":\"{CANARY_TOKEN} \"}}")),
        body(200, &format!("{{\"Token\":\"{CANARY_TOKEN}\"}}")),
        // A token that no registry accepts.
        body(200, &format!("{{\"token\":\"{CANARY_TOKEN}\"}}")),
    ];
    for quirk in quirks {
        let config = token_service::Config::new().user(CANARY_USER, "another", &["*"]);
        let service = TokenService::start(config.quirk(quirk.clone()));
        let registry = bearer_registry(&service);
        let mut said = Output::default();
        let builder = with_all_secrets(&registry.authority());
        said.debug(&builder);
        ask(&mut said, &builder.build().unwrap(), &registry.authority());
        // The canaries were really sent.
        let shown: String = service
            .requests()
            .iter()
            .map(|it| String::from_utf8_lossy(&it.body).into_owned())
            .collect();
        assert!(shown.contains("canary%2Fidentity"), "{quirk:?}");
        assert_no_canary(&format!("{quirk:?}"), &said.0);
    }
    end();
}

/// Quirks that make each call fail, with canaries in the URLs and challenges that the registry
/// sends. `refused` is a URL that answers 403.
fn failing_registries(refused: String) -> Vec<Vec<Quirk>> {
    let signed = format!("https://user:{CANARY_TOKEN}@x.net/?sig={CANARY_QUERY}");
    let nobody = format!(
        "http://127.0.0.1:{}/blob?X-Amz-Signature={CANARY_QUERY}&",
        test_support::free_port()
    );
    let redirect = |to: String| vec![Quirk::RedirectManifests(307, to)];
    let link = |to: &str| vec![Quirk::PageSize(1), Quirk::LinkOrigin(to.to_owned())];
    let challenge = |line: String| vec![Quirk::Challenge(fake_registry::Page::Json, vec![line])];
    vec![
        vec![Quirk::Basic("somebody:else".to_owned())],
        redirect(nobody.clone()),
        redirect(refused),
        redirect(signed.clone()),
        redirect(format!("ftp://x.net/?sig={CANARY_QUERY}")),
        redirect(format!("http://2130706433/?{CANARY_QUERY}")),
        link(&nobody),
        link(&signed),
        challenge(format!("Bearer realm=\"{nobody}\"")),
        challenge(format!("Bearer realm=\"{signed}\"")),
        challenge(format!("Bearer realm=\"http://x y/?{CANARY_QUERY}\"")),
        challenge(format!("Bearer realm=\"{nobody}\" service=\"unreadable\"")),
        challenge(format!("Basic realm=\"{signed}")),
        challenge(format!("Negotiate {CANARY_TOKEN}==")),
        vec![Quirk::FailFirst(500, u64::MAX)],
        vec![Quirk::NotARegistry(404, fake_registry::Page::Html)],
        vec![
            Quirk::CloseAfterAnswer,
            Quirk::Deny(403, fake_registry::Page::Json),
        ],
    ]
}

#[test]
fn s15_no_secret_is_shown_when_a_registry_fails() {
    begin();
    let refusing = says(None, |_| {
        Answer::new(403, "Content-Type: application/xml", "<Error>no</Error>")
    });
    let refused = format!("{}/blob?X-Amz-Signature={CANARY_QUERY}&", refusing.url());
    for quirks in failing_registries(refused) {
        let registry = filled(Config::new());
        registry.set_quirks(quirks.clone());
        let mut said = Output::default();
        for builder in [
            with_all_secrets(&registry.authority()),
            builder()
                .retries(0)
                .bearer(&registry.authority(), CANARY_TOKEN),
        ] {
            said.debug(&builder);
            ask(&mut said, &builder.build().unwrap(), &registry.authority());
        }
        assert_no_canary(&format!("{quirks:?}"), &said.0);
    }
    end();
}

#[test]
fn s15_no_secret_is_shown_when_a_call_is_stopped_or_a_setting_is_invalid() {
    begin();
    let mut said = Output::default();
    let service = TokenService::start(service_config().quirk(Odd::Delay(Duration::from_secs(20))));
    let registry = bearer_registry(&service);
    let client = with_all_secrets(&registry.authority()).build().unwrap();
    let options = CallOptions::new().timeout(Duration::from_millis(300));
    said.debug(&options);
    let error = client
        .with(options)
        .exists(&reference(&format!("{}/mine:1", registry.authority())))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    said.error(&error);

    // A registry whose certificate is not trusted.
    let identity = Ca::new().identity(&["127.0.0.1"]);
    let tls = filled(Config::new().tls(identity));
    let client = with_all_secrets(&tls.authority())
        .https(&tls.authority())
        .build()
        .unwrap();
    ask(&mut said, &client, &tls.authority());

    const HOST: &str = "registry.example.com";
    let unusable: [fn(ClientBuilder) -> ClientBuilder; 6] = [
        |it| it.basic(HOST, &format!("{CANARY_USER}:"), CANARY_PASSWORD),
        |it| it.basic(HOST, CANARY_USER, &format!("{CANARY_PASSWORD}\n")),
        |it| it.bearer(HOST, &format!("{CANARY_TOKEN}\n")),
        |it| it.identity_token(HOST, &format!("{CANARY_IDENTITY} ")),
        |it| it.add_header(HOST, "X-Canary", &format!("{CANARY_HEADER}\r\n")),
        |it| it.add_header(HOST, "Authorization", CANARY_HEADER),
    ];
    for unusable in unusable {
        let builder = unusable(with_all_secrets(HOST));
        said.debug(&builder);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        said.error(&error);
    }
    assert_no_canary("stopped", &said.0);
    end();
}

/// Starts to record the log. Several tests share it, so it is never emptied.
pub(crate) fn begin() {
    // Fails if another test has set it, which is fine.
    let _ = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Trace);
    LOG.on.store(true, Ordering::Relaxed);
}

/// What was logged so far.
pub(crate) fn records() -> String {
    let records = LOG.records.lock();
    records.unwrap_or_else(PoisonError::into_inner).clone()
}

#[track_caller]
fn end() {
    let records = records();
    assert!(
        records.contains("HEAD http://127.0.0.1:"),
        "nothing was logged"
    );
    assert_no_canary("the log", &records);
}
