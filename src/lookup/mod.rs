//! Questions about images, answered in as few requests as can be.

mod batch;
mod presence;
mod tags;
mod workers;
