//! Looks many images up at once.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use ocireg::{CallOptions, Client, Reference, Registry, Resolved};

use crate::clients::Clients;
use crate::reason::Reason;

/// The answer to one lookup.
pub(crate) type Answer = Result<Resolved, Reason>;

/// Looks all references up. `each` is called with every position and its answer as soon as the
/// answer is there, and with the client that asked. An error of `each` ends the batch.
pub(crate) fn ask<E>(
    clients: &mut Clients<'_>,
    references: &[(usize, Reference)],
    timeout: Option<Duration>,
    mut each: impl FnMut(usize, Answer, Option<(&Client, &Registry)>) -> Result<(), E>,
) -> Result<(), E> {
    for part in parts(clients, references) {
        let client = match clients.of(part.registry) {
            Ok(client) => client.with(item_options(clients, timeout)),
            Err(error) => {
                let reason = Reason::from(error);
                for position in part.positions {
                    each(position, Err(reason.clone()), None)?;
                }
                continue;
            }
        };
        let mut failure = None;
        client.lookup_each(&part.references, |index, answer| {
            let asked = Some((&client, part.references[index].registry()));
            match each(part.positions[index], answer.map_err(Reason::from), asked) {
                Ok(()) => ControlFlow::Continue(()),
                Err(stop) => {
                    failure = Some(stop);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(stop) = failure {
            return Err(stop);
        }
    }
    Ok(())
}

/// The references that one client looks up.
struct Part<'a> {
    /// The registry, if it has a client of its own.
    own: Option<&'a Registry>,
    /// The registry of the first reference.
    registry: &'a Registry,
    positions: Vec<usize>,
    references: Vec<Reference>,
}

/// Groups the references by client: one part for each registry that needs its own client, and one
/// for all others.
fn parts<'a>(clients: &Clients<'_>, references: &'a [(usize, Reference)]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for (position, reference) in references {
        let registry = reference.registry();
        let own = clients.needs_own(registry).then_some(registry);
        match parts.iter_mut().find(|part| part.own == own) {
            Some(part) => {
                part.positions.push(*position);
                part.references.push(reference.clone());
            }
            None => parts.push(Part {
                own,
                registry,
                positions: vec![*position],
                references: vec![reference.clone()],
            }),
        }
    }
    parts
}

/// A time limit for each image and none for the batch, since a batch from standard input may have
/// any length.
fn item_options(clients: &Clients<'_>, timeout: Option<Duration>) -> CallOptions {
    let timeout = timeout.or(clients.timeout()).unwrap_or(ITEM_TIMEOUT);
    let call = clients.call().clone();
    call.timeout(Duration::MAX).item_timeout(timeout)
}

/// The library's own time limit for a call.
pub(crate) const ITEM_TIMEOUT: Duration = Duration::from_secs(300);

/// Puts answers that come in any order back into the order of their positions, from 0.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    first: usize,
    waiting: VecDeque<Option<T>>,
}

impl<T> InOrder<T> {
    pub(crate) fn new() -> InOrder<T> {
        InOrder {
            first: 0,
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn put(&mut self, position: usize, value: T) {
        let index = position - self.first;
        if self.waiting.len() <= index {
            self.waiting.resize_with(index + 1, || None);
        }
        self.waiting[index] = Some(value);
    }

    /// The value of the next position, if it has arrived.
    pub(crate) fn take(&mut self) -> Option<(usize, T)> {
        let value = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.first += 1;
        Some((self.first - 1, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_out_in_order() {
        let mut order = InOrder::new();
        assert_eq!(order.take(), None);
        order.put(2, 'c');
        order.put(0, 'a');
        assert_eq!(order.take(), Some((0, 'a')));
        assert_eq!(order.take(), None);
        order.put(1, 'b');
        assert_eq!(order.take(), Some((1, 'b')));
        assert_eq!(order.take(), Some((2, 'c')));
        assert_eq!(order.take(), None);
    }
}
