//! The result of a lookup, as batches and item callbacks give it to C.

use super::descriptor::{ocireg_descriptor, ocireg_presence};
use super::error::ocireg_error;
use crate::{ErrorKind, Resolved, Result};

/// The result for one reference: an answer, with a descriptor if the image exists, or an error.
pub(super) struct Item {
    pub(super) presence: ocireg_presence,
    pub(super) descriptor: Option<ocireg_descriptor>,
    pub(super) error: Option<ocireg_error>,
}

impl From<ocireg_error> for Item {
    fn from(error: ocireg_error) -> Item {
        Item {
            presence: ocireg_presence::OCIREG_PRESENCE_UNKNOWN,
            descriptor: None,
            error: Some(error),
        }
    }
}

impl From<Result<Resolved>> for Item {
    fn from(result: Result<Resolved>) -> Item {
        let (presence, descriptor) = match result {
            Ok(resolved) => (
                ocireg_presence::OCIREG_PRESENCE_EXISTS,
                Some((&resolved).into()),
            ),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => (ocireg_presence::OCIREG_PRESENCE_ABSENT, None),
                ErrorKind::Denied => (ocireg_presence::OCIREG_PRESENCE_DENIED, None),
                _ => return Item::from(ocireg_error::from(error)),
            },
        };
        Item {
            presence,
            descriptor,
            error: None,
        }
    }
}
