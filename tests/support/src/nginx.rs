//! nginx in front of a registry.

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
    /// Ends TLS without `X-Forwarded-Proto`, so the registry answers with http in `Location`.
    Tls {
        /// The certificate chain, PEM.
        certificate: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
    /// No registry: nginx's welcome page, and its 404 page at all other paths.
    StaticSite,
}

/// nginx.
#[derive(Debug)]
pub struct Nginx;

impl Nginx {
    /// Starts nginx in front of `upstream` (`127.0.0.1:PORT`, plain http; [`Recipe::StaticSite`]
    /// has no upstream and takes any text); `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
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
                // Without -e it first opens the system's log, which needs root.
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

/// What a recipe adds to the configuration.
#[derive(Default)]
struct Directives {
    /// To `listen`.
    listen: &'static str,
    /// To the server.
    server: String,
    /// To the location before it passes requests on.
    location: &'static str,
}

impl Recipe {
    fn directives(&self) -> Directives {
        let mut directives = Directives::default();
        match self {
            Recipe::HeadNotAllowed => {
                directives.location = "if ($request_method = HEAD) { return 405; }";
            }
            Recipe::StripDigest => {
                directives.location = "proxy_hide_header Docker-Content-Digest;";
            }
            Recipe::Gzip => {
                let gzip = "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 10;";
                gzip.clone_into(&mut directives.server);
            }
            Recipe::Tls { certificate, key } => {
                let (certificate, key) = (certificate.display(), key.display());
                directives.listen = " ssl";
                directives.server =
                    format!("ssl_certificate \"{certificate}\"; ssl_certificate_key \"{key}\";");
            }
            Recipe::StaticSite => {}
        }
        directives
    }
}

fn render(upstream: &str, recipe: &Recipe, directory: &Path, port: u16) -> String {
    let directory = directory.display();
    let Directives {
        listen,
        server,
        location,
    } = recipe.directives();
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

/// The start page of a fresh nginx, shortened: what a mistyped host may answer.
const WELCOME: &str = "<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and working.</p>
</body>
</html>
";
