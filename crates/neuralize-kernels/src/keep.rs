//! What is derived from parameters, kept for the next call.

use core::any::Any;
use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that are derived from parameters, such as packed weights, kept for the
/// next call.
///
/// A module has one in a field that is no part of its record, and passes it to the
/// kernels. A kept value knows what it was made from and is used again only for that,
/// so nothing has to be emptied when parameters change. Clones share what they keep.
#[derive(Clone, Default)]
pub struct Keep(Arc<Mutex<Vec<Arc<dyn Any + Send + Sync>>>>);

impl Keep {
    /// The kept value of this type that is made from the present parameters, or a
    /// new one, which takes the place of the older.
    pub fn get<T: Any + Send + Sync>(
        &self,
        is_present: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let found = self.lock().iter().find_map(|kept| Arc::clone(kept).downcast::<T>().ok());
        if let Some(found) = found.filter(|found| is_present(found)) {
            return found;
        }
        // The lock is free meanwhile: others need not wait, and may derive the same.
        let made = Arc::new(make());
        let mut kept = self.lock();
        kept.retain(|kept| !kept.is::<T>());
        kept.push(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        made
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Any + Send + Sync>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_until_its_source_changes() {
        let keep = Keep::default();
        let derived =
            |source: u32| *keep.get(|kept: &[u32; 2]| kept[0] == source, || [source, 10 * source]);
        assert_eq!(derived(1), [1, 10]);
        let first = keep.get(|kept: &[u32; 2]| kept[0] == 1, || panic!("it is kept"));
        assert_eq!(*first, [1, 10]);
        assert_eq!(derived(2), [2, 20]);
        // Another type has a place of its own; a clone shares it.
        assert_eq!(*keep.get(|_: &u8| true, || 7), 7);
        assert_eq!(*keep.clone().get(|_: &u8| true, || 8), 7);
        assert_eq!(derived(2), [2, 20]);
    }
}
