#include "engine/restic/restic_errors.hpp"

#include <array>
#include <string_view>

#include "base/text.hpp"
#include "engine/program.hpp"

namespace kopidocka {
namespace {

struct Symptom {
  int exit_code;  ///< 0 = by words only
  std::string_view words;
  ErrorKind kind;
  const char* meaning;
  const char* next_step;
};

// The first that matches decides, so the more telling ones stand first.
constexpr std::array<Symptom, 12> kSymptoms{{
    {0, "no space left on device", ErrorKind::no_space, "the repository's storage is full", "free space there"},
    {0, "disk quota exceeded", ErrorKind::no_space, "the quota of the repository's storage is used up", "raise the quota or free space"},
    {12, "wrong password or no key found", ErrorKind::denied, "the repository's password is wrong",
     "set KOPI_DOCKA_PASSWORD or KOPI_DOCKA_PASSWORD_FILE to the one the repository was created with"},
    {0, "empty password", ErrorKind::denied, "no repository password is set", "set KOPI_DOCKA_PASSWORD or KOPI_DOCKA_PASSWORD_FILE"},
    {11, "repository is already locked", ErrorKind::busy, "somebody else works on the repository",
     "wait for it to end; a lock left behind by a dead process goes after 30 minutes, or at once with 'restic unlock'"},
    {0, "unable to create lock", ErrorKind::unreachable, "the repository cannot be locked", "check that its storage can be written"},
    {0, "config file already exists", ErrorKind::busy, "there is a repository already",
     "connect to it, or set KOPI_DOCKA_REPOSITORY to an empty folder"},
    {0, "ciphertext verification failed", ErrorKind::failed, "the repository is damaged", "run 'restic check' and see its words"},
    {0, "connection refused", ErrorKind::unreachable, "the repository's storage does not answer",
     "check KOPI_DOCKA_REPOSITORY and the storage"},
    {0, "input/output error", ErrorKind::unreachable, "the repository's storage has read or write errors", "check the disk"},
    {10, "is there a repository at the following location", ErrorKind::not_found, "there is no repository",
     "check that the storage is mounted; create the repository if it is meant to be new"},
    {0, "unable to open config file", ErrorKind::not_found, "there is no repository",
     "check that the storage is mounted; create the repository if it is meant to be new"},
}};

}  // namespace

Error restic_error(const std::string& doing, const ProcessResult& result) {
  const auto words = last_words(result);
  const auto text = lower(result.error_tail);
  for (const auto& symptom : kSymptoms) {
    const bool by_code = symptom.exit_code != 0 && symptom.exit_code == result.exit_code;
    if (by_code || text.find(symptom.words) != std::string::npos) {
      return {symptom.kind, doing + ": " + symptom.meaning + ": " + words, symptom.next_step};
    }
  }
  return {ErrorKind::failed, doing + ": restic ended with " + std::to_string(result.exit_code) + ": " + words,
          "see restic's words above"};
}

bool restic_locked(const ProcessResult& result) {
  return result.exit_code == 11 || lower(result.error_tail).find("repository is already locked") != std::string::npos;
}

}  // namespace kopidocka
