#include "catalog/gather.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <optional>

#include "base/file.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;

template <class T>
T run(Task<T> task) {
  boost::asio::io_context context;
  std::optional<T> value;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T result) {
    failure = error;
    if (!error) value = std::move(result);
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

/// Knows one container and one network; everything else is not asked here.
class OneContainer : public Docker {
 public:
  Task<EngineInfo> info() override { co_return EngineInfo{}; }
  Task<std::vector<std::string>> list_containers() override { co_return std::vector<std::string>{}; }
  Task<Container> inspect_container(std::string) override { co_return Container{}; }
  Task<std::string> inspect_container_json(std::string id) override {
    if (id != "cid") throw Error{ErrorKind::not_found, "no such container"};
    co_return R"({"Id":"cid","Name":"/shop-web-1","Config":{"Env":["A_TOKEN=canary"],"Image":"nginx"}})";
  }
  Task<std::vector<Volume>> list_volumes() override { co_return std::vector<Volume>{}; }
  Task<std::string> inspect_network_json(std::string name) override {
    if (name != "front") throw Error{ErrorKind::not_found, "no such network"};
    co_return R"({"Name":"front"})";
  }
  Task<StateChange> stop_container(std::string, int) override { co_return StateChange::already; }
  Task<StateChange> start_container(std::string) override { co_return StateChange::already; }
  Task<StateChange> pause_container(std::string) override { co_return StateChange::already; }
  Task<StateChange> unpause_container(std::string) override { co_return StateChange::already; }
};

class Gather : public testing::Test {
 protected:
  Gather() {
    std::string name = (fs::temp_directory_path() / "kd-gather-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root = fs::canonical(name);
    Member member;
    member.container.id = "cid";
    member.container.name = "shop-web-1";
    input.unit.name = "shop";
    input.unit.members = {member};
  }
  ~Gather() override { fs::remove_all(root); }
  std::string put(const std::string& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    EXPECT_TRUE(write_file_atomically(root / name, text).has_value());
    return (root / name).string();
  }
  static RecipeFile file(const std::string& path, const std::string& local, const std::string& alternative = {}) {
    RecipeFile made;
    made.path = path;
    made.local_path = local;
    made.alternative_local_path = alternative;
    return made;
  }
  fs::path root;
  OneContainer docker;
  Worker worker{fs::read_symlink("/proc/self/exe").string()};
  RecipeInput input;
};

TEST_F(Gather, CollectsComposeEnvAndWhatLiesBesideThem) {
  input.unit.compose_files = {file("/host/compose.yml", put("shop/compose.yml", "services:"))};
  input.unit.env_files = {file("/host/web.env", put("elsewhere/web.env", "W=1")), file("/host/.env", (root / "shop/.env").string())};
  put("shop/nginx.conf", "server {}");
  put("shop/.env.prod", "P=1");
  put("shop/notes.txt", "no");
  const auto folder = run(gather_recipe(docker, worker, input, Cancel()));
  EXPECT_EQ(folder.file("compose.yml")->content, "services:");
  EXPECT_EQ(folder.file("project-files/web.env")->content, "W=1");
  EXPECT_EQ(folder.file("project-files/nginx.conf")->content, "server {}");
  EXPECT_EQ(folder.file("project-files/.env.prod")->content, "P=1");
  EXPECT_EQ(folder.file("project-files/notes.txt"), nullptr);
  EXPECT_NE(folder.file("shop-web-1_inspect.json"), nullptr);
  EXPECT_TRUE(folder.notes.empty()) << folder.notes.front() << ": a .env that does not exist is not missed";
}

TEST_F(Gather, LooksInsideAManagersVolumeWhenTheHostPathIsNothing) {
  input.unit.compose_files = {file("/data/compose/3/docker-compose.yml", (root / "nothing").string(), put("portainer/3/docker-compose.yml", "x"))};
  const auto folder = run(gather_recipe(docker, worker, input, Cancel()));
  EXPECT_EQ(folder.file("docker-compose.yml")->content, "x");
  EXPECT_TRUE(folder.notes.empty());
}

TEST_F(Gather, SaysWhatIsOutOfSight) {
  input.unit.compose_files = {file("/host/compose.yml", "")};
  input.unit.env_files = {file("/host/web.env", ""), file("/host/.env", "")};
  const auto folder = run(gather_recipe(docker, worker, input, Cancel()));
  EXPECT_EQ(folder.notes.size(), 3u) << "a .env out of sight may be there";
  EXPECT_NE(folder.file("reconstructed-compose.yaml"), nullptr);
}

TEST_F(Gather, LeavesOutANetworkThatIsGone) {
  const auto folder = run(gather_networks(docker, "shop", {"front", "gone"}, {}));
  EXPECT_NE(folder.file("networks.json")->content.find("front"), std::string::npos);
  EXPECT_EQ(folder.notes.size(), 1u);
}

TEST_F(Gather, TakesTheDaemonsConfiguration) {
  DockerConfigPaths paths;
  paths.daemon_json = put("docker/daemon.json", "{}");
  put("docker.service.d/proxy.conf", "x");
  paths.service_drop_ins = (root / "docker.service.d").string();
  const auto folder = run(gather_docker_config(worker, paths, Cancel()));
  EXPECT_NE(folder.file("daemon.json"), nullptr);
  EXPECT_NE(folder.file("docker.service.d/proxy.conf"), nullptr);
  DockerConfigPaths unseen;
  unseen.daemon_json.clear();
  unseen.service_drop_ins.clear();
  EXPECT_EQ(run(gather_docker_config(worker, unseen, Cancel())).gaps.size(), 2u);
}

}  // namespace
}  // namespace kopidocka
