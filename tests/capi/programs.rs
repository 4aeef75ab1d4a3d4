//! Runs the C programs in `tests/c`, each with its servers.

use fake_registry::FakeRegistry;
use tempfile::TempDir;

use crate::cc::{Linkage, Program};
use crate::library::Library;
use crate::scenes::{Protocol, Scene};

/// Runs a scene with the library linked in these ways.
#[track_caller]
fn passes(scene: &Scene, linkages: &[Linkage]) {
    for linkage in linkages {
        let program = Program::compile(&scene.program, Library::for_tests(), *linkage);
        scene.passes_silently(&program);
    }
}

const BOTH: [Linkage; 2] = [Linkage::Shared, Linkage::Static];

#[test]
fn every_question_has_its_right_answer_from_a_fake_registry() {
    for trust in ["plain", "file", "memory"] {
        passes(&Scene::lookups(trust), &BOTH);
    }
}

#[test]
fn every_question_has_its_right_answer_from_a_docker_registry() {
    for trust in ["plain", "file", "memory"] {
        if let Some(scene) = Scene::real_lookups(trust) {
            passes(&scene, &BOTH);
        }
    }
}

#[test]
fn a_callback_that_stops_a_call_is_not_called_again() {
    passes(&Scene::callbacks(), &BOTH);
}

#[test]
fn an_error_says_what_happened_and_a_panic_is_one() {
    passes(&Scene::errors(), &BOTH);
}

#[test]
fn no_limit_is_no_limit_and_no_number_is_a_bug() {
    passes(&Scene::limits(), &BOTH);
}

#[test]
fn eight_threads_share_a_client_and_hand_results_on() {
    passes(&Scene::threads(4), &BOTH);
}

#[test]
fn the_log_has_no_secrets_and_can_be_replaced_at_any_time() {
    passes(&Scene::log(), &BOTH);
}

#[test]
fn signals_are_the_programs() {
    passes(&Scene::signals(), &[Linkage::Shared]);
}

#[test]
fn a_library_that_is_closed_can_be_loaded_again() {
    let library = Library::for_tests().shared();
    let scene = Scene::load(&library, 20);
    scene.passes(&Program::compile_alone(&scene.program));
}

#[test]
fn a_child_process_has_no_part_in_its_parents_client() {
    // Without optimisation, TLS in eight threads keeps most of a machine busy.
    for (protocol, forks) in [(Protocol::Http, 80), (Protocol::Https, 10)] {
        let scene = Scene::fork(protocol, forks);
        passes(&scene, &[Linkage::Shared]);
    }
}

/// If a child closed a connection of the parent, or ended it with a TLS alert, the parent would
/// make one more connection.
#[test]
fn a_parents_connection_outlives_its_children() {
    for protocol in [Protocol::Http, Protocol::Https] {
        let scene = Scene::fork(protocol, 0);
        passes(&scene, &[Linkage::Shared]);
        let (registry, _) = scene.held::<(FakeRegistry, TempDir)>();
        // Four clients of the parent and four of its children.
        assert_eq!(registry.connection_count(), 4 + 4, "{protocol:?}");
    }
}
