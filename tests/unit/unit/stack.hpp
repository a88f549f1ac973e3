#pragma once

#include <algorithm>
#include <string>

#include "unit/discovery.hpp"

namespace kopidocka::testing {

/// An id as Docker makes them, told from the name.
inline std::string id_of(const std::string& name) {
  std::string id;
  for (const unsigned char letter : name) {
    id += "0123456789abcdef"[letter >> 4];
    id += "0123456789abcdef"[letter & 15];
  }
  id.resize(64, '0');
  return id;
}

inline Container container(const std::string& name, const std::string& image = "busybox") {
  Container made;
  made.id = id_of(name);
  made.name = name;
  made.image = image;
  made.state.status = "running";
  made.state.started_at = "2026-11-22T20:00:00.000000001Z";
  return made;
}

inline Container service(const std::string& project, const std::string& name, const std::string& depends_on = {}) {
  auto made = container(project + "-" + name + "-1");
  made.labels["com.docker.compose.project"] = project;
  made.labels["com.docker.compose.service"] = name;
  made.labels["com.docker.compose.container-number"] = "1";
  if (!depends_on.empty()) made.labels["com.docker.compose.depends_on"] = depends_on;
  return made;
}

inline Mount bind_mount(const std::string& source, const std::string& destination = "/data", bool writable = true) {
  return {"bind", {}, source, destination, {}, "rprivate", writable};
}

inline Mount volume_mount(const std::string& name, const std::string& destination = "/data", bool writable = true) {
  return {"volume", name, "/var/lib/docker/volumes/" + name + "/_data", destination, "local", {}, writable};
}

inline Volume volume(const std::string& name, StringMap options = {}, const std::string& driver = "local") {
  return {name, driver, "/var/lib/docker/volumes/" + name + "/_data", "local", {}, std::move(options)};
}

/// A host as discovery sees it; without a container of our own unless one is set.
struct Host {
  Inventory inventory;
  Surroundings around;

  Container& add(Container made) {
    inventory.containers.push_back(std::move(made));
    return inventory.containers.back();
  }
  std::vector<Unit> units() const { return discover(inventory, around); }
  Unit unit(const std::string& name) const {
    for (auto& found : units()) {
      if (found.name == name) return found;
    }
    Unit none;
    none.name = "(no unit " + name + ")";
    return none;
  }
};

/// All problems in one text, errors and warnings with their words in front.
inline std::string problems_of(const Unit& unit) {
  std::string text;
  for (const auto& problem : unit.problems) {
    text += (problem.severity == Problem::Severity::error ? "error: " : "warning: ") + problem.where + ": " + problem.message + "\n";
  }
  return text;
}

inline const DataSource* source_named(const Unit& unit, const std::string& name) {
  const auto found = std::find_if(unit.sources.begin(), unit.sources.end(), [&](const DataSource& source) { return source.name == name; });
  return found == unit.sources.end() ? nullptr : &*found;
}

}  // namespace kopidocka::testing
