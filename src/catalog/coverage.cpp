#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "catalog/recipe.hpp"
#include "unit/host_paths.hpp"

namespace kopidocka {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kBackedUp = "backed_up";
constexpr auto kRuntime = "skipped_runtime";
constexpr auto kNotProtected = "not_protected";
constexpr auto kNotSupported = "not_supported";

class Coverage {
 public:
  explicit Coverage(const RecipeInput& input) : input_(input) {}

  std::string text() {
    for (const auto& source : input_.unit.sources) {
      const bool volume = source.kind == SourceKind::volume;
      add(volume ? "volume" : "bind", volume ? source.name : source.path, kBackedUp, source.destination);
    }
    for (const auto& member : input_.unit.members) {
      for (const auto& mount : member.container.mounts) add_mount(mount);
    }
    add_files("compose_file", input_.compose_files);
    add_files("project_file", input_.project_files);
    return manifest().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

 private:
  void add_mount(const Mount& mount) {
    if (mount.type == "volume") {
      add("volume", mount.name, kNotProtected, "left out by its labels or the unit's");
    } else if (mount.type == "bind") {
      const bool runtime = is_host_internal(mount.source);
      add(runtime ? "runtime_mount" : "bind", mount.source, runtime ? kRuntime : kNotProtected,
          runtime ? "belongs to the host" : "left out by the unit's labels");
    } else if (mount.type == "tmpfs") {
      add("runtime_mount", mount.destination, kRuntime, "tmpfs");
    } else {
      add("runtime_mount", mount.destination, kNotSupported, mount.type);
    }
  }

  void add_files(const std::string& kind, const std::vector<RecipeContent>& files) {
    for (const auto& file : files) {
      const bool env = kind != "compose_file" && file.path.substr(file.path.rfind('/') + 1).rfind(".env", 0) == 0;
      add(env ? "env_file" : kind, file.path, file.file.problem.empty() ? kBackedUp : kNotProtected, file.file.problem);
    }
  }

  /// The first word about a place counts: a source that is saved is not told again as a mount.
  void add(const std::string& kind, const std::string& identifier, const std::string& status, const std::string& detail) {
    const bool known = std::any_of(dependencies_.begin(), dependencies_.end(),
                                   [&](const Json& entry) { return entry["kind"] == kind && entry["identifier"] == identifier; });
    if (known) return;
    ++counts_[status];
    dependencies_.push_back({{"kind", kind}, {"identifier", identifier}, {"status", status}, {"detail", detail}});
  }

  Json manifest() {
    const Json summary = {{"total", dependencies_.size()},
                          {"backed_up", counts_[kBackedUp]},
                          {"skipped_runtime", counts_[kRuntime]},
                          {"not_protected", counts_[kNotProtected]},
                          {"not_supported", counts_[kNotSupported]}};
    return {{"unit", input_.unit.name},
            {"summary", summary},
            {"has_gaps", counts_[kNotProtected] + counts_[kNotSupported] > 0},
            {"dependencies", dependencies_},
            {"backup_id", input_.backup_id},
            {"backup_scope", to_string(input_.scope)},
            {"timestamp", to_iso8601(input_.time)}};
  }

  const RecipeInput& input_;
  Json dependencies_ = Json::array();
  std::map<std::string, int> counts_;
};

}  // namespace

std::string coverage_manifest(const RecipeInput& input) { return Coverage(input).text(); }

}  // namespace kopidocka
