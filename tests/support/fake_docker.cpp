#include "support/fake_docker.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

namespace kopidocka::testing {
namespace {

std::string id_of(const std::string& name) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (const char letter : name) {
    id += kHex[static_cast<unsigned char>(letter) >> 4];
    id += kHex[static_cast<unsigned char>(letter) & 15];
  }
  id.resize(64, '0');
  return id;
}

void fail_if(int& count, ErrorKind kind, const std::string& what) {
  if (count <= 0) return;
  --count;
  throw Error(kind, what + " failed as the test asked");
}

}  // namespace

FakeDocker::FakeDocker() {
  engine.id = "FAKE:ENGINE";
  engine.name = "fake-host";
  engine.engine_version = "20.10.24";
  engine.api_version = "1.41";
  engine.root_dir = "/var/lib/docker";
}

std::string FakeDocker::add(Container container) {
  if (container.id.empty()) container.id = id_of(container.name);
  if (container.state.status.empty()) container.state.status = "running";
  if (container.state.started_at.empty()) container.state.started_at = next_time();
  if (container.has_healthcheck && container.state.health.empty() && container.running())
    container.state.health = "healthy";
  entries_.push_back({std::move(container), {}, {}, {}});
  return entries_.back().container.id;
}

std::string FakeDocker::add_running(const std::string& name, const std::string& project,
                                    const std::string& service) {
  Container container;
  container.name = name;
  container.image = "busybox";
  container.restart_policy = "no";
  container.network_mode = "bridge";
  if (!project.empty()) {
    container.labels["com.docker.compose.project"] = project;
    container.labels["com.docker.compose.service"] = service.empty() ? name : service;
    container.labels["com.docker.compose.container-number"] = "1";
  }
  return add(std::move(container));
}

void FakeDocker::remove(const std::string& id_or_name) {
  const auto& id = entry(id_or_name).container.id;
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& one) { return one.container.id == id; });
  entries_.erase(found);
}

Container& FakeDocker::container(const std::string& id_or_name) {
  auto& found = entry(id_or_name);
  settle(found);
  return found.container;
}

Trouble& FakeDocker::trouble(const std::string& id_or_name) { return entry(id_or_name).trouble; }

void FakeDocker::enter(const std::string& call) {
  if (on_call) on_call(call);
  if (away) throw Error(*away, call + ": the fake engine is away");
}

FakeDocker::Entry& FakeDocker::entry(const std::string& id_or_name) {
  for (auto& one : entries_) {
    if (one.container.id == id_or_name || one.container.name == id_or_name) return one;
  }
  throw Error(ErrorKind::not_found, "No such container: " + id_or_name);
}

std::string FakeDocker::next_time() {
  char text[40];
  ++ticks_;
  std::snprintf(text, sizeof text, "2026-01-01T%02d:%02d:%02d.123456789Z", ticks_ / 3600 % 24,
                ticks_ / 60 % 60, ticks_ % 60);
  return text;
}

/// Brings about what was due by now.
void FakeDocker::settle(Entry& one) {
  const auto now = std::chrono::steady_clock::now();
  if (one.exits_at && *one.exits_at <= now) set_exited(one, 0);
  if (one.healthy_at && *one.healthy_at <= now) {
    one.container.state.health = "healthy";
    one.healthy_at.reset();
  }
}

void FakeDocker::set_exited(Entry& one, int code) {
  auto& state = one.container.state;
  state.status = "exited";
  state.exit_code = code;
  state.finished_at = next_time();
  if (!state.health.empty()) state.health = "unhealthy";
  one.exits_at.reset();
  one.healthy_at.reset();
}

void FakeDocker::set_running(Entry& one) {
  auto& state = one.container.state;
  state.status = "running";
  state.exit_code = 0;
  state.started_at = next_time();
  if (one.container.has_healthcheck) {
    state.health =
        one.trouble.healthy_after.count() == 0 && !one.trouble.never_healthy ? "healthy" : "starting";
    if (!one.trouble.never_healthy)
      one.healthy_at = std::chrono::steady_clock::now() + one.trouble.healthy_after;
  }
  if (one.trouble.exits_after_start) set_exited(one, *one.trouble.exits_after_start);
}

