//! The protocol of leases and index, explored exhaustively: every interleaving of two readers, a
//! writer, a background walk, a sweeper, expiry, a loss of the index and a crash.
//!
//! The first test shows that the promises hold. The others take one piece out and show that the
//! model notices: a model that can't find a bug proves nothing.
#![allow(missing_docs, clippy::unwrap_used)]

mod apart;
mod cluster;
mod hops;
mod protocol;

use protocol::{Flaw, NO_STALE_READ, ONE_COMPUTATION, Protocol, TAKEN_OVER};
use stateright::{Checker, Model};

fn explore(model: Protocol) -> impl Checker<Protocol> {
    model.checker().threads(2).spawn_bfs().join()
}

#[test]
fn the_promises_hold() {
    for same_process in [false, true] {
        let checked = explore(Protocol {
            same_process,
            flaw: None,
        });
        println!(
            "same process: {same_process}; {} states",
            checked.unique_state_count()
        );
        checked.assert_no_discovery(NO_STALE_READ);
        checked.assert_no_discovery(ONE_COMPUTATION);
        checked.assert_any_discovery(TAKEN_OVER);
    }
}

/// Check that the model finds a stale read when this piece is taken out.
fn finds(flaw: Flaw) {
    let checked = explore(Protocol {
        same_process: matches!(flaw, Flaw::JoinUnseen),
        flaw: Some(flaw),
    });
    let path = checked
        .discovery(NO_STALE_READ)
        .unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
    println!("{flaw:?} found in {} steps", path.into_actions().len());
}

#[test]
fn a_fill_without_a_look_at_its_token_is_found() {
    finds(Flaw::FillUnchecked);
}

#[test]
fn an_index_step_behind_the_computation_is_found() {
    finds(Flaw::IndexLast);
}

#[test]
fn an_index_step_before_the_lease_is_found() {
    finds(Flaw::IndexFirst);
}

#[test]
fn dead_members_dropped_in_two_steps_are_found() {
    finds(Flaw::SweepInTwoSteps);
}

#[test]
fn a_rebuild_that_a_loss_overtook_and_that_is_marked_whole_is_found() {
    finds(Flaw::FinishUnchecked);
}

#[test]
fn joining_a_flight_without_having_seen_its_lease_is_found() {
    finds(Flaw::JoinUnseen);
}
