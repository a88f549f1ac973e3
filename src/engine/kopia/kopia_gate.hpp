#pragma once

#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/task.hpp"
#include "engine/snapshot_gate.hpp"

namespace kopidocka {

/// What happens to who knocks after the last file was read.
enum class AfterKnock {
  answered,      ///< it may go on
  kept_waiting,  ///< not before let_go(): Kopia saves nothing yet. A SIGINT to its group does not end the wait
};

/// The door between one kopia process and a SnapshotGate: a unix socket in a folder of ours, and a token that only this
/// process gets to know, by its environment. The actions of the source's policy (kKopiaGate) start our program as
/// `kopi-docka gate`, which knocks here before the first file is read and after the last.
class KopiaGate {
 public:
  /// `helper` is our program; no white space may be in its path. Throws what making the socket throws.
  KopiaGate(const boost::asio::any_io_executor& executor, SnapshotGate& gate, const std::string& folder, std::string helper,
            AfterKnock after = AfterKnock::answered);
  KopiaGate(const KopiaGate&) = delete;
  KopiaGate& operator=(const KopiaGate&) = delete;
  ~KopiaGate();

  /// For the kopia process.
  std::vector<std::string> environment() const;
  /// Answers those who knock, until close().
  Task<> serve();
  /// Who is kept waiting may go on.
  void let_go();
  /// The process has ended. Who still waits is turned away.
  void close();
  /// Somebody with our token was let in: what was read, was read after that.
  bool passed() const { return passed_; }
  /// Called when who was kept waiting has gone without having been let go: Kopia does not wait any more.
  std::function<void()> on_lost;

 private:
  using Socket = boost::asio::local::stream_protocol::socket;
  Task<> answer(std::shared_ptr<Socket> socket);
  Task<std::string> reply_to(std::string line, Socket& socket);
  Task<std::string> keep_waiting(Socket& socket);
  Task<> notice_loss(Socket& socket);

  boost::asio::any_io_executor executor_;
  SnapshotGate& gate_;
  std::string folder_, name_, token_, helper_;
  AfterKnock after_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::set<std::shared_ptr<Socket>> guests_;
  Signal changed_;
  TaskGroup watchers_;
  bool passed_ = false, closed_ = false, let_go_ = false, lost_ = false;
};

/// The helper's side: knocks and waits. Its exit code: 0 go on, 1 do
/// not (Kopia then saves nothing). Ends when the daemon does. Takes the repository's password out of its memory first.
int kopia_gate_main();

}  // namespace kopidocka
