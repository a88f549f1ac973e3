#include "catalog/networks.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<StagedFolder> make_networks(const std::string& unit, TimePoint time, const std::vector<std::string>& inspected) {
  Json networks = Json::array(), names = Json::array();
  for (const auto& text : inspected) {
    auto network = Json::parse(text, nullptr, false);
    if (!network.is_object() || !network.contains("Name") || !network["Name"].is_string()) {
      return Error{ErrorKind::invalid, "the engine's description of a network of " + printable(unit) + " cannot be read"};
    }
    names.push_back(network["Name"]);
    networks.push_back(std::move(network));
  }
  const Json metadata = {{"unit_name", unit},
                         {"backup_timestamp", to_iso8601(time)},
                         {"network_count", networks.size()},
                         {"network_names", names}};
  return StagedFolder{{{"networks.json", text_of(networks), 0600, 0}, {"networks_metadata.json", text_of(metadata), 0600, 0}}, {}};
}

StagedFolder make_docker_config(const FileContent& daemon_json, const std::vector<FileContent>& service_drop_ins) {
  StagedFolder folder;
  if (daemon_json.problem.empty()) {
    folder.files.push_back({"daemon.json", daemon_json.content, daemon_json.mode, daemon_json.mtime_seconds});
  } else if (!daemon_json.missing) {  // most hosts have none
    folder.gaps.push_back("the Docker daemon's daemon.json was not saved: " + printable(daemon_json.problem, 200));
  }
  for (const auto& file : service_drop_ins) {
    if (file.problem.empty()) {
      folder.files.push_back({"docker.service.d/" + base_name(file.path), file.content, file.mode, file.mtime_seconds});
    } else {
      folder.gaps.push_back(printable(file.path, 200) + " was not saved: " + printable(file.problem, 200));
    }
  }
  return folder;
}

}  // namespace kopidocka
