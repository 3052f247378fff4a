//! Looking at an entry until it is known whether it is stale. Not generic: one copy serves all
//! annotated functions.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Clock, Moment, later, unix_millis};
use crate::core::audits::{AuditFinding, Turn};
use crate::error::CacheError;
use crate::events;
use crate::key::path_of;
use crate::read::audit::compare::Answer;
use crate::read::audit::ticket::Seen;
use crate::read::call::Call;
use crate::runtime::sleep;
use crate::stats::Counter;
use crate::topology::topology;

/// When an entry whose value differed is looked at again. A write that is under way has removed it by
/// then.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// How often a manual clock is read.
const TICK: Duration = Duration::from_millis(2);

/// Runs of a body, each of which is compared with the entry.
pub(super) type Bodies = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send>;

/// Result of an audit.
enum Verdict {
    /// The body returns the entry's value.
    Same,
    /// The entry, or what it is made of, changed meanwhile.
    Raced,
    /// The entry of this age is stale.
    Stale(Duration),
    /// It can't be told, for this reason.
    Failed(String),
}

/// Run the audit of an entry that has answered a call.
///
/// Cancel safety: dropped (with its runtime, or because the body panics), it counts as failed.
pub(super) async fn examine(call: Call, seen: Seen, turn: Turn, bodies: Bodies) {
    let mut pending = Pending {
        call: &call,
        is_in_doubt: false,
        is_counted: false,
    };
    let verdict = look(&call, &seen, turn, bodies, &mut pending).await;
    let verdict = verdict.unwrap_or_else(|error| Verdict::Failed(error.to_string()));
    match &verdict {
        Verdict::Same => pending.count(Counter::AuditsOk),
        Verdict::Raced => pending.count(Counter::AuditsRaced),
        Verdict::Stale(age) => {
            // The finding before the count, so that a reader of the count also finds it.
            found(&call, &seen, *age);
            pending.count(Counter::AuditsStale);
        }
        Verdict::Failed(reason) => {
            let key = call.cache.full_key(&call.key);
            events::unaudited(call.origin, &key, reason);
            pending.count(Counter::AuditsFailed);
        }
    }
}

/// An audit without a result yet.
struct Pending<'c> {
    call: &'c Call,
    is_in_doubt: bool,
    is_counted: bool,
}

impl Pending<'_> {
    fn count(&mut self, result: Counter) {
        self.is_counted = true;
        self.call.count(result);
    }

    /// Look at the key again: no other audit looks at it meanwhile.
    fn doubt(&mut self) {
        self.is_in_doubt = true;
        self.call.cache.inner().audits.doubt(&self.call.key);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.is_in_doubt {
            self.call.cache.inner().audits.settled(&self.call.key);
        }
        if !self.is_counted {
            self.call.count(Counter::AuditsFailed);
        }
    }
}

async fn look(
    call: &Call,
    seen: &Seen,
    turn: Turn,
    mut bodies: Bodies,
    pending: &mut Pending<'_>,
) -> Result<Verdict, CacheError> {
    match run(call, &mut bodies).await {
        Answer::Same => return Ok(Verdict::Same),
        Answer::Other(_) => {}
        Answer::Failed(reason) => return Ok(Verdict::Failed(reason.to_owned())),
    }
    if seen.age(call).await?.is_none() {
        return Ok(Verdict::Raced);
    }
    pending.doubt();
    drop(turn);
    let inner = call.cache.inner();
    let begun = inner.clock.now();
    let (mut before, mut age) = (None, Duration::ZERO);
    for after in LOOKS {
        if !pause_until(&inner.clock, later(begun, after)).await {
            return Ok(Verdict::Failed("there is no timer".to_owned()));
        }
        if seen.age(call).await?.is_none() {
            return Ok(Verdict::Raced);
        }
        let turn = inner.audits.turn().await;
        let answer = run(call, &mut bodies).await;
        drop(turn);
        let value = match answer {
            // A replica that lagged, or a change that was taken back.
            Answer::Same => return Ok(Verdict::Raced),
            Answer::Other(value) => value,
            Answer::Failed(reason) => return Ok(Verdict::Failed(reason.to_owned())),
        };
        // After the run: an invalidation before it would have let the body see another value.
        match seen.age(call).await? {
            Some(now) => age = now,
            None => return Ok(Verdict::Raced),
        }
        if before.replace(value).is_some_and(|before| before != value) {
            return Ok(Verdict::Failed(
                "two runs of the body return different values, so that the entry's can't be judged: \
                 the value depends on the time, on chance or on a frequent change"
                    .to_owned(),
            ));
        }
    }
    Ok(Verdict::Stale(age))
}

/// Run the body once, for as long as a caller would wait for it.
async fn run(call: &Call, bodies: &mut Bodies) -> Answer {
    let mut body = bodies();
    let limit = call.cache.inner().wait_timeout;
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(answer) = body.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        let timer = timer.get_or_insert_with(|| sleep(limit));
        let timed_out = Pin::new(timer).poll(cx);
        timed_out.map(|_| Answer::Failed("the body took longer than `wait_timeout`"))
    })
    .await
}

/// Wait until the clock shows this moment. Return false if this process has no timer.
async fn pause_until(clock: &Clock, moment: Moment) -> bool {
    loop {
        let left = Duration::from_nanos(moment.saturating_sub(clock.now()));
        if left.is_zero() {
            return true;
        }
        let pause = if clock.is_manual() {
            TICK
        } else {
            left.max(TICK)
        };
        if !sleep(pause).await {
            return false;
        }
    }
}

/// Keep and log a stale entry.
fn found(call: &Call, seen: &Seen, age: Duration) {
    let Some(ticket) = &call.audit else { return };
    let info = &ticket.site.info;
    let template = match info.template {
        "" => ticket.site.default_path(),
        template => template,
    };
    let path = String::from_utf8_lossy(path_of(call.key.as_bytes()));
    let topology = topology();
    let writes = topology.writes_to(&path).into_iter();
    let mut writes: Vec<String> = writes
        .map(|write| format!("{}::{}", write.module, write.function))
        .collect();
    writes.dedup();
    let finding = AuditFinding {
        key: call.cache.full_key(&call.key),
        function: format!("{}::{}", info.module, info.function),
        template: template.to_owned(),
        age,
        found: unix_millis(),
        writes,
    };
    call.cache
        .inner()
        .audits
        .found(seen.identity(), finding.clone());
    let writes = finding.writes.join(", ");
    let function = call.origin.function;
    events::stale_entry(function, &finding.key, template, age, &writes, &finding);
}
