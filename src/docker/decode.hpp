#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "docker/types.hpp"

namespace kopidocka {

/// JSON of the Engine API into the room's types; the one place that knows its field names. Tolerant: a field
/// that is missing or of another type is left at its default. ErrorKind::failed only when the text is not
/// JSON of the expected shape or an object has no identity. The text is somebody else's: names are carried
/// over as they are, callers print them through printable().

Result<Container> decode_container(std::string_view json);
/// GET /containers/json: the ids alone; the rest of the list is dropped while parsing, so that it costs no
/// memory.
Result<std::vector<std::string>> decode_container_ids(std::string_view json);
Result<std::vector<Volume>> decode_volumes(std::string_view json);
/// GET /info; api_version is left empty.
Result<EngineInfo> decode_info(std::string_view json);
/// GET /version: ApiVersion.
Result<std::string> decode_api_version(std::string_view json);
Result<DockerEvent> decode_event(std::string_view json);
/// The engine's {"message": ...}; empty when the text is anything else (a proxy's page).
std::string decode_message(std::string_view json);
/// The filters query parameter: {"type": [...], "event": [...]}.
std::string encode_filters(const std::vector<std::string>& types, const std::vector<std::string>& actions);

}  // namespace kopidocka