Task<EngineInfo> FakeDocker::info() {
  enter("info");
  co_return engine;
}

Task<std::vector<std::string>> FakeDocker::list_containers() {
  enter("list");
  std::vector<std::string> ids;
  for (const auto& one : entries_) ids.push_back(one.container.id);
  co_return ids;
}

Task<Container> FakeDocker::inspect_container(std::string id) {
  auto& one = entry(id);
  enter("inspect " + one.container.name);
  fail_if(one.trouble.inspect_failures, one.trouble.failure, "inspect " + one.container.name);
  settle(one);
  co_return one.container;
}

Task<std::string> FakeDocker::inspect_container_json(std::string id) {
  const auto container = co_await inspect_container(id);
  nlohmann::json json;
  json["Id"] = container.id;
  json["Name"] = "/" + container.name;
  json["State"] = {{"Status", container.state.status}, {"StartedAt", container.state.started_at}};
  json["Config"] = {{"Image", container.image}, {"Labels", container.labels}};
  co_return json.dump();
}

Task<std::vector<Volume>> FakeDocker::list_volumes() {
  enter("volumes");
  co_return volumes_;
}

Task<std::string> FakeDocker::inspect_network_json(std::string name) {
  enter("network " + name);
  nlohmann::json json;
  json["Name"] = name;
  json["Driver"] = "bridge";
  co_return json.dump();
}

Task<StateChange> FakeDocker::stop_container(std::string id, int) {
  auto& one = entry(id);
  enter("stop " + one.container.name);
  settle(one);
  fail_if(one.trouble.stop_failures, one.trouble.failure, "stop " + one.container.name);
  if (!one.container.running()) co_return StateChange::already;
  if (one.trouble.stops_later) {
    one.exits_at = std::chrono::steady_clock::now() + *std::exchange(one.trouble.stops_later, std::nullopt);
    throw Error(ErrorKind::timeout, "stop " + one.container.name + " timed out as the test asked");
  }
  set_exited(one, 0);
  co_return StateChange::changed;
}

Task<StateChange> FakeDocker::start_container(std::string id) {
  auto& one = entry(id);
  enter("start " + one.container.name);
  settle(one);
  fail_if(one.trouble.start_failures, one.trouble.failure, "start " + one.container.name);
  if (one.container.running()) co_return StateChange::already;
  set_running(one);
  if (std::exchange(one.trouble.start_answer_lost, false)) {
    throw Error(ErrorKind::timeout, "start " + one.container.name + " timed out as the test asked");
  }
  co_return StateChange::changed;
}

Task<StateChange> FakeDocker::pause_container(std::string id) {
  auto& one = entry(id);
  enter("pause " + one.container.name);
  settle(one);
  fail_if(one.trouble.stop_failures, one.trouble.failure, "pause " + one.container.name);
  auto& status = one.container.state.status;
  if (status == "paused") co_return StateChange::already;
  if (status != "running") throw Error(ErrorKind::busy, "Container " + one.container.name + " is not running");
  status = "paused";
  if (std::exchange(one.trouble.pause_answer_lost, false)) {
    throw Error(ErrorKind::timeout, "pause " + one.container.name + " timed out as the test asked");
  }
  co_return StateChange::changed;
}

Task<StateChange> FakeDocker::unpause_container(std::string id) {
  auto& one = entry(id);
  enter("unpause " + one.container.name);
  settle(one);
  fail_if(one.trouble.start_failures, one.trouble.failure, "unpause " + one.container.name);
  auto& status = one.container.state.status;
  if (status == "running") co_return StateChange::already;
  if (status != "paused") throw Error(ErrorKind::failed, "Container " + one.container.name + " is not paused");
  status = "running";
  if (std::exchange(one.trouble.start_answer_lost, false)) {
    throw Error(ErrorKind::timeout, "unpause " + one.container.name + " timed out as the test asked");
  }
  co_return StateChange::changed;
}

}  // namespace kopidocka::testing
