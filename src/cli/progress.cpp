#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"

namespace kopidocka {

ProgressPrinter::ProgressPrinter(std::ostream& err, bool quiet) : err_(err), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressPrinter::end() {
  if (open_line_) err_ << "\r" << std::string(79, ' ') << "\r" << std::flush;
  open_line_ = false;
}

void ProgressPrinter::say(const std::string& sentence) {
  end();
  err_ << sentence << std::endl;
}

void ProgressPrinter::show(const std::string& json_line) {
  if (quiet_) return;
  const auto line = nlohmann::json::parse(json_line, nullptr, false);
  if (!line.is_object()) return;
  const auto unit = printable(line.value("unit", ""));
  if (line.contains("done")) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%6.2fs", line.value("seconds", 0.0));
    const auto error = line.value("error", "");
    say(unit + "  " + seconds + "  " + line.value("done", "") + (error.empty() ? "" : "\n    " + error));
  } else if (line.contains("reading") && terminal_) {
    auto text = unit + "  " + printable(line.value("reading", "")) + "  " + format_bytes(line.value("bytes", std::uint64_t{0}));
    text.resize(std::min<size_t>(text.size(), 78));
    end();
    err_ << text << std::flush;
    open_line_ = true;
  }
}

}  // namespace kopidocka
