//! Entry and set on different nodes, and slots that move: the promises hold, and each piece of the
//! protocol is needed.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, Model};

use crate::apart::{Apart, Flaw, REFRESHED, SWEPT_LATE};
use crate::hops::{self, ACCEPTED, FOUND, Hops};
use crate::protocol::NO_STALE_READ;

fn explore<M>(model: M) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Debug + Hash + Clone + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    model.checker().threads(2).spawn_bfs().join()
}

#[test]
fn the_promises_hold_across_nodes() {
    let checked = explore(Apart { flaw: None });
    println!("{} states", checked.unique_state_count());
    checked.assert_no_discovery(NO_STALE_READ);
    checked.assert_any_discovery(REFRESHED);
    checked.assert_any_discovery(SWEPT_LATE);
}

/// Check that the model finds a stale read when this piece is taken out.
fn finds(flaw: Flaw) {
    let checked = explore(Apart { flaw: Some(flaw) });
    let path = checked
        .discovery(NO_STALE_READ)
        .unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
    println!("{flaw:?} found in {} steps", path.into_actions().len());
}

#[test]
fn an_index_step_before_the_lease_is_found_across_nodes() {
    finds(Flaw::IndexFirst);
}

#[test]
fn a_registration_behind_the_computation_is_found_across_nodes() {
    finds(Flaw::IndexLast);
}

#[test]
fn members_without_tokens_are_found() {
    finds(Flaw::NoTokens);
}

#[test]
fn a_walk_that_overlooks_a_claim_is_found() {
    finds(Flaw::WalkWithoutClaim);
}

#[test]
fn a_refresh_that_does_not_register_is_found() {
    finds(Flaw::ClaimUnregistered);
}

#[test]
fn a_mark_that_outlives_its_masters_is_found() {
    finds(Flaw::MarkWithoutMasters);
}

#[test]
fn a_value_that_does_not_carry_the_token_of_its_fill_is_found() {
    finds(Flaw::FillWithoutToken);
}

#[test]
fn a_walk_misses_no_key_that_hops() {
    let checked = explore(Hops { flaw: None });
    checked.assert_no_discovery(FOUND);
    checked.assert_any_discovery(ACCEPTED);
}

#[test]
fn each_look_of_a_walk_is_needed() {
    for flaw in [
        hops::Flaw::NoLooks,
        hops::Flaw::OneRound,
        hops::Flaw::NoEpoch,
    ] {
        let checked = explore(Hops { flaw: Some(flaw) });
        assert!(
            checked.discovery(FOUND).is_some(),
            "{flaw:?} goes unnoticed"
        );
    }
}
