#include "docker/self.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

const std::string kId = "4f1c0b2a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a";
const std::string kOther = "00000000000000000000000000000000000000000000000000000000000000aa";

std::string docker_mounts(const std::string& id, const std::string& folder = "/var/lib/docker") {
  return "1563 1438 0:52 / / ro,relatime master:301 - overlay overlay rw,lowerdir=/x,upperdir=" + folder +
         "/overlay2/77/diff\n"
         "1564 1563 0:55 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
         "1570 1563 254:1 " +
         folder + "/containers/" + id +
         "/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw\n"
         "1571 1563 254:1 " +
         folder + "/containers/" + id +
         "/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw\n"
         "1572 1563 254:1 " +
         folder + "/containers/" + id +
         "/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw\n"
         "1573 1563 254:1 " +
         folder + "/volumes/state/_data /var/lib/kopi-docka rw,relatime - ext4 /dev/vda1 rw\n";
}

TEST(OwnContainer, IsFoundInDocker) { EXPECT_EQ(container_id_from_mountinfo(docker_mounts(kId)), kId); }

TEST(OwnContainer, IsFoundWhenDockersFolderIsElsewhereOrAMountOfItsOwn) {
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts(kId, "/srv/my data/docker")), std::nullopt)
      << "a blank is written as \\040";
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts(kId, "/srv/my\\040data/docker")), kId);
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts(kId, "")), kId);
}

TEST(OwnContainer, IsFoundInPodman) {
  const auto text = "812 790 0:25 /containers/storage/overlay-containers/" + kId +
                    "/userdata/hostname /etc/hostname rw,nosuid,nodev - tmpfs tmpfs rw\n"
                    "813 790 0:25 /containers/storage/overlay-containers/" +
                    kId + "/userdata/hosts /etc/hosts rw,nosuid,nodev - tmpfs tmpfs rw\n";
  EXPECT_EQ(container_id_from_mountinfo(text), kId);
}

TEST(OwnContainer, IsUnknownUnderContainerdAndKubernetes) {
  const auto text = "911 900 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/" + kId +
                    "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
                    "912 900 8:1 /var/lib/kubelet/pods/2b0c5c3e-8e51-4a37-9d51-0c2f1f1f2f3f/etc-hosts "
                    "/etc/hosts rw,relatime - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(container_id_from_mountinfo(text), std::nullopt);
}

TEST(OwnContainer, IsUnknownOnAHostThatRunsContainers) {
  const auto text =
      "22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw\n28 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
      "801 28 0:52 / /var/lib/docker/overlay2/77/merged rw,relatime - overlay overlay rw\n"
      "802 28 0:53 / /var/lib/docker/containers/" +
      kId + "/mounts/shm rw - tmpfs shm rw\n";
  EXPECT_EQ(container_id_from_mountinfo(text), std::nullopt);
}

TEST(OwnContainer, IsNotTakenFromFilesOfOthersMountedElsewhere) {
  const auto text =
      "9 8 8:1 /var/lib/docker/containers/" + kOther + "/hostname /backup/hostname rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(container_id_from_mountinfo(text), std::nullopt);
  EXPECT_EQ(container_id_from_mountinfo(text + docker_mounts(kId)), kId);
}

TEST(OwnContainer, IsUnknownWhenTheFilesDisagree) {
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts(kId) + docker_mounts(kOther)), std::nullopt);
}

TEST(OwnContainer, IsNotTakenFromAnythingThatOnlyLooksLikeAnId) {
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts("shop")), std::nullopt);
  EXPECT_EQ(container_id_from_mountinfo(docker_mounts(std::string(64, 'X'))), std::nullopt);
  EXPECT_EQ(container_id_from_mountinfo("garbage\n\n1 2 3\n"), std::nullopt);
}

}  // namespace
}  // namespace kopidocka
