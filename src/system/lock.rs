//! Mutexes: a thread that panicked while it held one is no reason for all others to stop.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value, even if a thread panicked while it held it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
