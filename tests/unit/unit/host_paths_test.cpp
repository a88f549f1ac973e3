#include "unit/host_paths.hpp"

#include <gtest/gtest.h>

#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;

HostPaths through(std::vector<Mount> mounts) {
  Container self;
  self.mounts = std::move(mounts);
  return HostPaths::in_container(self);
}

std::string local(const HostPaths& paths, const std::string& host) {
  const auto found = paths.local(host);
  return found ? found->path : "(not seen)";
}

TEST(HostPaths, OnAHostBothSidesAreTheSame) {
  const auto paths = HostPaths::on_host();
  EXPECT_EQ(local(paths, "/srv/x"), "/srv/x");
  EXPECT_EQ(paths.host("/srv/x"), "/srv/x");
  EXPECT_EQ(paths.mount_of("/srv/x"), nullptr);
  EXPECT_FALSE(paths.inside_container());
}

TEST(HostPaths, TranslateThroughTheLongestMount) {
  const auto paths = through({bind_mount("/srv", "/host/srv", false), bind_mount("/srv/fast", "/fast")});
  EXPECT_EQ(local(paths, "/srv"), "/host/srv");
  EXPECT_EQ(local(paths, "/srv/app/data"), "/host/srv/app/data");
  EXPECT_EQ(local(paths, "/srv/fast/db"), "/fast/db");
  EXPECT_FALSE(paths.local("/srv/app")->writable);
  EXPECT_TRUE(paths.local("/srv/fast/db")->writable);
  EXPECT_EQ(paths.host("/host/srv/app"), "/srv/app");
  EXPECT_EQ(paths.host("/elsewhere"), std::nullopt);
}

TEST(HostPaths, CompareWholeComponents) {
  const auto paths = through({bind_mount("/srv", "/srv")});
  EXPECT_EQ(local(paths, "/srv2/data"), "(not seen)");
  EXPECT_EQ(local(paths, "/sr"), "(not seen)");
  EXPECT_EQ(local(paths, ""), "(not seen)");
  EXPECT_EQ(paths.host("/srv2"), std::nullopt);
  EXPECT_TRUE(is_within("/srv/a", "/srv"));
  EXPECT_TRUE(is_within("/srv", "/srv"));
  EXPECT_FALSE(is_within("/srv2", "/srv"));
  EXPECT_FALSE(is_within("/srv", "/srv/a"));
  EXPECT_FALSE(is_within("relative", "/"));
}

TEST(HostPaths, TheRootMayBeMountedOrBeTheTarget) {
  const auto paths = through({bind_mount("/", "/host", false)});
  EXPECT_EQ(local(paths, "/"), "/host");
  EXPECT_EQ(local(paths, "/srv/x"), "/host/srv/x");
  EXPECT_EQ(paths.host("/host/srv"), "/srv");
  EXPECT_EQ(paths.host("/host"), "/");
}

TEST(HostPaths, APlaceHiddenByAnotherMountOfOursIsNotTakenForTheData) {
  const auto other = through({bind_mount("/srv", "/host"), bind_mount("/other", "/host/app")});
  EXPECT_EQ(local(other, "/srv/app/db"), "(not seen)");
  EXPECT_EQ(local(other, "/srv/web"), "/host/web");
  Mount memory;
  memory.type = "tmpfs";
  memory.destination = "/host/app";
  EXPECT_EQ(local(through({bind_mount("/srv", "/host"), memory}), "/srv/app"), "(not seen)");
  EXPECT_EQ(local(through({bind_mount("/srv", "/host"), bind_mount("/other", "/host/app"), bind_mount("/", "/all")}), "/srv/app"), "/all/srv/app");
}

TEST(HostPaths, AMountNestedInItsOwnKindIsSeen) {
  const auto paths = through({bind_mount("/srv", "/srv"), bind_mount("/srv/app", "/srv/app", false)});
  EXPECT_EQ(local(paths, "/srv/app/x"), "/srv/app/x");
  EXPECT_FALSE(paths.local("/srv/app/x")->writable);
}

TEST(HostPaths, OfTwoEqualMountsTheWritableOneIsTaken) {
  const auto paths = through({bind_mount("/srv", "/read", false), bind_mount("/srv", "/write")});
  EXPECT_EQ(local(paths, "/srv/x"), "/write/x");
}

TEST(HostPaths, DotsInAPathCannotLeadOutOfAMount) {
  const auto paths = through({bind_mount("/srv", "/srv")});
  EXPECT_EQ(local(paths, "/srv/../etc/shadow"), "(not seen)");
  EXPECT_EQ(local(paths, "/etc/../srv/x"), "/srv/x");
}

TEST(HostPaths, ATmpfsHasNoPlaceOnTheHost) {
  Mount memory;
  memory.type = "tmpfs";
  memory.destination = "/var/lib/kopi-docka";
  EXPECT_EQ(through({bind_mount("/srv/lib", "/var/lib"), memory}).host("/var/lib/kopi-docka/x"), std::nullopt);
}

TEST(HostPaths, OneLineShowsAllVolumesWhereverDockerKeepsThem) {
  EXPECT_EQ(line_to_see("/var/lib/docker/volumes/shop_db/_data"), "/var/lib/docker/volumes:/var/lib/docker/volumes");
  EXPECT_EQ(line_to_see("/data/docker/volumes/shop_db/_data"), "/data/docker/volumes:/data/docker/volumes");
  EXPECT_EQ(line_to_see("/srv/app"), "/srv/app:/srv/app");
}

TEST(HostPaths, OfAnotherMachineMeanNothingHere) {
  const auto paths = HostPaths::nothing_visible("the engine is on another machine");
  EXPECT_EQ(local(paths, "/srv/x"), "(not seen)");
  EXPECT_EQ(paths.host("/srv/x"), std::nullopt);
  EXPECT_EQ(paths.nothing_visible_because(), "the engine is on another machine");
}

TEST(HostInternal, IsWhatDockerKeepsWhereverItsFolderIs) {
  for (const auto* path : {"/data/docker", "/data/docker/overlay2/x", "/data/docker/volumes/a/_data", "/data/docker/containers"}) {
    EXPECT_TRUE(is_dockers_own(path, "/data/docker")) << path;
  }
  for (const auto* path : {"/data/docker/app", "/data/docker2", "/data", "/data/docker/overlay2x"}) {
    EXPECT_FALSE(is_dockers_own(path, "/data/docker")) << path;
  }
  EXPECT_FALSE(is_dockers_own("/volumes/x", "/"));
  EXPECT_FALSE(is_dockers_own("/volumes/x", ""));
}

TEST(HostInternal, IsTheListOfTheOriginalByWholeComponents) {
  for (const auto* path : {"/", "", "/proc", "/sys/fs", "/dev/dri", "/run/docker.sock", "/var/run/x", "/etc/localtime", "/usr/share",
                           "/bin", "/sbin", "/lib", "/lib64", "/boot", "/var/lib/docker", "/var/lib/docker/volumes/x/_data", "/var/log",
                           "/home/me/docker.sock", "/run/user/1000/podman/podman.sock"}) {
    EXPECT_TRUE(is_host_internal(path)) << path;
  }
  for (const auto* path : {"/srv", "/etcetera", "/home/me", "/var/lib/dockerx", "/library", "/opt/dev", "/var/lib/app", "/mnt"}) {
    EXPECT_FALSE(is_host_internal(path)) << path;
  }
}

}  // namespace
}  // namespace kopidocka
