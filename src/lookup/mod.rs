//! Questions about images, answered in as few requests as can be.

mod presence;

pub use self::presence::Presence;
