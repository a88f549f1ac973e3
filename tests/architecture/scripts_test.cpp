#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "architecture/documents.hpp"
#include "architecture/source_tree.hpp"

namespace kopidocka::architecture {
namespace {
namespace fs = std::filesystem;

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kRoot = SOURCE_DIR;

/// Every bash script of the project, by path from the root.
std::map<std::string, std::string> scripts() {
  std::map<std::string, std::string> scripts;
  for (const std::string folder : {"scripts", ".ci", "compose"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot + "/" + folder)) {
      if (!entry.is_regular_file()) continue;
      const auto text = read_text(entry.path().string());
      const auto first = text.substr(0, text.find('\n'));
      if (first.starts_with("#") && first.find("bash") != std::string::npos)
        scripts[entry.path().lexically_relative(kRoot).string()] = text;
    }
  }
  return scripts;
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(("exec 2>&1; " + command).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  char piece[4096];
  for (size_t got = 0; (got = ::fread(piece, 1, sizeof piece, pipe)) > 0;) output.append(piece, got);
  ::pclose(pipe);
  return output;
}

/// A docker whose images are files that hold their id.
constexpr const char* kDocker = R"(#!/usr/bin/env bash
case "$1 $2" in
  "image inspect") cat "${FAKE}/${!#}" 2>/dev/null ;;
  "image rm") [ "$3" != used ] && rm "${FAKE}/$3" ;;
  "pull silent") exec sleep 60 ;;
  "pull slow") echo "slow: Pulling from library"; sleep 2; echo id >"${FAKE}/slow" ;;
  "pull endless") echo "endless: Pulling from library"; exec sleep 60 ;;
  "pull refused") echo "no such host" >&2; exit 1 ;;
  *) exit 1 ;;
esac
)";

/// The functions of scripts/lib in a bash of their own, with an empty project folder and the docker above.
class Scripts : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "kopi-docka-scripts-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    fs::create_directories(folder_ / "bin");
    fs::create_directories(folder_ / "images");
    std::ofstream(folder_ / "bin/docker") << kDocker;
    ::chmod((folder_ / "bin/docker").c_str(), 0755);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string run(const std::string& text) {
    std::ofstream(folder_ / "script") << "set -Eeuo pipefail\n. " << kRoot << "/scripts/lib/common.sh\n. " << kRoot
                                      << "/scripts/lib/deps.sh\n. " << kRoot << "/scripts/lib/images.sh\n. " << kRoot
                                      << "/scripts/lib/compose.sh\n. " << kRoot << "/scripts/lib/demo.sh\n"
                                      << "LOG_DIR=" << folder_.string() << "/logs MADE_LIST=" << folder_.string()
                                      << "/made INSTALLED_LIST=" << folder_.string() << "/installed\n"
                                      << "make() { printf '%s' \"$2\" >\"${FAKE}/$1\"; }\n"
                                      << text;
    const auto folder = folder_.string();
    return output_of("env -u http_proxy -u https_proxy -u no_proxy FAKE=" + folder + "/images KOPI_DOCKA_DEMO_FOLDER=" + folder +
                     "/demo PATH=" + folder + "/bin:\"$PATH\" bash " + folder + "/script");
  }

  fs::path folder_;
};

TEST_F(Scripts, GiveUpARegistryThatDoesNotAnswer) {
  EXPECT_EQ(run("ANSWER_SECONDS=1\ntry_pull silent || echo \"${PULL_PROBLEM}\"\n"),
            "the registry did not answer within 1 seconds\n");
}

TEST_F(Scripts, GiveAPullTimeOnceTheRegistryHasAnswered) {
  EXPECT_EQ(run("ANSWER_SECONDS=1\ntry_pull slow && image_id slow\n"), "id\n");
}

TEST_F(Scripts, EndAPullThatNeverEnds) {
  EXPECT_THAT(run("PULL_SECONDS=1\ntry_pull endless || echo \"${PULL_PROBLEM}\"\n"), HasSubstr("not complete after 1 seconds"));
}

TEST_F(Scripts, TellWhyAPullFailed) {
  EXPECT_EQ(run("try_pull refused || echo \"${PULL_PROBLEM}\"\n"), "no such host\n");
}

