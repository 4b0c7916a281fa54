//! Just enough of pickle to find the tensors in dictionaries.
//!
//! Nothing is imported and nothing is run: what is neither a dictionary nor part of a
//! tensor is a value that says nothing. Values refer to each other by place and
//! not by ownership, so that no nesting of theirs can exhaust the stack.

use std::collections::HashMap;
use std::rc::Rc;

/// Dictionaries within each other.
const DEEPEST: usize = 64;
/// Letters of all names together: dictionaries may be in several others.
const MOST: usize = 1 << 26;
/// Tensors made, and tensors with a name.
const MOST_TENSORS: usize = 100_000;
/// Dimensions of a tensor.
const MOST_DIMENSIONS: usize = 16;
/// Functions around the one that makes a tensor.
const WRAPPED: usize = 8;
/// Letters of a class with its module.
const LONGEST_CLASS: usize = 1 << 10;

/// Classes that are called for an empty dictionary.
const DICTIONARIES: [&str; 2] = ["collections.OrderedDict", "collections.defaultdict"];

/// What has a name in the dictionaries.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A tensor of numbers in a storage.
    Tensor(Rc<Stored>),
    /// One that is kept otherwise; by which function.
    Other(Rc<str>),
}

/// Where a tensor is.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) storage: Rc<Storage>,
    /// Elements before its first.
    pub(super) offset: usize,
    pub(super) size: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// Numbers one after another, in a record of its own.
#[derive(Debug)]
pub(super) struct Storage {
    /// PyTorch's class of it, which says the type of the numbers.
    pub(super) kind: Rc<str>,
    /// The record's name.
    pub(super) key: Rc<str>,
}

/// The tensors of a pickle, by the keys of the dictionaries that they are in, with
/// dots between.
pub(super) fn tensors(pickle: &[u8]) -> Result<Vec<(String, Found)>, String> {
    let mut machine = Machine { rest: pickle, ..Machine::default() };
    let root = machine.run()?;
    machine.named(&root)
}

/// The pickles that a file of PyTorch before 1.6 begins with.
pub(super) struct Pickles {
    pub(super) tensors: Vec<(String, Found)>,
    /// What numbers follow, in their order.
    pub(super) storages: Vec<Rc<Storage>>,
    /// Bytes of the pickles.
    pub(super) length: usize,
}

/// Reads what follows the magic number: a version, the machine's sizes, the
/// dictionary, the keys of storages.
pub(super) fn pickles(file: &[u8]) -> Result<Pickles, String> {
    let mut rest = file;
    let mut next = || {
        let mut machine = Machine { rest, ..Machine::default() };
        let value = machine.run()?;
        rest = machine.rest;
        Ok::<_, String>((machine, value))
    };
    next()?;
    let (machine, sizes) = next()?;
    let Value::Dict(sizes) = sizes else { return Err("it does not say its sizes".to_string()) };
    let is_big = |(key, value): &(Value, Value)| matches!((key, value), (Value::Text(key), Value::Int(0)) if **key == *"little_endian");
    if machine.dicts[sizes].iter().any(is_big) {
        return Err("its numbers are big-endian: save it anew, as safetensors".to_string());
    }
    let (machine, root) = next()?;
    let tensors = machine.named(&root)?;
    let (keys, list) = next()?;
    let kept = machine.storages;
    let storages = keys.items(&list)?.iter().map(|key| match key {
        Value::Text(key) => kept.get(&**key).cloned(),
        _ => None,
    });
    let storages = storages.collect::<Option<_>>().ok_or("a storage is of no tensor")?;
    Ok(Pickles { tensors, storages, length: file.len() - rest.len() })
}

const NO_DICTIONARY: &str =
    "it has no dictionary of tensors: of a whole module, save the `state_dict()`";

#[derive(Clone, Debug)]
enum Value {
    /// Nothing that matters here.
    Some,
    None,
    Int(i64),
    Text(Rc<str>),
    /// A class or a function: the module, a dot, the name.
    Class(Rc<str>),
    Storage(Rc<Storage>),
    Found(Found),
    /// A place in `tuples`; lists are there too.
    Tuple(usize),
    /// A place in `dicts`.
    Dict(usize),
}

#[derive(Default)]
struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    /// Lengths of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    tuples: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    /// By their keys.
    storages: HashMap<Rc<str>, Rc<Storage>>,
    /// Tensors made.
    made: usize,
}

