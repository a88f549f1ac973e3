#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// Both sides of the pipe between Worker and worker_main; nothing else speaks it. Reading throws Error (invalid) or
/// nlohmann's exceptions for what is not of this form.
constexpr size_t kRequestLimit = 4u << 20;
constexpr size_t kPathsLimit = 10'000;
constexpr size_t kContentLimit = 16u << 20;  ///< of all files of one answer

void to_json(nlohmann::json& json, const PathFacts& facts);
void from_json(const nlohmann::json& json, PathFacts& facts);
void to_json(nlohmann::json& json, const TreeUsage& usage);
void from_json(const nlohmann::json& json, TreeUsage& usage);
void to_json(nlohmann::json& json, const FileWanted& wanted);
void from_json(const nlohmann::json& json, FileWanted& wanted);
void to_json(nlohmann::json& json, const FileContent& file);
void from_json(const nlohmann::json& json, FileContent& file);
void to_json(nlohmann::json& json, const PlaceRequest& request);
void from_json(const nlohmann::json& json, PlaceRequest& request);
void to_json(nlohmann::json& json, const Place& place);
void from_json(const nlohmann::json& json, Place& place);
void to_json(nlohmann::json& json, const PlaceState& state);
void from_json(const nlohmann::json& json, PlaceState& state);
void to_json(nlohmann::json& json, const CloneRequest& request);
void from_json(const nlohmann::json& json, CloneRequest& request);
void to_json(nlohmann::json& json, const CloneFacts& facts);
void from_json(const nlohmann::json& json, CloneFacts& facts);
void to_json(nlohmann::json& json, const CloneResult& result);
void from_json(const nlohmann::json& json, CloneResult& result);
void to_json(nlohmann::json& json, const Settled& settled);
void from_json(const nlohmann::json& json, Settled& settled);
void to_json(nlohmann::json& json, const Touched& touched);
void from_json(const nlohmann::json& json, Touched& touched);

nlohmann::json error_to_json(const Error& error);
Error error_from_json(const nlohmann::json& json);

std::string_view to_string(Discard what);
Discard discard_from(const std::string& text);

/// A path out of a request; NUL would cut it short at the system call.
std::string checked_path(const nlohmann::json& json, const char* name);

}  // namespace kopidocka
