#include "worker/clone.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "unit/worker/clone_fixture.hpp"
#include "unit/worker/trees.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using test::clone_folder;
using test::clone_of;
using test::image_of;
using test::make_tree;
using test::ours_in;

using CloneOnDisk = test::CloneOnDisk;

INSTANTIATE_TEST_SUITE_P(Disks, CloneOnDisk, testing::Values("xfs", "btrfs"), test::name_of_disk);

struct stat stat_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

void put_attribute(const std::string& path, const char* name, const std::string& value) {
  ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path << " " << name;
}

/// A tree with something of everything.
void make_awkward_tree(const std::string& path) {
  make_tree(path, "shop", 12);
  make_tree(path + "/inner", "other", 7);
  test::write(path + "/empty", "");
  test::write(path + "/\xff\xfe bytes \x01", "no text");
  test::write(path + "/" + std::string(255, 'n'), "long name");
  test::write(path + "/setuid", "s", 06755);
  test::write(path + "/attributed", "a");
  put_attribute(path + "/attributed", "user.note", std::string("\0\1bytes", 7));
  put_attribute(path + "/attributed", "user.large", std::string(3000, 'v'));
  put_attribute(path + "/inner", "trusted.note", "of a folder");
  put_attribute(path + "/attributed", "security.capability", std::string("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00"
                                                                         "\x00\x00\x00\x00\x00\x00\x00\x00", 20));
  ASSERT_EQ(::mkfifo((path + "/fifo").c_str(), 0640), 0);
  ASSERT_EQ(::mknod((path + "/null").c_str(), S_IFCHR | 0620, ::makedev(1, 3)), 0);
}

TEST_P(CloneOnDisk, ACloneIsTheSameTreeInAllThatAnEngineReads) {
  make_awkward_tree(at("data"));
  test::shell("setfacl -m u:1234:rwx,g:77:r " + at("data/attributed") + " && setfacl -d -m u:99:rx " + at("data/inner"));
  const auto original = image_of(at("data"));
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(result.path, clone_folder(at("data")) + "/tree/data");
  EXPECT_EQ(image_of(result.path), original);
  EXPECT_EQ(test::attributes_of(result.path), test::attributes_of(at("data")));
  EXPECT_EQ(result.entries, original.size());
  EXPECT_EQ(result.left_out + result.vanished, 0u);
  EXPECT_EQ(stat_of(result.path + "/null").st_rdev, ::makedev(1, 3));
  EXPECT_EQ(stat_of(clone_folder(at("data"))).st_mode & 07777, 0700u) << "others must not reach a setuid file by another path";
}

