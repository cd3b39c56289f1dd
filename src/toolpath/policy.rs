//! Commands that a file may not have.

use crate::domain::Machine;

/// What no drawing needs and no good file has, since it outlives the job: M500 writes and M502 resets
/// settings, `$RST`, `$N` and `$=` (any setting) write them in GRBL; M997 replaces the firmware; M28 and
/// M29 write files to a card; M112 is an emergency stop; `$C` and `$SLP` leave a mode in which nothing
/// moves.
const DENIED: &[&str] =
    &["M500", "M502", "M997", "M28", "M29", "M112", "$RST", "$N", "$=", "$C", "$SLP"];

/// In Marlin, M30 deletes a file; elsewhere it ends a program.
const DENIED_TO_MARLIN: &[&str] = &["M30"];

/// Every command that a machine is not given, upper case.
pub(super) fn denied(machine: &Machine) -> Vec<String> {
    let marlin = if machine.driver == "marlin" { DENIED_TO_MARLIN } else { &[] };
    let allowed = |word: &&&str| machine.allow.iter().any(|it| it.eq_ignore_ascii_case(word));
    let usual = DENIED.iter().chain(marlin).filter(|word| !allowed(word));
    let own = machine.deny.iter().map(|word| word.to_ascii_uppercase());
    usual.map(|word| (*word).to_owned()).chain(own).collect()
}
