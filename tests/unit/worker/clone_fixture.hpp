#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "unit/worker/loop_disk.hpp"
#include "worker/clone.hpp"

namespace kopidocka::test {

constexpr auto kCloneRun = "5f0c2a9e-8d1b-4c57-9a36-clone0000001";

inline CloneRequest clone_of(const std::string& source) { return {.source = source, .run_id = kCloneRun}; }

/// The folder that a clone of `source` is made in.
std::string clone_folder(const std::string& source);

/// Extended attributes of each entry, by relative path; those of the kernel's security module left out.
std::map<std::string, std::string> attributes_of(const std::string& path);

/// Inode, size, owner, mode and all times of each entry, by relative path: what shows that somebody wrote to it.
std::map<std::string, std::string> stamps_of(const std::string& path);

/// Names in a folder that begin as all of ours do.
std::vector<std::string> ours_in(const std::string& folder);

/// The error of `work`; a failure of the test and an empty one when there is none.
Error error_of(const std::function<void()>& work);

void shell(const std::string& command);

/// A disk of each kind that can share blocks.
class CloneOnDisk : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    disk_ = std::make_unique<LoopDisk>(GetParam(), std::string(GetParam()) == "xfs" ? "-m reflink=1" : "");
    if (!disk_->why_not().empty()) GTEST_SKIP() << disk_->why_not();
  }
  std::string at(const std::string& name) const { return *disk_ / name; }

  std::unique_ptr<LoopDisk> disk_;
};

inline std::string name_of_disk(const ::testing::TestParamInfo<const char*>& info) { return info.param; }

}  // namespace kopidocka::test
