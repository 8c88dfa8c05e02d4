use clap::Command;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::print_bytes;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Result<(), Failure> {
    let mut out = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "atmq", &mut out);
    print_bytes(&out)
}
