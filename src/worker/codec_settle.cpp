#include <cstring>

#include "worker/codec.hpp"
#include "worker/hex.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

/// Hundreds of thousands of them; both ends are this program on this machine.
std::string marks_to_hex(const std::vector<std::uint64_t>& marks) {
  return to_hex({reinterpret_cast<const char*>(marks.data()), marks.size() * sizeof(std::uint64_t)});
}

std::vector<std::uint64_t> marks_from_hex(const std::string& text) {
  const auto bytes = from_hex(text);
  if (bytes.size() % sizeof(std::uint64_t) != 0) throw Error{ErrorKind::invalid, "half a mark"};
  std::vector<std::uint64_t> marks(bytes.size() / sizeof(std::uint64_t));
  if (!bytes.empty()) std::memcpy(marks.data(), bytes.data(), bytes.size());
  return marks;
}

}  // namespace

void to_json(json& object, const Settled& settled) {
  object = {{"path", settled.path},
            {"exact", settled.exact},
            {"reason", settled.reason},
            {"file_system", settled.file_system},
            {"since_ns", settled.since_ns},
            {"clock_offset_ns", settled.clock_offset_ns},
            {"marks", marks_to_hex(settled.marks)}};
}

void from_json(const json& object, Settled& settled) {
  settled.path = checked_path(object, "path");
  object.at("exact").get_to(settled.exact);
  object.at("reason").get_to(settled.reason);
  object.at("file_system").get_to(settled.file_system);
  object.at("since_ns").get_to(settled.since_ns);
  object.at("clock_offset_ns").get_to(settled.clock_offset_ns);
  settled.marks = marks_from_hex(object.at("marks").get<std::string>());
}

void to_json(json& object, const Touched& touched) {
  json files = json::array();
  // Three in a row: tens of thousands of small objects would be slow to read.
  for (const auto& file : touched.files) files.push_back({to_hex(file.path), file.size, file.mtime_second});
  object = {{"files", std::move(files)},
            {"bytes", touched.bytes},
            {"exact", touched.exact},
            {"truncated", touched.truncated},
            {"reason", touched.reason},
            {"still", touched.still},
            {"clock_offset_ns", touched.clock_offset_ns}};
}

void from_json(const json& object, Touched& touched) {
  for (const auto& file : object.at("files")) {
    touched.files.push_back({from_hex(file.at(0).get<std::string>()), file.at(1).get<std::uint64_t>(), file.at(2).get<std::int64_t>()});
  }
  object.at("bytes").get_to(touched.bytes);
  object.at("exact").get_to(touched.exact);
  object.at("truncated").get_to(touched.truncated);
  object.at("reason").get_to(touched.reason);
  object.at("still").get_to(touched.still);
  object.at("clock_offset_ns").get_to(touched.clock_offset_ns);
}

}  // namespace kopidocka
