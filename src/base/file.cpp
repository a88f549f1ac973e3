#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace kopidocka {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() { return std::exchange(fd_, -1); }

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  auto name = path.string() + ".XXXXXX";
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return system_error(errno, "create a file beside " + path.string());
  const auto fail = [&](const std::string& doing) {
    const int saved = errno;
    ::unlink(name.c_str());
    return system_error(saved, doing + " " + path.string());
  };
  if (::fchmod(file.get(), mode) != 0) return fail("set the mode of");
  for (size_t done = 0; done < content.size();) {
    const auto count = ::write(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR) return fail("write");
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (::fsync(file.get()) != 0) return fail("fsync");
  if (::rename(name.c_str(), path.c_str()) != 0) return fail("rename into place");
  return sync_folder(path.parent_path());
}

Result<std::string> read_file(const std::filesystem::path& path, size_t limit) {
  // A named pipe would be waited for until somebody writes into it.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return system_error(errno, "read " + path.string());
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && S_ISFIFO(info.st_mode)) return Error{ErrorKind::invalid, path.string() + " is a pipe, not a file"};
  std::string content;
  char buffer[16384];
  while (true) {
    const auto count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(errno, "read " + path.string());
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > limit) {
      return Error{ErrorKind::invalid, path.string() + " is larger than " + std::to_string(limit) + " bytes"};
    }
  }
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  FileDescriptor handle(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return system_error(errno, "open folder " + folder.string());
  if (::fsync(handle.get()) != 0) return system_error(errno, "fsync folder " + folder.string());
  return {};
}

Result<void> make_private_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder.parent_path(), code);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error(errno, "create folder " + folder.string());
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return system_error(errno, "look at " + folder.string());
  if (!S_ISDIR(info.st_mode)) {
    return Error{ErrorKind::refused, folder.string() + " is not a folder", "remove it or choose another folder"};
  }
  if (info.st_uid != ::geteuid() && ::geteuid() != 0) {
    return Error{ErrorKind::refused, folder.string() + " belongs to somebody else", "choose a folder of your own"};
  }
  if ((info.st_mode & 0022) != 0 && ::chmod(folder.c_str(), info.st_mode & 0755) != 0) {
    return Error{ErrorKind::refused, folder.string() + " may be written by others", "chmod 0700 it"};
  }
  return {};
}

}  // namespace kopidocka
