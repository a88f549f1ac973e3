#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "daemon/coordinator.hpp"
#include "support/fake_docker.hpp"
#include "support/fake_engine.hpp"
#include "support/run_task.hpp"

namespace kopidocka::testing {

/// What observers are told, as lines: "started shop", "finished shop skipped (busy)".
class LineObserver : public RunObserver {
 public:
  void on_run_event(const RunEvent& event) override {
    if (event.kind == RunEvent::Kind::started) lines.push_back("started " + event.report.unit);
    if (event.kind == RunEvent::Kind::finished) {
      lines.push_back("finished " + event.report.unit + " " + std::string(to_string(event.report.result)) +
                      (event.report.reason.empty() ? "" : " (" + event.report.reason + ")"));
    }
  }
  std::vector<std::string> lines;
};

inline Settings test_settings(const std::filesystem::path& folder, Environment more = {}) {
  Environment environment = {{"KOPI_DOCKA_STATE_DIR", folder / "state"},
                             {"KOPI_DOCKA_CACHE_DIR", folder / "cache"},
                             {"KOPI_DOCKA_HOOKS_DIR", folder / "hooks"},
                             {"KOPI_DOCKA_REPOSITORY", "filesystem://" + (folder / "repository").string()},
                             {"KOPI_DOCKA_PASSWORD", "secret"},
                             {"KOPI_DOCKA_HOSTNAME", "testhost"},
                             {"KOPI_DOCKA_PARALLEL_RUNS", "1"},
                             {"DOCKER_HOST", "unix:///nonexistent/docker.sock"}};
  for (auto& [name, value] : more) environment[name] = value;
  auto loaded = load_settings(environment, false);
  if (!loaded.settings) throw loaded.problems.front();
  return *loaded.settings;
}

/// An Assembly on a Docker Engine and a repository in memory, with a real state folder.
struct DaemonWorld {
  explicit DaemonWorld(Environment more = {})
      : folder(std::filesystem::temp_directory_path() / ("kd-daemon-" + make_uuid())),
        assembly(io.get_executor(), test_settings(folder, std::move(more))) {
    auto fake = std::make_unique<FakeDocker>();
    docker = fake.get();
    assembly.docker = std::move(fake);
    assembly.in_container = false;
    assembly.engine_maker = [this](EngineSettings settings) -> Result<std::unique_ptr<SnapshotEngine>> {
      made.push_back(settings);
      auto fake_engine = std::make_unique<FakeEngine>();
      engine = fake_engine.get();
      return std::unique_ptr<SnapshotEngine>(std::move(fake_engine));
    };
    assembly.observers = {&observer};
  }
  ~DaemonWorld() { std::filesystem::remove_all(folder); }

  void meet() { run_task(io, assembly.meet_surroundings()); }

  /// A unit of one running container with one volume.
  std::string add_unit(const std::string& name, const std::string& schedule = "0 3 * * *") {
    const auto place = folder / "volumes" / name / "_data";
    std::filesystem::create_directories(place);
    Volume volume;
    volume.name = name;
    volume.driver = "local";
    volume.mountpoint = place;
    docker->add_volume(volume);
    const auto id = docker->add_running(name);
    auto& container = docker->container(id);
    container.labels["kopi-docka.schedule"] = schedule;
    Mount mount;
    mount.type = "volume";
    mount.name = name;
    mount.source = place;
    mount.destination = "/data";
    mount.driver = "local";
    container.mounts = {mount};
    return id;
  }

  /// What a run leaves that was killed while it held `container` stopped; the container is down.
  std::string cut_off_run(const std::string& unit, const std::string& container) {
    JournalRecord begin;
    begin.type = JournalRecord::Type::begin;
    begin.run = make_uuid();
    begin.unit = unit;
    begin.kind = "backup";
    begin.engine_id = docker->engine.id;
    const auto run = begin.run;
    (void)assembly.journal.begin(begin).value();
    HeldMember member;
    member.id = container;
    member.name = docker->container(container).name;
    member.started_at = docker->container(container).state.started_at;
    JournalRecord hold;
    hold.type = JournalRecord::Type::hold;
    hold.run = run;
    hold.members = {member};
    (void)assembly.journal.append(run, hold).value();
    JournalRecord stopping;
    stopping.type = JournalRecord::Type::stopping;
    stopping.run = run;
    stopping.container = container;
    (void)assembly.journal.append(run, stopping).value();
    stopping.type = JournalRecord::Type::stopped;
    (void)assembly.journal.append(run, stopping).value();
    docker->container(container).state.status = "exited";
    return run;
  }

  void save_report(const std::string& unit, const std::string& run, RunResult result, TimePoint started) {
    RunReport report;
    report.unit = unit;
    report.backup_id = run;
    report.result = result;
    report.reason = result == RunResult::success ? "" : "repository";
    report.started_at = started;
    (void)assembly.reports.save(report).value();
  }

  boost::asio::io_context io;
  std::filesystem::path folder;
  Assembly assembly;
  FakeDocker* docker = nullptr;
  FakeEngine* engine = nullptr;          ///< the newest one made
  std::vector<EngineSettings> made;      ///< what engines were made with
  LineObserver observer;
};

}  // namespace kopidocka::testing
