//! Many images at once. Each reference is looked up once, and the requests to a registry share
//! tokens.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use super::presence::{look_up, resolve};
use super::workers::{self, RegistryQueue};
use crate::client::{Call, Client, Group, SharedScopes};
use crate::error::Result;
use crate::presence::Presence;
use crate::reference::{Reference, Registry};
use crate::resolved::Resolved;

impl Client {
    /// Looks up many images at once, in any number of registries.
    ///
    /// The results have the order and length of `references`. A failure of one does not change the
    /// others. A reference that comes twice is looked up once. Each registry gets requests from up
    /// to [`CallOptions::concurrency`](crate::CallOptions::concurrency) threads, which end with the
    /// call. One token serves many repositories: 30 private repositories cost 32 requests.
    ///
    /// The timeout counts for all together. When it ends, or the call is cancelled, finished
    /// lookups keep their results and the rest fail with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) or
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled). When a registry's request limit is
    /// reached, the rest of its images fail with
    /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) without a request. So do the rest
    /// of a registry that can't be reached, or that gives no answer to several images in a row and
    /// to `GET /v2/`, with the kind of that failure.
    ///
    /// [`lookup_each`](Client::lookup_each) gives each answer as soon as it is there.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let client = ocireg::Client::new()?;
    /// let images = ["localhost:5000/app:1", "localhost:5000/db:7"];
    /// let references = images.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>()?;
    /// for (image, answer) in images.iter().zip(client.lookup_all(&references)) {
    ///     println!("{image}: {answer:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn lookup_all(&self, references: &[Reference]) -> Vec<Result<Presence>> {
        let mut results: Vec<Option<Result<Presence>>> = references.iter().map(|_| None).collect();
        let group = self.group();
        group.expect(references.len());
        let done = |position: usize, result: Result<Presence>| {
            group.advanced();
            results[position] = Some(result);
        };
        self.ask_all(&group, references, look_up, done);
        // Every position belongs to an item, and every item is done, so none is `None`.
        results.into_iter().flatten().collect()
    }

    /// Does what [`head`](Client::head) does for many images at once, with the requests of
    /// [`lookup_all`](Client::lookup_all).
    ///
    /// `each` gets the position and the result of every image, as soon as it is there, on the
    /// calling thread. An absent or denied image is an error that says why. If `each` returns
    /// [`ControlFlow::Break`] or panics, the rest is stopped and `each` is not called again.
    ///
    /// The timeout counts for all together.
    /// [`CallOptions::item_timeout`](crate::CallOptions::item_timeout) counts for each image, from
    /// the start of its own lookup.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ocireg::Error> {
    /// let images = ["localhost:5000/app:1".parse()?, "localhost:5000/db:7".parse()?];
    /// ocireg::Client::new()?.lookup_each(&images, |position, answer| {
    ///     println!("{}: {answer:?}", images[position]);
    ///     std::ops::ControlFlow::Continue(())
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn lookup_each(
        &self,
        references: &[Reference],
        mut each: impl FnMut(usize, Result<Resolved>) -> ControlFlow<()>,
    ) {
        let group = self.group();
        group.expect(references.len());
        let mut stopped = false;
        let done = |position: usize, result: Result<Resolved>| {
            if stopped {
                return;
            }
            stopped = group.run_callback(|| each(position, result)).is_break();
            if stopped {
                group.stop();
            }
            group.advanced();
        };
        self.ask_all(&group, references, resolve, done);
    }

    /// Looks up each reference once, and gives the result to `done` for every position that has
    /// this reference.
    fn ask_all<R: Clone + Send>(
        &self,
        group: &Group<'_>,
        references: &[Reference],
        ask: fn(&Call<'_>, &Reference) -> Result<R>,
        mut done: impl FnMut(usize, Result<R>),
    ) {
        let plan = Plan::of(self, references);
        let ask = |item: usize| {
            let reference = &references[item];
            let call = group.call(
                reference.registry(),
                reference,
                plan.shared_scopes[&item].clone(),
            );
            let result = ask(&call, reference);
            group.finished(&call, &result);
            result
        };
        let done = |item: usize, result: Result<R>| {
            for &position in &plan.positions[&item] {
                done(position, result.clone());
            }
        };
        workers::run(
            plan.queues,
            self.concurrency(),
            group.slice(),
            ask,
            done,
            || group.tick(),
        );
    }
}

/// What a batch looks up. An item is the first position of a reference.
struct Plan {
    queues: Vec<RegistryQueue>,
    /// For each item, all positions with the same reference.
    positions: HashMap<usize, Vec<usize>>,
    /// For each item, the scopes of the token that it shares with other items.
    shared_scopes: HashMap<usize, SharedScopes>,
}

impl Plan {
    fn of(client: &Client, references: &[Reference]) -> Plan {
        let mut firsts: HashMap<&Reference, usize> = HashMap::new();
        let mut positions: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut by_registry: Vec<(&Registry, Vec<usize>)> = Vec::new();
        let mut indexes: HashMap<&Registry, usize> = HashMap::new();
        for (position, reference) in references.iter().enumerate() {
            match firsts.entry(reference) {
                Entry::Occupied(first) => positions.entry(*first.get()).or_default().push(position),
                Entry::Vacant(slot) => {
                    slot.insert(position);
                    positions.insert(position, vec![position]);
                    let index = *indexes.entry(reference.registry()).or_insert_with(|| {
                        by_registry.push((reference.registry(), Vec::new()));
                        by_registry.len() - 1
                    });
                    by_registry[index].1.push(position);
                }
            }
        }
        let mut shared_scopes = HashMap::new();
        for (_, items) in &by_registry {
            let names = items
                .iter()
                .map(|&item| (item, references[item].repository().name()));
            shared_scopes.extend(SharedScopes::divide(names));
        }
        let queues = by_registry
            .into_iter()
            .map(|(registry, items)| RegistryQueue {
                items: items.into(),
                needs_leader: client.is_new_to(registry),
            })
            .collect();
        Plan {
            queues,
            positions,
            shared_scopes,
        }
    }
}
