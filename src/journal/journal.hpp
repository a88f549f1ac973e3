#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "journal/record.hpp"

namespace kopidocka {

/// The durable record of what runs owe: one append-only file per open run in <state>/journal, one JSON record a line,
/// each fsynced before append() returns. A run's file goes when nothing is owed any more; every file found at start is a
/// run that was cut off. After a failed append nothing may be stopped: callers treat its Error as fatal for the run.
class Journal {
 public:
  /// `after_append` sees every record once it is durable, `on_failure` hears of every one that could not be kept.
  Journal(std::filesystem::path folder, const Clock& clock, std::function<void(const JournalRecord&)> after_append = {},
          std::function<void(const Error&)> on_failure = {});

  /// Creates the folder. ErrorKind::refused, denied or no_space when it cannot hold a journal.
  Result<void> open();

  /// Starts a run's file. The record's time is filled in here, as in append(). When it fails no file is left.
  Result<void> begin(JournalRecord record);
  Result<void> append(const std::string& run, JournalRecord record);
  /// Appends `end` and removes the file.
  Result<void> close(const std::string& run);

  /// Every open run as it stands on disk, oldest first. A torn last line (the crash itself) is left out, and so is a
  /// file without one whole line: its run had not begun. A file that cannot be understood is an error naming it, and is never removed.
  struct OpenRun {
    std::string run;
    std::vector<JournalRecord> records;
    std::string problem;  ///< not empty: unreadable or of a newer format
  };
  Result<std::vector<OpenRun>> open_runs() const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path file_of(const std::string& run) const;
  Result<void> write(const std::string& run, JournalRecord record, bool create);
  Result<void> write_durably(const std::string& run, const JournalRecord& record, bool create);
  Result<void> open_file(const std::string& run, bool create);

  std::filesystem::path folder_;
  const Clock& clock_;
  std::function<void(const JournalRecord&)> after_append_;
  std::function<void(const Error&)> on_failure_;
  std::map<std::string, FileDescriptor> files_;
};

}  // namespace kopidocka
