//! Questions about images, answered with as few requests as possible.

mod batch;
mod presence;
mod tags;
mod workers;

pub use self::tags::Found;
