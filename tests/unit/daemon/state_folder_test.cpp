#include "daemon/state_folder.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("kd-state-" + make_uuid())), state(path) { EXPECT_TRUE(state.open()); }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
  StateFolder state;
};

TEST(StateFolder, KeepsTheRepositoryThatWasSeenFirst) {
  Folder folder;
  EXPECT_EQ(folder.state.pinned_repository("filesystem:///r").value(), "");
  ASSERT_TRUE(folder.state.pin_repository("filesystem:///r", "id-1"));
  EXPECT_TRUE(folder.state.pin_repository("filesystem:///r", "id-1")) << "the same again is well";
  EXPECT_EQ(folder.state.pinned_repository("filesystem:///r").value(), "id-1");
}

TEST(StateFolder, NeverReplacesAPinSilently) {
  Folder folder;
  ASSERT_TRUE(folder.state.pin_repository("filesystem:///r", "id-1"));
  const auto other = folder.state.pin_repository("filesystem:///r", "id-2");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind(), ErrorKind::refused);
  EXPECT_NE(other.error().next_step().find("identity.json"), std::string::npos);
  EXPECT_EQ(folder.state.pinned_repository("filesystem:///r").value(), "id-1");
  EXPECT_TRUE(folder.state.pin_repository("filesystem:///elsewhere", "id-2")) << "each place has its own";
}

}  // namespace
}  // namespace kopidocka
