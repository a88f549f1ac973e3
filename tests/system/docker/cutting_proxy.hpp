#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "docker/endpoint.hpp"

namespace kopidocka::testing {

/// Stands between a client and the real Docker socket, on the test's io_context: forwards bytes, cuts
/// connections when told, and answers chosen calls as a socket proxy does that denies them.
class CuttingProxy {
 public:
  struct State;

  explicit CuttingProxy(boost::asio::io_context& io, bool tcp = false);
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy();

  const Endpoint& endpoint() const;
  /// Ends every connection that is open now.
  void cut();
  /// Requests whose first line contains `part` get a 403 page from now on.
  void deny(const std::string& part);
  size_t connections() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace kopidocka::testing
