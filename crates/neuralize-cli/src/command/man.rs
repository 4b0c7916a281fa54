use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Arguments, ManArgs};
use crate::output::Output;

pub(super) fn run(args: &ManArgs) -> Result<()> {
    let mut command = Arguments::command();
    command.build();
    match &args.out {
        Some(folder) => write_pages(folder, &command),
        None => write(None, &page(&command)?),
    }
}

/// The page of the command and of every subcommand.
fn write_pages(folder: &Path, command: &Command) -> Result<()> {
    let parts = command.get_subcommands().filter(|part| part.get_name() != "help");
    let mut pages = Vec::new();
    for command in std::iter::once(command).chain(parts) {
        let name = Man::new(command.clone()).get_filename();
        pages.push((name, page(command)?));
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (name, page) in pages {
        write(Some(&folder.join(name)), &page)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write(path: Option<&Path>, page: &[u8]) -> Result<()> {
    let mut out = Output::open(path)?;
    out.write_all(page)?;
    out.finish()
}
