//! Which client asks which registry.
//!
//! The library's settings are given for each registry by name, before anything is asked; the
//! command's may count for every registry that a reference names, and references may still be on
//! their way on standard input. So a registry that such a setting counts for gets a client of its
//! own when it is first named. All others share one.

use std::collections::HashMap;
use std::time::Duration;

use ocireg::{CallOptions, Client, ClientBuilder, Registry, Result};

use crate::args::{Options, Scope};
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
    /// Fails where a setting is unusable, before anything is asked. A CA file that does not parse
    /// is found by [`of`](Clients::of): it counts for every registry, so none is asked with it.
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

    /// The client to ask `registry` with.
    pub(crate) fn of(&mut self, registry: &Registry) -> Result<Client> {
        if !self.needs_own(registry) {
            return Ok(self.shared.clone());
        }
        if let Some(client) = self.own.get(registry) {
            return Ok(client.clone());
        }
        let name = registry.as_str();
        // The library gives each registry its own, so every client may know all that is private.
        let mut builder = builder(self.options, &self.private);
        for file in &self.options.ca_file {
            builder = builder.ca_file(name, file);
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

    /// The settings that all clients call with.
    pub(crate) fn call(&self) -> &CallOptions {
        &self.call
    }

    /// How long a call may take, if the user has said so.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.options.timeout
    }

    /// Whether a setting for every registry makes a difference for this one.
    pub(crate) fn needs_own(&self, registry: &Registry) -> bool {
        let options = self.options;
        !options.ca_file.is_empty()
            || options.plain_http.contains(&Scope::Every)
            || options.https.contains(&Scope::Every) && registry.is_loopback()
    }
}

/// Clients hold connections and certificates; a list of references may name any number of
/// registries.
const MAX_OWN: usize = 64;

/// The settings that are the same for all.
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
    for realm in &options.trust_realm {
        builder = builder.trusted_realm(realm.registry.as_str(), &realm.host);
    }
    builder
}
