#include "base/text.hpp"
#include "catalog/restore_points.hpp"
#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

TEST_P(EngineContract, EveryCallKeepsMaintenanceAndThePasswordOutOfItsArguments) {
  const auto log = folder_ / "argv";
  auto own = settings();
  own.binary = wrapped("printf '%s\\0' \"$*\" >> '" + log.string() + "'");
  engine_ = engine(own);
  await(engine_->create(Cancel()));
  const auto made = prepared_snapshot(*engine_, request());
  const std::vector<std::string> id(1, made.id);
  const std::vector<SourcePolicy> policies(1, policy());
  await(engine_->probe(Cancel()));
  await(engine_->verify(id, 10, Cancel()));
  restore(*engine_, made.id, (folder_ / "back").string());
  await(engine_->expire(policies, Cancel()));
  await(engine_->maintain(true, Cancel()));
  await(engine_->remove(id, Cancel()));
  if (kopia()) {
    fs::remove(fs::path(own.state_folder) / "kopia.config");
    await(engine(own)->probe(Cancel()));
  }
  const auto calls = split(read(log), '\0');
  EXPECT_GT(calls.size(), 8u);
  for (const auto& call : calls) {
    EXPECT_EQ(call.find("canary-s3cret"), std::string::npos) << call;
    const bool excused = !kopia() || call.empty() || call == "--version";
    EXPECT_TRUE(excused || call.find("--no-auto-maintenance") != std::string::npos) << call;
  }
}

/// Snapshots as the Python original makes them: its own command line, tags and paths.
class PythonOriginal : public EngineContract {
 protected:
  void SetUp() override {
    EngineContract::SetUp();
    if (IsSkipped()) return;
    created();
    for (const auto* folder : {"recipes/shop", "networks/shop", "volumes/shop_db/_data", "srv/web"}) fs::create_directories(folder_ / folder);
    write(folder_ / "recipes/shop/docker-compose.yml", "services: {}");
    write(folder_ / "networks/shop/networks.json", "[]");
    write(folder_ / "volumes/shop_db/_data/rows", "all of them");
    write(folder_ / "srv/web/index.html", "hello");
    write(folder_ / "srv/app.conf", "one line");
  }

  using Extra = std::vector<std::string>;
  void save(const std::string& path, const std::string& type, const std::string& run, const std::string& scope, const Extra& extra) {
    std::vector<std::string> argv{"kopia", "snapshot", "create", (folder_ / path).string(), "--json"};
    for (const auto& tag : {"type:" + type, std::string("unit:shop"), "backup_id:" + run, "backup_scope:" + scope}) {
      argv.insert(argv.end(), {"--tags", tag});
    }
    for (const auto& tag : extra) argv.insert(argv.end(), {"--tags", tag});
    tool(argv);
  }
  void save_volume(const std::string& run, const std::string& scope) {
    save("volumes/shop_db/_data", "volume", run, scope, {"volume:shop_db", "backup_format:direct", "size_bytes:11"});
  }
  void save_standard(const std::string& run) {
    save("recipes/shop", "recipe", run, "standard", {"timestamp:2026-11-22T20:30:01.035805+00:00"});
    save("networks/shop", "networks", run, "standard", {"timestamp:2026-11-22T20:30:02.035805+00:00", "network_count:1"});
    save_volume(run, "standard");
    save("srv/web", "bind", run, "standard",
         {"bind_source:" + (folder_ / "srv/web").string(), "bind_destination:/usr/share/nginx/html", "read_only:false", "size_bytes:5"});
    save("srv/app.conf", "bind", run, "standard",
         {"bind_source:" + (folder_ / "srv/app.conf").string(), "bind_destination:/etc/app.conf", "read_only:true", "size_bytes:8"});
  }
  std::vector<RestorePoint> points() { return restore_points(await(engine_->list({}, Cancel()))); }
};

const std::string kFirst = "5b1f6f1e-6f0e-4f43-9d8e-0c1e6a1f2b3c", kSecond = "c0a8f5d2-1b7e-4a8e-8a0e-7d6c5b4a3f2e";

TEST_P(PythonOriginal, ItsPointsAreListedWithTheirTimeAndScope) {
  save_standard(kFirst);
  save_volume(kSecond, "minimal");
  const auto all = points();
  ASSERT_EQ(all.size(), 2u);
  const auto& second = all[0].backup_id == kSecond ? all[0] : all[1];
  const auto& first = all[0].backup_id == kFirst ? all[0] : all[1];
  EXPECT_EQ(to_iso8601(first.time).substr(0, 19), "2026-11-22T20:30:01");
  EXPECT_EQ(first.scope, Scope::standard);
  EXPECT_EQ(first.members.size(), 5u);
  EXPECT_TRUE(first.complete && !first.partial);
  EXPECT_EQ(second.scope, Scope::minimal);
  EXPECT_EQ(second.time, second.members.at(0).snapshot.start_time) << "without a timestamp it is the snapshot's own";
  EXPECT_TRUE(second.complete && !second.partial);
}

TEST_P(PythonOriginal, EveryPartOfItsPointsCanBeRestored) {
  save_standard(kFirst);
  const auto point = find_point(points(), "shop", kFirst.substr(0, 8), std::chrono::system_clock::now()).value();
  std::string seen;
  for (const auto& member : point.members) {
    EXPECT_FALSE(member.legacy_tar);
    const auto target = folder_ / ("back-" + std::string(to_string(member.type)) + (member.snapshot.single_file ? "-file" : ""));
    restore(*engine_, member.snapshot.id, target.string(), member.snapshot.single_file);
    if (member.snapshot.single_file) seen = member.name;
  }
  EXPECT_EQ(seen, (folder_ / "srv/app.conf").string()) << "nothing but the snapshot itself tells that it is one file";
  EXPECT_EQ(read(folder_ / "back-bind-file"), "one line");
  EXPECT_EQ(read(folder_ / "back-bind" / "index.html"), "hello");
  EXPECT_EQ(read(folder_ / "back-volume" / "rows"), "all of them");
  EXPECT_EQ(read(folder_ / "back-recipe" / "docker-compose.yml"), "services: {}");
  EXPECT_EQ(read(folder_ / "back-networks" / "networks.json"), "[]");
}

TEST_P(PythonOriginal, ItsOldTarVolumesAreKnownAsSuch) {
  tool({"bash", "-c", "tar -cf - -C '" + (folder_ / "srv").string() + "' . | kopia snapshot create --stdin-file volumes/shop/shop_db - --json " +
                          "--tags type:volume --tags unit:shop --tags volume:shop_db --tags backup_id:" + kFirst + " --tags backup_scope:standard"});
  const auto all = points();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].members.at(0).legacy_tar);
}

TEST_P(PythonOriginal, ItsSnapshotsAndOursOfOneSourceShareHistoryAndRetention) {
  save_volume(kFirst, "minimal");
  auto asked = request((folder_ / "volumes/shop_db/_data").string());
  asked.source.local_path = asked.source.path;
  asked.policy.retention = {1, 0, 0, 0, 0, 0};
  asked.tags["unit"] = "shop";
  const auto ours = prepared_snapshot(*engine_, asked);
  EXPECT_EQ(ids(*engine_).size(), 2u) << "its last good snapshot stays until our run has succeeded";
  await(engine_->expire(std::vector<SourcePolicy>{asked.policy}, Cancel()));
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{ours.id});
}

INSTANTIATE_TEST_SUITE_P(Engine, PythonOriginal, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
