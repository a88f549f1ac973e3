#pragma once

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/text.hpp"
#include "plan/backup_plan.hpp"
#include "run/recovery.hpp"
#include "run/runner.hpp"
#include "support/fake_docker.hpp"
#include "support/fake_engine.hpp"
#include "support/run_task.hpp"

namespace kopidocka::testing {

/// Keeps the facts a run told, as lines.
class RecordingObserver : public RunObserver {
 public:
  void on_run_event(const RunEvent& event) override {
    if (event.kind == RunEvent::Kind::member_stopped) lines.push_back("stopped " + event.text);
    if (event.kind == RunEvent::Kind::member_started) lines.push_back("started " + event.text);
    if (event.kind == RunEvent::Kind::finished) ++finished;
    if (on_event) on_event(event);
  }
  std::function<void(const RunEvent&)> on_event;
  std::vector<std::string> lines;
  int finished = 0;
};

/// A unit "shop" of a web container that depends on a database, with a volume each, in a fake Docker and a fake repository,
/// and a real journal, report store and clock in a folder of its own.
struct RunWorld {
  explicit RunWorld(const std::string& worker_binary = KOPIDOCKA_BINARY)
             : folder(std::filesystem::temp_directory_path() / ("kd-run-" + make_uuid())), worker(worker_binary),
               journal(folder / "journal", clock, [this](const JournalRecord& record) { if (on_record) on_record(record); }), reports(folder / "reports") {
    std::filesystem::create_directories(folder / "hooks");
    (void)make_private_folder(folder);
    (void)journal.open();
    (void)reports.open();
    db = docker.add_running("shop-db-1", "shop", "db");
    web = docker.add_running("shop-web-1", "shop", "web");
  }
  ~RunWorld() { std::filesystem::remove_all(folder); }

  Unit unit() {
    Unit unit;
    unit.name = "shop";
    for (const auto& id : {db, web}) {
      Member member;
      member.container = docker.container(id);
      member.service = id == db ? "db" : "web";
      if (id == web) member.providers = {db};
      unit.members.push_back(member);
      DataSource source;
      source.name = "shop_" + member.service;
      source.path = "/volumes/" + source.name;
      source.local_path = folder.string();
      source.users = {id};
      unit.sources.push_back(source);
    }
    unit.policy.enabled = true;
    unit.policy.start_timeout = Milliseconds(2'000);
    return unit;
  }

  RunContext context() {
    RunContext context{docker, engine, worker, journal, reports, clock, {}, folder / "cache", folder / "hooks", "engine-1", "0", true, "", "",
                       {&observer}};
    context.limits.workers = 2;
    context.limits.start_retry = Milliseconds(3'000);
    return context;
  }

  Plan plan(Scope scope = Scope::minimal) { return plan_of(unit(), scope); }

  Plan plan_of(const Unit& unit, Scope scope = Scope::minimal, size_t gate_width = 0) {
    BackupOptions options;
    options.gate_width = gate_width;
    options.run = make_uuid();
    options.time = clock.now();
    options.trigger = "request";
    options.scope = scope;
    options.staging_folder = (folder / "cache" / "staging").string();
    options.default_grace = 1;
    auto plan = make_backup_plan(unit, options);
    if (!plan) throw plan.error();
    return *plan;
  }

  void purge(Recovery& recovery) {
    RecoveryOutcome outcome;
    run_task(io, recovery.purge({}, outcome));
  }

  RunReport run(Cancel cancel = {}) { return run(context(), plan(), std::move(cancel)); }

  RunReport run(Plan plan, Cancel cancel = {}) { return run(context(), std::move(plan), std::move(cancel)); }
  RunReport run(RunContext context, Plan plan, Cancel cancel = {}) {
    Runner runner(std::move(context));
    return run_task(io, runner.carry_out(std::move(plan), std::move(cancel)));
  }

  /// Gives a container a mount, as if it had been made with it.
  void mount(const std::string& container, const std::string& source, const std::string& volume = {}) {
    Mount mount;
    mount.type = volume.empty() ? "bind" : "volume";
    mount.name = volume;
    mount.source = source;
    docker.container(container).mounts.push_back(mount);
  }

  void hook(const std::string& name, const std::string& body) {
    const auto path = folder / "hooks" / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }

  size_t open_journals() const { return journal.open_runs().value().size(); }

  boost::asio::io_context io;
  std::filesystem::path folder;
  SystemClock clock;
  FakeDocker docker;
  FakeEngine engine;
  Worker worker;
  std::function<void(const JournalRecord&)> on_record;
  Journal journal;
  ReportStore reports;
  RecordingObserver observer;
  std::string db, web;
};

}  // namespace kopidocka::testing