TEST_F(Scripts, RemoveOnlyImagesThatTheQuickstartMade) {
  EXPECT_EQ(run("MADE_IS_OURS=yes\n"
                "make theirs old; making theirs make theirs new\n"
                "making ours make ours one; making ours make ours two\n"
                "making used make used one\n"
                "making replaced make replaced one; make replaced other\n"
                "remove_made_images; tell_left_images ours used theirs replaced\ncat \"${MADE_LIST}\"\n"),
            "Removed: image ours\n"
            "Left, because something else uses it: image used\n"
            "Left, because the quickstart did not make it: image theirs\n"
            "Left, because the quickstart did not make it: image replaced\n"
            "used one\n");
}

TEST_F(Scripts, LeaveAnImageThatScriptsImageMade) {
  EXPECT_EQ(run("making product make product one; MADE_IS_OURS=yes\nmaking demo make demo one; forget_image demo\n"
                "remove_made_images; ls \"${FAKE}\"\n"),
            "demo\nproduct\n");
}

TEST_F(Scripts, RemoveNoFolderThatTheQuickstartDidNotMake) {
  fs::create_directories(folder_ / "demo/photos");
  EXPECT_THAT(run("remove_demo_files\n"), HasSubstr("Left, because the quickstart did not make it: folder"));
  EXPECT_THAT(run("refuse_folder; echo not reached\n"),
              testing::AllOf(HasSubstr("was not made by the quickstart"), Not(HasSubstr("not reached"))));
  EXPECT_TRUE(fs::exists(folder_ / "demo/photos"));
}

TEST_F(Scripts, RemoveTheFolderThatTheQuickstartMade) {
  EXPECT_THAT(run("make_demo_files; refuse_folder; remove_demo_files\n"), HasSubstr("Removed: "));
  EXPECT_FALSE(fs::exists(folder_ / "demo"));
}

TEST_F(Scripts, LeadABuildThroughTheProxyOfApt) {
  if (std::system("command -v apt-config >/dev/null") != 0) GTEST_SKIP() << "apt is not installed";
  std::ofstream(folder_ / "apt.conf") << "Acquire::http::Proxy \"http://10.1.2.3:3142\";\n";
  const auto apt = "export APT_CONFIG=" + (folder_ / "apt.conf").string() + "\n";
  EXPECT_EQ(run(apt + "proxy_options\n"), "--build-arg\nhttp_proxy=http://10.1.2.3:3142\n");
  EXPECT_EQ(run(apt + "http_proxy=http://other:1 proxy_options\n"), "--build-arg\nhttp_proxy=http://other:1\n");
  EXPECT_EQ(run(apt + "http_proxy=http://127.0.0.1:1 proxy_options\n"),
            "--build-arg\nhttp_proxy=http://127.0.0.1:1\n--network\nhost\n");
}

TEST(ScriptFiles, AreAllUnderstoodByBash) {
  ASSERT_GT(scripts().size(), 8u);
  for (const auto& [path, text] : scripts())
    EXPECT_THAT(output_of("bash -n '" + kRoot + "/" + path + "'"), IsEmpty()) << path;
}

TEST(ScriptFiles, EndAtTheFirstFailure) {
  for (const auto& [path, text] : scripts()) {
    if (!text.starts_with("#!")) continue;
    EXPECT_THAT(words_matching(text, R"(\n *(set -E?euo pipefail)\n)"), Not(IsEmpty())) << path;
  }
}

TEST(ScriptFiles, SourceFilesThatAreThere) {
  for (const auto& [path, text] : scripts()) {
    for (const auto& source : words_matching(text, R"(# shellcheck source=(\S+))"))
      EXPECT_TRUE(fs::exists(kRoot + "/" + source)) << path;
  }
}

TEST(ScriptFiles, InstallWhatTheTestsCall) {
  const auto packages = read_text(kRoot + "/scripts/lib/deps.sh");
  for (const std::string package : {"strace", "busybox-static", "restic", "util-linux", "libcap2-bin", "attr", "acl"})
    EXPECT_THAT(packages, testing::ContainsRegex("[ (]" + package + "[ \n]"));
}

}  // namespace
}  // namespace kopidocka::architecture
