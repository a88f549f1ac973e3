#include "worker/worker_main.hpp"

#include <chrono>
#include <istream>
#include <optional>
#include <ostream>

#include "base/text.hpp"
#include "worker/clone.hpp"
#include "worker/codec.hpp"
#include "worker/hex.hpp"
#include "worker/look.hpp"
#include "worker/place.hpp"
#include "worker/settle.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

std::vector<std::string> paths_of(const json& request, const char* name = "paths") {
  const auto& list = request.at(name);
  if (!list.is_array() || list.size() > kPathsLimit) {
    throw Error{ErrorKind::invalid, std::string(name) + " must be a list, not too long"};
  }
  std::vector<std::string> paths;
  for (size_t i = 0; i < list.size(); ++i) paths.push_back(checked_path(json{{"path", list[i]}}, "path"));
  return paths;
}

json probe(const json& request) {
  json answer = json::array();
  for (const auto& path : paths_of(request)) answer.push_back(probe_path(path));
  return answer;
}

json usage(const json& request) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(request.at("limit_ms").get<std::uint32_t>());
  json answer = json::array();
  for (const auto& path : paths_of(request)) answer.push_back(measure_tree(path, until));
  return answer;
}

json read_files(const json& request) {
  const auto& list = request.at("files");
  if (!list.is_array() || list.size() > kPathsLimit) throw Error{ErrorKind::invalid, "files must be a list, not too long"};
  json answer = json::array();
  size_t total = 0;
  for (const auto& entry : list) {
    auto wanted = entry.get<FileWanted>();
    wanted.limit = std::min(wanted.limit, kContentLimit - total);
    auto file = read_user_file(wanted);
    total += file.content.size();
    answer.push_back(file);
  }
  return answer;
}

json find_files(const json& request) {
  json answer = json::array();
  for (const auto& path : find_user_files(paths_of(request), paths_of(request, "patterns"))) answer.push_back(to_hex(path));
  return answer;
}

json drop_clone_of(const json& request) {
  drop_clone(request.at("clone").get<CloneRequest>());
  return nullptr;
}

json carry_out(const json& request) {
  const auto operation = request.at("operation").get<std::string>();
  if (operation == "probe") return probe(request);
  if (operation == "usage") return usage(request);
  if (operation == "read_files") return read_files(request);
  if (operation == "find_files") return find_files(request);
  if (operation == "prepare_place") return prepare_place(request.at("place").get<PlaceRequest>());
  if (operation == "swap_in") return swap_in(request.at("place").get<Place>());
  if (operation == "swap_back") return swap_back(request.at("place").get<Place>());
  if (operation == "discard") return discard(request.at("place").get<Place>(), discard_from(request.at("what")));
  if (operation == "state") return state_of(request.at("place").get<Place>());
  if (operation == "can_clone") return can_clone(request.at("clone").get<CloneRequest>());
  if (operation == "clone_tree") return clone_tree(request.at("clone").get<CloneRequest>());
  if (operation == "drop_clone") return drop_clone_of(request);
  if (operation == "settle") return settle(checked_path(request, "path"));
  if (operation == "touched") {
    const auto looked = request.at("beforehand").get<bool>() ? Looked::beforehand : Looked::held;
    return touched_since(request.at("settled").get<Settled>(), request.at("limit").get<size_t>(), looked);
  }
  throw Error{ErrorKind::invalid, "unknown operation " + printable(operation, 80)};
}

std::optional<json> read_request(std::istream& in) {
  std::string text;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(in.gcount()));
    if (text.size() > kRequestLimit) return std::nullopt;
  }
  auto request = json::parse(text, nullptr, false);
  if (!request.is_object()) return std::nullopt;
  return request;
}

int answer(std::ostream& out, const json& text, int code) {
  // Names on disk need not be UTF-8; in an error text a replaced letter is good enough.
  out << text.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
  return out ? code : 2;
}

int refuse(std::ostream& out, const Error& error, int code) { return answer(out, {{"error", error_to_json(error)}}, code); }

}  // namespace

int worker_main(std::istream& in, std::ostream& out) {
  const auto request = read_request(in);
  if (!request) return refuse(out, {ErrorKind::invalid, "the worker's request is not a JSON object of a sane size"}, 2);
  try {
    return answer(out, {{"answer", carry_out(*request)}}, 0);
  } catch (const json::exception& error) {
    return refuse(out, {ErrorKind::invalid, std::string("the worker's request is malformed: ") + error.what()}, 2);
  } catch (const std::exception&) {
    return refuse(out, to_error(std::current_exception()), 1);
  }
}

}  // namespace kopidocka
