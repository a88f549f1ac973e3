#include <gtest/gtest.h>

#include <filesystem>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/duration.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace kopidocka {

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_duration("90s").value(), Milliseconds(90'000));
  EXPECT_EQ(parse_duration("1h30m").value(), Milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("250ms").value(), Milliseconds(250));
  EXPECT_EQ(parse_duration("0").value(), Milliseconds(0));
}

TEST(Duration, RefusesWhatIsNotOne) {
  for (const auto* text : {"", "5", "-5s", "5 s", "s", "5x", "99999999999999999999s", "1h-1m", "400000d"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Duration, PrintsTheShortestForm) {
  EXPECT_EQ(format_duration(Milliseconds(5'400'000)), "1h30m");
  EXPECT_EQ(format_duration(Milliseconds(1'234)), "1.2s");
  EXPECT_EQ(format_duration(Milliseconds(0)), "0s");
}

TEST(Error, TellsTheOutermostContextFirst) {
  const auto error = Error(ErrorKind::timeout, "timed out", "look at its log").in("stop db").in("unit shop");
  EXPECT_EQ(error.text(), "unit shop: stop db: timed out");
  EXPECT_STREQ(error.what(), "unit shop: stop db: timed out (look at its log)");
}

TEST(Clock, RoundTripsMicroseconds) {
  const std::string text = "2026-11-22T20:30:01.035805+00:00";
  EXPECT_EQ(to_iso8601(from_iso8601(text)), text);
  EXPECT_EQ(from_iso8601("2026-11-22T21:30:01.035805123+01:00"), from_iso8601("2026-11-22T20:30:01.035805123Z"));
  EXPECT_EQ(from_iso8601("2026-11-22T20:30:01"), from_iso8601("2026-11-22T20:30:01Z"));
  EXPECT_EQ(from_iso8601("yesterday"), TimePoint{});
}

TEST(Text, NamesCannotForgeLogLines) {
  EXPECT_EQ(printable("a\nb\x1b[31m\xff"), "a\\x0ab\\x1b[31m\\xff");
  EXPECT_EQ(printable("Größe"), "Größe");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
}

TEST(Text, FindsTheNameThatWasMeant) {
  EXPECT_EQ(nearest("shedule", {"schedule", "scope", "stop"}), "schedule");
  EXPECT_EQ(nearest("entirely-different", {"schedule", "scope"}), "");
}

TEST(Text, PasswordsAreLongAndDiffer) {
  EXPECT_EQ(make_password(40).size(), 40u);
  EXPECT_NE(make_password(40), make_password(40));
}

TEST(File, ReplacesAWholeFileAndKeepsItsMode) {
  const auto folder = std::filesystem::temp_directory_path() / make_uuid();
  ASSERT_TRUE(make_private_folder(folder).has_value());
  ASSERT_TRUE(write_file_atomically(folder / "a", "one").has_value());
  ASSERT_TRUE(write_file_atomically(folder / "a", "two").has_value());
  EXPECT_EQ(read_file(folder / "a").value(), "two");
  EXPECT_EQ(std::filesystem::status(folder / "a").permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_FALSE(read_file(folder / "a", 2).has_value());
  std::filesystem::remove_all(folder);
}

TEST(Cancel, AbortCallsEachSubscriberOnceAndFinishStepCallsNone) {
  Cancel cancel;
  int called = 0;
  {
    const auto gone = cancel.on_abort([&] { called += 100; });
  }
  const auto kept = cancel.on_abort([&] { ++called; });
  cancel.request(CancelGrade::finish_step);
  EXPECT_EQ(called, 0);
  EXPECT_THROW(cancel.throw_if_requested(), Error);
  cancel.request(CancelGrade::abort_step);
  cancel.request(CancelGrade::abort_step);
  EXPECT_EQ(called, 1);
}

}  // namespace kopidocka
