#include "config/settings.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "config/setting_table.hpp"
#include "support/generated_page.hpp"

namespace kopidocka {
namespace {

using testing::HasSubstr;
using testing::Not;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    char name[] = "/tmp/settings-test.XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    const auto path = folder_ / name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path.string();
  }

  std::filesystem::path folder_;
};

std::string all_text(const LoadedSettings& loaded) {
  std::string text;
  for (const auto& problem : loaded.problems) text += std::string(problem.what()) + "\n";
  for (const auto& warning : loaded.warnings) text += warning + "\n";
  for (const auto& value : loaded.values) text += value.name + "=" + value.shown + "|" + value.source + "\n";
  return text;
}

SettingValue value_of(const LoadedSettings& loaded, const std::string& name) {
  for (const auto& value : loaded.values) {
    if (value.name == name) return value;
  }
  return {};
}

}  // namespace

TEST_F(SettingsTest, NothingGivenIsACompleteSetup) {
  const auto host = load_settings({}, false);
  ASSERT_TRUE(host.settings) << all_text(host);
  EXPECT_EQ(host.settings->repository, "filesystem:///var/lib/kopi-docka/repository");
  EXPECT_EQ(host.settings->listen, (ListenAddress{"127.0.0.1", 9464, false}));
  EXPECT_EQ(host.settings->control_socket(), "/var/lib/kopi-docka/control.sock");
  EXPECT_EQ(host.settings->label_prefix, "kopi-docka");
  EXPECT_EQ(host.settings->time_zone, "UTC");
  EXPECT_EQ(host.settings->stop_timeout, std::chrono::seconds(30));
  EXPECT_EQ(host.settings->min_free.required(100), 1ull << 30);
  EXPECT_GE(host.settings->workers, 1u);
  EXPECT_LE(host.settings->workers, 4u);
  EXPECT_TRUE(host.settings->password.empty());

  const auto container = load_settings({}, true);
  ASSERT_TRUE(container.settings);
  EXPECT_EQ(container.settings->repository, "filesystem:///repository");
  EXPECT_EQ(container.settings->listen, (ListenAddress{"", 9464, false}));
}

TEST_F(SettingsTest, EnvironmentWinsOverTheFileAndBothOverTheDefault) {
  const auto config = file("c.conf", "# comment\nKOPI_DOCKA_WORKERS = 3\nKOPI_DOCKA_ENGINE=restic\n");
  const auto loaded =
      load_settings({{"KOPI_DOCKA_CONFIG", config}, {"KOPI_DOCKA_WORKERS", "2"}, {"PATH", "/bin"}}, true);
  ASSERT_TRUE(loaded.settings) << all_text(loaded);
  EXPECT_EQ(loaded.settings->workers, 2u);
  EXPECT_EQ(loaded.settings->engine, EngineChoice::restic);
  EXPECT_EQ(value_of(loaded, "KOPI_DOCKA_WORKERS").source, "environment");
  EXPECT_EQ(value_of(loaded, "KOPI_DOCKA_ENGINE").source, "file " + config);
  EXPECT_EQ(value_of(loaded, "KOPI_DOCKA_WATCH").source, "default");
}

TEST_F(SettingsTest, AValueOfTheFileIsTakenAsItStands) {
  const auto config = file("c.conf",
                           "KOPI_DOCKA_HOOKS_DIR = /a\\bc\nKOPI_DOCKA_PASSWORD = pa\\ss\\n${HOME}\\\\=#!\nKOPI_DOCKA_INSTANCE = a\\\n"
                           "KOPI_DOCKA_WORKERS = 3\r\n");
  const auto loaded = load_settings({{"KOPI_DOCKA_CONFIG", config}}, true);
  EXPECT_THAT(all_text(loaded), HasSubstr("KOPI_DOCKA_INSTANCE (file"));
  EXPECT_EQ(loaded.problems.size(), 1u) << all_text(loaded);
  const auto right = load_settings(
      {{"KOPI_DOCKA_CONFIG", file("d.conf", "KOPI_DOCKA_HOOKS_DIR = /a\\bc\nKOPI_DOCKA_PASSWORD = pa\\ss\\n${HOME}\\\\=#!\n")}}, true);
  ASSERT_TRUE(right.settings) << all_text(right);
  EXPECT_EQ(right.settings->hooks_dir, "/a\\bc");
  EXPECT_EQ(right.settings->password.reveal(), "pa\\ss\\n${HOME}\\\\=#!");
}

TEST_F(SettingsTest, AnEmptyValueCountsAsNotSet) {
  const auto loaded =
      load_settings({{"KOPI_DOCKA_SCHEDULE", ""}, {"KOPI_DOCKA_ENGINE", ""}, {"TZ", ""}}, true);
  ASSERT_TRUE(loaded.settings) << all_text(loaded);
  EXPECT_EQ(loaded.settings->engine, EngineChoice::kopia);
  EXPECT_EQ(value_of(loaded, "KOPI_DOCKA_ENGINE").source, "default");
}

