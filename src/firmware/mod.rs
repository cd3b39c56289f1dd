//! The same protocols from the machine's side: simulated firmware, sans-IO.
