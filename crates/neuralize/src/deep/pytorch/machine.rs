//! A pickle machine that runs nothing.
//!
//! It imports nothing and calls nothing: a value that is neither a dictionary nor part of
//! a tensor is ignored. Values refer to each other by index, so that no nesting can exhaust
//! the stack.

use std::collections::HashMap;
use std::rc::Rc;

use super::entry::{Entry, MAX_TENSORS, Storage, StoredTensor, too_many_tensors};

/// Dimensions of a tensor.
const MAX_DIMENSIONS: usize = 16;
/// Functions around the one that makes a tensor.
const MAX_WRAPPERS: usize = 8;
/// Letters of a class with its module.
const MAX_CLASS_LETTERS: usize = 1 << 10;

/// Classes whose call makes an empty dictionary.
const DICTIONARIES: [&str; 2] = ["collections.OrderedDict", "collections.defaultdict"];

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A value that is not needed here.
    Ignored,
    None,
    Int(i64),
    Text(Rc<str>),
    /// A class or a function: the module, a dot, the name.
    Class(Rc<str>),
    Storage(Rc<Storage>),
    Entry(Entry),
    /// An index into `tuples`, which holds lists too.
    Tuple(usize),
    /// An index into `dicts`.
    Dict(usize),
}

#[derive(Default)]
pub(super) struct Machine<'a> {
    pub(super) rest: &'a [u8],
    stack: Vec<Value>,
    /// Lengths of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    tuples: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    /// By their keys.
    pub(super) storages: HashMap<Rc<str>, Rc<Storage>>,
    /// The number of tensors made.
    made: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(pickle: &'a [u8]) -> Self {
        Self { rest: pickle, ..Self::default() }
    }

    /// Runs the machine up to the end of the pickle, and returns its value. The comments name
    /// codes as Python's `pickletools` does.
    pub(super) fn run(&mut self) -> Result<Value, String> {
        loop {
            let code = self.number(1)? as u8;
            // STOP
            if code == b'.' {
                return self.pop();
            }
            let known = self.run_stack(code)?
                || self.run_scalar(code)?
                || self.run_collection(code)?
                || self.run_object(code)?;
            if !known {
                return Err(format!("code {code:#04x} of pickle is unknown"));
            }
        }
    }

    /// Runs codes of the format, the stack and the memo; returns whether the code is one of them.
    fn run_stack(&mut self, code: u8) -> Result<bool, String> {
        match code {
            // PROTO, FRAME
            0x80 => self.skip(1)?,
            0x95 => self.skip(8)?,
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
            // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
            b'q' => self.put(1)?,
            b'r' => self.put(4)?,
            0x94 => {
                let top = self.top()?;
                self.memo.insert(self.memo.len() as u32, top);
            }
            b'h' => self.get(1)?,
            b'j' => self.get(4)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Runs codes of numbers, texts and bytes; returns whether the code is one of them.
    fn run_scalar(&mut self, code: u8) -> Result<bool, String> {
        match code {
            // NONE, NEWTRUE, NEWFALSE, BINFLOAT
            b'N' => self.stack.push(Value::None),
            0x88 | 0x89 => self.stack.push(Value::Int(i64::from(code == 0x88))),
            b'G' => {
                self.skip(8)?;
                self.stack.push(Value::Ignored);
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
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Runs codes of tuples, lists and dictionaries; returns whether the code is one of them.
    fn run_collection(&mut self, code: u8) -> Result<bool, String> {
        match code {
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
            // APPEND, APPENDS, ADDITEMS
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
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Runs codes of classes, storages and calls; returns whether the code is one of them.
    fn run_object(&mut self, code: u8) -> Result<bool, String> {
        match code {
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.class(module, name)?;
            }
            0x93 => {
                let (Value::Text(name), Value::Text(module)) = (self.pop()?, self.pop()?) else {
                    return Err("a class has no name".to_string());
                };
                self.class(&module, &name)?;
            }
            // BINPERSID
            b'Q' => {
                let id = self.pop()?;
                let storage = Rc::new(self.storage(&id)?);
                self.storages.insert(storage.key.clone(), storage.clone());
                self.stack.push(Value::Storage(storage));
            }
            // REDUCE, NEWOBJ, NEWOBJ_EX, BUILD
            b'R' => {
                let arguments = self.pop()?;
                match self.pop()? {
                    // Its items follow.
                    Value::Class(name) if DICTIONARIES.contains(&&*name) => self.dict(),
                    function => {
                        let value = self.call(function, arguments)?;
                        self.made += usize::from(matches!(value, Value::Entry(_)));
                        if self.made > MAX_TENSORS {
                            return Err(too_many_tensors());
                        }
                        self.stack.push(value);
                    }
                }
            }
            0x81 | 0x92 => {
                for _ in 0..if code == 0x81 { 2 } else { 3 } {
                    self.pop()?;
                }
                self.stack.push(Value::Ignored);
            }
            b'b' => {
                self.pop()?;
                self.top()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
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

    /// A little-endian number of at most eight bytes.
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

    /// A number in two's complement. A number of more than eight bytes cannot be a size and is
    /// ignored.
    fn signed(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > 8 {
            self.skip(bytes)?;
            self.stack.push(Value::Ignored);
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
        self.stack.push(Value::Ignored);
        Ok(())
    }

    // --- the stack and the memo ------------------------------------------

    fn pop(&mut self) -> Result<Value, String> {
        self.top()?;
        self.stack.pop().ok_or_else(|| "a value is missing".to_string())
    }

    /// The last value, if it lies after the last mark.
    fn top(&self) -> Result<Value, String> {
        let after = self.marks.last().copied().unwrap_or(0);
        let last = self.stack.get(after..).and_then(<[Value]>::last);
        last.cloned().ok_or_else(|| "a value is missing".to_string())
    }

    /// The values after the last mark.
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
        let value = self.memo.get(&place).ok_or("it refers to a value that is not there")?;
        self.stack.push(value.clone());
        Ok(())
    }

    // --- values ----------------------------------------------------------

    /// The memo repeats texts, but the name of a class is a copy: long ones are refused.
    fn class(&mut self, module: &str, name: &str) -> Result<(), String> {
        if module.len() + name.len() > MAX_CLASS_LETTERS {
            return Err(format!("the name of a class has more than {MAX_CLASS_LETTERS} letters"));
        }
        self.stack.push(Value::Class(format!("{module}.{name}").into()));
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) {
        self.stack.push(Value::Tuple(self.tuples.len()));
        self.tuples.push(items);
    }

    /// Appends to the list on top.
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

    /// Sets alternating keys and values in the dictionary on top.
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

    pub(super) fn items(&self, value: &Value) -> Result<&[Value], String> {
        match value {
            Value::Tuple(place) => Ok(&self.tuples[*place]),
            _ => Err("arguments are not a tuple".to_string()),
        }
    }

    /// `("storage", class, key, device, elements)`, and before 1.6 the base of a view.
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

    /// The value of a function that makes tensors; values of other functions are
    /// ignored.
    fn call(&self, function: Value, arguments: Value) -> Result<Value, String> {
        let (mut function, mut arguments) = (function, arguments);
        // A list of arguments may contain itself.
        for _ in 0..=MAX_WRAPPERS {
            let Value::Class(name) = &function else { return Ok(Value::Ignored) };
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
                    return Ok(Value::Entry(Entry::Other(name.clone())));
                }
                _ => return Ok(Value::Ignored),
            }
        }
        Err(format!("a tensor is wrapped more than {MAX_WRAPPERS} times"))
    }

    /// (storage, offset, size, strides, needs gradients, hooks, [more about it]).
    fn tensor(&self, name: &Rc<str>, arguments: &Value) -> Result<Value, String> {
        let [Value::Storage(storage), Value::Int(offset), size, strides, more @ ..] =
            self.items(arguments)?
        else {
            return Err("a tensor is not described as PyTorch does".to_string());
        };
        // For example, PyTorch conjugates or negates such a tensor as it reads it.
        if more.get(2).is_some_and(|more| !matches!(more, Value::None)) {
            return Ok(Value::Entry(Entry::Other(format!("{name} with metadata").into())));
        }
        let (size, strides) = (self.items(size)?, self.items(strides)?);
        if size.len() > MAX_DIMENSIONS {
            return Err(format!("a tensor has more than {MAX_DIMENSIONS} dimensions"));
        }
        if size.len() != strides.len() {
            return Err("a tensor has not one stride for every dimension".to_string());
        }
        let (size, strides) = (sizes(size)?, sizes(strides)?);
        let offset = usize::try_from(*offset).map_err(|_| "an offset is negative")?;
        let stored = StoredTensor { storage: storage.clone(), offset, size, strides };
        Ok(Value::Entry(Entry::Tensor(stored.into())))
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, String> {
    let sizes = values.iter().map(|size| match size {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    });
    sizes.collect::<Option<_>>().ok_or_else(|| "a size is not a number".to_string())
}
