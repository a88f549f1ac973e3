#include "labels/contract.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "labels/labels_json.hpp"

namespace kopidocka {
namespace {

using Json = nlohmann::json;

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};

constexpr Word<LabelLevel> kLevels[] = {{"unit", LabelLevel::unit},
                                        {"member", LabelLevel::member},
                                        {"hook", LabelLevel::hook},
                                        {"volume", LabelLevel::volume},
                                        {"internal", LabelLevel::internal}};

constexpr Word<LabelType> kTypes[] = {{"bool", LabelType::boolean},
                                      {"cron", LabelType::schedule},
                                      {"zone", LabelType::zone},
                                      {"duration", LabelType::duration},
                                      {"enum", LabelType::choice},
                                      {"words", LabelType::words},
                                      {"moments", LabelType::moments},
                                      {"integer", LabelType::integer},
                                      {"globs", LabelType::globs},
                                      {"patterns", LabelType::patterns},
                                      {"name", LabelType::name},
                                      {"names", LabelType::names},
                                      {"argv", LabelType::argv},
                                      {"env-list", LabelType::environment},
                                      {"filename", LabelType::file_name},
                                      {"user", LabelType::user},
                                      {"path", LabelType::path}};

constexpr Word<LabelStatus> kStatuses[] = {{"works", LabelStatus::works}, {"later", LabelStatus::later}};
constexpr Word<Meanwhile> kMeanwhiles[] = {{"warning", Meanwhile::warning}, {"invalid", Meanwhile::invalid}};

Error bad_contract(const std::string& why) { return {ErrorKind::internal, "the label contract is wrong: " + why}; }

template <class Table>
auto from_word(const Table& table, const std::string& word) {
  for (const auto& [known, value] : table) {
    if (known == word) return value;
  }
  throw bad_contract("unknown word '" + word + "'");
}

template <class Table, class Value>
std::string_view to_word(const Table& table, Value value) {
  for (const auto& [word, known] : table) {
    if (known == value) return word;
  }
  return "unknown";
}

void read_limits(const Json& json, LabelSpec& spec) {
  if (spec.type == LabelType::duration) {
    if (json.contains("min")) spec.shortest = parse_duration(json.at("min").get<std::string>()).value();
    if (json.contains("max")) spec.longest = parse_duration(json.at("max").get<std::string>()).value();
    return;
  }
  if (json.contains("min")) spec.min = json.at("min").get<std::int64_t>();
  if (json.contains("max")) spec.max = json.at("max").get<std::int64_t>();
}

void refuse_unknown_keys(const Json& json) {
  static const std::set<std::string> known = {"name",         "level", "type",    "values", "min",    "max",       "default",
                                              "default_text", "text",  "example", "since",  "status", "meanwhile", "works_now"};
  for (const auto& [key, value] : json.items()) {
    if (!known.contains(key)) throw bad_contract("unknown key '" + key + "'");
  }
}

LabelSpec read_spec(const Json& json) {
  refuse_unknown_keys(json);
  LabelSpec spec;
  spec.name = json.at("name").get<std::string>();
  spec.level = from_word(kLevels, json.at("level").get<std::string>());
  spec.type = from_word(kTypes, json.at("type").get<std::string>());
  spec.values = json.value("values", std::vector<std::string>{});
  read_limits(json, spec);
  if (!json.at("default").is_null()) spec.default_value = json.at("default").get<std::string>();
  spec.default_text = json.value("default_text", std::string());
  spec.text = json.at("text").get<std::string>();
  spec.example = json.at("example").get<std::string>();
  spec.since = json.at("since").get<std::string>();
  spec.status = from_word(kStatuses, json.at("status").get<std::string>());
  if (spec.status == LabelStatus::later) spec.meanwhile = from_word(kMeanwhiles, json.at("meanwhile").get<std::string>());
  spec.works_now = json.value("works_now", std::vector<std::string>{});
  return spec;
}

std::string duration_expected(const LabelSpec& spec) {
  std::string text = "a duration like 30s, 5m or 1h30m";
  if (spec.shortest) text += ", at least " + format_duration(*spec.shortest);
  if (spec.longest) text += ", at most " + format_duration(*spec.longest);
  return text;
}

std::string integer_expected(const LabelSpec& spec) {
  if (spec.min && spec.max) {
    return "a whole number from " + std::to_string(*spec.min) + " to " + std::to_string(*spec.max);
  }
  if (spec.min) return "a whole number of at least " + std::to_string(*spec.min);
  return "a whole number";
}

}  // namespace

