#include "daemon/state_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {

Result<void> StateFolder::open() {
  if (auto made = make_private_folder(folder_); !made) {
    return Error(made.error()).in("state folder (KOPI_DOCKA_STATE_DIR)");
  }
  const auto path = folder_ / "lock";
  lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) return system_error(errno, "open " + path.string());
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(errno, "lock " + path.string());
    return Error{ErrorKind::busy, "another kopi-docka works with the state folder " + folder_.string(),
                 "leave out --inline to let the running daemon do it, or stop that daemon first"};
  }
  return {};
}

Result<std::optional<Secret>> StateFolder::stored_password() const {
  auto content = read_file(password_file(), 4096);
  if (!content) {
    if (content.error().kind() == ErrorKind::not_found) return std::optional<Secret>();
    return content.error();
  }
  auto password = trim(*content);
  if (password.empty()) {
    return Error{ErrorKind::invalid, password_file().string() + " is empty", "put the repository's password back into it"};
  }
  return std::optional(Secret(std::move(password)));
}

Result<Secret> StateFolder::create_password() {
  Secret password(make_password(40));
  if (auto written = write_file_atomically(password_file(), password.reveal() + "\n", 0600); !written) return written.error();
  return password;
}

Result<std::string> StateFolder::pin_hostname(const std::string& configured, const std::string& proposed) {
  auto identity = read_identity();
  if (!identity) return identity.error();
  const auto wanted = !configured.empty() ? configured : !identity->hostname.empty() ? identity->hostname : lower(proposed);
  if (wanted == identity->hostname) return wanted;
  identity->hostname = wanted;
  if (auto written = write_identity(*identity); !written) return written.error();
  return wanted;
}

Result<std::string> StateFolder::pinned_repository(const std::string& url) const {
  auto identity = read_identity();
  if (!identity) return identity.error();
  const auto found = identity->repositories.find(url);
  return found == identity->repositories.end() ? std::string() : found->second;
}

Result<void> StateFolder::pin_repository(const std::string& url, const std::string& unique_id) {
  auto identity = read_identity();
  if (!identity) return identity.error();
  auto& pinned = identity->repositories[url];
  if (pinned == unique_id) return {};
  if (!pinned.empty()) {
    return Error{ErrorKind::refused, url + " is pinned to repository " + printable(pinned) + ", not " + printable(unique_id),
                 "check that the right storage is mounted; to accept the other repository, remove its line from " +
                     (folder_ / "identity.json").string()};
  }
  pinned = unique_id;
  return write_identity(*identity);
}

Result<StateFolder::Identity> StateFolder::read_identity() const {
  const auto path = folder_ / "identity.json";
  const auto content = read_file(path);
  Identity identity;
  if (!content) {
    if (content.error().kind() == ErrorKind::not_found) return identity;
    return content.error();
  }
  try {
    const auto json = nlohmann::json::parse(*content);
    identity.hostname = json.at("hostname");
    identity.repositories = json.at("repositories");
    return identity;
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorKind::invalid, path.string() + " cannot be read",
                 "remove it to pin host name and repository anew (KOPI_DOCKA_HOSTNAME keeps the history of an old name)"};
  }
}

Result<void> StateFolder::write_identity(const Identity& identity) const {
  const nlohmann::json json = {{"hostname", identity.hostname}, {"repositories", identity.repositories}};
  return write_file_atomically(folder_ / "identity.json", json.dump(2) + "\n", 0600);
}

}  // namespace kopidocka
