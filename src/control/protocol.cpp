#include "control/protocol.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

constexpr int kProtocolVersion = 1;

std::string line(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json parse(std::string_view text) { return json::parse(text, nullptr, false); }

ErrorKind kind_from(std::string_view name) {
  static constexpr std::array kinds = {ErrorKind::usage,     ErrorKind::invalid, ErrorKind::not_found,
                                       ErrorKind::refused,   ErrorKind::busy,    ErrorKind::timeout,
                                       ErrorKind::cancelled, ErrorKind::denied,  ErrorKind::unreachable,
                                       ErrorKind::no_space,  ErrorKind::failed};
  for (const auto kind : kinds) {
    if (to_string(kind) == name) return kind;
  }
  return ErrorKind::internal;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error not_ours() {
  return {ErrorKind::usage, "the control request is not one JSON object with v, verb and args",
          "use the kopi-docka command to talk to the daemon"};
}

}  // namespace

std::string encode_request(const ControlRequest& request) {
  return line({{"v", kProtocolVersion}, {"verb", request.verb}, {"args", parse(request.args)}});
}

std::string encode_accepted() { return line({{"accepted", true}}); }

std::string encode_cancel(CancelGrade grade) {
  return grade == CancelGrade::abort_step ? line({{"cancel", "abort"}}) : line({{"cancel", true}});
}

std::string encode_progress(const std::string& progress) {
  auto value = parse(progress);
  if (value.is_discarded()) value = printable(progress);
  return line({{"progress", std::move(value)}});
}

std::string encode_reply(const ControlReply& reply) {
  auto result = parse(reply.result);
  if (result.is_discarded()) return encode_error({ErrorKind::internal, "the daemon's answer is not JSON"});
  return line({{"result", std::move(result)}, {"exit_code", static_cast<int>(reply.exit_code)}});
}

std::string encode_error(const Error& error) {
  return line(
      {{"error",
        {{"kind", to_string(error.kind())}, {"message", error.text()}, {"next_step", error.next_step()}}},
       {"exit_code", static_cast<int>(exit_code_for(error.kind()))}});
}

Result<ControlRequest> decode_request(std::string_view text) {
  const auto object = parse(text);
  if (!object.is_object()) return not_ours();
  const auto version = object.find("v");
  if (version == object.end() || *version != kProtocolVersion) {
    return Error{ErrorKind::refused, "this command and the daemon are of different versions",
                 "run the kopi-docka command of the daemon's own container"};
  }
  for (const auto& [key, value] : object.items()) {
    if (key != "v" && key != "verb" && key != "args") return not_ours();
  }
  ControlRequest request;
  request.verb = text_of(object, "verb");
  if (request.verb.empty()) return not_ours();
  if (const auto args = object.find("args"); args != object.end()) {
    if (!args->is_object()) return not_ours();
    request.args = args->dump();
  }
  return request;
}

CancelGrade decode_cancel(std::string_view text) {
  const auto object = parse(text);
  if (!object.is_object() || !object.contains("cancel")) return CancelGrade::none;
  const auto& cancel = object.at("cancel");
  if (cancel == "abort") return CancelGrade::abort_step;
  return cancel == true ? CancelGrade::finish_step : CancelGrade::none;
}

Result<ControlLine> decode_line(std::string_view text) {
  const auto object = parse(text);
  if (object.is_object()) {
    if (const auto error = object.find("error"); error != object.end() && error->is_object()) {
      return Error{kind_from(text_of(*error, "kind")), text_of(*error, "message"),
                   text_of(*error, "next_step")};
    }
    ControlLine line;
    if (object.contains("accepted")) return line;
    if (const auto progress = object.find("progress"); progress != object.end()) {
      line.progress = progress->dump();
      return line;
    }
    const auto result = object.find("result");
    const auto code = object.find("exit_code");
    if (result != object.end() && code != object.end() && code->is_number_integer()) {
      line.reply = ControlReply{result->dump(), static_cast<ExitCode>(code->get<int>())};
      return line;
    }
  }
  return Error{ErrorKind::internal, "the daemon answered something that is not part of the control protocol",
               "check that the command and the daemon are of the same version"};
}

}  // namespace kopidocka
