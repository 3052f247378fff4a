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
fn no_read_is_stale_across_nodes_in_any_interleaving() {
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
fn the_model_finds_a_registration_before_the_lease_across_nodes() {
    finds(Flaw::IndexFirst);
}

#[test]
fn the_model_finds_a_registration_after_the_computation_across_nodes() {
    finds(Flaw::IndexLast);
}

#[test]
fn the_model_finds_members_without_tokens() {
    finds(Flaw::NoTokens);
}

#[test]
fn the_model_finds_a_rebuild_that_ignores_a_claim() {
    finds(Flaw::RebuildWithoutClaim);
}

#[test]
fn the_model_finds_a_refresh_that_does_not_register() {
    finds(Flaw::ClaimUnregistered);
}

#[test]
fn the_model_finds_a_mark_that_outlives_its_masters() {
    finds(Flaw::MarkWithoutMasters);
}

#[test]
fn the_model_finds_a_value_without_the_token_of_its_fill() {
    finds(Flaw::FillWithoutToken);
}

#[test]
fn an_accepted_rebuild_misses_no_key_that_moves() {
    let checked = explore(Hops { flaw: None });
    checked.assert_no_discovery(FOUND);
    checked.assert_any_discovery(ACCEPTED);
}

#[test]
fn each_check_of_a_rebuild_is_needed() {
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
