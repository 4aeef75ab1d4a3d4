//! Every server in every configuration really starts and answers as it is known to: what the other
//! tests build on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, mem, thread};

use test_support::http::{self, Response};
use test_support::seed::{self, Seeded};
use test_support::{
    CraneRegistry, DistributionV3, DockerRegistry, HTPASSWD, Nginx, Recipe, RegistryConfig, Server,
    TokenAuth, certificates, require,
};

const REPOSITORY: &str = "t/a";

fn get(server: &Server, target: &str) -> Response {
    ask(server, "GET", target, &[])
}

fn ask(server: &Server, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    http::request(method, server.authority(), target, headers, b"").unwrap()
}

fn manifest(server: &Server, method: &str, image: &Seeded, by: &str) -> Response {
    let target = format!("/v2/{REPOSITORY}/manifests/{by}");
    ask(server, method, &target, &[("Accept", image.media_type)])
}

/// Pushes every form and reads it back by tag and by digest.
#[track_caller]
fn check_all_forms(server: &Server, tags: &[&str]) {
    let seeded = seed::push_all(server.authority(), REPOSITORY);
    let pushed: Vec<&str> = seeded.iter().map(|image| image.tag.as_str()).collect();
    assert_eq!(pushed, tags);
    for image in &seeded {
        for by in [&image.tag, &image.digest] {
            let head = manifest(server, "HEAD", image, by);
            assert_eq!(head.status, 200, "{image:?} by {by}");
            assert_eq!(
                head.header("Docker-Content-Digest"),
                Some(image.digest.as_str())
            );
            assert_eq!(head.header("Content-Type"), Some(image.media_type));
            assert_eq!(
                head.header("Content-Length"),
                Some(image.size.to_string().as_str())
            );
            let got = manifest(server, "GET", image, by);
            assert_eq!(got.body.len() as u64, image.size);
            if image.tag != "schema1" {
                assert_eq!(seed::digest(&got.body), image.digest);
            }
        }
    }
    let absent = manifest(server, "GET", &seeded[0], "nosuch");
    assert_eq!(absent.status, 404);
    assert!(
        absent.text().contains("MANIFEST_UNKNOWN"),
        "{}",
        absent.text()
    );
}

fn plain() -> Option<Server> {
    DockerRegistry::start(&RegistryConfig::new())
}

#[test]
fn docker_registry_answers_every_form() {
    let Some(server) = plain() else { return };
    check_all_forms(&server, &["docker", "oci", "index", "list", "schema1"]);
    let ping = get(&server, "/v2/");
    assert_eq!((ping.status, ping.text().as_str()), (200, "{}"));
    assert_eq!(
        ping.header("Docker-Distribution-Api-Version"),
        Some("registry/2.0")
    );
    assert_eq!(
        ping.header("Content-Type"),
        Some("application/json; charset=utf-8")
    );
    let unknown = get(&server, "/v2/no/such/tags/list");
    assert_eq!(
        unknown.text(),
        "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\
         \"message\":\"repository name not known to registry\",\
         \"detail\":{\"name\":\"no/such\"}}]}\n"
    );
    // It sends OCI manifests only to clients that accept them.
    let oci = ask(
        &server,
        "GET",
        "/v2/t/a/manifests/oci",
        &[("Accept", "*/*")],
    );
    assert_eq!(oci.status, 404);
    assert!(oci.text().contains("OCI manifest found"), "{}", oci.text());
}

#[test]
fn schema1_is_signed_anew_for_every_get() {
    let Some(server) = plain() else { return };
    let seeded = seed::push_all(server.authority(), REPOSITORY);
    let image = seeded.iter().find(|image| image.tag == "schema1").unwrap();
    let first = manifest(&server, "GET", image, &image.digest);
    let second = manifest(&server, "GET", image, &image.digest);
    assert_ne!(first.body, second.body);
    assert_eq!(
        first.header("Docker-Content-Digest"),
        second.header("Docker-Content-Digest")
    );
    assert_ne!(seed::digest(&first.body), image.digest);
}