Result<LabelContract> LabelContract::parse(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    LabelContract contract;
    if (json.at("version").get<int>() != 1) return bad_contract("only version 1 is known");
    contract.prefix_ = json.at("prefix").get<std::string>();
    for (const auto& entry : json.at("labels")) {
      auto spec = read_spec(entry);
      if (contract.find(spec.name, spec.level) != nullptr) return bad_contract("'" + spec.name + "' is declared twice");
      contract.labels_.push_back(std::move(spec));
    }
    return contract;
  } catch (const Error& error) {
    return error;
  } catch (const Json::exception& error) {
    return bad_contract(error.what());
  }
}

const LabelSpec* LabelContract::find(std::string_view name, LabelLevel level) const {
  const auto found = std::find_if(labels_.begin(), labels_.end(),
                                  [&](const LabelSpec& spec) { return spec.name == name && spec.level == level; });
  return found == labels_.end() ? nullptr : &*found;
}

std::string LabelContract::nearest_name(std::string_view name) const {
  constexpr std::string_view pattern = "<name>";
  const auto hook = split_hook_label(name);
  std::vector<std::string> candidates;
  for (const auto& spec : labels_) {
    if (spec.level == LabelLevel::unit || spec.level == LabelLevel::member) candidates.push_back(spec.name);
    if (spec.level != LabelLevel::hook || !hook) continue;
    auto candidate = spec.name;
    candidates.push_back(candidate.replace(candidate.find(pattern), pattern.size(), hook->hook));
  }
  return nearest(name, candidates);
}

const LabelContract& label_contract() {
  static const LabelContract contract = LabelContract::parse(kLabelsJson).value();
  return contract;
}

std::string_view label_contract_json() { return kLabelsJson; }

std::optional<HookLabel> split_hook_label(std::string_view name) {
  constexpr std::string_view start = "hook.";
  if (!name.starts_with(start)) return std::nullopt;
  const auto end = name.find('.', start.size());
  if (end == std::string_view::npos) return std::nullopt;
  return HookLabel{std::string(name.substr(start.size(), end - start.size())),
                   "hook.<name>" + std::string(name.substr(end))};
}

std::string_view to_string(LabelLevel level) { return to_word(kLevels, level); }
std::string_view to_string(LabelType type) { return to_word(kTypes, type); }

std::string expected_value(const LabelSpec& spec) {
  switch (spec.type) {
    case LabelType::boolean: return "true or false";
    case LabelType::schedule: return "five cron fields, @hourly to @yearly, or @every 6h, several separated by ';'";
    case LabelType::zone: return "a time zone like Europe/Berlin or UTC";
    case LabelType::duration: return duration_expected(spec);
    case LabelType::choice: return "one of " + join(spec.values, ", ");
    case LabelType::words: return "a list out of " + join(spec.values, ", ");
    case LabelType::moments: return "a list out of " + join(spec.values, ", ") + "; an event may be followed by =value";
    case LabelType::integer: return integer_expected(spec);
    case LabelType::globs:
      return std::string("names or paths with * and ?, separated by commas") + (spec.values.empty() ? "" : ", or none alone");
    case LabelType::patterns: return "ignore patterns separated by commas, or a JSON array of strings";
    case LabelType::name: return "a name of letters, digits, '.', '_' and '-'";
    case LabelType::names: return "names of letters, digits, '.', '_' and '-', separated by commas";
    case LabelType::argv: return "a command as words, or as a JSON array of strings";
    case LabelType::environment: return "NAME=value as words, or as a JSON array of strings";
    case LabelType::file_name: return "the name of a file of letters, digits, '.', '_' and '-', never a path";
    case LabelType::user: return "a user name or number, optionally followed by :group";
    case LabelType::path: return "an absolute path in the container without '..'";
  }
  return {};
}

}  // namespace kopidocka
