#include "journal/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kSuffix = ".journal";

Error journal_error(const std::string& doing, const std::filesystem::path& path) {
  return system_error(errno, doing + " " + path.string(),
                      "nothing is stopped without a journal: check the state folder's disk and rights (KOPI_DOCKA_STATE_DIR)");
}

/// A crash may have left half a line, which the next record must not run into.
Result<void> cut_torn_tail(const std::filesystem::path& path, int file) {
  const auto content = read_file(path);
  if (!content) return content.error();
  const auto end = content->rfind('\n');
  const auto complete = end == std::string::npos ? 0 : end + 1;
  if (complete != content->size() && ::ftruncate(file, static_cast<off_t>(complete)) != 0) return journal_error("cut", path);
  return {};
}

/// All of the line, durable, or nothing of it.
Result<void> add_line(const std::filesystem::path& path, int file, const std::string& line) {
  struct stat before{};
  if (::fstat(file, &before) != 0) return journal_error("look at journal", path);
  const auto written = ::write(file, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    if (written >= 0) errno = ENOSPC;
    auto error = journal_error("write journal", path);
    if (::ftruncate(file, before.st_size) != 0) error.in("and the journal could not be cut back");
    return error;
  }
  if (::fsync(file) != 0) return journal_error("fsync journal", path);
  return {};
}

Journal::OpenRun read_run(const std::filesystem::path& path) {
  Journal::OpenRun open;
  open.run = path.stem().string();
  const auto content = read_file(path);
  if (!content) {
    open.problem = content.error().text();
    return open;
  }
  // Only complete lines count: a record was durable before anybody acted on it, so a torn tail announces nothing.
  const auto complete = content->substr(0, content->rfind('\n') == std::string::npos ? 0 : content->rfind('\n'));
  for (const auto& line : split(complete, '\n')) {
    if (line.empty()) continue;
    auto record = record_from_line(line);
    if (!record) {
      open.problem = record.error().text();
      return open;
    }
    open.records.push_back(std::move(*record));
  }
  return open;
}

}  // namespace

Journal::Journal(std::filesystem::path folder, const Clock& clock, std::function<void(const JournalRecord&)> after_append,
                 std::function<void(const Error&)> on_failure)
    : folder_(std::move(folder)), clock_(clock), after_append_(std::move(after_append)), on_failure_(std::move(on_failure)) {}

Result<void> Journal::open() { return make_private_folder(folder_); }

std::filesystem::path Journal::file_of(const std::string& run) const { return folder_ / (run + std::string(kSuffix)); }

Result<void> Journal::begin(JournalRecord record) {
  const auto run = record.run;
  return write(run, std::move(record), true);
}

Result<void> Journal::append(const std::string& run, JournalRecord record) { return write(run, std::move(record), false); }

Result<void> Journal::write(const std::string& run, JournalRecord record, bool create) {
  record.time = clock_.now();
  auto written = write_durably(run, record, create);
  if (written && after_append_) after_append_(record);
  if (!written && on_failure_) on_failure_(written.error());
  return written;
}

Result<void> Journal::write_durably(const std::string& run, const JournalRecord& record, bool create) {
  if (auto opened = open_file(run, create); !opened) return opened;
  auto written = add_line(file_of(run), files_.at(run).get(), to_line(record) + "\n");
  if (written && create) written = sync_folder(folder_);
  if (!written) {
    // Opened anew, the file is looked at again: half a line that could not be cut off now is cut off then.
    files_.erase(run);
    if (create) ::unlink(file_of(run).c_str());
  }
  return written;
}

Result<void> Journal::open_file(const std::string& run, bool create) {
  if (files_.count(run) != 0 && !create) return {};
  const auto path = file_of(run);
  const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_EXCL : 0);
  FileDescriptor file(::open(path.c_str(), flags, 0600));
  if (!file) return journal_error("open journal", path);
  if (!create) {
    if (auto cut = cut_torn_tail(path, file.get()); !cut) return cut;
  }
  files_[run] = std::move(file);
  return {};
}

Result<void> Journal::close(const std::string& run) {
  JournalRecord end;
  end.type = JournalRecord::Type::end;
  end.run = run;
  if (auto written = write(run, std::move(end), false); !written) return written;
  files_.erase(run);
  if (::unlink(file_of(run).c_str()) != 0 && errno != ENOENT) return journal_error("remove journal", file_of(run));
  return sync_folder(folder_);
}

Result<std::vector<Journal::OpenRun>> Journal::open_runs() const {
  std::vector<OpenRun> runs;
  std::error_code code;
  for (std::filesystem::directory_iterator at(folder_, code), end; !code && at != end; at.increment(code)) {
    if (at->path().extension() != kSuffix) continue;
    auto run = read_run(at->path());
    if (!run.records.empty() || !run.problem.empty()) runs.push_back(std::move(run));
  }
  if (code) return system_error(code.value(), "read " + folder_.string());
  std::sort(runs.begin(), runs.end(), [](const OpenRun& a, const OpenRun& b) {
    const auto time = [](const OpenRun& run) { return run.records.empty() ? TimePoint{} : run.records.front().time; };
    return time(a) != time(b) ? time(a) < time(b) : a.run < b.run;
  });
  return runs;
}

}  // namespace kopidocka