TEST_P(CloneOnDisk, LaterChangesOfTheSourceDoNotShowInIt) {
  make_tree(at("data"), "shop", 12);
  test::write(at("data/overwritten"), std::string(100'000, 'a'));
  const auto original = image_of(at("data"));
  const auto result = clone_tree(clone_of(at("data")));
  test::shell("printf changed | dd of=" + at("data/overwritten") + " conv=notrunc bs=1 seek=50000 2>/dev/null");
  fs::remove(at("data/shop2"));
  test::write(at("data/new"), "new");
  EXPECT_EQ(image_of(result.path), original);
}

TEST_P(CloneOnDisk, FilesAndFoldersAreReadWithoutAnAccessTime) {
  make_awkward_tree(at("data"));
  std::vector<std::string> paths{at("data")};
  for (const auto& entry : fs::recursive_directory_iterator(at("data"))) paths.push_back(entry.path().string());
  std::erase_if(paths, [](const std::string& path) { return fs::is_symlink(path); });
  test::shell("mount -o remount,strictatime " + disk_->root());
  const timespec times[2] = {{1, 1}, {0, UTIME_OMIT}};
  for (const auto& path : paths) ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_TRUE(can_clone(clone_of(at("data"))).possible);
  clone_tree(clone_of(at("data")));
  drop_clone(clone_of(at("data")));
  for (const auto& path : paths) EXPECT_EQ(stat_of(path).st_atim.tv_sec, 1) << path;
}

TEST_P(CloneOnDisk, NoStampOfTheSourceIsMoved) {
  make_awkward_tree(at("data"));
  const auto content = image_of(at("data"));
  const auto stamps = test::stamps_of(at("data"));
  can_clone(clone_of(at("data")));
  EXPECT_EQ(test::stamps_of(at("data")), stamps);
  clone_tree(clone_of(at("data")));
  EXPECT_EQ(test::stamps_of(at("data")), stamps);
  drop_clone(clone_of(at("data")));
  EXPECT_EQ(test::stamps_of(at("data")), stamps);
  EXPECT_EQ(image_of(at("data")), content);
}

TEST_P(CloneOnDisk, HardLinksStayLinksAmongThemselvesOnly) {
  fs::create_directories(at("data/deep/er"));
  test::write(at("data/one"), "shared");
  test::write(at("outside"), "also outside");
  for (int i = 0; i < 300; ++i) fs::create_hard_link(at("data/one"), at("data/deep/er/" + std::to_string(i)));
  fs::create_hard_link(at("outside"), at("data/inside"));
  fs::create_symlink("x", at("data/link"));
  ASSERT_EQ(::link(at("data/link").c_str(), at("data/deep/link").c_str()), 0);
  const auto result = clone_tree(clone_of(at("data")));
  const auto one = stat_of(result.path + "/one");
  EXPECT_EQ(one.st_nlink, 301u);
  EXPECT_NE(one.st_ino, stat_of(at("data/one")).st_ino);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(stat_of(result.path + "/deep/er/" + std::to_string(i)).st_ino, one.st_ino);
  EXPECT_EQ(stat_of(result.path + "/inside").st_nlink, 1u);
  EXPECT_EQ(test::read(result.path + "/inside"), "also outside");
  EXPECT_EQ(stat_of(result.path + "/link").st_ino, stat_of(result.path + "/deep/link").st_ino);
  EXPECT_EQ(result.bytes, 6u + 12u);
}

TEST_P(CloneOnDisk, LinksOutOfTheTreeAreCopiedAndNotFollowed) {
  make_tree(at("outside"), "precious", 4);
  const auto untouched = test::stamps_of(at("outside"));
  fs::create_directory(at("data"));
  fs::create_directory_symlink(at("outside"), at("data/away"));
  fs::create_directory_symlink("../outside", at("data/up"));
  fs::create_symlink(std::string(1000, 'x'), at("data/nowhere"));
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(result.entries, 4u);
  EXPECT_EQ(image_of(result.path), image_of(at("data")));
  drop_clone(clone_of(at("data")));
  EXPECT_EQ(test::stamps_of(at("outside")), untouched);
}

TEST_P(CloneOnDisk, HolesStayHolesAndContentTakesNoSpace) {
  fs::create_directory(at("data"));
  test::write(at("data/sparse"), "begin");
  ASSERT_EQ(::truncate(at("data/sparse").c_str(), off_t{1} << 40), 0);
  test::shell("head -c 100000000 /dev/urandom > " + at("data/large") + " && sync " + at("data/large"));
  struct statvfs before{}, after{};
  ::statvfs(disk_->root().c_str(), &before);
  const auto result = clone_tree(clone_of(at("data")));
  ::sync();
  ::statvfs(disk_->root().c_str(), &after);
  EXPECT_EQ(stat_of(result.path + "/sparse").st_size, off_t{1} << 40);
  EXPECT_LT(stat_of(result.path + "/sparse").st_blocks, 1000);
  test::shell("cmp " + at("data/large") + " " + result.path + "/large");
  EXPECT_LT(before.f_bfree * before.f_frsize, after.f_bfree * after.f_frsize + 20'000'000);
}

TEST_P(CloneOnDisk, SocketsAreLeftOutAndCounted) {
  fs::create_directory(at("data"));
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  at("data/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(result.left_out, 1u);
  EXPECT_EQ(result.entries, 1u);
}

TEST_P(CloneOnDisk, ASingleFileIsClonedUnderItsName) {
  test::write(at("app.conf"), "listen = 80", 0640);
  test::write(at("empty.conf"), "");
  for (const auto* name : {"app.conf", "empty.conf"}) {
    const auto facts = can_clone(clone_of(at(name)));
    EXPECT_TRUE(facts.possible) << facts.reason;
    const auto result = clone_tree(clone_of(at(name)));
    EXPECT_EQ(result.path, facts.path);
    EXPECT_EQ(image_of(result.path), image_of(at(name)));
    EXPECT_EQ(fs::path(result.path).filename(), name);
    drop_clone(clone_of(at(name)));
  }
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty());
}

TEST_P(CloneOnDisk, AnEmptyFolderHasAnEmptyClone) {
  fs::create_directory(at("data"));
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(image_of(result.path), image_of(at("data")));
}

TEST_P(CloneOnDisk, ManyFilesInOneFolderAndManyFoldersAllArrive) {
  fs::create_directory(at("data"));
  for (int i = 0; i < 1'500; ++i) test::write(at("data/file" + std::to_string(i)), std::to_string(i));
  for (int i = 0; i < 700; ++i) fs::create_directories(at("data/folder" + std::to_string(i) + "/below"));
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(result.entries, 1u + 1'500 + 2 * 700);
  EXPECT_EQ(image_of(result.path), image_of(at("data")));
}

TEST_P(CloneOnDisk, ATreeDeeperThanAnyPathIsClonedAndDropped) {
  const std::string name(200, 'd');
  fs::create_directory(at("data"));
  FileDescriptor folder(::open(at("data").c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(::mkdirat(folder.get(), name.c_str(), 0755), 0);
    ASSERT_EQ(::mkdirat(folder.get(), "sibling", 0755), 0);
    folder = FileDescriptor(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
  }
  EXPECT_EQ(clone_tree(clone_of(at("data"))).entries, 1u + 2 * 60);
  drop_clone(clone_of(at("data")));
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty());
}

TEST_P(CloneOnDisk, WhatTheFolderAboveHandsDownDoesNotReachTheClone) {
  fs::create_directory(at("above"));
  make_tree(at("above/data"), "shop", 12);
  test::shell("setfacl -d -m u:1234:rwx " + at("above") + " && chown 0:4321 " + at("above") + " && chmod 2777 " + at("above"));
  const auto result = clone_tree(clone_of(at("above/data")));
  EXPECT_EQ(image_of(result.path), image_of(at("above/data")));
  EXPECT_EQ(test::attributes_of(result.path), test::attributes_of(at("above/data")));
  EXPECT_EQ(stat_of(clone_folder(at("above/data"))).st_mode & 07777, 0700u);
}

TEST_P(CloneOnDisk, WhatRunsOfOursMadeInTheSourceIsLeftOut) {
  make_tree(at("data"), "shop", 7);
  const auto original = image_of(at("data"));
  make_tree(at("data/inner"), "nested", 3);
  const auto nested = clone_tree(clone_of(at("data/inner")));
  fs::create_directory(at("data/.kopi-docka-0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0.x.new"));
  test::write(at("data/.kopi-docka-notes"), "the user's");
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_THAT(ours_in(result.path), testing::ElementsAre(".kopi-docka-notes"));
  EXPECT_TRUE(fs::exists(nested.path));
}

}  // namespace
}  // namespace kopidocka
