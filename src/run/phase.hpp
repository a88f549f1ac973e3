#pragma once

#include "base/task.hpp"
#include "run/run_state.hpp"

namespace kopidocka {

/// Runs the steps of one phase, each as soon as the steps it comes after have ended, side by side where they may.
/// After an abort only steps marked `always` are begun. Returns when all have ended; never throws for a step.
Task<> run_phase(RunState& state, Phase phase);

}  // namespace kopidocka