#[test]
fn distribution_v3_answers_every_form_and_pages() {
    let config = RegistryConfig::new().max_tags(3).max_catalog(2);
    let Some(server) = DistributionV3::start(&config) else {
        return;
    };
    check_all_forms(&server, &["docker", "oci", "index", "list"]);
    // Its limit of tags binds only those who ask for pages.
    let all = get(&server, "/v2/t/a/tags/list");
    assert_eq!(
        all.text(),
        "{\"name\":\"t/a\",\"tags\":[\"docker\",\"index\",\"list\",\"oci\"]}\n"
    );
    assert_eq!(all.header("Link"), None);
    let tags = get(&server, "/v2/t/a/tags/list?n=1000");
    assert_eq!(
        tags.text(),
        "{\"name\":\"t/a\",\"tags\":[\"docker\",\"index\",\"list\"]}\n"
    );
    assert_eq!(
        tags.header("Link"),
        Some("</v2/t/a/tags/list?last=list&n=3>; rel=\"next\"")
    );
    seed::push_repositories(server.authority(), &["t/b", "t/c"]);
    let catalog = get(&server, "/v2/_catalog");
    assert_eq!(catalog.text(), "{\"repositories\":[\"t/a\",\"t/b\"]}\n");
    assert!(catalog.header("Link").is_some());
    let deleted = ask(&server, "DELETE", "/v2/t/a/manifests/docker", &[]);
    assert_eq!(deleted.status, 202);
}

#[test]
fn crane_registry_answers_every_form() {
    let Some(server) = CraneRegistry::start() else {
        return;
    };
    check_all_forms(&server, &["docker", "oci", "index", "list"]);
    let absent = get(&server, "/v2/t/a/manifests/nosuch");
    assert_eq!(absent.status, 404);
    assert_eq!(absent.header("Docker-Distribution-Api-Version"), None);
    assert_eq!(
        absent.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
}

#[test]
fn many_tags_and_repositories() {
    let Some(server) = plain() else { return };
    let tags: Vec<String> = (0..50).map(|number| format!("v{number}")).collect();
    let seeded = seed::push_tags(server.authority(), REPOSITORY, &tags);
    assert!(seeded.iter().all(|image| image.digest == seeded[0].digest));
    let listed = get(&server, "/v2/t/a/tags/list?n=1").text();
    // 2.8.2 has no pages of tags: it lists all, whatever n says.
    assert!(tags.iter().all(|tag| listed.contains(&format!("{tag:?}"))));
    seed::push_repositories(server.authority(), &["t/b", "t/c"]);
    let page = get(&server, "/v2/_catalog?n=2");
    assert_eq!(page.text(), "{\"repositories\":[\"t/a\",\"t/b\"]}\n");
    assert!(page.header("Link").is_some());
}

#[test]
fn a_killed_registry_comes_back_with_its_content() {
    let Some(mut server) = plain() else { return };
    let image = &seed::push_tags(server.authority(), REPOSITORY, &["v1"])[0];
    let pid = server.pid();
    server.kill();
    assert!(http::request("GET", server.authority(), "/v2/", &[], b"").is_err());
    server.restart();
    assert_ne!(server.pid(), pid);
    assert_eq!(manifest(&server, "HEAD", image, "v1").status, 200);
}

#[test]
fn the_process_ends_with_its_value() {
    let Some(server) = plain() else { return };
    let process = format!("/proc/{}", server.pid());
    assert!(Path::new(&process).exists());
    let command = fs::read_to_string(format!("{process}/cmdline")).unwrap();
    assert!(command.contains("docker-registry"), "{command}");
    let data = server.data_dir().to_owned();
    drop(server);
    assert!(!Path::new(&process).exists());
    assert!(!data.exists());
}

/// Tests share servers in statics, and libtest runs each test in a thread of its own.
#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let Some(server) = thread::spawn(plain).join().unwrap() else {
        return;
    };
    // Time for a wrong death signal to arrive.
    thread::sleep(Duration::from_millis(50));
    assert_eq!(get(&server, "/v2/").status, 200);
}

