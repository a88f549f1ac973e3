#pragma once

#include <string>
#include <vector>

#include "catalog/staged_folder.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// networks.json (array of the engine's own network objects) and networks_metadata.json, as the Python original reads
/// them. Pure. `inspected` holds the engine's GET /networks/{id} texts.
Result<StagedFolder> make_networks(const std::string& unit, TimePoint time, const std::vector<std::string>& inspected);

/// daemon.json and docker.service.d/ of the host, where they could be read; the files' base names count.
StagedFolder make_docker_config(const FileContent& daemon_json, const std::vector<FileContent>& service_drop_ins);

}  // namespace kopidocka
