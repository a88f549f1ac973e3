#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "docker/endpoint.hpp"

namespace kopidocka::testing {

/// What a stub sends back, byte for byte, and what it does with the connection afterwards.
struct StubAnswer {
  std::string bytes;
  bool hold = false;     ///< keep the connection open and silent
  bool hang_up = false;  ///< close it although another request could follow
};

/// A complete answer with a Content-Length.
StubAnswer http_answer(int status, const std::string& content_type, const std::string& body,
                       const std::string& headers = "");
StubAnswer json_answer(int status, const std::string& body);
StubAnswer ping_answer(const std::string& api_version);

/// A server on a unix socket (or on 127.0.0.1) that says exactly what a test wants, on the io_context of the
/// test. The target of every request is kept.
class StubEngine {
 public:
  using Script = std::function<StubAnswer(const std::string& target)>;
  struct State;

  explicit StubEngine(boost::asio::io_context& io, Script script, bool tcp = false);
  StubEngine(const StubEngine&) = delete;
  StubEngine& operator=(const StubEngine&) = delete;
  ~StubEngine();

  const Endpoint& endpoint() const;
  /// "GET /v1.41/info" and the like, in order of arrival.
  const std::vector<std::string>& requests() const;
  size_t connections() const;
  /// How many requests were for a target that contains `part`.
  size_t count(const std::string& part) const;
  /// Sends more on every held connection.
  void send(const std::string& bytes);
  void close_held();

 private:
  std::shared_ptr<State> state_;
};

}  // namespace kopidocka::testing
