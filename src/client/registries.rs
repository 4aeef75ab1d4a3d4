//! All registries that a client has talked to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::registry::{RegistryState, Wiring};
use super::settings::Settings;
use super::vouching::Vouching;
use crate::auth::TokenStore;
use crate::reference::Registry;
use crate::transport::{Resolver, WireConfig};
use crate::url::Origin;

/// The registries by name, and what the connections to all of them have in common.
#[derive(Debug)]
pub(crate) struct Registries {
    config: WireConfig,
    resolver: Arc<dyn Resolver>,
    vouching: Vouching,
    tokens: Arc<TokenStore>,
    states: Mutex<HashMap<Registry, Arc<RegistryState>>>,
}

impl Registries {
    pub(super) fn new(settings: &Settings) -> Registries {
        Registries {
            config: WireConfig::new(),
            resolver: settings.resolver.clone(),
            vouching: Vouching::new(settings),
            tokens: Arc::default(),
            states: Mutex::default(),
        }
    }

    /// The state of a registry, made at its first use.
    pub(super) fn state(&self, registry: &Registry, settings: &Settings) -> Arc<RegistryState> {
        let mut states = self.states();
        if let Some(state) = states.get(registry) {
            return state.clone();
        }
        let state = self.unshared(registry, settings);
        states.insert(registry.clone(), state.clone());
        state
    }

    /// A state that nobody else has, and that nothing is known in.
    pub(super) fn unshared(&self, registry: &Registry, settings: &Settings) -> Arc<RegistryState> {
        let given = settings.registries.get(registry).cloned();
        let given = given.unwrap_or_default();
        let origin = Origin::of_registry(registry, given.scheme(registry));
        let wiring = Wiring {
            config: self.config.clone(),
            resolver: self.resolver.clone(),
            vouching: self.vouching.of_registry(given.authorities.clone()),
        };
        Arc::new(RegistryState::new(
            origin,
            given,
            wiring,
            self.tokens.clone(),
        ))
    }

    /// The state of a registry that has been used.
    pub(super) fn known(&self, registry: &Registry) -> Option<Arc<RegistryState>> {
        self.states().get(registry).cloned()
    }

    /// Closes the connections that nobody is using.
    pub(super) fn close_idle(&self) {
        let states: Vec<Arc<RegistryState>> = self.states().values().cloned().collect();
        for state in states {
            state.close_idle();
        }
    }

    /// Never held across I/O.
    fn states(&self) -> MutexGuard<'_, HashMap<Registry, Arc<RegistryState>>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
