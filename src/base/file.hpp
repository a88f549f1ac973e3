#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Replaces `path` as a whole: temporary file beside it, fsync, rename, fsync of the folder. After a crash either the
/// old or the new content is there, never a mixture. For the daemon's own folders only.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode = 0600);

/// The whole file, at most `limit` bytes (ErrorKind::invalid beyond).
Result<std::string> read_file(const std::filesystem::path& path, size_t limit = 16u << 20);

/// fsync of a folder, so that a name created or removed in it is durable.
Result<void> sync_folder(const std::filesystem::path& folder);

/// Creates a folder (and its parents) that only we may enter; refuses a symbolic link in its place.
Result<void> make_private_folder(const std::filesystem::path& folder);

/// An open file descriptor, closed when it goes.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

}  // namespace kopidocka