/// A static is never dropped, and a test program may be killed.
#[test]
fn a_server_ends_with_the_program_that_started_it() {
    const CHILD: &str = "TEST_SUPPORT_CHILD";
    if env::var_os(CHILD).is_some() {
        if let Some(server) = plain() {
            println!("pid={}.", server.pid());
            mem::forget(server);
        }
        return;
    }
    if require("docker-registry").is_none() || require("setpriv").is_none() {
        return;
    }
    // The killed server's directory goes into one that is removed.
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .env("TMPDIR", directory.path())
        .args(["--exact", "--nocapture"])
        .arg("a_server_ends_with_the_program_that_started_it")
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let pid = text
        .split("pid=")
        .nth(1)
        .and_then(|rest| rest.split('.').next());
    let process = format!(
        "/proc/{}/cmdline",
        pid.expect("the child printed a process id")
    );
    let deadline = Instant::now() + Duration::from_secs(5);
    // A zombie that its new parent has not yet waited for has an empty command line.
    while fs::read(&process).is_ok_and(|command| !command.is_empty()) {
        assert!(Instant::now() < deadline, "{process} still runs");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn switches_of_writing() {
    let Some(server) = plain() else { return };
    let image = &seed::push_tags(server.authority(), REPOSITORY, &["v1"])[0];
    let target = format!("/v2/{REPOSITORY}/manifests/{}", image.digest);
    let base = RegistryConfig::new().data_dir(server.data_dir());

    let no_delete = DockerRegistry::start(&base.clone().no_delete()).unwrap();
    let answer = ask(&no_delete, "DELETE", &target, &[]);
    assert_eq!(answer.status, 405);
    assert!(answer.text().contains("UNSUPPORTED"), "{}", answer.text());

    let read_only = DockerRegistry::start(&base.clone().read_only()).unwrap();
    let answer = ask(&read_only, "POST", "/v2/t/a/blobs/uploads/", &[]);
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (405, "Method not allowed\n")
    );
    assert_eq!(manifest(&read_only, "HEAD", image, "v1").status, 200);

    let relative = DockerRegistry::start(&base.clone().relative_urls()).unwrap();
    let answer = ask(&relative, "POST", "/v2/t/a/blobs/uploads/", &[]);
    assert!(
        answer
            .header("Location")
            .unwrap()
            .starts_with("/v2/t/a/blobs/uploads/")
    );
    check_all_forms(&relative, &["docker", "oci", "index", "list", "schema1"]);

    let answer = ask(&server, "DELETE", &target, &[]);
    assert_eq!(answer.status, 202);
}

#[test]
fn switches_of_headers_and_redirects() {
    let Some(server) = plain() else { return };
    let image = seed::Image::new("redirected");
    seed::push_blobs(server.authority(), REPOSITORY, &image);
    let config = RegistryConfig::new()
        .data_dir(server.data_dir())
        .header("Warning", "299 - \"x\"")
        .header("RateLimit-Limit", "100;w=21600")
        .redirect("http://localhost:1234/base/");
    let server = DockerRegistry::start(&config).unwrap();
    let target = format!("/v2/{REPOSITORY}/blobs/{}", seed::digest(&image.layer));
    for method in ["HEAD", "GET"] {
        let answer = ask(&server, method, &target, &[]);
        assert_eq!(answer.status, 307);
        let location = answer.header("Location").unwrap();
        assert!(
            location.starts_with("http://localhost:1234/docker/registry/v2/blobs/"),
            "{location}"
        );
        assert_eq!(answer.header("Warning"), Some("299 - \"x\""));
        assert_eq!(answer.header("RateLimit-Limit"), Some("100;w=21600"));
    }
}

#[test]
fn a_pull_through_cache_reads_and_refuses_writes() {
    let Some(server) = plain() else { return };
    let seeded = seed::push_all(server.authority(), REPOSITORY);
    let cache = DockerRegistry::start(&RegistryConfig::new().proxy(server.url())).unwrap();
    for image in seeded.iter().filter(|image| image.tag != "schema1") {
        let answer = manifest(&cache, "GET", image, &image.tag);
        assert_eq!(answer.status, 200, "{image:?}: {}", answer.text());
        assert_eq!(seed::digest(&answer.body), image.digest);
    }
    let answer = ask(&cache, "POST", "/v2/t/a/blobs/uploads/", &[]);
    assert_eq!(answer.status, 405);
    assert!(answer.text().contains("UNSUPPORTED"), "{}", answer.text());
}

#[test]
fn authentication_challenges() {
    let directory = tempfile::tempdir().unwrap();
    let Some(server) = plain() else { return };
    let base = RegistryConfig::new().data_dir(server.data_dir());

    let passwords = directory.path().join("htpasswd");
    fs::write(&passwords, HTPASSWD).unwrap();
    let basic = DockerRegistry::start(&base.clone().htpasswd(&passwords)).unwrap();
    let answer = get(&basic, "/v2/");
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("Www-Authenticate"),
        Some("Basic realm=\"Lab Realm\"")
    );
    let user_pass = [("Authorization", "Basic dXNlcjpwYXNz")];
    assert_eq!(ask(&basic, "GET", "/v2/", &user_pass).status, 200);

    let silly = base
        .clone()
        .silly("http://127.0.0.1:1/token", "lab-service");
    let silly = DockerRegistry::start(&silly).unwrap();
    assert_eq!(get(&silly, "/v2/").status, 401);
    assert_eq!(ask(&silly, "GET", "/v2/", &user_pass).status, 200);

    let Some(signer) = certificates::Authority::create(directory.path(), "tok") else {
        return;
    };
    let token = TokenAuth {
        realm: "http://127.0.0.1:5620/token".to_owned(),
        service: "lab-service".to_owned(),
        issuer: "lab-issuer".to_owned(),
        bundle: signer.certificate,
    };
    let config = base.token(&token);
    let servers = [
        DockerRegistry::start(&config),
        DistributionV3::start(&config),
    ];
    for server in servers.into_iter().flatten() {
        let answer = get(&server, "/v2/t/a/tags/list");
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("Www-Authenticate"),
            Some(
                "Bearer realm=\"http://127.0.0.1:5620/token\",service=\"lab-service\",\
                 scope=\"repository:t/a:pull\""
            )
        );
    }
}

