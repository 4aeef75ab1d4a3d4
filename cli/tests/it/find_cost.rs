//! What `find` asks a registry: as much as the library's call, and the digest it prints is the one
//! that the tags were compared with.

use std::fmt::Write;

use crate::support::{Odd, answer, ocireg, refusal};

/// A registry with 20 tags of one image that wants tokens, and its token service.
fn registry_with_tokens(request: &str) -> String {
    if request.starts_with("GET /token") {
        return answer(200, "", r#"{"token":"t"}"#);
    }
    if !request.contains("authorization: Bearer t") {
        return refusal(request, r#"Bearer realm="/token",service="s""#);
    }
    if request.starts_with("GET") {
        let tags: Vec<String> = (0..20).map(|number| format!("\"v{number}\"")).collect();
        return answer(200, "", &format!(r#"{{"tags":[{}]}}"#, tags.join(",")));
    }
    let digest = format!("sha256:{}", "1".repeat(64));
    let media_type = "application/vnd.oci.image.index.v1+json";
    format!(
        "HTTP/1.1 200 X\r\nDocker-Distribution-Api-Version: registry/2.0\r\nConnection: close\r\n\
         Content-Type: {media_type}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: 2\r\n\r\n"
    )
}

#[test]
fn find_costs_twenty_three_requests_for_twenty_tags() {
    let server = Odd::serve(registry_with_tokens);
    let mut expected = String::new();
    for number in 0..20 {
        let _ = writeln!(expected, "v{number} sha256:{}", "1".repeat(64));
    }
    ocireg(&format!("find --concurrency 1 {}/t/find:v3", server.at)).assert(0, &expected, &[]);
    // The list without a token, the token, the list, and each tag.
    assert_eq!(server.requests().len(), 23, "{:?}", server.requests());
}
