//! Work that nobody waits for and whose failure changes nothing: answers, courtesies. What must happen is a row and a loop.

use std::future::Future;

/// Lets this run beside everything else, unsupervised. It must end by itself, and bring its own time limit.
///
/// # Panics
/// Outside a tokio runtime.
pub fn aside(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
}
