//! What the type of a field says about it: a layer, a parameter, or neither.

use syn::{GenericArgument, PathArguments, Type};

/// A kind of field, from its type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// A number, a string and the like: never a layer.
    Plain,
    /// A parameter or tensor outside of a layer.
    Parameter,
    /// Any other type, which must be a layer.
    Module,
}

const PLAIN: [&str; 19] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "bool",
    "char",
    "str",
    "String",
    "PhantomData",
];

impl FieldKind {
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Array(array) => Self::of(&array.elem),
            Type::Slice(slice) => Self::of(&slice.elem),
            Type::Reference(reference) => Self::of(&reference.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Group(group) => Self::of(&group.elem),
            Type::Tuple(tuple) => Self::of_all(&tuple.elems.iter().collect::<Vec<_>>()),
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else { return Self::Module };
                let name = last.ident.to_string();
                match name.as_str() {
                    "Option" | "Vec" | "Box" => {
                        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                            return Self::Module;
                        };
                        let inner = arguments.args.iter().filter_map(|argument| match argument {
                            GenericArgument::Type(ty) => Some(ty),
                            _ => None,
                        });
                        Self::of_all(&inner.collect::<Vec<_>>())
                    }
                    "Ignored" => Self::Plain,
                    "Param" | "Tensor" => Self::Parameter,
                    name if PLAIN.contains(&name) => Self::Plain,
                    _ => Self::Module,
                }
            }
            _ => Self::Module,
        }
    }

    fn of_all(types: &[&Type]) -> Self {
        let kinds: Vec<Self> = types.iter().map(|ty| Self::of(ty)).collect();
        match kinds.as_slice() {
            kinds if kinds.contains(&Self::Parameter) => Self::Parameter,
            kinds if kinds.iter().all(|kind| *kind == Self::Plain) => Self::Plain,
            _ => Self::Module,
        }
    }
}
