//! `neuralize man`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Command, ValueHint};
use clap_mangen::Man;

use crate::command::shared;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example: neuralize man > neuralize.1\n\
                        Example: neuralize man --out man1")]
pub(super) struct ManArgs {
    /// Write the pages of all subcommands to this folder [default: the main page to standard output]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(&self, mut command: Command) -> Result<()> {
        command.build();
        match &self.out {
            Some(folder) => write_pages(folder, &command),
            None => write(None, &page(&command)?),
        }
    }
}

/// Writes the page of the command and those of the subcommands.
fn write_pages(folder: &Path, command: &Command) -> Result<()> {
    let parts = command.get_subcommands().filter(|part| part.get_name() != "help");
    let mut pages = Vec::new();
    for command in std::iter::once(command).chain(parts) {
        let name = Man::new(command.clone()).get_filename();
        pages.push((name, page(command)?));
    }
    shared::create_folder(folder)?;
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