impl<'a> Machine<'a> {
    /// Up to the end of the pickle; its value. Names of the codes are those of
    /// Python's `pickletools`.
    fn run(&mut self) -> Result<Value, String> {
        loop {
            let code = self.number(1)? as u8;
            match code {
                // PROTO, FRAME
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                // STOP
                b'.' => return self.pop(),
                // MARK, POP, POP_MARK, DUP
                b'(' => self.marks.push(self.stack.len()),
                b'0' if self.marks.last() == Some(&self.stack.len()) => {
                    self.marks.pop();
                }
                b'0' => {
                    self.pop()?;
                }
                b'1' => {
                    self.marked()?;
                }
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                // NONE, NEWTRUE, NEWFALSE, BINFLOAT
                b'N' => self.stack.push(Value::None),
                0x88 | 0x89 => self.stack.push(Value::Int(i64::from(code == 0x88))),
                b'G' => {
                    self.skip(8)?;
                    self.stack.push(Value::Some);
                }
                // BININT1, BININT2, BININT, LONG1, LONG4
                b'K' => self.unsigned(1)?,
                b'M' => self.unsigned(2)?,
                b'J' => self.signed(4)?,
                0x8a | 0x8b => {
                    let length = self.length(if code == 0x8a { 1 } else { 4 })?;
                    self.signed(length)?;
                }
                // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
                0x8c => self.text(1)?,
                b'X' => self.text(4)?,
                0x8d => self.text(8)?,
                // SHORT_BINSTRING, BINSTRING, SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
                b'U' | b'C' => self.bytes(1)?,
                b'T' | b'B' => self.bytes(4)?,
                0x8e | 0x96 => self.bytes(8)?,
                // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
                b')' => self.tuple(Vec::new()),
                0x85..=0x87 => {
                    let mut items = Vec::new();
                    for _ in 0x85..=code {
                        items.insert(0, self.pop()?);
                    }
                    self.tuple(items);
                }
                b't' => {
                    let items = self.marked()?;
                    self.tuple(items);
                }
                // EMPTY_LIST, EMPTY_SET, LIST, FROZENSET
                b']' | 0x8f => self.tuple(Vec::new()),
                b'l' | 0x91 => {
                    let items = self.marked()?;
                    self.tuple(items);
                }
                // BUILD, APPEND, APPENDS, ADDITEMS
                b'b' => {
                    self.pop()?;
                    self.top()?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' | 0x90 => {
                    let items = self.marked()?;
                    self.append(items)?;
                }
                // EMPTY_DICT, DICT, SETITEM, SETITEMS
                b'}' => self.dict(),
                b'd' => {
                    let items = self.marked()?;
                    self.dict();
                    self.set(items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set(vec![key, value])?;
                }
                b'u' => {
                    let items = self.marked()?;
                    self.set(items)?;
                }
                // GLOBAL, STACK_GLOBAL
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.class(module, name)?;
                }
                0x93 => {
                    let (Value::Text(name), Value::Text(module)) = (self.pop()?, self.pop()?)
                    else {
                        return Err("a class has no name".to_string());
                    };
                    self.class(&module, &name)?;
                }
                // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
                b'q' => self.put(1)?,
                b'r' => self.put(4)?,
                0x94 => {
                    let top = self.top()?;
                    self.memo.insert(self.memo.len() as u32, top);
                }
                b'h' => self.get(1)?,
                b'j' => self.get(4)?,
                // BINPERSID
                b'Q' => {
                    let id = self.pop()?;
                    let storage = Rc::new(self.storage(&id)?);
                    self.storages.insert(storage.key.clone(), storage.clone());
                    self.stack.push(Value::Storage(storage));
                }
                // REDUCE, NEWOBJ, NEWOBJ_EX
                b'R' => {
                    let arguments = self.pop()?;
                    match self.pop()? {
                        // Its items follow.
                        Value::Class(name) if DICTIONARIES.contains(&&*name) => self.dict(),
                        function => {
                            let value = self.call(function, arguments)?;
                            self.made += usize::from(matches!(value, Value::Found(_)));
                            if self.made > MOST_TENSORS {
                                return Err(too_many());
                            }
                            self.stack.push(value);
                        }
                    }
                }
                0x81 | 0x92 => {
                    for _ in 0..if code == 0x81 { 2 } else { 3 } {
                        self.pop()?;
                    }
                    self.stack.push(Value::Some);
                }
                _ => return Err(format!("code {code:#04x} of pickle is unknown")),
            }
        }
    }

    // --- what follows a code ---------------------------------------------

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Result<(), String> {
        self.take(count).map(|_| ())
    }

