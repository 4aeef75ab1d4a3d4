//! nginx in front of a registry, as operators put it there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::require;
use crate::server::{Launch, Server};

/// What nginx does to the registry behind it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Recipe {
    /// Answers 405 to every HEAD.
    HeadNotAllowed,
    /// Removes `Docker-Content-Digest`.
    StripDigest,
    /// Compresses every answer of ten bytes or more for a client that accepts gzip.
    Gzip,
    /// Ends TLS and forgets `X-Forwarded-Proto`: the registry answers with http in `Location`.
    Tls {
        /// The certificate chain, PEM.
        certificate: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
    /// No registry at all: nginx's welcome page, and its 404 page elsewhere.
    StaticSite,
}

/// nginx.
#[derive(Debug)]
pub struct Nginx;

impl Nginx {
    /// Starts nginx in front of `upstream` (`127.0.0.1:PORT`, plain http; [`Recipe::StaticSite`]
    /// asks nobody and takes any text); `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is there and does not come up.
    #[track_caller]
    pub fn start(upstream: &str, recipe: &Recipe) -> Option<Server> {
        let program = require("nginx")?;
        let scheme = match recipe {
            Recipe::Tls { .. } => "https",
            _ => "http",
        };
        Some(Server::start(scheme, None, |directory, port| {
            let file = directory.join("nginx.conf");
            let config = render(upstream, recipe, directory, port);
            fs::write(&file, config).expect("the configuration can be written");
            fs::write(directory.join("data/index.html"), WELCOME).expect("the page can be written");
            Launch {
                program: program.clone(),
                // Without -e it opens the system's log, which needs root, before it reads its
                // configuration.
                arguments: vec![
                    OsString::from("-p"),
                    directory.into(),
                    "-e".into(),
                    directory.join("error.log").into(),
                    "-c".into(),
                    file.into(),
                ],
                environment: vec![],
            }
        }))
    }
}

fn render(upstream: &str, recipe: &Recipe, directory: &Path, port: u16) -> String {
    let directory = directory.display();
    let (listen, server, location) = match recipe {
        Recipe::HeadNotAllowed => (
            "",
            String::new(),
            "if ($request_method = HEAD) { return 405; }",
        ),
        Recipe::StripDigest => (
            "",
            String::new(),
            "proxy_hide_header Docker-Content-Digest;",
        ),
        Recipe::Gzip => (
            "",
            "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 10;".to_owned(),
            "",
        ),
        Recipe::Tls { certificate, key } => (
            " ssl",
            format!(
                "ssl_certificate \"{}\"; ssl_certificate_key \"{}\";",
                certificate.display(),
                key.display()
            ),
            "",
        ),
        Recipe::StaticSite => ("", String::new(), ""),
    };
    let location = match recipe {
        Recipe::StaticSite => "index index.html; try_files $uri $uri/ =404;".to_owned(),
        _ => format!(
            "{location}
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;"
        ),
    };
    // One process, so that ending it ends all; and only paths below the directory, so that no root
    // is needed.
    format!(
        "daemon off;
master_process off;
pid \"{directory}/nginx.pid\";
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path \"{directory}/body\";
    proxy_temp_path \"{directory}/proxy\";
    fastcgi_temp_path \"{directory}/fastcgi\";
    uwsgi_temp_path \"{directory}/uwsgi\";
    scgi_temp_path \"{directory}/scgi\";
    server {{
        listen 127.0.0.1:{port}{listen};
        root \"{directory}/data\";
        {server}
        location / {{
            {location}
        }}
    }}
}}
"
    )
}

/// The page a fresh nginx shows, in short: what a lookup on a mistyped host meets.
const WELCOME: &str = "<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and working.</p>
</body>
</html>
";
