#include "catalog/yaml.hpp"

#include <nlohmann/json.hpp>

namespace kopidocka {
namespace {

using Json = nlohmann::ordered_json;

std::string scalar(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void write(std::string& text, const Json& value, size_t indent) {
  const std::string margin(indent, ' ');
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      text += margin + scalar(key) + ":";
      text += is_block(item) ? "\n" : " " + scalar(item) + "\n";
      if (is_block(item)) write(text, item, indent + 2);
    }
    return;
  }
  for (const auto& item : value) {
    text += margin + "-";
    text += is_block(item) ? "\n" : " " + scalar(item) + "\n";
    if (is_block(item)) write(text, item, indent + 2);
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string text;
  write(text, value, 0);
  return text;
}

}  // namespace kopidocka
