#include "engine/engine.hpp"

namespace kopidocka {
namespace {

Error cannot_warm() { return {ErrorKind::refused, "this engine reads nothing before the containers are stopped"}; }

}  // namespace

Task<> SnapshotEngine::maintain(bool, Cancel) { co_return; }

Task<WarmSnapshot> SnapshotEngine::warm(WarmRequest, Cancel) {
  throw cannot_warm();
  co_return WarmSnapshot();
}

Task<WarmDoubt> SnapshotEngine::distrust(std::string, std::string, TimePoint, std::vector<std::string>, Cancel) {
  throw cannot_warm();
  co_return WarmDoubt();
}

Task<size_t> SnapshotEngine::drop_warm(std::string, std::string, Cancel) { co_return 0; }

}  // namespace kopidocka
