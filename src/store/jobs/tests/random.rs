//! Random moves and claims against simple models.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A job moves exactly where the table of states says; a refused move changes nothing (I2).
    #[test]
    fn only_moves_of_the_table_happen(moves in prop::collection::vec(0..8_usize, 1..40), hold: bool) {
        let (_dir, store) = fresh();
        let id = submit(&store, NewJob { hold, ..command() });
        let mut model = if hold { JobState::Held } else { JobState::Queued };
        let mut told = 1;
        for step in moves {
            let wanted = JobState::ALL[step];
            let answer = to(&store, id, wanted);
            if model.may_become(wanted) {
                prop_assert_eq!(answer.unwrap().state, wanted);
                model = wanted;
                told += 1;
            } else {
                let refused = matches!(answer, Err(StoreError::IllegalMove { from, to }) if from == model && to == wanted);
                prop_assert!(refused);
            }
            let job = found(&store, id);
            prop_assert_eq!(job.state, model);
            prop_assert_eq!(job.finished_at.is_some(), model.is_terminal());
            prop_assert_eq!(store.read(events::newest).unwrap(), Some(told));
        }
        assert_whole(&store);
    }

    /// Claims come by priority, then age, as of a plain list that is sorted.
    #[test]
    fn claims_come_in_the_order_of_a_sorted_list(steps in prop::collection::vec((0..3_u8, -2..3_i32), 1..40)) {
        let (_dir, store) = fresh();
        let mut model: Vec<(i32, JobId)> = Vec::new();
        for (step, priority) in steps {
            if step < 2 {
                let id = submit(&store, NewJob { priority: Priority(priority), ..command() });
                model.push((-priority, id));
            } else {
                model.sort();
                let expected = if model.is_empty() { None } else { Some(model.remove(0).1) };
                prop_assert_eq!(claim(&store), expected);
            }
        }
    }
}
