//! The engine, libtorch, graphics cards, and the socket over which a run is watched.

use std::{fs, os::unix::net::UnixListener};

use super::{Finding, Part};
use crate::{
    cli::{Exit, engine, query},
    error::{Error, Result},
    event::machine::Machine,
    run,
};

const PART: Part = Part("machine");
/// `sun_path` on Linux, with the zero that ends it.
const SUN_PATH: usize = 108;

pub fn examine() -> Vec<Finding> {
    let mut findings = match engine::program() {
        Err(error) => vec![PART.failed("engine", &error)],
        Ok(program) => {
            let mut findings = vec![PART.ok("engine", program.display().to_string())];
            findings.extend(asked());
            findings
        }
    };
    findings.push(socket().unwrap_or_else(|error| PART.failed("socket", &error)));
    findings
}

fn asked() -> Vec<Finding> {
    let mut machine = None;
    let done = query::ask(vec!["device".into()], |answer: Machine, _| {
        machine = Some(answer);
        Ok(())
    });
    match (done, machine) {
        (Ok(_), Some(machine)) => told(&machine),
        (Err(error), _) => vec![PART.failed("libtorch", &error)],
        (Ok(Exit(code)), None) => {
            let found = format!("the engine does not start (exit code {code}); what it said stands above");
            vec![PART.trouble(
                "libtorch",
                found,
                "`cargo xtask setup` obtains libtorch, `cargo build --release` builds both programs",
            )]
        }
    }
}

fn told(machine: &Machine) -> Vec<Finding> {
    let Machine { libtorch, processor, threads, fault, no_cuda, cards } = machine;
    let about = format!("{libtorch} on {processor}, {threads} threads");
    let mut findings = vec![match fault {
        None => PART.ok("libtorch", about),
        Some(fault) => {
            let advice = "libtorch is damaged or meant for another processor; `cargo xtask setup` obtains it anew";
            PART.trouble("libtorch", format!("{about}: {fault}"), advice)
        }
    }];
    if let Some(reason) = no_cuda {
        // A machine without a card is as it should be.
        findings.push(if reason.contains("no NVIDIA driver") || reason.contains("Linux only") {
            PART.ok("cuda", format!("none: {reason}; networks train on the processor"))
        } else {
            PART.hint(
                "cuda",
                format!("none: {reason}"),
                "with a card, `cargo xtask setup --cuda` obtains NVIDIA's libraries",
            )
        });
    }
    for card in cards {
        let about = format!("{} ({})", card.name, card.device);
        findings.push(match &card.fault {
            None => PART.ok("cuda", about),
            Some(fault) => PART.hint(
                "cuda",
                format!("{about} does not compute: {fault}"),
                "`--set engine.device=cpu` trains on the processor meanwhile; compare the driver's version with what libtorch's CUDA needs",
            ),
        });
    }
    findings
}

/// A socket as an engine would open it.
fn socket() -> Result<Finding> {
    let folder = run::socket_folder()?;
    let path = folder.join(format!("{:016x}.sock", std::process::id()));
    let length = path.as_os_str().len();
    let _ = fs::remove_file(&path);
    let opened = UnixListener::bind(&path);
    let _ = fs::remove_file(&path);
    opened.map_err(|error| {
        let hint = "set XDG_RUNTIME_DIR to a folder of your own on a local disk";
        Error::environment(format!("cannot open a socket in {}: {error}", folder.display()), Some(hint.into()))
    })?;
    Ok(PART.ok("socket", format!("{}, closed to others; paths of {length} of {SUN_PATH} bytes", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::doctor::Mark, event::machine::Card};

    fn machine() -> Machine {
        Machine {
            libtorch: "2.11.0".into(),
            processor: "Xeon".into(),
            threads: 2,
            fault: None,
            no_cuda: Some("no NVIDIA driver is installed".into()),
            cards: Vec::new(),
        }
    }

    fn marks(machine: &Machine) -> Vec<Mark> {
        told(machine).iter().map(|finding| finding.mark).collect()
    }

    #[test]
    fn a_machine_without_a_card_is_well() {
        assert_eq!(marks(&machine()), [Mark::Ok, Mark::Ok]);
    }

    #[test]
    fn a_driver_without_cuda_is_worth_a_hint_and_a_broken_libtorch_is_trouble() {
        let half = Machine { no_cuda: Some("/opt/libtorch is a libtorch without CUDA".into()), ..machine() };
        assert_eq!(marks(&half), [Mark::Ok, Mark::Hint]);
        let broken = Machine { fault: Some("illegal instruction".into()), ..machine() };
        assert_eq!(marks(&broken)[0], Mark::Trouble);
    }

    #[test]
    fn a_card_that_does_not_compute_leaves_the_processor() {
        let card = |fault| Card { device: "cuda:0".into(), name: "H100".into(), fault };
        let two = Machine { no_cuda: None, cards: vec![card(None), card(Some("no kernel image".into()))], ..machine() };
        assert_eq!(marks(&two), [Mark::Ok, Mark::Ok, Mark::Hint]);
    }
}
