#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/LayeredConfiguration.h>
#include <Poco/Util/MapConfiguration.h>
#include <Poco/Util/PropertyFileConfiguration.h>
#include <algorithm>
#include <sstream>
#include <sys/stat.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "config/setting_table.hpp"
#include "config/value.hpp"

namespace kopidocka {
namespace {

using Poco::AutoPtr;
using Poco::Util::AbstractConfiguration;
using Poco::Util::LayeredConfiguration;
using Poco::Util::MapConfiguration;
using Poco::Util::PropertyFileConfiguration;

constexpr std::string_view kFileSuffix = "_FILE";

/// getString() would expand ${...} inside a value, and a password may hold that.
struct RawLayers : LayeredConfiguration {
  bool raw(const std::string& key, std::string& value) const { return getRaw(key, value); }
};

struct Layers {
  AutoPtr<RawLayers> all{new RawLayers};
  AutoPtr<AbstractConfiguration> environment{new MapConfiguration};
  AutoPtr<AbstractConfiguration> file;
  std::string file_name;

  std::string get(const std::string& key) const {
    std::string value;
    all->raw(key, value);
    return value;
  }
  std::string source_of(const std::string& key) const {
    if (environment->has(key)) return "environment";
    return file && file->has(key) ? "file " + file_name : "default";
  }
};

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const auto& row : setting_table()) {
    names.emplace_back(row.name);
    if (row.secret) names.push_back(std::string(row.name) + std::string(kFileSuffix));
  }
  return names;
}

