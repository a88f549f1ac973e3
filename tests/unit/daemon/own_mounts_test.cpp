#include "daemon/own_mounts.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

const std::string kRoot = "600 500 0:50 / / rw - overlay overlay rw\n";

Survival at(const std::string& path, const std::string& lines) { return survives_container(kRoot + lines, path); }

TEST(OwnMounts, ThePathMustLieOnAMountOfItsOwn) {
  const std::string state = "601 600 8:1 /var/lib/docker/volumes/state/_data /var/lib/kopi-docka rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(at("/var/lib/kopi-docka", state), Survival::yes);
  EXPECT_EQ(at("/var/lib/kopi-docka/deeper", state), Survival::yes);
  EXPECT_EQ(at("/var/lib/kopi-docka-cache", state), Survival::own_layer);
  EXPECT_EQ(at("/repository", state), Survival::own_layer);
  EXPECT_EQ(survives_container("", "/repository"), Survival::own_layer);
}

TEST(OwnMounts, ATmpfsDoesNotSurviveAndTheTopmostMountCounts) {
  const std::string below = "601 600 8:1 /srv /srv rw - ext4 /dev/sda1 rw\n";
  EXPECT_EQ(at("/srv/state", below), Survival::yes);
  EXPECT_EQ(at("/srv/state", below + "602 601 0:60 / /srv rw - tmpfs tmpfs rw\n"), Survival::own_layer);
  EXPECT_EQ(at("/srv/state", "602 601 0:60 / /srv rw - tmpfs tmpfs rw\n" + below), Survival::yes);
}

TEST(OwnMounts, AVolumeWithoutANameIsNotFoundAgain) {
  const std::string id(64, 'a');
  EXPECT_EQ(at("/state", "601 600 8:1 /var/lib/docker/volumes/" + id + "/_data /state rw shared:1 - ext4 /dev/sda1 rw\n"),
            Survival::anonymous);
}

TEST(OwnMounts, BlanksOfPathsAreRead) {
  EXPECT_EQ(at("/my state/x", "601 600 8:1 /a\\040b /my\\040state rw - ext4 /dev/sda1 rw\n"), Survival::yes);
}

}  // namespace
}  // namespace kopidocka
