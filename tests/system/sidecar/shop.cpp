#include "shop.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "base/text.hpp"

namespace kopidocka::testing {

std::string ShopStack::open_shop(const std::string& engine) {
  if (auto why = DockerFixture::unavailable(); !why.empty()) return why;
  if (!on_path(engine)) return engine + " is not on PATH";
  docker_ = std::make_unique<DockerFixture>("sidecar");
  program_ = std::make_unique<Program>(engine);
  unit_ = docker_->name("shop");
  bind_ = program_->folder / "site";
  std::filesystem::create_directories(program_->folder / "repository");
  const auto created = program_->inline_({"repository", "init"});
  if (created.exit_code != 0) throw std::runtime_error("repository init: " + created.err);
  return {};
}

void ShopStack::close_shop() {
  program_.reset();
  docker_.reset();
}

void Shop::SetUp() {
  if (const auto why = open_shop(GetParam()); !why.empty()) GTEST_SKIP() << why;
}

void OneShop::SetUp() {
  if (const auto why = open_shop(on_path("kopia") ? "kopia" : "restic"); !why.empty()) GTEST_SKIP() << why;
}

void ShopStack::make_stack(const std::string& db_command, const std::vector<std::string>& more_db_options) {
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
  db.insert(db.end(), more_db_options.begin(), more_db_options.end());
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

std::string ShopStack::inspect(const std::string& service, const std::string& field) {
  return docker_->docker({"inspect", "--format", "{{" + field + "}}", container(service)});
}

std::filesystem::path ShopStack::volume_path(const std::string& name) const {
  auto text = docker_->docker({"volume", "inspect", "--format", "{{.Mountpoint}}", docker_->name(name)});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void ShopStack::put_before_engine(const std::string& shell) {
  const auto engine = program_->environment["KOPI_DOCKA_ENGINE"], path = program_->environment["PATH"];
  const auto real = sh("command -v " + engine);
  const auto folder = program_->folder / "bin";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / engine) << "#!/bin/sh\n" << shell << "\nexec " << trim(real) << " \"$@\"\n";
  ::chmod((folder / engine).c_str(), 0700);
  program_->environment["PATH"] = folder.string() + ":" + path;
}

std::vector<nlohmann::json> ShopStack::reports() {
  std::vector<nlohmann::json> found;
  const auto result = program_->daemon_alive() ? program_->run({"history", "--limit", "500", "--json"})
                                               : program_->inline_({"history", "--limit", "500", "--json"});
  for (const auto& report : result.json()) found.push_back(report);
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace kopidocka::testing
