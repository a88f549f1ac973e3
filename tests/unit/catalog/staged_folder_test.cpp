#include "catalog/staged_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;

class Staging : public testing::Test {
 protected:
  Staging() {
    std::string name = (fs::temp_directory_path() / "kd-staging-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root = fs::canonical(name);
  }
  ~Staging() override { fs::remove_all(root); }
  Result<std::string> write(const std::string& unit, std::vector<StagedFile> files, SnapshotType type = SnapshotType::recipe) {
    return write_staging((root / "cache/staging").string(), type, unit, {std::move(files), {}});
  }
  fs::path root;
};

TEST_F(Staging, HoldsExactlyTheFilesOfThisRun) {
  ASSERT_TRUE(write("shop", {{"old.yml", "old", 0644, 0}, {"folder/old", "x", 0600, 0}}).has_value());
  const auto path = write("shop", {{"compose.yml", "new", 0640, 1'700'000'000}, {"project-files/.env", "A=b", 0600, 0}});
  ASSERT_TRUE(path.has_value()) << path.error().what();
  EXPECT_EQ(*path, (root / "cache/staging/recipes/shop").string());
  EXPECT_EQ(read_file(*path + "/compose.yml").value(), "new");
  EXPECT_EQ(read_file(*path + "/project-files/.env").value(), "A=b");
  EXPECT_FALSE(fs::exists(*path + "/old.yml"));
  EXPECT_FALSE(fs::exists(*path + "/folder"));
  struct stat info{};
  ASSERT_EQ(::stat((*path + "/compose.yml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(info.st_mtim.tv_sec, 1'700'000'000);
  ASSERT_EQ(::stat(path->c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(Staging, HasAFolderForEachType) {
  EXPECT_EQ(write("shop", {}, SnapshotType::networks).value(), (root / "cache/staging/networks/shop").string());
  EXPECT_EQ(write("shop", {}, SnapshotType::docker_config).value(), (root / "cache/staging/docker-config/shop").string());
}

TEST_F(Staging, IsClearedForOneUnitAndNoOther) {
  const auto staging = (root / "cache/staging").string();
  EXPECT_TRUE(clear_staging(staging, "shop").has_value()) << "there is none yet";
  ASSERT_TRUE(write("shop", {{"environment.json", "secret", 0600, 0}}).has_value());
  ASSERT_TRUE(write("shop", {{"networks.json", "[]", 0600, 0}}, SnapshotType::networks).has_value());
  ASSERT_TRUE(write("blog", {{"environment.json", "secret", 0600, 0}}).has_value());
  EXPECT_TRUE(clear_staging(staging, "shop").has_value());
  EXPECT_FALSE(fs::exists(root / "cache/staging/recipes/shop"));
  EXPECT_FALSE(fs::exists(root / "cache/staging/networks/shop"));
  EXPECT_TRUE(fs::exists(root / "cache/staging/recipes/blog/environment.json"));
  EXPECT_FALSE(clear_staging(staging, "..").has_value());
}

TEST_F(Staging, RefusesNamesThatLeadElsewhere) {
  for (const auto* unit : {"..", ".", "", "a/b", "/etc"}) EXPECT_FALSE(write(unit, {}).has_value()) << unit;
  for (const auto* path : {"../x", "a/../../x", "", "/", "."}) {
    EXPECT_FALSE(write("shop", {{path, "x", 0600, 0}}).has_value()) << path;
  }
  EXPECT_FALSE(fs::exists(root / "cache/staging/x"));
}

TEST_F(Staging, FollowsNoPlantedLink) {
  fs::create_directories(root / "outside");
  ASSERT_TRUE(write_file_atomically(root / "outside/precious", "x").has_value());
  fs::create_directories(root / "cache/staging/recipes");
  fs::create_directory_symlink(root / "outside", root / "cache/staging/recipes/shop");
  ASSERT_TRUE(write("shop", {{"a", "b", 0600, 0}}).has_value()) << "the link itself is replaced";
  EXPECT_TRUE(fs::exists(root / "outside/precious"));
  EXPECT_FALSE(fs::exists(root / "outside/a"));
  fs::remove_all(root / "cache/staging/networks");
  fs::create_directory_symlink(root / "outside", root / "cache/staging/networks");
  EXPECT_FALSE(write("shop", {{"a", "b", 0600, 0}}, SnapshotType::networks).has_value());
}

}  // namespace
}  // namespace kopidocka
