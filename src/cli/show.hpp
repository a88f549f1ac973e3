#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "config/settings.hpp"

namespace kopidocka {

// What people see of an answer; `--json` prints the answer itself.
void show_units(std::ostream& out, const nlohmann::json& answer);
void show_unit_details(std::ostream& out, const nlohmann::json& unit);
void show_reports(std::ostream& out, const nlohmann::json& reports);
void show_report(std::ostream& out, const nlohmann::json& report);
void show_points(std::ostream& out, const nlohmann::json& points);
void show_files(std::ostream& out, const nlohmann::json& listing);
void show_status(std::ostream& out, const nlohmann::json& status);
void show_checks(std::ostream& out, const nlohmann::json& checks);
void show_settings(std::ostream& out, const std::vector<SettingValue>& values);
void show_repository(std::ostream& out, const nlohmann::json& repository);

}  // namespace kopidocka
