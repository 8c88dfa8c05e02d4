use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use crate::failure::{Failure, FailureKind};
use crate::output::print_bytes;

/// Print what a shell needs to complete commands and options
///
/// For bash: `atmq completions bash > ~/.local/share/bash-completion/completions/atmq`
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page of the program, or write the pages of all commands
#[derive(Debug, clap::Args)]
pub(crate) struct ManArguments {
    /// Write `atmq.1`, `atmq-pub.1` and so on into this directory, which is made if it is missing
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Result<(), Failure> {
    let mut out = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "atmq", &mut out);
    print_bytes(&out)
}

pub(crate) fn man(arguments: &ManArguments, command: Command) -> Result<(), Failure> {
    match &arguments.dir {
        Some(directory) => fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(command, directory))
            .map_err(|error| {
                let directory = directory.display();
                Failure::new(
                    FailureKind::Unavailable,
                    format!("cannot write the manual pages into {directory}: {error}"),
                )
            }),
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut page);
            rendered
                .and_then(|()| page.flush())
                .expect("memory takes it");
            print_bytes(&page)
        }
    }
}
