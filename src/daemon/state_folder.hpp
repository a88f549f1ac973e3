#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "base/secret.hpp"

namespace kopidocka {

/// What must survive a re-created container: journal, reports, password and who we are in the repository.
/// One process at a time owns it, by a kernel lock that dies with its owner.
class StateFolder {
 public:
  explicit StateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Creates the folder when missing and takes the lock. ErrorKind::busy when another process holds it.
  Result<void> open();

  std::filesystem::path journal() const { return folder_ / "journal"; }
  std::filesystem::path reports() const { return folder_ / "reports"; }
  std::filesystem::path engine() const { return folder_ / "engine"; }
  std::filesystem::path password_file() const { return folder_ / "password"; }
  const std::filesystem::path& path() const { return folder_; }

  /// The password generated at first start; nothing when there is none yet.
  Result<std::optional<Secret>> stored_password() const;
  /// Makes a random one, durable and 0600, before anything is encrypted with it.
  Result<Secret> create_password();

  /// The identity's host part, kept from the first start on. `proposed` is taken when nothing is kept yet.
  Result<std::string> pin_hostname(const std::string& configured, const std::string& proposed);
  /// The unique id that the repository at `url` had when it was first seen; empty when it was never seen.
  Result<std::string> pinned_repository(const std::string& url) const;
  /// Once and for all: another id than the one that is kept is ErrorKind::refused.
  Result<void> pin_repository(const std::string& url, const std::string& unique_id);

 private:
  struct Identity {
    std::string hostname;
    std::map<std::string, std::string> repositories;  ///< url -> unique id
  };
  Result<Identity> read_identity() const;
  Result<void> write_identity(const Identity& identity) const;

  std::filesystem::path folder_;
  FileDescriptor lock_;
};

}  // namespace kopidocka
