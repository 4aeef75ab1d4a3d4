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

/// The most registries without settings of which something is kept: a program may be asked about
/// ever new names.
const MAX_WITHOUT_SETTINGS: usize = 1024;

/// The registries by name, and what the connections to all of them have in common.
#[derive(Debug)]
pub(crate) struct Registries {
    config: WireConfig,
    resolver: Arc<dyn Resolver>,
    vouching: Vouching,
    tokens: Arc<TokenStore>,
    states: Mutex<States>,
}

#[derive(Debug, Default)]
struct States {
    by_name: HashMap<Registry, Known>,
    /// How often a state was asked for.
    uses: u64,
}

#[derive(Debug)]
struct Known {
    state: Arc<RegistryState>,
    /// Which use of all was the last of this one.
    last_use: u64,
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
        states.uses += 1;
        let last_use = states.uses;
        if let Some(known) = states.by_name.get_mut(registry) {
            known.last_use = last_use;
            return known.state.clone();
        }
        let state = self.unshared(registry, settings);
        let dropped = states.make_room(settings);
        let known = Known {
            state: state.clone(),
            last_use,
        };
        states.by_name.insert(registry.clone(), known);
        // Its connections are closed with it, which is not under the lock.
        drop(states);
        drop(dropped);
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
        let states = self.states();
        states
            .by_name
            .get(registry)
            .map(|known| known.state.clone())
    }

    /// Closes the connections that nobody is using.
    pub(super) fn close_idle(&self) {
        self.config.close_idle();
    }

    /// Never held across I/O.
    fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States {
    /// Drops the registry that was not used for longest, if there are too many. Those that a call
    /// is using stay, and those with settings, whose logins cost most to find out again.
    fn make_room(&mut self, settings: &Settings) -> Option<Known> {
        if self.by_name.len() < MAX_WITHOUT_SETTINGS {
            return None;
        }
        let (mut count, mut oldest) = (0, None);
        for (name, known) in &self.by_name {
            if settings.registries.contains_key(name) {
                continue;
            }
            count += 1;
            let is_free = Arc::strong_count(&known.state) == 1;
            if is_free && oldest.is_none_or(|(_, last_use)| known.last_use < last_use) {
                oldest = Some((name, known.last_use));
            }
        }
        let oldest = oldest.filter(|_| count >= MAX_WITHOUT_SETTINGS)?.0.clone();
        self.by_name.remove(&oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::RegistrySettings;

    #[test]
    fn of_many_registries_the_last_1024_are_kept_and_those_with_settings() {
        let name = |number: usize| {
            format!("r{number}.example.com")
                .parse::<Registry>()
                .unwrap()
        };
        let mut settings = Settings::default();
        for number in [0, 1, 2] {
            let given = RegistrySettings::default();
            settings.registries.insert(name(number), given);
        }
        let registries = Registries::new(&settings);
        let first: Vec<Registry> = (0..1027).map(name).collect();
        for registry in &first {
            registries.state(registry, &settings);
        }
        assert!(
            first
                .iter()
                .all(|registry| registries.known(registry).is_some())
        );
        // One is used by a call, and one was used lately.
        let in_use = registries.state(&name(3), &settings);
        registries.state(&name(4), &settings);
        for registry in (2000..3023).map(name) {
            registries.state(&registry, &settings);
        }
        let left = first
            .iter()
            .filter(|registry| registries.known(registry).is_some());
        let left: Vec<_> = left.cloned().collect();
        assert_eq!(left, [0, 1, 2, 3].map(name));
        assert_eq!(registries.states().by_name.len(), 1024 + 3);
        drop(in_use);
        registries.state(&name(4000), &settings);
        assert!(registries.known(&name(3)).is_none());
    }
}
