/// What a session has counted since it began.
///
/// Nothing that is read, dropped or repeated goes unseen: whatever is not handed to a caller is
/// counted here. Counters wrap after 2⁶⁴ events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Bytes handed to the port.
    pub bytes_sent: u64,
    /// Bytes read from the port.
    pub bytes_received: u64,
    /// Exchanges that were started.
    pub exchanges: u64,
    /// Exchanges that the module answered with an error.
    pub refusals: u64,
    /// Exchanges that were given up because an answer, a report or the prompt did not come.
    pub timeouts: u64,
    /// How often the channel was fenced, so that a late answer could not be taken for another's.
    pub fences: u64,
    /// Probes sent to bring a fence down.
    pub probes: u64,
    /// How often the module could be spoken to again after it had to be probed.
    pub recoveries: u64,
    /// Command lines, and lines of data, that the module sent back.
    pub echoes: u64,
    /// Final result codes that answered nothing: late ones, doubled ones.
    pub stray_results: u64,
    /// URCs, result URCs included.
    pub urcs: u64,
    /// Lines that are no answer, no URC and no echo.
    pub unrecognised_lines: u64,
    /// Lines discarded for their length.
    pub overlong_lines: u64,
    /// Lines dropped because their end did not come.
    pub abandoned_lines: u64,
    /// Starts of the module. Several lines in a row that tell of one are one.
    pub reboots: u64,
    /// How often the module said that it switches itself off.
    pub power_downs: u64,
    /// Messages taken out of the module's cache.
    pub reads: u64,
    /// Messages received.
    pub messages: u64,
    /// Messages that could not be read: they were not as long as announced, in a form that is not
    /// known, or in one that can be read in more than one way.
    pub messages_unreadable: u64,
    /// Messages dropped because the consumer was too slow even after reading was held back.
    pub messages_dropped: u64,
    /// Messages of a connection that nobody listens to.
    pub messages_unclaimed: u64,
    /// Cache overflows that the module reported: it dropped a message itself.
    pub module_overflows: u64,
    /// Unsolicited lines that a [`Lines`](crate::Lines) or [`Urcs`](crate::Urcs) reader was too
    /// slow for.
    pub lines_dropped: u64,
    /// How often the module was brought in order.
    pub initialisations: u64,
    /// How often the port was lost, and opened again or given up.
    pub port_losses: u64,
    /// How often the module was reset.
    pub resets: u64,
}
