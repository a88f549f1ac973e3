#pragma once

#include <memory>

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/settings.hpp"

namespace kopidocka {

/// The engine the settings name. Does no I/O; settings that cannot work are refused here by name already.
Result<std::unique_ptr<SnapshotEngine>> make_engine(EngineSettings settings);

}  // namespace kopidocka
