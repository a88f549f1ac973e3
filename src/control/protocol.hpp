#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "base/cancel.hpp"
#include "base/exit_code.hpp"
#include "base/result.hpp"

namespace kopidocka {

// One JSON object per line. The client sends one request, then at most cancel lines; the server says at once
// that it took the request (however long the work takes, its client knows that it lives), then sends any number
// of progress lines and exactly one final line (result or error).
//   {"v":1,"verb":"backup","args":{...}}    {"cancel":true}    {"cancel":"abort"}
//   {"accepted":true}    {"progress":{...}}    {"result":...,"exit_code":0}
//   {"error":{"kind":..,"message":..,"next_step":..},"exit_code":4}

// Both have constructors because g++ 12 copies an aggregate that is built by braces inside a co_await
// expression byte by byte, strings and all.
struct ControlRequest {
  ControlRequest() = default;
  explicit ControlRequest(std::string verb, std::string args = "{}")
      : verb(std::move(verb)), args(std::move(args)) {}

  std::string verb;
  std::string args = "{}";  ///< a JSON object as text
};

struct ControlReply {
  ControlReply() = default;
  explicit ControlReply(std::string result, ExitCode exit_code = ExitCode::ok)
      : result(std::move(result)), exit_code(exit_code) {}

  std::string result = "null";  ///< any JSON value as text
  ExitCode exit_code = ExitCode::ok;
};

std::string encode_request(const ControlRequest& request);
std::string encode_accepted();
std::string encode_cancel(CancelGrade grade);
std::string encode_progress(const std::string& progress);
std::string encode_reply(const ControlReply& reply);
std::string encode_error(const Error& error);

/// Refuses unknown keys and other protocol versions: both ends belong to the same program.
Result<ControlRequest> decode_request(std::string_view line);
/// none when the line is not a cancel line.
CancelGrade decode_cancel(std::string_view line);

/// What a line of the server means; an error line comes back as the Error itself. Neither: the request was taken.
struct ControlLine {
  std::optional<std::string> progress;
  std::optional<ControlReply> reply;
};
Result<ControlLine> decode_line(std::string_view line);

}  // namespace kopidocka
