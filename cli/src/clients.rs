//! Chooses the client that asks a registry.
//!
//! The library takes settings for a registry by name, before it asks anything. The command also has
//! settings for every registry that is named, and standard input may name registries later. So a
//! registry that such a setting is for gets a client of its own when it is first named. All other
//! registries share one client.

use std::collections::HashMap;
use std::time::Duration;

use ocireg::{CallOptions, Client, ClientBuilder, Registry, Result};

use crate::options::{Options, Scope};
use crate::output::Stop;
use crate::private::{Named, Private};
use crate::text::one_line;

/// Clients by registry.
#[derive(Debug)]
pub(crate) struct Clients<'a> {
    options: &'a Options,
    private: Private,
    call: CallOptions,
    shared: Client,
    own: HashMap<Registry, Client>,
}

impl<'a> Clients<'a> {
    /// Fails before anything is asked if a setting is unusable. A CA file for
    /// every registry that does not parse is an error of [`of`](Clients::of), so no registry is
    /// asked.
    pub(crate) fn new(
        options: &'a Options,
        call: CallOptions,
        named: &Named,
    ) -> Result<Clients<'a>, Stop> {
        let private = Private::read(options, named)?;
        let shared = builder(options, &private)
            .build()
            .map_err(|error| Stop::Failed(one_line(&format!("{error:#}"))))?
            .with(call.clone());
        Ok(Clients {
            options,
            private,
            call,
            shared,
            own: HashMap::new(),
        })
    }

    /// The client that asks `registry`.
    pub(crate) fn of(&mut self, registry: &Registry) -> Result<Client> {
        if !self.needs_own(registry) {
            return Ok(self.shared.clone());
        }
        if let Some(client) = self.own.get(registry) {
            return Ok(client.clone());
        }
        let name = registry.as_str();
        // A client shows a secret only to the registry that it is for. So every client may have all
        // secrets.
        let mut builder = builder(self.options, &self.private);
        for ca in self.options.ca_file.iter().filter(|ca| ca.host.is_none()) {
            builder = builder.ca_file(name, &ca.file);
        }
        if self.options.plain_http.contains(&Scope::Every) {
            builder = builder.plain_http(name);
        }
        if self.options.https.contains(&Scope::Every) {
            builder = builder.https(name);
        }
        let client = builder.build()?.with(self.call.clone());
        if self.own.len() >= MAX_OWN {
            self.own.clear();
        }
        self.own.insert(registry.clone(), client.clone());
        Ok(client)
    }

    /// The call settings of all clients.
    pub(crate) fn call(&self) -> &CallOptions {
        &self.call
    }

    /// The user's time limit for a call.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.options.timeout
    }

    /// Whether a setting for every registry changes how this registry is asked.
    pub(crate) fn needs_own(&self, registry: &Registry) -> bool {
        let options = self.options;
        options.ca_file.iter().any(|ca| ca.host.is_none())
            || options.plain_http.contains(&Scope::Every)
            || options.https.contains(&Scope::Every) && registry.is_loopback()
    }
}

/// The most clients that are kept. Clients hold connections and certificates, and standard input
/// may name any number of registries.
const MAX_OWN: usize = 64;

/// The settings that all clients have.
fn builder(options: &Options, private: &Private) -> ClientBuilder {
    let mut builder = private.add_to(Client::builder());
    if let Some(timeout) = options.timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(timeout) = options.connect_timeout {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(retries) = options.retries {
        builder = builder.retries(retries);
    }
    for registry in options.plain_http.iter().filter_map(Scope::registry) {
        builder = builder.plain_http(registry.as_str());
    }
    for registry in options.https.iter().filter_map(Scope::registry) {
        builder = builder.https(registry.as_str());
    }
    for ca in &options.ca_file {
        if let Some(host) = &ca.host {
            builder = builder.ca_file(host.as_str(), &ca.file);
        }
    }
    for realm in &options.trust_realm {
        builder = builder.trusted_realm(realm.registry.as_str(), &realm.host);
    }
    builder
}