TEST_F(SettingsTest, EveryWrongValueIsReportedAtOnceWithItsNameAndNothingStarts) {
  const Environment wrong = {{"KOPI_DOCKA_REPOSITORY", "/backup"},
                             {"KOPI_DOCKA_ENGINE", "kopi"},
                             {"KOPI_DOCKA_STATE_DIR", "relative"},
                             {"KOPI_DOCKA_HOSTNAME", "a b"},
                             {"KOPI_DOCKA_LISTEN", "9464"},
                             {"KOPI_DOCKA_WATCH", "everything"},
                             {"KOPI_DOCKA_SCHEDULE", "61 * * * *"},
                             {"KOPI_DOCKA_WORKERS", "0"},
                             {"KOPI_DOCKA_PARALLEL_RUNS", "-1"},
                             {"KOPI_DOCKA_LOG_LEVEL", "loud"},
                             {"KOPI_DOCKA_LOG_FORMAT", "xml"},
                             {"KOPI_DOCKA_LABEL_PREFIX", "kopi-docka."},
                             {"KOPI_DOCKA_RECIPE_ENVIRONMENT", "perhaps"},
                             {"KOPI_DOCKA_RECONCILE_INTERVAL", "5"},
                             {"KOPI_DOCKA_STOP_TIMEOUT", "0"},
                             {"KOPI_DOCKA_MIN_FREE", "200%"},
                             {"DOCKER_HOST", "npipe:////./pipe"},
                             {"TZ", "Europe/Berlim"},
                             {"KOPI_DOCKA_NOTIFY_URL", "mailto:a@b"}};
  const auto loaded = load_settings(wrong, true);
  EXPECT_FALSE(loaded.settings);
  EXPECT_EQ(loaded.problems.size(), wrong.size()) << all_text(loaded);
  const auto text = all_text(loaded);
  for (const auto& [name, value] : wrong) EXPECT_THAT(text, HasSubstr(name + " (environment): "));
  EXPECT_THAT(text, HasSubstr("did you mean kopia?"));
}

TEST_F(SettingsTest, UnknownNamesAreErrorsThatNameTheNearestOne) {
  const auto config = file("c.conf", "KOPI_DOCKA_WATHC = all\nsome.thing = 1\n");
  const auto loaded = load_settings(
      {{"KOPI_DOCKA_CONFIG", config}, {"KOPI_DOCKA_REPOSITRY", "x"}, {"KOPI_DOCKA_LISTEN_FILE", "x"}}, true);
  EXPECT_FALSE(loaded.settings);
  EXPECT_EQ(loaded.problems.size(), 4u) << all_text(loaded);
  const auto text = all_text(loaded);
  EXPECT_THAT(text, HasSubstr("did you mean KOPI_DOCKA_REPOSITORY?"));
  EXPECT_THAT(text, HasSubstr("did you mean KOPI_DOCKA_WATCH?"));
  EXPECT_THAT(text, HasSubstr("some.thing is not a setting"));
}

TEST_F(SettingsTest, NamesGivenToHookScriptsAndForeignVariablesAreNotSettings) {
  const auto loaded = load_settings({{"KOPI_DOCKA_HOOK_TYPE", "pre_backup"},
                                     {"KOPI_DOCKA_UNIT_NAME", "shop"},
                                     {"KOPI_DOCKA_IMAGE", "x"},
                                     {"HOME", "/root"}},
                                    true);
  EXPECT_TRUE(loaded.settings) << all_text(loaded);
}

TEST_F(SettingsTest, ASecretComesFromItsFileWithoutTheFinalLineBreak) {
  const auto secret = file("password", "corr ect\\h${orse}\n");
  const auto loaded = load_settings({{"KOPI_DOCKA_PASSWORD_FILE", secret}}, true);
  ASSERT_TRUE(loaded.settings) << all_text(loaded);
  EXPECT_EQ(loaded.settings->password.reveal(), "corr ect\\h${orse}");
  EXPECT_EQ(value_of(loaded, "KOPI_DOCKA_PASSWORD").shown, "set (from file " + secret + ")");
  EXPECT_TRUE(loaded.warnings.empty());
}

TEST_F(SettingsTest, ASecretIsNeverShown) {
  const auto config = file("c.conf", "KOPI_DOCKA_NOTIFY_URL = https://hooks.example/canary-in-file\n");
  const auto good =
      load_settings({{"KOPI_DOCKA_PASSWORD", "canary-$HOME-${x}"}, {"KOPI_DOCKA_CONFIG", config}}, true);
  ASSERT_TRUE(good.settings) << all_text(good);
  EXPECT_EQ(good.settings->password.reveal(), "canary-$HOME-${x}");
  EXPECT_EQ(good.settings->notify_url.reveal(), "https://hooks.example/canary-in-file");
  EXPECT_THAT(all_text(good) + settings_to_json(good.values).dump(), Not(HasSubstr("canary")));

  const auto bad = load_settings({{"KOPI_DOCKA_PASSWORD", "canary\ntwo"},
                                  {"KOPI_DOCKA_NOTIFY_URL", "canary://x"},
                                  {"KOPI_DOCKA_REPOSITORY", "sftp://user:canary@host/path"}},
                                 true);
  EXPECT_EQ(bad.problems.size(), 3u);
  EXPECT_THAT(all_text(bad) + settings_to_json(bad.values).dump(), Not(HasSubstr("canary")));
}

