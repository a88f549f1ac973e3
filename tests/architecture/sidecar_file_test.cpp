#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/documents.hpp"
#include "architecture/source_tree.hpp"
#include "base/text.hpp"

namespace kopidocka::architecture {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string kRoot = SOURCE_DIR;

/// The lines that say something of the service kopi-docka, without their indentation.
std::vector<std::string> service_of(const std::string& yaml) {
  std::vector<std::string> lines;
  bool services = false, inside = false;
  for (const auto& line : telling_lines(yaml)) {
    const auto depth = line.find_first_not_of(' ');
    if (depth == 0) services = line == "services:";
    if (depth <= 2) inside = services && line == "  kopi-docka:";
    if (inside) lines.push_back(trim(line));
  }
  return lines;
}

std::vector<std::string> service() { return service_of(read_text(kRoot + "/compose/sidecar.yaml")); }

std::string comments_of(const std::string& yaml) {
  std::string comments;
  for (const auto& line : split(yaml, '\n')) {
    if (const auto at = line.find('#'); at != std::string::npos) comments += line.substr(at) + '\n';
  }
  return comments;
}

const std::vector<std::string> kHardening = {
    "restart: always",    "stop_grace_period: 2m",
    "read_only: true",    "security_opt: [\"no-new-privileges:true\"]",
    "cap_drop: [ALL]",    "tmpfs: [\"/tmp\"]"};

TEST(SidecarFile, IsShortEnoughToPaste) {
  EXPECT_THAT(service(), Contains("image: kopi-docka:latest"));
  EXPECT_LE(service().size(), 20u);
}

TEST(SidecarFile, IsHardened) { EXPECT_THAT(service(), IsSupersetOf(kHardening)); }

TEST(SidecarFile, OpensNothingToTheOutside) {
  EXPECT_THAT(service(), Each(Not(testing::AnyOf(StartsWith("ports:"), StartsWith("privileged:"), StartsWith("network_mode:"),
                                                 StartsWith("pid:")))));
}

TEST(SidecarFile, KeepsStateAndCacheInNamedVolumes) {
  EXPECT_THAT(service(), IsSupersetOf({"- kopi-docka-state:/var/lib/kopi-docka", "- kopi-docka-cache:/var/cache/kopi-docka"}));
}

TEST(SidecarFile, ExplainsEveryCapabilityItAsksFor) {
  const auto text = read_text(kRoot + "/compose/sidecar.yaml");
  const auto comments = comments_of(text);
  const auto lists = words_matching(text, R"(\n *cap_add: \[([^\]]*)\])");
  ASSERT_THAT(lists, SizeIs(1));
  for (const auto& capability : split(*lists.begin(), ',')) EXPECT_THAT(comments, HasSubstr(trim(capability)));
}

TEST(SidecarFile, SaysWhereImageEngineAndPasswordComeFrom) {
  const auto comments = comments_of(read_text(kRoot + "/compose/sidecar.yaml"));
  for (const std::string word : {"scripts/image", "KOPI_DOCKA_ENGINE: restic", "/var/lib/kopi-docka/password",
                                 "secrets: [kopi-docka-password]", "kopi-docka-password: { file: "})
    EXPECT_THAT(comments, HasSubstr(word));
}

TEST(SidecarFile, TheSidecarOfTheQuickstartIsHardenedTheSameWay) {
  const auto demo = service_of(read_text(kRoot + "/compose/quickstart.yaml"));
  EXPECT_THAT(demo, IsSupersetOf(kHardening));
  const auto capabilities = std::find_if(demo.begin(), demo.end(), [](const auto& line) { return line.starts_with("cap_add:"); });
  ASSERT_NE(capabilities, demo.end());
  EXPECT_THAT(service(), Contains(*capabilities));
}

TEST(SidecarFileReaders, TakeTheServiceAlone) {
  EXPECT_THAT(service_of("services:\n  db:\n    a: b\n  kopi-docka:\n    # why\n    c: d\n    e:\n      - f\n"
                         "volumes:\n  kopi-docka:\n"),
              testing::ElementsAre("kopi-docka:", "c: d", "e:", "- f"));
}

}  // namespace
}  // namespace kopidocka::architecture
