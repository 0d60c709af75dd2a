//! The body that carries the program and knows nothing of stories: what the process was given, the time, the tasks and
//! what keeps them alive, systemd, the log.

pub mod aside;
pub mod background;
pub mod belief;
pub(crate) mod beneath;
pub mod board;
pub mod clock;
pub mod environment;
pub mod events;
pub mod http;
pub mod http_client;
mod journal;
pub mod lock;
pub mod logging;
pub mod memory;
pub mod mounts;
pub mod named;
pub mod network;
pub mod neutral;
pub mod nudge;
pub(crate) mod owner;
mod pen;
pub mod program;
pub mod reference_time;
pub mod replace;
pub mod secret;
pub mod shutdown;
pub mod signals;
pub mod steady;
pub mod storage;
pub mod supervisor;
pub mod systemd;
pub mod vault;
mod vitals;
pub mod whereabouts;
