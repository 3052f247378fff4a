//! Database transactions: a change counts from its commit on, and each piece between the commit and
//! the invalidation is needed.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::transaction::{
    COMMITTED, COMPLETE, FRESH, Flaw, ISOLATED, RELAYED, Setup, Transactions, UNKNOWN,
};

/// Check that the promises hold in every interleaving.
fn holds(setup: Setup) -> impl Checker<Transactions> {
    let model = Transactions { setup, flaw: None };
    let checked = model.checker().threads(2).spawn_bfs().join();
    println!("{setup:?}: {} states", checked.unique_state_count());
    checked.assert_no_discovery(FRESH);
    checked.assert_no_discovery(COMMITTED);
    checked.assert_no_discovery(ISOLATED);
    checked.assert_any_discovery(COMPLETE);
    checked
}

/// Check that the model finds this property broken when a piece is taken out.
fn finds(flaw: Flaw, setup: Setup, property: &'static str) {
    let model = Transactions {
        setup,
        flaw: Some(flaw),
    };
    let found = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checked = model.checker().threads(2).finish_when(found).spawn_bfs();
    let path = checked
        .join()
        .discovery(property)
        .unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
    println!("{flaw:?} found in {} steps", path.into_actions().len());
}

#[test]
fn a_commit_and_its_invalidation_leave_nothing_old() {
    holds(Setup::Primary);
}

#[test]
fn a_commit_whose_process_dies_leaves_nothing_old_after_the_relay() {
    let checked = holds(Setup::Outbox);
    checked.assert_any_discovery(RELAYED);
    checked.assert_any_discovery(UNKNOWN);
}

#[test]
fn a_replica_that_lags_less_than_settle_leaves_nothing_old() {
    holds(Setup::Replica);
}

#[test]
fn the_model_finds_an_invalidation_before_the_commit() {
    finds(Flaw::InvalidateBeforeCommit, Setup::Primary, FRESH);
}

#[test]
fn the_model_finds_a_fill_from_a_transaction_that_rolls_back() {
    finds(Flaw::FillInTransaction, Setup::Primary, COMMITTED);
}

#[test]
fn the_model_finds_a_fill_from_an_older_snapshot() {
    finds(Flaw::FillInSnapshot, Setup::Primary, FRESH);
}

#[test]
fn the_model_finds_a_transaction_that_does_not_see_its_own_change() {
    finds(Flaw::HitInTransaction, Setup::Primary, ISOLATED);
}

#[test]
fn the_model_finds_a_process_that_dies_without_an_outbox() {
    finds(Flaw::NoOutbox, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_an_outbox_row_of_another_transaction() {
    finds(Flaw::RowApart, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_a_second_row_that_is_ignored() {
    finds(Flaw::OneRowPerObject, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_a_row_deleted_before_the_invalidation() {
    finds(Flaw::DeleteFirst, Setup::Outbox, FRESH);
    finds(Flaw::RelayDeletesFirst, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_a_row_deleted_while_the_outcome_is_unknown() {
    finds(Flaw::DeleteInDoubt, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_a_relay_with_a_cursor() {
    finds(Flaw::Cursor, Setup::Outbox, FRESH);
}

#[test]
fn the_model_finds_a_replica_without_a_second_invalidation() {
    finds(Flaw::NoSettle, Setup::Replica, FRESH);
}

/// A limit that remains, and is documented: the second invalidation comes too early.
#[test]
fn a_replica_that_lags_more_than_settle_leaves_an_old_value() {
    finds(Flaw::LagBeyondSettle, Setup::Replica, FRESH);
}
