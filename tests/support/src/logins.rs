//! Servers for tests of logins: distribution's own token server, and a registry that supports only
//! Basic.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::certificates::{self, Certificate};
use crate::registries::HTPASSWD;
use crate::require;
use crate::server::{Launch, Server};

/// distribution's token server, `contrib/token-server`. It knows `user` with `pass`, and grants
/// each user the repositories below the user's name. Anonymous requests get an empty token.
#[derive(Debug)]
pub struct TokenServer;

impl TokenServer {
    /// The issuer of its tokens.
    pub const ISSUER: &'static str = "distribution-token-server";

    /// Starts a token server with its key and password file in `directory`. Its realm is its URL
    /// with `/token/`. Returns also the certificate of its key, for
    /// [`TokenAuth::bundle`](crate::TokenAuth::bundle). `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
    #[track_caller]
    pub fn start(directory: &Path) -> Option<(Server, PathBuf)> {
        Self::launch(directory, None)
    }

    /// As [`start`](Self::start), over https with this certificate: some clients send no password
    /// over http.
    #[track_caller]
    pub fn start_tls(directory: &Path, tls: &Certificate) -> Option<(Server, PathBuf)> {
        Self::launch(directory, Some(tls))
    }

    #[track_caller]
    fn launch(directory: &Path, tls: Option<&Certificate>) -> Option<(Server, PathBuf)> {
        let program = require("token-server")?;
        let certificate = certificates::self_signed(directory)?;
        let (key, passwords) = (directory.join("pkcs1.key"), directory.join("htpasswd"));
        certificates::to_pkcs1(&certificate.key, &key)?;
        fs::write(&passwords, HTPASSWD).expect("the password file can be written");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::start(scheme, None, |_, port| {
            let mut arguments: Vec<OsString> = vec![
                "-addr".into(),
                format!("127.0.0.1:{port}").into(),
                "-key".into(),
                key.clone().into(),
                "-passwd".into(),
                passwords.clone().into(),
                "-realm".into(),
                "lab".into(),
            ];
            if let Some(tls) = tls {
                arguments.extend(["-tlscert".into(), tls.certificate.clone().into()]);
                arguments.extend(["-tlskey".into(), tls.key.clone().into()]);
            }
            Launch {
                program: program.clone(),
                arguments,
                environment: vec![],
            }
        });
        Some((server, certificate.certificate))
    }
}

/// The crate `container-registry`, an independent registry in Rust. It asks for a password by Basic
/// and accepts any user name.
#[derive(Debug)]
pub struct ContainerRegistry;

impl ContainerRegistry {
    /// Starts a registry with this password; `None` is a skip ([`require`]).
    ///
    /// # Panics
    ///
    /// When the program is installed and does not start.
    #[track_caller]
    pub fn start(password: &str) -> Option<Server> {
        let program = require("container-registry")?;
        Some(Server::start("http", None, |directory, port| Launch {
            program: program.clone(),
            arguments: vec![
                "-b".into(),
                format!("127.0.0.1:{port}").into(),
                "-p".into(),
                password.into(),
                "-s".into(),
                directory.join("data").into(),
            ],
            environment: vec![],
        }))
    }
}
