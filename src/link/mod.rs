//! Links to machines: serial ports, TCP sockets, simulators; one thread each.
