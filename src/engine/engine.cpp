#include "engine/engine.hpp"

namespace kopidocka {

Task<> SnapshotEngine::maintain(bool, Cancel) { co_return; }

}  // namespace kopidocka
