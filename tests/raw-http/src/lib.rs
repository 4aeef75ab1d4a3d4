//! Test servers on 127.0.0.1 that know HTTP/1.1 and TLS, and nothing of registries.
//!
//! A [`Server`] puts a [`Service`] on a port: it reads requests, records them as they came
//! ([`Recorded`]) and sends the service's [`Answer`]s. A [`ScriptServer`] plays bytes, for faults
//! below HTTP. Both speak TLS with an [`Identity`], which a [`Ca`] makes at run time. Codes such as
//! R14 are rows of docs/registries.md.
//!
//! ```
//! use raw_http::{Answer, Recorded, Server, Service, Stop};
//! struct Hello;
//! impl Service for Hello {
//!     fn answer(&self, request: &Recorded, _: &Stop) -> Option<Answer> {
//!         Some(Answer::new(200, "Content-Type: text/plain", request.path()))
//!     }
//! }
//! let server = Server::start(0, None, Hello.into());
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! assert!(server.take_requests().is_empty());
//! ```

mod listener;
mod message;
mod script;
mod server;
mod tls;

pub use listener::{Stop, lock};
pub use message::{Answer, Recorded};
pub use script::{Script, ScriptServer};
pub use server::{Server, Service};
pub use tls::{Ca, Identity};
