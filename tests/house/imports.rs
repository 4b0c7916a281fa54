//! Reads which file of a crate uses which other, through re-exports.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, UseTree};

/// One use of an item of another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// The file that uses it, below `src`.
    pub(crate) from: String,
    /// The file that defines it.
    pub(crate) to: String,
    /// The path by which it is used.
    pub(crate) path: String,
}

/// A module: the file it is written in, and what can be named below it.
#[derive(Debug, Default)]
struct Module {
    file: String,
    items: BTreeSet<String>,
    /// Names that come from elsewhere, with the full path that they stand for.
    exports: HashMap<String, Vec<String>>,
    /// Modules of which everything is exported.
    globs: Vec<Vec<String>>,
}

/// The modules of a crate by their paths, `[]` for the root.
#[derive(Default)]
pub(crate) struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
    files: Vec<(Vec<String>, syn::File)>,
    /// Files that are compiled for tests alone.
    tests: BTreeSet<Vec<String>>,
}

/// All Rust files below a folder, in order; none of build outputs.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

impl Crate {
    /// Reads all files below a folder `src`.
    pub(crate) fn read(src: &Path) -> Self {
        let mut found = Self::default();
        for path in rust_files(src) {
            let file = path.strip_prefix(src).expect("below src").display().to_string();
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            let mut module: Vec<String> =
                file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                module.pop();
            }
            found.add(&module, &file, &parsed.items);
            found.files.push((module, parsed));
        }
        found
    }

    fn add(&mut self, module: &[String], file: &str, items: &[Item]) {
        let mut known = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            if is_test(attributes(item)) {
                if let Item::Mod(item) = item {
                    self.tests.insert(below(module, &item.ident));
                }
                continue;
            }
            match item {
                Item::Use(item) => {
                    for (name, path) in leaves(item) {
                        let path = absolute(module, &path);
                        match name.as_str() {
                            "*" => known.globs.push(path),
                            _ => {
                                known.exports.insert(name, path);
                            }
                        }
                    }
                }
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.add(&below(module, &item.ident), file, items);
                    }
                }
                item => known.items.extend(name_of(item)),
            }
        }
        self.modules.insert(module.to_vec(), known);
    }

    /// The file that defines what an absolute path names; none for other crates. No path is followed
    /// twice, since modules may export everything of one another, and none that grows without end.
    fn definition(&self, path: &[String], seen: &mut HashSet<Vec<String>>) -> Option<&str> {
        if path.len() > 16 || !seen.insert(path.to_vec()) {
            return None;
        }
        let mut module = Vec::new();
        for (at, name) in path.iter().enumerate() {
            let mut inner = module.clone();
            inner.push(name.clone());
            if self.modules.contains_key(&inner) {
                module = inner;
                continue;
            }
            let known = &self.modules[&module];
            if known.items.contains(name) {
                return Some(&known.file);
            }
            if let Some(exported) = known.exports.get(name) {
                let whole: Vec<String> = exported.iter().chain(&path[at + 1..]).cloned().collect();
                return self.definition(&whole, seen);
            }
            return known.globs.iter().find_map(|glob| {
                let whole: Vec<String> = glob.iter().chain(&path[at..]).cloned().collect();
                self.definition(&whole, seen)
            });
        }
        // A module alone is no item: what is used of it is seen where it is used.
        None
    }

    /// Every use of an item of another file, without repetition.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut found = BTreeSet::new();
        let mut defined: HashMap<Vec<String>, Option<&str>> = HashMap::new();
        for (module, file) in self.files.iter().filter(|(module, _)| !self.tests.contains(module)) {
            let from = &self.modules[module].file;
            let mut paths =
                Paths { names: HashMap::new(), module: module.clone(), found: Vec::new() };
            paths.visit_file(file);
            for path in paths.found {
                // Most names are used more than once, and to follow `*` takes long.
                let to = *defined
                    .entry(path.clone())
                    .or_insert_with(|| self.definition(&path, &mut HashSet::new()));
                if let Some(to) = to
                    && to != from
                {
                    let path = format!("crate::{}", path.join("::"));
                    found.insert(Import { from: from.clone(), to: to.to_owned(), path });
                }
            }
        }
        found.into_iter().collect()
    }
}

/// The paths that a file names, from the root of its crate.
struct Paths {
    /// What the names that were imported so far stand for.
    names: HashMap<String, Vec<String>>,
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Paths {
    /// Takes down a path whose first name leads into this crate.
    fn take(&mut self, path: Vec<String>) {
        let Some(first) = path.first() else { return };
        match first.as_str() {
            "crate" | "super" | "self" => self.found.push(absolute(&self.module, &path)),
            name => {
                if let Some(whole) = self.names.get(name) {
                    self.found.push(whole.iter().chain(&path[1..]).cloned().collect());
                } else if path.len() > 1 {
                    // A module below this one.
                    self.found.push(self.module.iter().chain(&path).cloned().collect());
                }
            }
        }
    }

    /// Paths in the arguments of a macro, which has no syntax of its own.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.take(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.take(std::mem::take(&mut path));
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.take(std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.take(path);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        for (name, path) in leaves(item) {
            let whole = absolute(&self.module, &path);
            // What a module hands on from its own children is no use of them.
            if !exported {
                self.found.push(whole.clone());
                self.names.insert(name, whole);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.take(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &'ast Macro) {
        self.tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }
}

/// The path from the root of the crate; other crates keep their first name.
fn absolute(module: &[String], path: &[String]) -> Vec<String> {
    let mut at = module.to_vec();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("crate") => {
            at.clear();
            rest = &path[1..];
        }
        Some("self") => rest = &path[1..],
        Some("super") => {
            while rest.first().is_some_and(|name| name == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        _ => {}
    }
    at.extend(rest.iter().cloned());
    at
}

/// The names that a `use` brings in, and the paths that they stand for.
fn leaves(item: &ItemUse) -> Vec<(String, Vec<String>)> {
    fn walk(tree: &UseTree, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            path.push(name.to_string());
            path
        };
        match tree {
            UseTree::Path(path) => walk(&path.tree, &with(&path.ident), found),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                found.push((last, before.to_vec()));
            }
            UseTree::Name(name) => found.push((name.ident.to_string(), with(&name.ident))),
            UseTree::Rename(name) => found.push((name.rename.to_string(), with(&name.ident))),
            UseTree::Glob(_) => found.push(("*".into(), before.to_vec())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, before, found)),
        }
    }
    let mut found = Vec::new();
    walk(&item.tree, &[], &mut found);
    found
}

/// The path of a module inside another.
fn below(module: &[String], name: &syn::Ident) -> Vec<String> {
    module.iter().cloned().chain([name.to_string()]).collect()
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether something is compiled for tests or documentation alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test") || condition.is_ident("doctest"))
    })
}

/// The groups of files that reach one another, each in order.
pub(crate) fn circles(imports: &[Import]) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().insert(&import.to);
    }
    let reached = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(next.get(file).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|&file| (file, reached(file))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (&file, seen) in &reach {
        if seen.contains(file) {
            let circle = seen
                .iter()
                .filter(|&&other| reach.get(other).is_some_and(|back| back.contains(file)));
            found.insert(circle.map(|&other| other.to_owned()).collect());
        }
    }
    found.into_iter().collect()
}
