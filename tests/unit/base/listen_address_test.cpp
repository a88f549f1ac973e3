#include "base/listen_address.hpp"

#include <gtest/gtest.h>

#include "base/exit_code.hpp"
#include "support/generated_page.hpp"

namespace kopidocka {

TEST(ListenAddress, ReadsTheFormsPeopleWrite) {
  EXPECT_EQ(*parse_listen_address(":9464"), (ListenAddress{"", 9464, false}));
  EXPECT_EQ(*parse_listen_address("127.0.0.1:80"), (ListenAddress{"127.0.0.1", 80, false}));
  EXPECT_EQ(*parse_listen_address("[::1]:9464"), (ListenAddress{"::1", 9464, false}));
  EXPECT_EQ(*parse_listen_address("localhost:0"), (ListenAddress{"localhost", 0, false}));
  EXPECT_TRUE(parse_listen_address("off")->off);
}

TEST(ListenAddress, RefusesWhatCannotBeListenedOn) {
  for (const auto* text : {"", "9464", ":", ":65536", ":-1", ":94 64", "::1:9464", "[::1:9464", "[]:1",
                           "a b:1", "http://x:1", "x\n:1", "OFF"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(ExitCode, FollowsTheKindOfError) {
  EXPECT_EQ(exit_code_for(ErrorKind::usage), ExitCode::usage);
  EXPECT_EQ(exit_code_for(ErrorKind::refused), ExitCode::refused);
  EXPECT_EQ(exit_code_for(ErrorKind::unreachable), ExitCode::unreachable);
  EXPECT_EQ(exit_code_for(ErrorKind::cancelled), ExitCode::interrupted);
  EXPECT_EQ(exit_code_for(ErrorKind::no_space), ExitCode::failed);
}

TEST(ExitCode, TheWorstOfSeveralUnitsCounts) {
  EXPECT_EQ(worse(ExitCode::ok, ExitCode::refused), ExitCode::refused);
  EXPECT_EQ(worse(ExitCode::refused, ExitCode::partial), ExitCode::partial);
  EXPECT_EQ(worse(ExitCode::failed, ExitCode::partial), ExitCode::failed);
  EXPECT_EQ(worse(ExitCode::ok, ExitCode::ok), ExitCode::ok);
}

TEST(ExitCode, TheDocumentedPageIsTheGeneratedOne) {
  expect_generated_page("exit-codes.md", exit_codes_markdown());
}

}  // namespace kopidocka
