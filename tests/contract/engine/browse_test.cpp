#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;
using Type = SnapshotEntry::Type;

class BrowseContract : public EngineContract {
 protected:
  /// As the list of snapshots gives it: that is what users choose from.
  Snapshot listed() {
    const auto id = saved().id;
    for (auto& one : await(engine_->list({}, Cancel()))) {
      if (one.id == id) return one;
    }
    return {};
  }
  static std::string names(const SnapshotListing& listing) {
    std::string text;
    for (const auto& entry : listing.entries) text += (text.empty() ? "" : ",") + entry.name;
    return text;
  }
  std::string content(const Snapshot& snapshot, const std::string& path) {
    const auto target = folder_ / "content";
    const FileDescriptor file(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    await(engine_->read_file(snapshot, path, file.get(), Cancel()));
    return read(target);
  }
};

TEST_P(BrowseContract, AFolderHasItsEntriesAndAFileItsFacts) {
  fs::create_directories(source_ / "below" / "deeper");
  write(source_ / "below" / "deeper" / "a file", "12345");
  write(source_ / "below" / "below", "a file named as its folder");
  fs::create_symlink("file", source_ / "a link");
  shell("chmod 2750 '" + (source_ / "below").string() + "'; chmod 0604 '" + (source_ / "file").string() + "'; chown 12:34 '" + (source_ / "file").string() + "'");
  const auto snapshot = listed();
  const auto top = await(engine_->browse(snapshot, "", Cancel()));
  EXPECT_TRUE(top.folder);
  ASSERT_EQ(names(top), "a link,below,file");
  EXPECT_EQ(top.entries[0].type, Type::link);
  EXPECT_EQ(top.entries[1].type, Type::folder);
  EXPECT_EQ(top.entries[1].mode, 02750u);
  EXPECT_EQ(top.entries[2].type, Type::file);
  EXPECT_EQ(top.entries[2].bytes, 7u);
  EXPECT_EQ(top.entries[2].mode, 0604u);
  EXPECT_EQ(top.entries[2].uid, 12u);
  EXPECT_EQ(top.entries[2].gid, 34u);
  EXPECT_GT(top.entries[2].mtime, std::chrono::system_clock::now() - std::chrono::hours(1));

  EXPECT_EQ(names(await(engine_->browse(snapshot, "/below//", Cancel()))), "below,deeper");
  EXPECT_EQ(names(await(engine_->browse(snapshot, "below/deeper", Cancel()))), "a file");
  const auto file = await(engine_->browse(snapshot, "below/below", Cancel()));
  EXPECT_FALSE(file.folder);
  EXPECT_EQ(names(file), "below");
  EXPECT_EQ(file.entries[0].bytes, 26u);
}

TEST_P(BrowseContract, WhatIsNotThereIsNotFound) {
  const auto snapshot = listed();
  for (const auto* path : {"gone", "gone/deeper", "file/below", "fil"}) {
    EXPECT_EQ(error_of([&] { await(engine_->browse(snapshot, path, Cancel())); }).kind(), ErrorKind::not_found) << path;
  }
  EXPECT_EQ(error_of([&] { await(engine_->browse(snapshot, "../other", Cancel())); }).kind(), ErrorKind::invalid);
}

TEST_P(BrowseContract, AFileComesOutAsItIs) {
  std::string bytes;
  for (int i = 0; i < 3'000'000; ++i) bytes += static_cast<char>(i * 7 % 251);
  fs::create_directories(source_ / "below");
  write(source_ / "below" / "binary", bytes);
  write(source_ / "empty", "");
  const auto snapshot = listed();
  EXPECT_TRUE(content(snapshot, "below/binary") == bytes);
  EXPECT_EQ(content(snapshot, "file"), "content");
  EXPECT_EQ(content(snapshot, "empty"), "");
  EXPECT_EQ(error_of([&] { (void)content(snapshot, "below"); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { (void)content(snapshot, "gone"); }).kind(), ErrorKind::not_found);
}

TEST_P(BrowseContract, ASnapshotOfASingleFileIsThatFile) {
  auto asked = request("/identity/single");
  asked.source.local_path = (source_ / "file").string();
  const auto made = prepared_snapshot(created(), asked);
  for (const auto& one : await(engine_->list({}, Cancel()))) {
    if (one.id != made.id) continue;
    const auto listing = await(engine_->browse(one, "", Cancel()));
    EXPECT_FALSE(listing.folder);
    ASSERT_EQ(listing.entries.size(), 1u);
    EXPECT_EQ(content(one, ""), "content");
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, BrowseContract, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