TEST_F(SettingsTest, ASecretGivenTwiceEmptyOrUnreadableIsAnError) {
  const auto secret = file("password", "one\n");
  const auto twice =
      load_settings({{"KOPI_DOCKA_PASSWORD", "a"}, {"KOPI_DOCKA_PASSWORD_FILE", secret}}, true);
  ASSERT_EQ(twice.problems.size(), 1u);
  EXPECT_THAT(twice.problems[0].what(), HasSubstr("both set"));

  const auto split = load_settings({{"KOPI_DOCKA_CONFIG", file("c.conf", "KOPI_DOCKA_PASSWORD = a\n")},
                                    {"KOPI_DOCKA_PASSWORD_FILE", secret}},
                                   true);
  EXPECT_EQ(split.problems.size(), 1u);

  EXPECT_EQ(load_settings({{"KOPI_DOCKA_PASSWORD", ""}}, true).problems.size(), 1u);
  EXPECT_EQ(load_settings({{"KOPI_DOCKA_PASSWORD_FILE", file("empty", "\n")}}, true).problems.size(), 1u);
  EXPECT_EQ(
      load_settings({{"KOPI_DOCKA_PASSWORD_FILE", (folder_ / "absent").string()}}, true).problems.size(), 1u);
  EXPECT_EQ(load_settings({{"KOPI_DOCKA_PASSWORD_FILE", folder_.string()}}, true).problems.size(), 1u);
  EXPECT_EQ(load_settings({{"KOPI_DOCKA_PASSWORD_FILE", file("lines", "one\ntwo\n")}}, true).problems.size(),
            1u);
}

TEST_F(SettingsTest, AnEmptySecretInTheFileIsAnErrorAndNotAGeneratedPassword) {
  for (const auto* line : {"KOPI_DOCKA_PASSWORD =\n", "KOPI_DOCKA_PASSWORD_FILE =\n"}) {
    const auto loaded = load_settings({{"KOPI_DOCKA_CONFIG", file("e.conf", line)}}, true);
    EXPECT_THAT(all_text(loaded), HasSubstr("is empty")) << line;
    EXPECT_FALSE(loaded.settings) << line;
  }
}

TEST_F(SettingsTest, ASecretFileThatOthersMayReadIsAWarning) {
  const auto loaded = load_settings({{"KOPI_DOCKA_PASSWORD_FILE", file("password", "one\n", 0644)}}, true);
  ASSERT_TRUE(loaded.settings);
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_THAT(loaded.warnings[0], HasSubstr("chmod 600"));
  EXPECT_EQ(load_settings({{"KOPI_DOCKA_CONFIG", file("c.conf", "KOPI_DOCKA_PASSWORD = a\n", 0644)}}, true)
                .warnings.size(),
            1u);
}

TEST_F(SettingsTest, AnAbsentFileIsAnErrorOnlyWhenItWasNamed) {
  const auto named = load_settings({{"KOPI_DOCKA_CONFIG", (folder_ / "absent").string()}}, true);
  ASSERT_EQ(named.problems.size(), 1u);
  EXPECT_THAT(named.problems[0].what(), HasSubstr("KOPI_DOCKA_CONFIG"));
}

TEST_F(SettingsTest, SizesAndSharesOfFreeSpace) {
  const auto floor = [](const std::string& text) {
    return load_settings({{"KOPI_DOCKA_MIN_FREE", text}}, true);
  };
  EXPECT_EQ(floor("500MB").settings->min_free.required(0), 500'000'000u);
  EXPECT_EQ(floor("2 GiB").settings->min_free.required(0), 2ull << 30);
  EXPECT_EQ(floor("0").settings->min_free.required(1000), 0u);
  EXPECT_EQ(floor("5%").settings->min_free.required(1000), 50u);
  for (const auto* wrong : {"-1", "1XB", "99999999999999TiB", "100%", "%", "GiB", "1.5GiB"})
    EXPECT_FALSE(floor(wrong).settings) << wrong;
}

TEST_F(SettingsTest, EveryDefaultAndEveryExampleOfTheTableIsRight) {
  std::set<std::string_view> names;
  for (const auto& row : setting_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is declared twice";
    Settings settings;
    for (const auto text : {row.fallback, row.container_fallback, row.example}) {
      if (text.empty()) continue;
      const auto assigned = row.assign(settings, std::string(text));
      EXPECT_TRUE(assigned) << row.name << " = " << text;
    }
  }
}

TEST_F(SettingsTest, TheDocumentedPageIsTheGeneratedOne) {
  expect_generated_page("settings.md", settings_markdown());
}

}  // namespace kopidocka
