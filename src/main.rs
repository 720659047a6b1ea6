//! Entry point: everything happens in [`pforge::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    pforge::cli::main()
}
