#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace kopidocka {

/// A JSON value as YAML in block style. Every string, keys included, is in double quotes with JSON's escapes, which YAML
/// reads the same: no value can turn into a number, a boolean or an anchor.
std::string to_yaml(const nlohmann::ordered_json& value);

}  // namespace kopidocka
