#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace kopidocka::test {

/// Mounts of this process are its own from now on; false where that is not permitted.
bool own_mounts();

enum class Medium { disk, memory };

/// A folder of its own for each test, removed with all in it. In memory (where mounting is permitted) an fsync costs
/// nothing: for tests that make thousands of them.
class Playground {
 public:
  explicit Playground(Medium medium = Medium::disk);
  ~Playground();
  std::string operator/(const std::string& name) const { return (root_ / name).string(); }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
  bool mounted_ = false;
};

void write(const std::string& path, const std::string& content, int mode = 0644);
std::string read(const std::string& path);

/// Everything about a tree that a restore has to bring back, by relative path: type, mode, owner, mtime in nanoseconds,
/// content, link target. Our own `.kopi-docka-*` entries are left out. The root is "".
using Image = std::map<std::string, std::string>;
Image image_of(const std::string& path);

/// Trees with folders, links (also to outside), modes, owners, odd names and times of their own.
void make_tree(const std::string& path, const std::string& flavour, int top_entries);

/// Runs `work` in a child process and kills it (SIGKILL) right before its `stop`-th system call that changes the file
/// system (so 2 = right after the first); false when it ended before. Nothing where tracing is not permitted.
std::optional<bool> killed_at(int stop, const std::function<void()>& work);

}  // namespace kopidocka::test
