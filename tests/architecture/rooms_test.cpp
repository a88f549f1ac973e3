#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/checks.hpp"

namespace kopidocka::architecture {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRoot = SOURCE_DIR;

const SourceTree& program() {
  static const auto tree = read_sources(kRoot + "/src");
  return tree;
}

const std::string& page() {
  static const auto text = read_text(kRoot + "/docs/architecture.md");
  return text;
}

RoomTable built() { return rooms_of_cmake(read_text(kRoot + "/src/CMakeLists.txt")); }

TEST(Rooms, ThePageAndTheBuildNameTheSameRoomsInTheSameOrder) {
  const auto drawn = rooms_of_page(page()), made = built();
  std::vector<std::string> drawn_names, made_names;
  for (const auto& room : drawn) drawn_names.push_back(room.name);
  for (const auto& room : made) made_names.push_back(room.name);
  EXPECT_EQ(drawn_names, made_names);
}

TEST(Rooms, ThePageAndTheBuildAgreeOnWhoUsesWhom) {
  const auto drawn = rooms_of_page(page()), made = built();
  for (size_t i = 0; i < std::min(drawn.size(), made.size()); ++i)
    EXPECT_EQ(drawn[i].uses, made[i].uses) << drawn[i].name;
}

TEST(Rooms, EveryRoomUsesOnlyRoomsAboveIt) { EXPECT_THAT(check_one_way(rooms_of_page(page())), IsEmpty()); }

TEST(Rooms, EveryFolderOfTheProgramIsARoom) {
  EXPECT_THAT(check_folders(program(), rooms_of_page(page())), IsEmpty());
}

TEST(Rooms, EveryIncludeStaysWithinTheTable) {
  EXPECT_THAT(check_room_includes(program(), rooms_of_page(page())), IsEmpty());
}

TEST(Rooms, LibrariesStayWhereThePageSays) {
  EXPECT_THAT(check_headers(program(), header_rules_of(page())), IsEmpty());
}

TEST(Rooms, PureRoomsOnlyCompute) {
  EXPECT_THAT(check_pure_rooms(program(), pure_rooms_of(page())), IsEmpty());
}

// The checks themselves, on samples that are wrong on purpose.

const std::string kSamplePage = R"(
Words before | that are no table
| Room | May include | For |
|---|---|---|
| `base` | nobody | all |
| `docker` | `base` | talks |
| `plan` | `docker` | thinks |

| Header | Only in | Why |
|---|---|---|
| `curl/` | `docker/*.cpp` | |
)";

TEST(RoomChecks, ReadTheTableOfAPage) {
  EXPECT_EQ(rooms_of_page(kSamplePage),
            (RoomTable{{"base", {}}, {"docker", {"base"}}, {"plan", {"docker"}}}));
}

TEST(RoomChecks, RefuseAPageWithoutTheTable) {
  EXPECT_THROW(rooms_of_page("| Room | Is for |\n|---|---|\n"), std::runtime_error);
}

TEST(RoomChecks, ReadTheBuildFile) {
  const auto rooms = rooms_of_cmake(
      "function(kopidocka_room name)\n"
      "kopidocka_room(base       LIBRARIES a::b)\n"
      "kopidocka_room(plan DEPENDS base docker LIBRARIES x::y)\nkopidocka_room(cli DEPENDS plan)\n");
  EXPECT_EQ(rooms, (RoomTable{{"base", {}}, {"plan", {"base", "docker"}}, {"cli", {"plan"}}}));
}

TEST(RoomChecks, SeeAnArrowThatPointsUpwards) {
  EXPECT_THAT(check_one_way({{"base", {"plan"}}, {"plan", {}}}), ElementsAre(HasSubstr("base uses plan")));
}

TEST(RoomChecks, SeeAnIncludeThatTheTableForbids) {
  const SourceTree tree = {{"base/a.hpp", "#include \"plan/p.hpp\"\n"},
                           {"plan/p.hpp", "  # include \"base/a.hpp\"\n"}};
  EXPECT_THAT(check_room_includes(tree, rooms_of_page(kSamplePage)),
              ElementsAre(HasSubstr("base may not use plan")));
}

TEST(RoomChecks, FollowTheTableOverOtherRooms) {
  const SourceTree tree = {{"base/a.hpp", ""}, {"plan/p.cpp", "#include \"base/a.hpp\"\n"}};
  EXPECT_THAT(check_room_includes(tree, rooms_of_page(kSamplePage)), IsEmpty());
}

TEST(RoomChecks, SeeAnIncludeOfAFileThatIsNotThereOrNotFromTheRoot) {
  const SourceTree tree = {{"plan/p.cpp", "#include \"base/gone.hpp\"\n#include \"p.hpp\"\n"},
                           {"plan/p.hpp", ""}};
  EXPECT_THAT(check_room_includes(tree, rooms_of_page(kSamplePage)),
              ElementsAre(HasSubstr("does not exist"), HasSubstr("not a path from src/")));
}

TEST(RoomChecks, DoNotTakeACommentForAnInclude) {
  const SourceTree tree = {{"base/a.hpp", "// #include \"plan/p.hpp\"\n/*\n#include \"plan/p.hpp\"\n*/\n"}};
  EXPECT_THAT(check_room_includes(tree, rooms_of_page(kSamplePage)), IsEmpty());
}

TEST(RoomChecks, SeeAFolderThatIsNoRoom) {
  EXPECT_THAT(check_folders({{"misc/a.cpp", ""}}, rooms_of_page(kSamplePage)),
              ElementsAre(HasSubstr("misc/a.cpp")));
}

TEST(RoomChecks, SeeALibraryOutsideItsRoom) {
  const SourceTree tree = {{"plan/p.cpp", "#include <curl/curl.h>\n"},
                           {"docker/d.cpp", "#include <curl/curl.h>\n"}};
  EXPECT_THAT(check_headers(tree, header_rules_of(kSamplePage)), ElementsAre(HasSubstr("plan/p.cpp")));
}

TEST(RoomChecks, SeeAPureRoomThatPrints) {
  const SourceTree tree = {{"plan/p.cpp", "int n = std::snprintf(text, 3, \"x\");\nstd::printf(text);\n"}};
  EXPECT_THAT(check_pure_rooms(tree, {{"plan", {}}}), ElementsAre(HasSubstr("plan/p.cpp:2")));
}

TEST(RoomChecks, SeeAPureRoomThatReachesOut) {
  const SourceTree tree = {
      {"plan/p.cpp",
       "#include <sys/socket.h>\n#include <vector>\n#include \"plan/p.hpp\"\n#include \"docker/types.hpp\"\n"
       "#include \"docker/engine_client.hpp\"\n#include \"base/task.hpp\"\n"},
      {"docker/engine_client.hpp", "#include <sys/socket.h>\n"}};
  EXPECT_THAT(check_pure_rooms(tree, {{"plan", {"base/*", "docker/types.hpp"}}}),
              ElementsAre(HasSubstr("sys/socket.h"), HasSubstr("docker/engine_client.hpp"),
                          HasSubstr("base/task.hpp")));
}

}  // namespace
}  // namespace kopidocka::architecture
