//! The protocol of leases and index, explored exhaustively: every interleaving of two readers, a
//! writer, a background rebuild, a sweeper, expiry, a loss of the index and a crash.
//!
//! The first test shows that the promises hold. The others take one piece out and show that the
//! model notices: a model that can't find a bug proves nothing.
#![allow(missing_docs, clippy::unwrap_used)]

mod apart;
mod cluster;
mod database;
mod hops;
mod protocol;
mod transaction;
mod write_through;

use protocol::{Flaw, NO_STALE_READ, ONE_COMPUTATION, Protocol, TAKEN_OVER};
use stateright::{Checker, Model};
use write_through::WriteThrough;

fn explore(model: Protocol) -> impl Checker<Protocol> {
    model.checker().threads(2).spawn_bfs().join()
}

#[test]
fn no_read_is_stale_in_any_interleaving() {
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
fn the_model_finds_a_fill_that_does_not_check_its_token() {
    finds(Flaw::FillUnchecked);
}

#[test]
fn the_model_finds_a_registration_after_the_computation() {
    finds(Flaw::IndexLast);
}

#[test]
fn the_model_finds_a_registration_before_the_lease() {
    finds(Flaw::IndexFirst);
}

#[test]
fn the_model_finds_a_removal_of_expired_members_in_two_steps() {
    finds(Flaw::SweepInTwoSteps);
}

#[test]
fn the_model_finds_a_rebuild_marked_complete_after_a_loss() {
    finds(Flaw::FinishUnchecked);
}

#[test]
fn the_model_finds_a_join_of_a_flight_whose_lease_was_not_seen() {
    finds(Flaw::JoinUnseen);
}

fn explore_writes(flaw: Option<write_through::Flaw>) -> impl Checker<WriteThrough> {
    let model = WriteThrough { flaw };
    model.checker().threads(2).spawn_bfs().join()
}

#[test]
fn a_write_through_never_leaves_an_older_value() {
    let checked = explore_writes(None);
    println!("{} states", checked.unique_state_count());
    checked.assert_no_discovery(write_through::NO_STALE_READ);
    checked.assert_no_discovery(write_through::NO_OVERTAKEN_FILL);
    checked.assert_any_discovery(write_through::HIT_AFTER_WRITE);
    checked.assert_any_discovery(write_through::UNCACHED_MEANWHILE);
    checked.assert_any_discovery(write_through::CONTESTED);
}

/// Check that the model finds a violation of the property with this flaw.
fn finds_in_writes(flaw: write_through::Flaw, property: &'static str) {
    let checked = explore_writes(Some(flaw));
    let path = checked
        .discovery(property)
        .unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
    println!("{flaw:?} found in {} steps", path.into_actions().len());
}

#[test]
fn the_model_finds_every_flaw_of_a_write_through() {
    use write_through::{Flaw, NO_OVERTAKEN_FILL, NO_STALE_READ};
    finds_in_writes(Flaw::ContestedWritersFill, NO_STALE_READ);
    finds_in_writes(Flaw::SecondWriterFills, NO_OVERTAKEN_FILL);
    finds_in_writes(Flaw::FillUnchecked, NO_STALE_READ);
    finds_in_writes(Flaw::LeaseAfterPersist, NO_STALE_READ);
    finds_in_writes(Flaw::RefusalIgnored, NO_STALE_READ);
    finds_in_writes(Flaw::FailureIgnored, NO_STALE_READ);
    finds_in_writes(Flaw::UncachedReaderFills, NO_STALE_READ);
}
