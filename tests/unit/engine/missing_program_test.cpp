#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "engine/program.hpp"
#include "support/run_task.hpp"

namespace kopidocka {
namespace {

Task<std::optional<ErrorKind>> kind_of_running(EngineProgram program) {
  try {
    ProgramCall call;
    call.doing = "ask for the version";
    call.args = {"--version"};
    (void)co_await program.run(call, Cancel());
  } catch (const Error& error) {
    co_return error.kind();
  }
  co_return std::nullopt;
}

TEST(MissingProgram, IsNotTakenForAMissingRepository) {
  boost::asio::io_context io;
  EngineProgram program("kopia-of-nowhere", {"PATH=/nowhere"}, Secret(), Milliseconds(100));
  EXPECT_EQ(testing::run_task(io, kind_of_running(std::move(program))), ErrorKind::refused);
}

}  // namespace
}  // namespace kopidocka
