#include "engine/kopia/kopia_errors.hpp"

#include <array>
#include <string_view>

#include "base/text.hpp"
#include "engine/program.hpp"

namespace kopidocka {
namespace {

struct Symptom {
  std::string_view words;
  ErrorKind kind;
  const char* meaning;
  const char* next_step;
};

constexpr const char* kCheckRepository = "check that the storage is mounted and that KOPI_DOCKA_REPOSITORY names it";

// The first that matches decides, so the more telling ones stand first.
constexpr std::array<Symptom, 16> kSymptoms{{
    {"no space left on device", ErrorKind::no_space, "the repository's storage is full",
     "free space there; Kopia cannot even delete snapshots on a full disk"},
    {"disk quota exceeded", ErrorKind::no_space, "the quota of the repository's storage is used up", "raise the quota or free space"},
    {"invalid repository password", ErrorKind::denied, "the repository's password is wrong",
     "set KOPI_DOCKA_PASSWORD or KOPI_DOCKA_PASSWORD_FILE to the one the repository was created with"},
    {"password prompt error", ErrorKind::denied, "no repository password is set", "set KOPI_DOCKA_PASSWORD or KOPI_DOCKA_PASSWORD_FILE"},
    {"found existing data in storage location", ErrorKind::busy, "there is a repository already",
     "connect to it, or set KOPI_DOCKA_REPOSITORY to an empty folder"},
    {"repository not initialized in the provided storage", ErrorKind::not_found, "there is no repository",
     "check that the storage is mounted; create the repository if it is meant to be new"},
    {"cannot access storage path", ErrorKind::unreachable, "the repository's folder cannot be reached", kCheckRepository},
    {"can't connect to storage", ErrorKind::unreachable, "the repository's storage does not answer", kCheckRepository},
    {"connection refused", ErrorKind::unreachable, "the repository's storage does not answer", kCheckRepository},
    {"stale NFS file handle", ErrorKind::unreachable, "the repository's storage is gone", kCheckRepository},
    {"input/output error", ErrorKind::unreachable, "the repository's storage has read or write errors", "check the disk"},
    {"invalid format blob", ErrorKind::failed, "the repository's format file is damaged",
     "stop all writers and run 'kopia repository repair'"},
    {"repository is not connected", ErrorKind::unreachable, "not connected to the repository", "try again; it connects by itself"},
    {"object not found", ErrorKind::not_found, "there is no such snapshot", "list the snapshots and name one of them"},
    {"no snapshots matched", ErrorKind::not_found, "there is no such snapshot", "list the snapshots and name one of them"},
    {"maintenance must be run by designated user", ErrorKind::refused, "somebody else owns the repository's maintenance",
     "run it there, or take it over with 'kopia maintenance set --owner=me'"},
}};

}  // namespace

Error kopia_error(const std::string& doing, const ProcessResult& result, const std::string& config_file) {
  const auto words = last_words(result);
  const auto text = lower(result.error_tail);
  if (text.find("error decoding config json") != std::string::npos) {
    return {ErrorKind::failed, doing + ": Kopia's config file " + printable(config_file) + " is damaged: " + words,
            "remove that file; it is written anew with the next connection"};
  }
  for (const auto& symptom : kSymptoms) {
    if (text.find(lower(symptom.words)) != std::string::npos) {
      return {symptom.kind, doing + ": " + symptom.meaning + ": " + words, symptom.next_step};
    }
  }
  return {ErrorKind::failed, doing + ": kopia ended with " + std::to_string(result.exit_code) + ": " + words,
          "see Kopia's words above"};
}

bool kopia_not_connected(const ProcessResult& result) {
  return result.error_tail.find("repository is not connected") != std::string::npos;
}

}  // namespace kopidocka
