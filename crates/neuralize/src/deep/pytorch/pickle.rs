//! The named tensors in the dictionaries of a pickle.

use std::rc::Rc;

use super::entry::{Entry, MAX_TENSORS, Storage, too_many_tensors};
use super::machine::{Machine, Value};

/// Maximum size of a pickle in bytes. Its values take more memory than its bytes.
pub(super) const MAX_BYTES: u64 = 1 << 25;
/// Maximum depth of nested dictionaries.
const MAX_DEPTH: usize = 64;
/// Maximum number of letters of all names together: a dictionary may be in several others.
const MAX_LETTERS: usize = 1 << 26;

const NO_DICTIONARY: &str =
    "it has no dictionary of tensors: of a whole module, save the `state_dict()`";

/// The tensors of a pickle, named by the keys of the dictionaries around them, joined by
/// dots.
pub(super) fn tensors(pickle: &[u8]) -> Result<Vec<(String, Entry)>, String> {
    let mut machine = Machine::new(pickle);
    let root = machine.run()?;
    named(&machine, &root)
}

/// The pickles at the start of a file of PyTorch before 1.6.
pub(super) struct Pickles {
    pub(super) tensors: Vec<(String, Entry)>,
    /// The storages that follow, in their order.
    pub(super) storages: Vec<Rc<Storage>>,
    /// The length of the pickles in bytes.
    pub(super) length: usize,
}

/// Reads the pickles after the magic number: a version, the machine's sizes, the
/// dictionary, the keys of storages.
pub(super) fn pickles(file: &[u8]) -> Result<Pickles, String> {
    let mut rest = file;
    let mut next = || {
        let mut machine = Machine::new(rest);
        let value = machine.run()?;
        rest = machine.rest;
        Ok::<_, String>((machine, value))
    };
    next()?;
    let (machine, sizes) = next()?;
    let Value::Dict(sizes) = sizes else {
        return Err("it lacks the sizes of its numbers".to_string());
    };
    let is_big = |(key, value): &(Value, Value)| matches!((key, value), (Value::Text(key), Value::Int(0)) if **key == *"little_endian");
    if machine.dicts[sizes].iter().any(is_big) {
        return Err("its numbers are big-endian: save it anew, as safetensors".to_string());
    }
    let (machine, root) = next()?;
    let tensors = named(&machine, &root)?;
    let (keys, list) = next()?;
    let kept = machine.storages;
    let storages = keys.items(&list)?.iter().map(|key| match key {
        Value::Text(key) => kept.get(&**key).cloned(),
        _ => None,
    });
    let storages = storages.collect::<Option<_>>().ok_or("a storage belongs to no tensor")?;
    Ok(Pickles { tensors, storages, length: file.len() - rest.len() })
}

fn named(machine: &Machine<'_>, root: &Value) -> Result<Vec<(String, Entry)>, String> {
    match root {
        Value::Dict(root) => names(machine, *root),
        Value::Entry(_) => Err("it holds a single tensor without a name".to_string()),
        _ => Err(NO_DICTIONARY.to_string()),
    }
}

/// All tensors in a dictionary and in those below it.
fn names(machine: &Machine<'_>, root: usize) -> Result<Vec<(String, Entry)>, String> {
    let mut found = Vec::new();
    let mut left = vec![(root, String::new(), 1)];
    let mut letters = 0;
    while let Some((place, prefix, depth)) = left.pop() {
        if depth > MAX_DEPTH {
            return Err(format!("dictionaries are more than {MAX_DEPTH} deep"));
        }
        for (key, value) in &machine.dicts[place] {
            // An entry without a name takes time too.
            letters += 1;
            if letters > MAX_LETTERS {
                return Err(too_long());
            }
            let key = match key {
                Value::Text(key) => key.clone(),
                Value::Int(key) => key.to_string().into(),
                _ => continue,
            };
            letters += prefix.len() + key.len();
            if letters > MAX_LETTERS {
                return Err(too_long());
            }
            let name = format!("{prefix}{key}");
            match value {
                Value::Dict(inner) => left.push((*inner, name + ".", depth + 1)),
                Value::Entry(_) if found.len() == MAX_TENSORS => return Err(too_many_tensors()),
                Value::Entry(tensor) => found.push((name, tensor.clone())),
                _ => {}
            }
        }
    }
    if found.is_empty() {
        return Err(NO_DICTIONARY.to_string());
    }
    Ok(found)
}

fn too_long() -> String {
    format!("its names have more than {MAX_LETTERS} letters")
}
