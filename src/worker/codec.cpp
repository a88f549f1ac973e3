#include "worker/codec.hpp"

#include <array>

#include "worker/hex.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

constexpr std::array kKinds = {"missing", "folder", "file", "other"};
constexpr std::array kErrorKinds = {ErrorKind::usage,     ErrorKind::invalid, ErrorKind::not_found,   ErrorKind::refused,
                                    ErrorKind::busy,      ErrorKind::denied,  ErrorKind::unreachable, ErrorKind::timeout,
                                    ErrorKind::cancelled, ErrorKind::no_space, ErrorKind::failed,     ErrorKind::internal};

PathKind kind_from(const std::string& text) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (text == kKinds[i]) return static_cast<PathKind>(i);
  }
  throw Error{ErrorKind::invalid, "unknown kind of path"};
}

}  // namespace

std::string checked_path(const json& object, const char* name) {
  auto path = object.at(name).get<std::string>();
  if (path.find('\0') != std::string::npos) throw Error{ErrorKind::refused, std::string(name) + " contains a NUL"};
  return path;
}

void to_json(json& object, const PathFacts& facts) {
  object = {{"path", facts.path},
            {"kind", kKinds[static_cast<size_t>(facts.kind)]},
            {"symlink", facts.symlink},
            {"mount_point", facts.mount_point},
            {"writable", facts.writable},
            {"empty", facts.empty},
            {"device", facts.device},
            {"inode", facts.inode},
            {"bytes_free", facts.bytes_free},
            {"bytes_total", facts.bytes_total},
            {"file_system", facts.file_system},
            {"problem", facts.problem}};
}

void from_json(const json& object, PathFacts& facts) {
  object.at("path").get_to(facts.path);
  facts.kind = kind_from(object.at("kind"));
  object.at("symlink").get_to(facts.symlink);
  object.at("mount_point").get_to(facts.mount_point);
  object.at("writable").get_to(facts.writable);
  object.at("empty").get_to(facts.empty);
  object.at("device").get_to(facts.device);
  object.at("inode").get_to(facts.inode);
  object.at("bytes_free").get_to(facts.bytes_free);
  object.at("bytes_total").get_to(facts.bytes_total);
  object.at("file_system").get_to(facts.file_system);
  object.at("problem").get_to(facts.problem);
}

void to_json(json& object, const TreeUsage& usage) {
  object = {{"path", usage.path},
            {"bytes", usage.bytes},
            {"allocated", usage.allocated},
            {"entries", usage.entries},
            {"complete", usage.complete}};
}

void from_json(const json& object, TreeUsage& usage) {
  object.at("path").get_to(usage.path);
  object.at("bytes").get_to(usage.bytes);
  object.at("allocated").get_to(usage.allocated);
  object.at("entries").get_to(usage.entries);
  object.at("complete").get_to(usage.complete);
}

void to_json(json& object, const FileWanted& wanted) { object = {{"path", wanted.path}, {"limit", wanted.limit}}; }

void from_json(const json& object, FileWanted& wanted) {
  wanted.path = checked_path(object, "path");
  wanted.limit = object.at("limit").get<size_t>();
}

void to_json(json& object, const FileContent& file) {
  object = {{"path", file.path},
            {"content", to_hex(file.content)},
            {"mode", file.mode},
            {"mtime", file.mtime_seconds},
            {"missing", file.missing},
            {"problem", file.problem}};
}

void from_json(const json& object, FileContent& file) {
  object.at("path").get_to(file.path);
  file.content = from_hex(object.at("content").get_ref<const std::string&>());
  object.at("mode").get_to(file.mode);
  object.at("mtime").get_to(file.mtime_seconds);
  object.at("missing").get_to(file.missing);
  object.at("problem").get_to(file.problem);
}

void to_json(json& object, const PlaceRequest& request) {
  object = {{"target", request.target},
            {"host_path", request.host_path},
            {"run_id", request.run_id},
            {"single_file", request.single_file},
            {"scratch", request.scratch},
            {"make_parents", request.make_parents}};
}

