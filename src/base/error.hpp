#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace kopidocka {

/// What the program reacts to, not all that may happen. Exit codes and run results are chosen from this alone.
enum class ErrorKind {
  usage,        ///< the command line is wrong
  invalid,      ///< a label, setting or file of the user does not hold what it must
  not_found,    ///< the named unit, snapshot, container or file does not exist
  refused,      ///< we decline before anything was stopped, with a reason
  busy,         ///< somebody else holds the unit or the state folder
  unreachable,  ///< Docker Engine, repository or daemon does not answer
  timeout,      ///< a bounded wait ran out
  cancelled,    ///< asked to stop
  denied,       ///< permission or password
  no_space,     ///< a file system is full
  failed,       ///< the operation was carried out and did not succeed
  internal,     ///< a defect of ours
};

std::string_view to_string(ErrorKind kind);

/// The one error type. Synchronous code returns it in Result<T>, coroutines throw it.
/// message() says what failed and why; next_step() what the user can do; in() adds where it happened while unwinding.
class Error : public std::exception {
 public:
  Error() : Error(ErrorKind::internal, "no error") {}  ///< what Result<T>::error() answers on success
  Error(ErrorKind kind, std::string message, std::string next_step = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& next_step() const { return next_step_; }

  /// Adds an outer context ("unit shop", "stop container db"); the outermost is printed first.
  Error&& in(std::string context) &&;
  Error& in(std::string context) &;

  /// Context trail and message, without the next step: "unit shop: stop container db: timed out after 30s".
  std::string text() const;
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string next_step_;
  std::vector<std::string> context_;
  std::string what_;
};

/// The Error inside any exception: ours as it is, others as ErrorKind::internal (system errors keep their text).
Error to_error(const std::exception_ptr& exception);

/// An Error from errno: ENOSPC, EACCES, ENOENT and the like get their kind. `doing` is "write /path".
Error system_error(int errno_value, const std::string& doing, std::string next_step = {});

}  // namespace kopidocka
