#include "engine/kopia/kopia_listing.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kSizeWidth = 12, kIdWidth = 34;
constexpr std::string_view kTimeForm = "dddd-dd-dd dd:dd:dd UTC ";
/// What Kopia puts in the place of bytes that are no UTF-8.
constexpr std::string_view kReplaced = "\xEF\xBF\xBD";

/// Takes pieces off the front of a line; once something is missing, nothing more fits.
class Pieces {
 public:
  explicit Pieces(std::string_view line) : rest_(line) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }
  void fail() { ok_ = false; }

  std::string_view take(size_t count) {
    ok_ = ok_ && rest_.size() >= count;
    if (!ok_) return {};
    const auto piece = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return piece;
  }
  std::string_view word() { return take(std::min(rest_.find(' '), rest_.size())); }
  void spaces(size_t count) {
    if (take(count).find_first_not_of(' ') != std::string_view::npos) fail();
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// As Go writes a mode: type, setuid, setgid and sticky as letters, "-" when there is none, then the permissions.
KopiaEntry::Kind take_kind(Pieces& line) {
  const auto mode = line.word();
  constexpr size_t kPermissions = 9;
  if (mode.size() <= kPermissions) line.fail();
  if (!line.ok()) return {};
  auto letters = mode.substr(0, mode.size() - kPermissions);
  if (mode.substr(letters.size()).find_first_not_of("rwx-") != std::string_view::npos) line.fail();
  auto kind = KopiaEntry::Kind::file;
  if (letters.front() == 'd' || letters.front() == 'L') {
    kind = letters.front() == 'd' ? KopiaEntry::Kind::folder : KopiaEntry::Kind::link;
    letters.remove_prefix(1);
  } else if (letters == "-") {
    letters.remove_prefix(1);
  }
  if (letters.find_first_not_of("ugt") != std::string_view::npos) line.fail();
  return kind;
}

template <class Number>
Number number_of(Pieces& line, std::string_view text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (!line.ok() || error != std::errc() || stop != end) line.fail();
  return number;
}

std::uint64_t take_size(Pieces& line) {
  line.spaces(1);
  const auto padding = std::min(line.rest().find_first_not_of(' '), line.rest().size());
  line.spaces(padding);
  const auto digits = line.word();
  if (padding + digits.size() != std::max(kSizeWidth, digits.size())) line.fail();
  return number_of<std::uint64_t>(line, digits);
}

std::int64_t take_time(Pieces& line) {
  line.spaces(1);
  const auto text = line.take(kTimeForm.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kTimeForm[i] == 'd' ? !digit : text[i] != kTimeForm[i]) line.fail();
  }
  if (!line.ok()) return 0;
  namespace chrono = std::chrono;
  const auto part = [&](size_t at, size_t count) { return number_of<unsigned>(line, text.substr(at, count)); };
  const chrono::year_month_day day(chrono::year(static_cast<int>(part(0, 4))), chrono::month(part(5, 2)), chrono::day(part(8, 2)));
  if (!day.ok()) line.fail();
  if (!line.ok()) return 0;
  return chrono::duration_cast<chrono::seconds>(chrono::sys_days(day).time_since_epoch()).count() + part(11, 2) * 3'600 + part(14, 2) * 60 +
         part(17, 2);
}

std::string take_id(Pieces& line) {
  const auto id = line.word();
  const bool plain = std::all_of(id.begin(), id.end(), [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  });
  if (!plain || id.empty()) line.fail();
  // A name may begin with a space of its own.
  line.spaces(std::max(kIdWidth, id.size()) - id.size() + 1);
  return std::string(id);
}

}  // namespace

std::vector<std::string> kopia_listing_args(const std::string& snapshot_id) {
  return {"list", "--long", "--recursive", "--show-object-id", "--no-error-summary", "--timezone=utc", snapshot_id};
}

Result<KopiaEntry> parse_kopia_entry(const std::string& line) {
  Pieces pieces(line);
  KopiaEntry entry;
  entry.kind = take_kind(pieces);
  entry.size = take_size(pieces);
  entry.mtime_second = take_time(pieces);
  entry.object_id = take_id(pieces);
  auto name = pieces.rest();
  const bool folder = entry.kind == KopiaEntry::Kind::folder;
  if (name.ends_with('/') != folder) pieces.fail();
  if (folder && pieces.ok()) name.remove_suffix(1);
  if (name.empty() || name.find(kReplaced) != std::string_view::npos) pieces.fail();
  entry.path = name;
  if (pieces.ok()) return entry;
  return Error{ErrorKind::refused, "an entry of the warm snapshot cannot be told from others: " + printable(line, 300)};
}

}  // namespace kopidocka
