#include "engine/factory.hpp"

#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_engine.hpp"
#include "engine/request_checks.hpp"
#include "engine/restic/restic_engine.hpp"
#include "engine/storage.hpp"

namespace kopidocka {

Result<std::unique_ptr<SnapshotEngine>> make_engine(EngineSettings settings) {
  if (auto checked = parse_storage(settings.repository); !checked) return checked.error();
  if (auto checked = require_identity(settings); !checked) return checked.error();
  std::unique_ptr<SnapshotEngine> engine;
  if (settings.engine == "kopia") {
    engine = std::make_unique<KopiaEngine>(std::move(settings));
  } else if (settings.engine == "restic") {
    engine = std::make_unique<ResticEngine>(std::move(settings));
  } else {
    return Error{ErrorKind::invalid, "there is no engine '" + printable(settings.engine, 40) + "'", "use kopia or restic"};
  }
  return engine;
}

}  // namespace kopidocka
