#include "labels/words.hpp"

#include <gtest/gtest.h>

namespace kopidocka {

using Words = std::vector<std::string>;

TEST(Words, AreSplitAtSpacesOnly) {
  EXPECT_EQ(split_words("pg_dump  -U  shop ").value(), (Words{"pg_dump", "-U", "shop"}));
  EXPECT_EQ(split_words("").value(), Words{});
}

TEST(Words, KnowQuotesAndBackslash) {
  EXPECT_EQ(split_words(R"(a 'b "c' "d 'e" f\ g '' \')").value(), (Words{"a", "b \"c", "d 'e", "f g", "", "'"}));
  EXPECT_EQ(split_words(R"("say \"hi\" \\ \n" x'y z'w)").value(), (Words{"say \"hi\" \\ \\n", "xy zw"}));
}

TEST(Words, NeverMeetAShell) {
  EXPECT_EQ(split_words("echo $HOME `id` $(id) ~ *.sql a;b a|b").value(),
            (Words{"echo", "$HOME", "`id`", "$(id)", "~", "*.sql", "a;b", "a|b"}));
}

TEST(Words, RefuseWhatOnlyAShellUnderstands) {
  for (const auto* text : {"pg_dump shop > /tmp/x", "a | b", "a && b", "a ; b", "a 2>&1"}) {
    EXPECT_FALSE(split_words(text)) << text;
  }
  EXPECT_EQ(split_words("sh -c 'a | b > c'").value(), (Words{"sh", "-c", "a | b > c"}));
  EXPECT_EQ(split_words("grep '|' file").value(), (Words{"grep", "|", "file"}));
}

TEST(Words, RefuseOpenQuotesAndALonelyBackslash) {
  for (const auto* text : {"a 'b", "a \"b", "a \\", "\"a\\\""}) EXPECT_FALSE(split_words(text)) << text;
}

TEST(Argv, MayBeAJsonArray) {
  EXPECT_EQ(parse_argv(R"(["redis-cli", "", "a | b"])").value(), (Words{"redis-cli", "", "a | b"}));
  EXPECT_EQ(parse_argv(R"(["|"])").value(), (Words{"|"}));
  for (const auto* text : {"[", "[1]", R"(["a", null])", R"(["a)", R"(["a\u0000b"])", R"(["a\nb"])", R"([["a"]])"}) {
    EXPECT_FALSE(parse_argv(text)) << text;
  }
}

TEST(Lists, AreSeparatedByCommas) {
  EXPECT_EQ(parse_list(" a, b c ,d").value(), (Words{"a", "b c", "d"}));
  EXPECT_EQ(parse_list(R"(["a, b", "c"])").value(), (Words{"a, b", "c"}));
  EXPECT_EQ(parse_list("[ab]*, c").value(), (Words{"[ab]*", "c"}));
  for (const auto* text : {"", ",", "a,", "a,,b", "[]", R"([""])", R"(["a",)"}) EXPECT_FALSE(parse_list(text)) << text;
}

TEST(PlainText, IsUtf8WithoutControlCharacters) {
  EXPECT_TRUE(plain_text("Größe 大"));
  EXPECT_TRUE(plain_text(""));
  EXPECT_TRUE(plain_text(std::string(100'000, 'x')));
  for (const auto* text : {"a\n", "\t", "\x7f", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xc2\x85"}) EXPECT_FALSE(plain_text(text)) << text;
}

}  // namespace kopidocka
