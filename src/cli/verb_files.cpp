#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/ask.hpp"
#include "cli/show.hpp"
#include "cli/verb_functions.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

json place_args(const Arguments& arguments) {
  return {{"unit", arguments.words.at(0)},
          {"place", arguments.words.size() > 1 ? arguments.words.at(1) : ""},
          {"at", arguments.get("at", "latest")},
          {"machine", arguments.get("machine")}};
}

/// A pipe with a name through which an engine's process, a child of the daemon, writes to our standard output.
class FilePipe {
 public:
  explicit FilePipe(const std::filesystem::path& folder) : path_((folder / ("cat-" + make_uuid())).string()) {
    if (auto made = make_private_folder(folder); !made) throw made.error();
    if (::mkfifo(path_.c_str(), 0600) != 0) throw system_error(errno, "make a pipe in " + printable(folder.string()));
    file_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file_) throw system_error(errno, "open the pipe " + printable(path_));
    copier_ = std::thread([this] { copy(); });
  }
  FilePipe(const FilePipe&) = delete;
  FilePipe& operator=(const FilePipe&) = delete;
  ~FilePipe() {
    finish();
    ::unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }

  /// Once all is written: returns when the last byte has been passed on.
  void finish() {
    all_written_ = true;
    if (copier_.joinable()) copier_.join();
  }
  bool passed_on() const { return !failed_; }

 private:
  void copy() {
    std::string piece(65'536, '\0');
    while (true) {
      const bool last = all_written_;
      const auto count = ::read(file_.get(), piece.data(), piece.size());
      if (count > 0) {
        pass_on(piece.data(), static_cast<size_t>(count));
      } else if (count == 0 && last) {
        return;
      } else {
        // Nobody has opened it for writing yet, or nothing has come.
        pollfd poll{file_.get(), POLLIN, 0};
        if (count < 0) (void)::poll(&poll, 1, 100);
        if (count == 0) ::usleep(10'000);
      }
    }
  }

  void pass_on(const char* data, size_t size) {
    while (size > 0 && !failed_) {
      const auto count = ::write(STDOUT_FILENO, data, size);
      if (count < 0 && errno != EINTR) failed_ = true;
      if (count > 0) data += count, size -= static_cast<size_t>(count);
    }
  }

  std::string path_;
  FileDescriptor file_;
  std::atomic<bool> all_written_ = false, failed_ = false;
  std::thread copier_;
};

}  // namespace

ExitCode verb_files(const VerbContext& context) {
  const auto reply = ask(context, "files", place_args(context.arguments));
  const auto listing = json::parse(reply.result);
  if (context.arguments.has("json")) {
    context.out << listing.dump(2, ' ', false, json::error_handler_t::replace) << std::endl;
  } else {
    show_files(context.out, listing);
  }
  return reply.exit_code;
}

ExitCode verb_cat(const VerbContext& context) {
  auto args = place_args(context.arguments);
  FilePipe pipe(settings_or_error().state_dir);
  args["pipe"] = pipe.path();
  const auto reply = ask(context, "cat", args);
  pipe.finish();
  if (!pipe.passed_on()) throw Error(ErrorKind::failed, "standard output cannot be written", "is its disk full?");
  return reply.exit_code;
}

}  // namespace kopidocka
