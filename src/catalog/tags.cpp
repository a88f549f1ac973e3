#include "catalog/tags.hpp"

#include <array>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kStagingIdentity = "/var/cache/kopi-docka/staging/";

Tags common_tags(const RunTags& run, SnapshotType type) {
  return {{"type", std::string(to_string(type))},
          {"unit", run.unit},
          {"backup_id", run.backup_id},
          {"backup_scope", std::string(to_string(run.scope))},
          {"timestamp", to_iso8601(run.time)},
          {"kd_version", KOPIDOCKA_VERSION},
          {"kd_sources", std::to_string(run.sources)}};
}

}  // namespace

std::string_view to_string(SnapshotType type) {
  switch (type) {
    case SnapshotType::recipe: return "recipe";
    case SnapshotType::networks: return "networks";
    case SnapshotType::docker_config: return "docker_config";
    case SnapshotType::volume: return "volume";
    case SnapshotType::bind: return "bind";
  }
  return "volume";
}

std::optional<SnapshotType> snapshot_type_from(std::string_view text) {
  for (const auto type : {SnapshotType::recipe, SnapshotType::networks, SnapshotType::docker_config,
                          SnapshotType::volume, SnapshotType::bind}) {
    if (to_string(type) == text) return type;
  }
  return std::nullopt;
}

Tags recipe_tags(const RunTags& run) { return common_tags(run, SnapshotType::recipe); }

Tags networks_tags(const RunTags& run, size_t network_count) {
  auto tags = common_tags(run, SnapshotType::networks);
  tags["network_count"] = std::to_string(network_count);
  return tags;
}

Tags docker_config_tags(const RunTags& run, const std::string& files) {
  auto tags = common_tags(run, SnapshotType::docker_config);
  tags["files"] = files;
  return tags;
}

Tags source_tags(const RunTags& run, const DataSource& source, std::uint64_t bytes) {
  const bool volume = source.kind == SourceKind::volume;
  auto tags = common_tags(run, volume ? SnapshotType::volume : SnapshotType::bind);
  tags["size_bytes"] = std::to_string(bytes);
  tags["kd_consistency"] = std::string(to_string(run.consistency));
  if (volume) {
    tags["volume"] = source.name;
    tags["backup_format"] = "direct";
  } else {
    tags["bind_source"] = source.path;
    tags["bind_destination"] = source.destination;
    tags["read_only"] = source.read_only ? "true" : "false";
  }
  return tags;
}

bool read_from_stopped(const Tags& tags) {
  const auto consistency = tags.find("kd_consistency");
  if (consistency != tags.end()) return consistency->second == to_string(Consistency::stop);
  return tags.count("backup_id") != 0;
}

std::string staging_identity(SnapshotType type, const std::string& unit) {
  const std::string_view folder = type == SnapshotType::recipe     ? "recipes/"
                                  : type == SnapshotType::networks ? "networks/"
                                                                   : "docker-config/";
  return std::string(kStagingIdentity).append(folder).append(unit);
}

Result<void> check_unit_name(const std::string& unit) {
  const bool one_component = !unit.empty() && unit != "." && unit != ".." && unit.size() <= 255 &&
                             unit.find('/') == std::string::npos && unit.find('\0') == std::string::npos;
  if (one_component) return {};
  return Error{ErrorKind::refused, "the unit name \"" + printable(unit, 80) + "\" cannot be the name of a folder",
               "give the compose project another name"};
}

}  // namespace kopidocka
