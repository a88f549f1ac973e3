#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace kopidocka {

/// One declaration of a setting: reading it, checking it, showing it and documenting it all come from here.
struct SettingRow {
  std::string_view name;
  std::string_view type;                     ///< in words, for the documentation and for errors
  std::string_view fallback = {};            ///< value when it is not set; empty = none
  std::string_view container_fallback = {};  ///< empty = the same as `fallback`
  std::string_view example = {};
  std::string_view text;
  bool secret = false;
  /// Checks `value` and stores it. The message of its Error never contains the value of a secret.
  std::function<Result<void>(Settings&, const std::string& value)> assign;

  std::string_view fallback_for(bool in_container) const {
    return in_container && !container_fallback.empty() ? container_fallback : fallback;
  }
};

const std::vector<SettingRow>& setting_table();

/// Names under our prefix that hook scripts are given or that scripts/ and compose/ read: neither settings
/// nor errors.
bool is_reserved_name(std::string_view name);

inline constexpr std::string_view kSettingPrefix = "KOPI_DOCKA_";
inline constexpr std::string_view kConfigFileSetting = "KOPI_DOCKA_CONFIG";
inline constexpr std::string_view kDefaultConfigFile = "/etc/kopi-docka/kopi-docka.conf";

}  // namespace kopidocka