/// `curl` on the server's root, trusting one certificate: its exit code and what it printed.
fn curl(server: &Server, trusted: &Path, arguments: &[&str]) -> Option<(i32, String)> {
    let output = Command::new(require("curl")?)
        .args(["-sSi", "--max-time", "10", "--noproxy", "*", "--cacert"])
        .arg(trusted)
        .args(arguments)
        .arg(format!("{}/v2/t/a/blobs/uploads/", server.url()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.code().unwrap(), text))
}

#[test]
fn tls_by_a_private_authority_and_by_the_registry_guide() {
    let directory = tempfile::tempdir().unwrap();
    let Some(ca) = certificates::Authority::create(directory.path(), "ca") else {
        return;
    };
    let issued = ca.issue("server");
    let own = certificates::self_signed(directory.path()).unwrap();
    let other = certificates::Authority::create(directory.path(), "other").unwrap();
    for (certificate, trusted) in [(&issued, &ca.certificate), (&own, &own.certificate)] {
        let config = RegistryConfig::new().tls(&certificate.certificate, &certificate.key);
        let servers = [
            DockerRegistry::start(&config),
            DistributionV3::start(&config),
        ];
        for server in servers.into_iter().flatten() {
            assert!(server.url().starts_with("https://127.0.0.1:"));
            let Some((code, answer)) = curl(&server, trusted, &["-X", "POST"]) else {
                return;
            };
            assert_eq!(code, 0, "{answer}");
            assert!(answer.contains("202"), "{answer}");
            // 60: "peer certificate cannot be authenticated".
            assert_eq!(curl(&server, &other.certificate, &[]).unwrap().0, 60);
            let plain = get(&server, "/v2/");
            assert_eq!(plain.status, 400);
            assert_eq!(
                plain.text(),
                "Client sent an HTTP request to an HTTPS server.\n"
            );
        }
    }
}

#[test]
fn nginx_recipes() {
    let Some(server) = plain() else { return };
    let image = &seed::push_tags(server.authority(), REPOSITORY, &["v1"])[0];
    let Some(front) = Nginx::start(server.authority(), &Recipe::HeadNotAllowed) else {
        return;
    };
    assert_eq!(manifest(&front, "HEAD", image, "v1").status, 405);
    assert_eq!(manifest(&front, "GET", image, "v1").status, 200);

    let front = Nginx::start(server.authority(), &Recipe::StripDigest).unwrap();
    let answer = manifest(&front, "HEAD", image, "v1");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Docker-Content-Digest"), None);
    // Pushing through the front works too: the Location names it.
    seed::push_tags(front.authority(), REPOSITORY, &["v2"]);

    let front = Nginx::start(server.authority(), &Recipe::Gzip).unwrap();
    let target = format!("/v2/{REPOSITORY}/manifests/v1");
    let headers = [("Accept", image.media_type), ("Accept-Encoding", "gzip")];
    let answer = ask(&front, "HEAD", &target, &headers);
    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
    assert_eq!(answer.header("Content-Length"), None);
    assert!(answer.header("Etag").unwrap().starts_with("W/"));
    let answer = ask(&front, "GET", &target, &headers);
    assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!(answer.body[..2], [0x1f, 0x8b]);

    let front = Nginx::start("", &Recipe::StaticSite).unwrap();
    assert!(get(&front, "/").text().contains("Welcome to nginx!"));
    let answer = get(&front, "/v2/");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("Content-Type"), Some("text/html"));
}

#[test]
fn nginx_ends_tls_and_the_registry_does_not_know() {
    let directory = tempfile::tempdir().unwrap();
    let Some(ca) = certificates::Authority::create(directory.path(), "ca") else {
        return;
    };
    let Some(server) = plain() else { return };
    let issued = ca.issue("server");
    let recipe = Recipe::Tls {
        certificate: issued.certificate,
        key: issued.key,
    };
    let Some(front) = Nginx::start(server.authority(), &recipe) else {
        return;
    };
    let Some((code, answer)) = curl(&front, &ca.certificate, &["-X", "POST"]) else {
        return;
    };
    assert_eq!(code, 0, "{answer}");
    let location = format!("Location: http://{}/v2/", front.authority());
    assert!(answer.contains(&location), "{answer}");
}
