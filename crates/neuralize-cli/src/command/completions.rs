use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::generate;

use crate::args::{Arguments, CompletionsArgs};
use crate::output::Output;

pub(super) fn run(args: &CompletionsArgs) -> Result<()> {
    // Of its own accord it does not survive a closed pipe.
    let mut script = Vec::new();
    generate(args.shell, &mut Arguments::command(), "neuralize", &mut script);
    let mut out = Output::open(None)?;
    out.write_all(&script)?;
    out.finish()
}