bool is_known(const std::string& name) {
  const auto names = known_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error unknown(const std::string& name, const std::string& source) {
  const auto meant = nearest(name, known_names());
  return {ErrorKind::invalid, source + ": " + printable(name, 200) + " is not a setting",
          meant.empty() ? "see `kopi-docka config` for the list" : "did you mean " + meant + "?"};
}

bool others_may_read(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

/// Poco reads a backslash as the begin of an escape and drops it; here it is a letter like any other.
std::string with_plain_backslashes(const std::string& content) {
  std::string text;
  for (const char letter : content) text += letter == '\\' ? std::string("\\\\") : std::string(1, letter);
  return text;
}

void collect_keys(const AbstractConfiguration& configuration, const std::string& at,
                  std::vector<std::string>& names) {
  AbstractConfiguration::Keys keys;
  configuration.keys(at, keys);
  if (keys.empty() && !at.empty()) names.push_back(at);
  for (const auto& key : keys) collect_keys(configuration, at.empty() ? key : at + "." + key, names);
}

class Loader {
 public:
  Loader(const Environment& environment, bool in_container)
      : environment_(environment), in_container_(in_container) {}

  LoadedSettings load() {
    read_environment();
    read_config_file();
    layers_.all->add(layers_.environment, 0);
    if (layers_.file) layers_.all->add(layers_.file, 1);
    Settings settings;
    for (const auto& row : setting_table())
      row.secret ? load_secret(row, settings) : load_plain(row, settings);
    if (out_.problems.empty()) out_.settings = std::move(settings);
    return std::move(out_);
  }

 private:
  void problem(Error error) { out_.problems.push_back(std::move(error)); }

  void read_environment() {
    for (const auto& [name, value] : environment_) {
      if (is_known(name)) {
        const bool secret = name.ends_with(kFileSuffix) || is_secret(name);
        if (!value.empty()) layers_.environment->setString(name, value);
        if (value.empty() && secret) {
          problem({ErrorKind::invalid, name + " is set but empty", "give it a value or do not set it"});
        }
      } else if (name.starts_with(kSettingPrefix) && name != kConfigFileSetting && !is_reserved_name(name)) {
        problem(unknown(name, "environment"));
      }
    }
  }

  void read_config_file() {
    const auto named = environment_.find(std::string(kConfigFileSetting));
    const bool asked_for = named != environment_.end() && !named->second.empty();
    layers_.file_name = asked_for ? named->second : std::string(kDefaultConfigFile);
    const auto content = read_file(layers_.file_name, 1u << 20);
    if (!content) {
      if (asked_for || content.error().kind() != ErrorKind::not_found) {
        problem(
            {content.error().kind(), content.error().message(), "see " + std::string(kConfigFileSetting)});
      }
      return;
    }
    parse_config_file(*content);
  }

  void parse_config_file(const std::string& content) {
    try {
      std::istringstream stream(with_plain_backslashes(content));
      layers_.file = new PropertyFileConfiguration(stream);
    } catch (const Poco::Exception& error) {
      problem({ErrorKind::invalid, "file " + layers_.file_name + ": " + error.displayText(),
               "write one NAME = value per line"});
      return;
    }
    std::vector<std::string> names;
    collect_keys(*layers_.file, "", names);
    for (const auto& name : names) {
      if (!is_known(name)) problem(unknown(name, "file " + layers_.file_name));
      const bool names_secret = is_secret(name) || (name.ends_with(kFileSuffix) && is_secret(name.substr(0, name.size() - kFileSuffix.size())));
      if (names_secret && layers_.file->getString(name).empty()) {
        problem({ErrorKind::invalid, name + " (file " + layers_.file_name + ") is empty", "give it a value, or remove the line"});
      }
      if (is_secret(name) && others_may_read(layers_.file_name)) {
        out_.warnings.push_back(layers_.file_name + " holds " + name +
                                " and every user may read it: chmod 600 it");
      }
    }
  }

  static bool is_secret(const std::string& name) {
    for (const auto& row : setting_table()) {
      if (row.secret && row.name == name) return true;
    }
    return false;
  }

  void load_plain(const SettingRow& row, Settings& settings) {
    const std::string name(row.name);
    const auto given = layers_.get(name);
    const std::string value = given.empty() ? std::string(row.fallback_for(in_container_)) : given;
    const auto source = given.empty() ? "default" : layers_.source_of(name);
    out_.values.push_back({name, without_user_info(value), source, std::string(row.text)});
    if (!value.empty()) assign(row, settings, value, source);
  }

  void load_secret(const SettingRow& row, Settings& settings) {
    const std::string name(row.name), file_name = name + std::string(kFileSuffix);
    const bool direct = !layers_.get(name).empty(), by_file = !layers_.get(file_name).empty();
    SettingValue shown{name, "not set", "default", std::string(row.text)};
    if (direct && by_file) {
      problem({ErrorKind::invalid,
               name + " (" + layers_.source_of(name) + ") and " + file_name + " (" +
                   layers_.source_of(file_name) + ") are both set",
               "keep one of the two"});
    } else if (direct) {
      shown.source = layers_.source_of(name);
      shown.shown = "set (from " + shown.source + ")";
      assign(row, settings, layers_.get(name), shown.source);
    } else if (by_file) {
      shown.source = "file " + layers_.get(file_name);
      shown.shown = "set (from " + shown.source + ")";
      load_secret_file(row, settings, layers_.get(file_name));
    }
    out_.values.push_back(shown);
  }

  void load_secret_file(const SettingRow& row, Settings& settings, const std::string& path) {
    const auto name = std::string(row.name) + std::string(kFileSuffix);
    auto content = read_file(path, 64u << 10);
    if (!content) return problem(Error{content.error()}.in(name));
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    if (content->empty())
      return problem({ErrorKind::invalid, name + ": " + path + " is empty", "write the secret into it"});
    // Secrets of compose and swarm are 0444 by design, in a container of ours.
    if (!path.starts_with("/run/secrets/") && others_may_read(path))
      out_.warnings.push_back(name + ": every user may read " + path + ": chmod 600 it");
    assign(row, settings, *content, "file " + path);
  }

  void assign(const SettingRow& row, Settings& settings, const std::string& value,
              const std::string& source) {
    const auto assigned = row.assign(settings, value);
    if (assigned) return;
    const auto& error = assigned.error();
    problem({ErrorKind::invalid, std::string(row.name) + " (" + source + "): " + error.text(),
             error.next_step()});
  }

  const Environment& environment_;
  bool in_container_;
  Layers layers_;
  LoadedSettings out_;
};

}  // namespace

LoadedSettings load_settings(const Environment& environment, bool in_container) {
  return Loader(environment, in_container).load();
}

}  // namespace kopidocka
