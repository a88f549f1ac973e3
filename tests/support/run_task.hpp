#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.hpp"

namespace kopidocka::testing {

/// Runs `task` on `io` until it has ended, whatever else still waits there; returns its value or rethrows its
/// error.
template <class T>
T run_task(boost::asio::io_context& io, Task<T> task) {
  std::optional<T> value;
  std::exception_ptr error;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure, T result) {
    error = failure;
    if (!failure) value = std::move(result);
    io.stop();
  });
  io.restart();
  io.run();
  if (error) std::rethrow_exception(error);
  if (!value) throw std::logic_error("the task never ended");
  return *std::move(value);
}

inline void run_task(boost::asio::io_context& io, Task<> task) {
  std::exception_ptr error;
  bool ended = false;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure) {
    error = failure;
    ended = true;
    io.stop();
  });
  io.restart();
  io.run();
  if (error) std::rethrow_exception(error);
  if (!ended) throw std::logic_error("the task never ended");
}

}  // namespace kopidocka::testing
