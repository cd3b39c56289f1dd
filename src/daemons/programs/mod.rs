//! What all programs have in common that the station runs, be it as a daemon or as a job: where
//! they are found, what they see, what they may use, who belongs to them, what they write.

pub(in crate::daemons) mod census;
pub(in crate::daemons) mod cgroup;
pub(in crate::daemons) mod end;
pub(in crate::daemons) mod environment;
pub(in crate::daemons) mod identity;
pub(in crate::daemons) mod limits;
pub(in crate::daemons) mod lines;
pub(in crate::daemons) mod lookup;
pub(in crate::daemons) mod words;
