#include "base/error.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <boost/system/system_error.hpp>

namespace kopidocka {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::not_found: return "not found";
    case ErrorKind::refused: return "refused";
    case ErrorKind::busy: return "busy";
    case ErrorKind::unreachable: return "unreachable";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::denied: return "denied";
    case ErrorKind::no_space: return "no space";
    case ErrorKind::failed: return "failed";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, std::string message, std::string next_step)
    : kind_(kind), message_(std::move(message)), next_step_(std::move(next_step)) {
  compose();
}

Error& Error::in(std::string context) & {
  context_.push_back(std::move(context));
  compose();
  return *this;
}

Error&& Error::in(std::string context) && { return std::move(in(std::move(context))); }

std::string Error::text() const {
  std::string text;
  for (auto it = context_.rbegin(); it != context_.rend(); ++it) text += *it + ": ";
  return text + message_;
}

void Error::compose() {
  what_ = text();
  if (!next_step_.empty()) what_ += " (" + next_step_ + ")";
}

Error to_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const boost::system::system_error& error) {
    const bool cancelled = error.code() == boost::system::errc::operation_canceled;
    return {cancelled ? ErrorKind::cancelled : ErrorKind::failed, error.what()};
  } catch (const std::system_error& error) {
    return system_error(error.code().value(), error.what());
  } catch (const std::exception& error) {
    return {ErrorKind::internal, error.what()};
  } catch (...) {
    return {ErrorKind::internal, "unknown exception"};
  }
}

Error system_error(int errno_value, const std::string& doing, std::string next_step) {
  ErrorKind kind = ErrorKind::failed;
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT: kind = ErrorKind::no_space; break;
    case EACCES:
    case EPERM:
    case EROFS: kind = ErrorKind::denied; break;
    case ENOENT: kind = ErrorKind::not_found; break;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE: kind = ErrorKind::unreachable; break;
    case ETIMEDOUT: kind = ErrorKind::timeout; break;
    case ECANCELED: kind = ErrorKind::cancelled; break;
    default: break;
  }
  return {kind, doing + ": " + std::strerror(errno_value), std::move(next_step)};
}

}  // namespace kopidocka
