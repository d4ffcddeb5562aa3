//! A table with keys that go stale: index plus generation, so that a late answer to a vanished thing finds nothing.
//! Iteration is in index order, so it is deterministic.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a typed key converts to and from.
pub trait Key: Copy + Eq + Ord {
    /// Builds the typed key.
    fn from_parts(index: u32, generation: u32) -> Self;
    /// Slot in the table.
    fn index(self) -> u32;
    /// How often the slot had been used before.
    fn generation(self) -> u32;
}

/// Declares a key type for [`Slab`].
#[macro_export]
macro_rules! typed_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name { index: u32, generation: u32 }
        impl $crate::slab::Key for $name {
            fn from_parts(index: u32, generation: u32) -> Self { Self { index, generation } }
            fn index(self) -> u32 { self.index }
            fn generation(self) -> u32 { self.generation }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({}.{})", stringify!($name), self.index, self.generation)
            }
        }
    };
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Table of `T` under keys of type `K`; freed slots are used again, last freed first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slab<K, T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    len: u32,
    #[serde(skip)]
    key: core::marker::PhantomData<K>,
}

impl<K, T> Default for Slab<K, T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new(), len: 0, key: core::marker::PhantomData }
    }
}

impl<K: Key, T> Slab<K, T> {
    /// Puts `value` in and says under which key.
    pub fn insert(&mut self, value: T) -> K {
        self.insert_with(|_| value)
    }

    /// Puts in what `make` returns for the key it will have.
    pub fn insert_with(&mut self, make: impl FnOnce(K) -> T) -> K {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        let key = K::from_parts(index, slot.generation);
        slot.value = Some(make(key));
        self.len += 1;
        key
    }

    /// The value, unless the key is stale.
    pub fn get(&self, key: K) -> Option<&T> {
        let slot = self.slots.get(key.index() as usize)?;
        if slot.generation == key.generation() { slot.value.as_ref() } else { None }
    }

    /// The value to change, unless the key is stale.
    pub fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if slot.generation == key.generation() { slot.value.as_mut() } else { None }
    }

    /// Takes the value out; the key is stale from now on.
    pub fn remove(&mut self, key: K) -> Option<T> {
        let slot = self.slots.get_mut(key.index() as usize)?;
        if slot.generation != key.generation() {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index());
        self.len -= 1;
        Some(value)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All values with their keys, by index.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(i, s)| s.value.as_ref().map(|v| (K::from_parts(i as u32, s.generation), v)))
    }

    /// All values to change, by index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(i, s)| {
            let generation = s.generation;
            s.value.as_mut().map(|v| (K::from_parts(i as u32, generation), v))
        })
    }

    /// All keys, by index; owned, so that the table may change while walking.
    pub fn keys(&self) -> Vec<K> {
        self.iter().map(|(k, _)| k).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    typed_key!(
        /// A key of these tests.
        TestKey
    );

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slab: Slab<TestKey, u8> = Slab::default();
        let a = slab.insert(1);
        assert_eq!(slab.remove(a), Some(1));
        let b = slab.insert(2);
        assert_eq!(b.index(), a.index());
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.get(b), Some(&2));
        assert_eq!(slab.len(), 1);
    }
}
