#include "engine/program.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

void blot_out(std::string& text, const std::string& secret) {
  if (secret.size() < 4) return;
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) text.replace(at, secret.size(), "***");
}

bool on_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path, ':')) {
    if (!folder.empty() && ::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// Never not_found: that would read as "there is no repository yet".
Error missing_program(const std::string& name, const Error& error) {
  const std::string other = name == "kopia" ? "restic" : "kopia";
  const bool is_engine = name == "kopia" || name == "restic";
  return {ErrorKind::refused, error.text(),
          is_engine && on_path(other) ? other + " is here: set KOPI_DOCKA_ENGINE=" + other + ", or install " + name : error.next_step()};
}

}  // namespace

EngineProgram::EngineProgram(std::string binary, std::vector<std::string> environment, Secret password, Milliseconds grace)
    : binary_(std::move(binary)), environment_(std::move(environment)), password_(std::move(password)), grace_(grace) {}

Task<ProcessResult> EngineProgram::run(ProgramCall call, Cancel cancel) const {
  ProcessSpec spec;
  spec.argv.push_back(binary_);
  spec.argv.insert(spec.argv.end(), call.args.begin(), call.args.end());
  spec.environment = environment_;
  spec.environment.insert(spec.environment.end(), call.environment.begin(), call.environment.end());
  spec.deadline = call.deadline;
  spec.grace = call.grace.count() > 0 ? call.grace : grace_;
  spec.output_to = call.output_to;
  spec.on_error_line = std::move(call.on_error_line);
  spec.on_output_line = std::move(call.on_output_line);
  ProcessResult result;
  try {
    result = co_await run_process(std::move(spec), std::move(cancel));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    throw missing_program(binary_, error);
  }
  blot_out(result.error_tail, password_.reveal());
  co_return result;
}

void throw_unless_ended(const ProcessResult& result, const ProgramCall& call) {
  if (result.aborted) throw Error(ErrorKind::cancelled, call.doing + ": asked to stop");
  if (result.timed_out) {
    throw Error(ErrorKind::timeout, call.doing + ": not done after " + format_duration(call.deadline),
                "look whether the repository's storage is slow or hangs");
  }
  if (result.output_truncated) throw Error(ErrorKind::failed, call.doing + ": the answer is too large to be read");
}

std::vector<std::string> engine_environment(const std::string& home) {
  static constexpr std::array<std::string_view, 6> kReplaced = {"HOME=", "TMPDIR=", "LC_ALL=", "LANG=", "XDG_CACHE_HOME=",
                                                                "XDG_CONFIG_HOME="};
  auto environment = clean_environment();
  std::erase_if(environment, [](const auto& entry) {
    return std::any_of(kReplaced.begin(), kReplaced.end(), [&](auto name) { return entry.rfind(name, 0) == 0; });
  });
  for (const auto* entry : {"LC_ALL=C.UTF-8"}) environment.emplace_back(entry);
  environment.push_back("HOME=" + home);
  environment.push_back("TMPDIR=" + home + "/tmp");
  return environment;
}

Result<void> make_engine_folders(const EngineSettings& settings) {
  for (const auto& folder : {settings.state_folder, settings.cache_folder, settings.cache_folder + "/tmp"}) {
    if (auto made = make_private_folder(folder); !made) return made.error();
  }
  return {};
}

std::string last_words(const ProcessResult& result, size_t lines) {
  std::vector<std::string> words;
  for (const auto& line : split(result.error_tail, '\n')) {
    auto text = trim(line);
    if (!text.empty()) words.push_back(printable(text, 500));
  }
  if (words.size() > lines) words.erase(words.begin(), words.end() - static_cast<std::ptrdiff_t>(lines));
  if (!words.empty()) return join(words, "; ");
  if (result.exit_code > 128) return "no reason given, ended by signal " + std::to_string(result.exit_code - 128);
  return "no reason given, exit code " + std::to_string(result.exit_code);
}

}  // namespace kopidocka
