#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "docker/docker.hpp"

namespace kopidocka::testing {

/// What a container of FakeDocker does otherwise than it should, besides what it does.
struct Trouble {
  /// Thrown by so many of the next calls; the state stays as it is. A pause counts as a stop, an unpause as a start.
  int stop_failures = 0;
  int start_failures = 0;
  int inspect_failures = 0;
  ErrorKind failure = ErrorKind::failed;
  /// The next stop throws ErrorKind::timeout, and the container is exited only that much later.
  std::optional<Milliseconds> stops_later;
  /// The next start throws ErrorKind::timeout although the container runs.
  bool start_answer_lost = false;
  /// The same for the next pause.
  bool pause_answer_lost = false;
  /// After a start the container ends at once with this code.
  std::optional<int> exits_after_start;
  /// After a start the container is "starting" for so long, then "healthy"; only with has_healthcheck.
  Milliseconds healthy_after{0};
  bool never_healthy = false;
};

/// A Docker Engine in memory, for tests of what stands on Docker. Containers have states that stop and start
/// change the way the engine does: exit codes, StartedAt, 304, health. Calls take no time unless a Trouble
/// says so.
class FakeDocker : public Docker {
 public:
  FakeDocker();

  /// Adds a container; fills what is left empty (id from the name, state running, StartedAt). Returns its id.
  std::string add(Container container);
  /// A running one with this name, in a compose project when `project` is not empty.
  std::string add_running(const std::string& name, const std::string& project = {},
                          const std::string& service = {});
  void add_volume(Volume volume) { volumes_.push_back(std::move(volume)); }
  void remove(const std::string& id_or_name);

  /// For looking and for changing from outside, as a user would.
  Container& container(const std::string& id_or_name);
  Trouble& trouble(const std::string& id_or_name);
  bool running(const std::string& id_or_name) { return container(id_or_name).running(); }

  EngineInfo engine;
  /// Every call throws this kind while it is set: the engine is away.
  std::optional<ErrorKind> away;
  /// When set, called before each call with "stop db", "start db", "inspect db", "list": tests that care note
  /// it.
  std::function<void(const std::string& call)> on_call;

  Task<EngineInfo> info() override;
  Task<std::vector<std::string>> list_containers() override;
  Task<Container> inspect_container(std::string id) override;
  Task<std::string> inspect_container_json(std::string id) override;
  Task<std::vector<Volume>> list_volumes() override;
  Task<std::string> inspect_network_json(std::string name) override;
  Task<StateChange> stop_container(std::string id, int grace) override;
  Task<StateChange> start_container(std::string id) override;
  Task<StateChange> pause_container(std::string id) override;
  Task<StateChange> unpause_container(std::string id) override;

 private:
  struct Entry {
    Container container;
    Trouble trouble;
    std::optional<std::chrono::steady_clock::time_point> exits_at;
    std::optional<std::chrono::steady_clock::time_point> healthy_at;
  };

  void enter(const std::string& call);
  Entry& entry(const std::string& id_or_name);
  std::string next_time();
  void settle(Entry& entry);
  void set_exited(Entry& entry, int code);
  void set_running(Entry& entry);

  std::deque<Entry> entries_;
  std::vector<Volume> volumes_;
  int ticks_ = 0;
};

}  // namespace kopidocka::testing
