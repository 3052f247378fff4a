//! The purpose of a command.

/// Purpose of a command, which decides its timeout and whether an open breaker refuses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// A call. Refused while the breaker is open, and limited by the response timeout.
    Call,
    /// Publishing counters. Like a call, but its failure doesn't open the breaker, since nothing
    /// depends on it.
    Statistics,
    /// An invalidation. It begins while the breaker is closed, and goes on if the breaker opens.
    /// Limited by the invalidation timeout, since waiting through a stall is better than reaching
    /// other processes late.
    Invalidation,
    /// The probe, while the breaker is open.
    Recovery,
    /// A replay of invalidations to another server, over a connection that isn't in use yet.
    CatchingUp,
}

impl Purpose {
    /// Report whether an open breaker refuses the command before it is sent.
    pub(crate) fn is_refused_when_down(self) -> bool {
        matches!(self, Self::Call | Self::Statistics)
    }

    /// Report whether the command brings a server up to date before it may be read from.
    pub(crate) fn recovers(self) -> bool {
        matches!(self, Self::Recovery | Self::CatchingUp)
    }
}
