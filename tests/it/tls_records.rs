//! The server cuts a body into TLS records. Their sizes must not matter.

use fake_registry::{Ca, Script, ScriptServer};
use ocireg::{Client, Repository};

/// A tag list of a little over `bytes` bytes.
fn list(bytes: usize) -> (usize, String) {
    let tags: Vec<String> = (0..bytes / 12)
        .map(|number| format!("\"v{number:08}\""))
        .collect();
    (
        tags.len(),
        format!(r#"{{"name":"t/a","tags":[{}]}}"#, tags.join(",")),
    )
}

#[test]
fn a_large_body_comes_whole_in_records_of_any_size() {
    let ca = Ca::new();
    let identity = ca.identity(&["localhost"]);
    let (count, body) = list(1_000_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    // CDNs begin with the small sizes. A record holds at most 16384 bytes.
    for size in [300, 1186, 1369, 1400, 2800, 4229, 16_384] {
        let mut script = Script::new().read_request().send(&head);
        for part in body.as_bytes().chunks(size) {
            script = script.send(part);
        }
        let server = ScriptServer::start_tls(&identity, vec![script.close()]);
        let authority = server.authority().replace("127.0.0.1", "localhost");
        let client = Client::builder()
            .ca_pem(&authority, ca.pem().as_bytes())
            .retries(0)
            .build()
            .unwrap();
        let repository: Repository = format!("{authority}/t/a").parse().unwrap();
        let tags = client
            .tags(&repository)
            .unwrap_or_else(|error| panic!("records of {size}: {error:?}"));
        assert_eq!(tags.len(), count, "records of {size}");
    }
}