    /// Of at most eight bytes, the lowest first.
    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        let bytes = self.take(bytes)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, bytes: usize) -> Result<usize, String> {
        usize::try_from(self.number(bytes)?).map_err(|_| "it ends too early".to_string())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or("it ends too early")?;
        let line = self.take(end)?;
        self.skip(1)?;
        std::str::from_utf8(line).map_err(|_| "a name is not UTF-8".to_string())
    }

    fn unsigned(&mut self, bytes: usize) -> Result<(), String> {
        let number = self.number(bytes)?;
        self.stack.push(Value::Int(number as i64));
        Ok(())
    }

    /// Two's complement; of more than eight bytes it is no size of anything.
    fn signed(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > 8 {
            self.skip(bytes)?;
            self.stack.push(Value::Some);
            return Ok(());
        }
        let unused = 64 - 8 * bytes as u32;
        let number = self.number(bytes)?;
        let number = number.checked_shl(unused).unwrap_or(0) as i64;
        self.stack.push(Value::Int(number.checked_shr(unused).unwrap_or(0)));
        Ok(())
    }

    fn text(&mut self, bytes: usize) -> Result<(), String> {
        let length = self.length(bytes)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a text is not UTF-8")?;
        self.stack.push(Value::Text(text.into()));
        Ok(())
    }

    fn bytes(&mut self, bytes: usize) -> Result<(), String> {
        let length = self.length(bytes)?;
        self.skip(length)?;
        self.stack.push(Value::Some);
        Ok(())
    }

    // --- the stack and the memo ------------------------------------------

    fn pop(&mut self) -> Result<Value, String> {
        self.top()?;
        self.stack.pop().ok_or_else(|| "a value is missing".to_string())
    }

    /// The last value, if it is after the last mark.
    fn top(&self) -> Result<Value, String> {
        let after = self.marks.last().copied().unwrap_or(0);
        let last = self.stack.get(after..).and_then(<[Value]>::last);
        last.cloned().ok_or_else(|| "a value is missing".to_string())
    }

    /// All that is after the last mark.
    fn marked(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    fn put(&mut self, bytes: usize) -> Result<(), String> {
        let place = self.number(bytes)? as u32;
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn get(&mut self, bytes: usize) -> Result<(), String> {
        let place = self.number(bytes)? as u32;
        let value = self.memo.get(&place).ok_or("a value is referred to that is not there")?;
        self.stack.push(value.clone());
        Ok(())
    }

    // --- values ----------------------------------------------------------

    /// Texts may be used again and again: names of classes are copies of them.
    fn class(&mut self, module: &str, name: &str) -> Result<(), String> {
        if module.len() + name.len() > LONGEST_CLASS {
            return Err(format!("the name of a class has more than {LONGEST_CLASS} letters"));
        }
        self.stack.push(Value::Class(format!("{module}.{name}").into()));
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) {
        self.stack.push(Value::Tuple(self.tuples.len()));
        self.tuples.push(items);
    }

    /// For the list on top.
    fn append(&mut self, items: Vec<Value>) -> Result<(), String> {
        if let Value::Tuple(place) = self.top()? {
            self.tuples[place].extend(items);
        }
        Ok(())
    }

    fn dict(&mut self) {
        self.stack.push(Value::Dict(self.dicts.len()));
        self.dicts.push(Vec::new());
    }

    /// Keys and values by turns, for the dictionary on top.
    fn set(&mut self, items: Vec<Value>) -> Result<(), String> {
        let top = self.top()?;
        if !items.len().is_multiple_of(2) {
            return Err("a key has no value".to_string());
        }
        // Other classes have items too.
        if let Value::Dict(place) = top {
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                self.dicts[place].push((key, value));
            }
        }
        Ok(())
    }

    fn items(&self, value: &Value) -> Result<&[Value], String> {
        match value {
            Value::Tuple(place) => Ok(&self.tuples[*place]),
            _ => Err("arguments are no tuple".to_string()),
        }
    }

    /// `("storage", class, key, device, elements)`, and before 1.6 whose view it is.
    fn storage(&self, id: &Value) -> Result<Storage, String> {
        match self.items(id)? {
            [Value::Text(what), Value::Class(kind), Value::Text(key), _, _]
            | [Value::Text(what), Value::Class(kind), Value::Text(key), _, _, Value::None]
                if **what == *"storage" =>
            {
                Ok(Storage { kind: kind.clone(), key: key.clone() })
            }
            _ => Err("a storage is not described as PyTorch does".to_string()),
        }
    }

    /// What a function would return, if it is one that makes tensors.
    fn call(&self, function: Value, arguments: Value) -> Result<Value, String> {
        let (mut function, mut arguments) = (function, arguments);
        // A list of arguments may be in itself.
        for _ in 0..=WRAPPED {
            let Value::Class(name) = &function else { return Ok(Value::Some) };
            match &**name {
                "torch._utils._rebuild_tensor_v2" => return self.tensor(name, &arguments),
                // (the tensor, …)
                "torch._utils._rebuild_parameter"
                | "torch._utils._rebuild_parameter_with_state" => {
                    let parameter = self.items(&arguments)?.first();
                    return parameter.cloned().ok_or_else(|| "a parameter is empty".to_string());
                }
                // (a function, the class of what it makes, its arguments, …)
                "torch._tensor._rebuild_from_type_v2" => {
                    let [inner, _, inner_arguments, ..] = self.items(&arguments)? else {
                        return Err("a tensor lacks arguments".to_string());
                    };
                    (function, arguments) = (inner.clone(), inner_arguments.clone());
                }
                _ if name.starts_with("torch._utils._rebuild_")
                    || name.starts_with("torch._tensor._rebuild_") =>
                {
                    return Ok(Value::Found(Found::Other(name.clone())));
                }
                _ => return Ok(Value::Some),
            }
        }
        Err(format!("a tensor is wrapped more than {WRAPPED} times"))
    }

    /// (storage, offset, size, strides, needs gradients, hooks, [more about it]).
    fn tensor(&self, name: &Rc<str>, arguments: &Value) -> Result<Value, String> {
        let [Value::Storage(storage), Value::Int(offset), size, strides, more @ ..] =
            self.items(arguments)?
        else {
            return Err("a tensor is not described as PyTorch does".to_string());
        };
        // Conjugated or negated where it is read, for one.
        if more.get(2).is_some_and(|more| !matches!(more, Value::None)) {
            return Ok(Value::Found(Found::Other(format!("{name} with metadata").into())));
        }
        let (size, strides) = (self.items(size)?, self.items(strides)?);
        if size.len() > MOST_DIMENSIONS {
            return Err(format!("a tensor has more than {MOST_DIMENSIONS} dimensions"));
        }
        if size.len() != strides.len() {
            return Err("a tensor has not one stride for every dimension".to_string());
        }
        let (size, strides) = (sizes(size)?, sizes(strides)?);
        let offset = usize::try_from(*offset).map_err(|_| "an offset is negative")?;
        let stored = Stored { storage: storage.clone(), offset, size, strides };
        Ok(Value::Found(Found::Tensor(stored.into())))
    }

    fn named(&self, root: &Value) -> Result<Vec<(String, Found)>, String> {
        match root {
            Value::Dict(root) => self.names(*root),
            Value::Found(_) => Err("it holds a tensor by itself, without a name".to_string()),
            _ => Err(NO_DICTIONARY.to_string()),
        }
    }

    /// All tensors below a dictionary.
    fn names(&self, root: usize) -> Result<Vec<(String, Found)>, String> {
        let mut found = Vec::new();
        let mut left = vec![(root, String::new(), 1)];
        let mut letters = 0;
        while let Some((place, prefix, depth)) = left.pop() {
            if depth > DEEPEST {
                return Err(format!("dictionaries are more than {DEEPEST} deep"));
            }
            for (key, value) in &self.dicts[place] {
                // Looking at what has no name takes time too.
                letters += 1;
                if letters > MOST {
                    return Err(too_long());
                }
                let key = match key {
                    Value::Text(key) => key.clone(),
                    Value::Int(key) => key.to_string().into(),
                    _ => continue,
                };
                letters += prefix.len() + key.len();
                if letters > MOST {
                    return Err(too_long());
                }
                let name = format!("{prefix}{key}");
                match value {
                    Value::Dict(inner) => left.push((*inner, name + ".", depth + 1)),
                    Value::Found(_) if found.len() == MOST_TENSORS => return Err(too_many()),
                    Value::Found(tensor) => found.push((name, tensor.clone())),
                    _ => {}
                }
            }
        }
        if found.is_empty() {
            return Err(NO_DICTIONARY.to_string());
        }
        Ok(found)
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, String> {
    let sizes = values.iter().map(|size| match size {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    });
    sizes.collect::<Option<_>>().ok_or_else(|| "a size is not a number".to_string())
}

fn too_many() -> String {
    format!("it has more than {MOST_TENSORS} tensors")
}

fn too_long() -> String {
    format!("its names have more than {MOST} letters")
}
