#include "shop.hpp"

#include <algorithm>

namespace kopidocka::testing {

void Shop::SetUp() {
  if (const auto why = DockerFixture::unavailable(); !why.empty()) GTEST_SKIP() << why;
  if (!on_path(GetParam())) GTEST_SKIP() << GetParam() << " is not on PATH";
  docker_ = std::make_unique<DockerFixture>("sidecar");
  program_ = std::make_unique<Program>(GetParam());
  unit_ = docker_->name("shop");
  bind_ = program_->folder / "site";
  std::filesystem::create_directories(program_->folder / "repository");
  const auto created = program_->inline_({"repository", "init"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
}

void Shop::TearDown() {
  program_.reset();
  docker_.reset();
}

void Shop::make_stack(const std::string& db_command) {
  const auto data = docker_->volume("data"), files = docker_->volume("files");
  std::filesystem::create_directories(bind_);
  sh("echo hello > " + bind_.string() + "/index.html");
  const auto labels = [&](const std::string& service) {
    return std::vector<std::string>{"--label", "com.docker.compose.project=" + unit_,
                                    "--label", "com.docker.compose.service=" + service,
                                    "--label", "com.docker.compose.container-number=1",
                                    "--label", "com.docker.compose.oneoff=False"};
  };
  auto db = labels("db");
  for (const auto& word : {std::string("--volume"), data + ":/data", std::string("--label"), std::string("kopi-docka.enable=true"),
                           std::string("--stop-timeout"), std::string("5")}) {
    db.push_back(word);
  }
  docker_->run("db", db, {"sh", "-c", "echo row > /data/rows; " + db_command});
  auto web = labels("web");
  for (const auto& word : {std::string("--volume"), files + ":/files", std::string("--volume"), bind_.string() + ":/site",
                           std::string("--label"), std::string("com.docker.compose.depends_on=db:service_started:true"),
                           std::string("--stop-timeout"), std::string("5")}) {
    web.push_back(word);
  }
  docker_->run("web", web, {"sh", "-c", "trap 'exit 0' TERM; echo page > /files/page; while :; do sleep 0.1; done"});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(volume_path("files") / "page") && std::filesystem::exists(volume_path("data") / "rows"); }));
}

std::filesystem::path Shop::volume_path(const std::string& name) const {
  auto text = docker_->docker({"volume", "inspect", "--format", "{{.Mountpoint}}", docker_->name(name)});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<nlohmann::json> Shop::reports() {
  std::vector<nlohmann::json> found;
  const auto result = program_->daemon_alive() ? program_->run({"history", "--limit", "500", "--json"})
                                               : program_->inline_({"history", "--limit", "500", "--json"});
  for (const auto& report : result.json()) found.push_back(report);
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace kopidocka::testing