void from_json(const json& object, PlaceRequest& request) {
  request.target = checked_path(object, "target");
  request.host_path = checked_path(object, "host_path");
  request.run_id = checked_path(object, "run_id");
  object.at("single_file").get_to(request.single_file);
  request.scratch = checked_path(object, "scratch");
  object.at("make_parents").get_to(request.make_parents);
}

void to_json(json& object, const Place& place) {
  object = {{"mode", to_string(place.mode)}, {"target", place.target},   {"run_id", place.run_id},
            {"staging", place.staging},      {"scratch", place.scratch}, {"single_file", place.single_file}};
}

void from_json(const json& object, Place& place) {
  const auto mode = place_mode_from(object.at("mode").get<std::string>());
  if (!mode) throw Error{ErrorKind::invalid, "unknown mode of a place"};
  place.mode = *mode;
  place.target = checked_path(object, "target");
  place.run_id = checked_path(object, "run_id");
  place.staging = checked_path(object, "staging");
  place.scratch = checked_path(object, "scratch");
  object.at("single_file").get_to(place.single_file);
}

void to_json(json& object, const PlaceState& state) {
  object = {{"target", state.target},   {"staged", state.staged},   {"aside", state.aside},
            {"swapped", state.swapped}, {"touched", state.touched}, {"strangers", state.strangers}};
}

void from_json(const json& object, PlaceState& state) {
  object.at("target").get_to(state.target);
  object.at("staged").get_to(state.staged);
  object.at("aside").get_to(state.aside);
  object.at("swapped").get_to(state.swapped);
  object.at("touched").get_to(state.touched);
  object.at("strangers").get_to(state.strangers);
}

void to_json(json& object, const CloneRequest& request) {
  object = {{"source", request.source}, {"run_id", request.run_id}};
}

void from_json(const json& object, CloneRequest& request) {
  request.source = checked_path(object, "source");
  request.run_id = checked_path(object, "run_id");
}

void to_json(json& object, const CloneFacts& facts) {
  object = {{"possible", facts.possible}, {"path", facts.path}, {"file_system", facts.file_system}, {"reason", facts.reason}};
}

void from_json(const json& object, CloneFacts& facts) {
  object.at("possible").get_to(facts.possible);
  object.at("path").get_to(facts.path);
  object.at("file_system").get_to(facts.file_system);
  object.at("reason").get_to(facts.reason);
}

void to_json(json& object, const CloneResult& result) {
  object = {{"path", result.path},
            {"entries", result.entries},
            {"bytes", result.bytes},
            {"left_out", result.left_out},
            {"vanished", result.vanished}};
}

void from_json(const json& object, CloneResult& result) {
  object.at("path").get_to(result.path);
  object.at("entries").get_to(result.entries);
  object.at("bytes").get_to(result.bytes);
  object.at("left_out").get_to(result.left_out);
  object.at("vanished").get_to(result.vanished);
}

json error_to_json(const Error& error) {
  return {{"kind", to_string(error.kind())}, {"message", error.text()}, {"next_step", error.next_step()}};
}

Error error_from_json(const json& object) {
  const auto text = object.at("kind").get<std::string>();
  auto kind = ErrorKind::internal;
  for (const auto candidate : kErrorKinds) {
    if (to_string(candidate) == text) kind = candidate;
  }
  return {kind, object.at("message").get<std::string>(), object.at("next_step").get<std::string>()};
}

std::string_view to_string(Discard what) {
  switch (what) {
    case Discard::staged: return "staged";
    case Discard::aside: return "aside";
    case Discard::both: return "both";
  }
  return "staged";
}

Discard discard_from(const std::string& text) {
  for (const auto what : {Discard::staged, Discard::aside, Discard::both}) {
    if (to_string(what) == text) return what;
  }
  throw Error{ErrorKind::invalid, "unknown piece to discard"};
}

}  // namespace kopidocka
