#include "journal/record.hpp"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;
using nlohmann::json;

constexpr int kFormatVersion = 1;

constexpr std::array<std::pair<Type, std::string_view>, 18> kTypes = {{
    {Type::begin, "begin"}, {Type::hold, "hold"}, {Type::stopping, "stopping"}, {Type::stopped, "stopped"},
    {Type::starting, "starting"}, {Type::started, "started"}, {Type::disowned, "disowned"}, {Type::staging, "staging"},
    {Type::swapping, "swapping"}, {Type::swapped, "swapped"}, {Type::restored, "restored"}, {Type::kept, "kept"}, {Type::warming, "warming"}, {Type::cooled, "cooled"}, {Type::cloning, "cloning"}, {Type::uncloned, "uncloned"}, {Type::reported, "reported"},
    {Type::end, "end"}}};

json member_json(const HeldMember& member) {
  json value = {{"id", member.id}, {"name", member.name}, {"started_at", member.started_at}, {"project", member.project},
          {"service", member.service}, {"number", member.number}, {"grace", member.grace}};
  if (member.by_pause) value["by_pause"] = true;
  return value;
}

HeldMember member_from(const json& value) {
  HeldMember member;
  member.id = value.at("id");
  member.name = value.at("name");
  member.started_at = value.at("started_at");
  member.project = value.value("project", "");
  member.service = value.value("service", "");
  member.number = value.value("number", 1);
  member.grace = value.value("grace", 10);
  member.by_pause = value.value("by_pause", false);
  return member;
}

json data_json(const HeldData& data) {
  return {{"target", data.target}, {"mode", data.mode}, {"staging", data.staging}, {"scratch", data.scratch},
          {"single_file", data.single_file}};
}

HeldData data_from(const json& value) {
  return {value.at("target"), value.at("mode"), value.at("staging"), value.at("scratch"), value.at("single_file")};
}

void put(json& line, const char* name, const std::string& value) {
  if (!value.empty()) line[name] = value;
}

}  // namespace

std::string_view to_string(JournalRecord::Type type) {
  for (const auto& [known, name] : kTypes) {
    if (known == type) return name;
  }
  return "unknown";
}

std::string to_line(const JournalRecord& record) {
  json line = {{"v", kFormatVersion}, {"type", to_string(record.type)}, {"time", to_iso8601(record.time)}};
  put(line, "run", record.run);
  put(line, "unit", record.unit);
  put(line, "kind", record.kind);
  put(line, "engine_id", record.engine_id);
  put(line, "trigger", record.trigger);
  put(line, "scope", record.scope);
  put(line, "engine", record.engine);
  put(line, "container", record.container);
  put(line, "note", record.note);
  put(line, "result", record.result);
  put(line, "reason", record.reason);
  for (const auto& member : record.members) line["members"].push_back(member_json(member));
  if (record.data) line["data"] = data_json(*record.data);
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<JournalRecord> record_from_line(const std::string& text) {
  try {
    const auto line = json::parse(text);
    if (!line.at("v").is_number_integer()) return Error{ErrorKind::invalid, "not a journal record: its format version is no number"};
    const auto version = line.at("v").get<std::int64_t>();
    if (version < 1) return Error{ErrorKind::invalid, "not a journal record: its format version is " + std::to_string(version)};
    if (version > kFormatVersion) {
      return Error{ErrorKind::refused, "the journal was written by a newer kopi-docka (format " + std::to_string(version) + ")",
                   "start that version once, so that it can finish what it began"};
    }
    JournalRecord record;
    const std::string name = line.at("type");
    bool known = false;
    for (const auto& [type, word] : kTypes) {
      if (word != name) continue;
      record.type = type;
      known = true;
    }
    if (!known) return Error{ErrorKind::invalid, "unknown journal record '" + printable(name, 60) + "'"};
    record.time = from_iso8601(line.at("time"));
    record.run = line.value("run", "");
    record.unit = line.value("unit", "");
    record.kind = line.value("kind", "");
    record.engine_id = line.value("engine_id", "");
    record.trigger = line.value("trigger", "");
    record.scope = line.value("scope", "");
    record.engine = line.value("engine", "");
    record.container = line.value("container", "");
    record.note = line.value("note", "");
    record.result = line.value("result", "");
    record.reason = line.value("reason", "");
    if (line.contains("members")) {
      for (const auto& member : line.at("members")) record.members.push_back(member_from(member));
    }
    if (line.contains("data")) record.data = data_from(line.at("data"));
    return record;
  } catch (const json::exception& error) {
    return Error{ErrorKind::invalid, "not a journal record: " + printable(error.what(), 300)};
  }
}

}  // namespace kopidocka
