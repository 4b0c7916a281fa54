//! `neuralize completions`

use std::io::Write;

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example: neuralize completions bash > neuralize.bash")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self, mut command: Command) -> Result<()> {
        // `generate` panics if the pipe is closed, so it writes to memory.
        let mut script = Vec::new();
        generate(self.shell, &mut command, "neuralize", &mut script);
        let mut out = Output::open(None)?;
        out.write_all(&script)?;
        out.finish()
    }
}
