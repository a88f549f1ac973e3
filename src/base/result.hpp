#pragma once

#include <boost/system/result.hpp>

#include "base/error.hpp"

namespace kopidocka {

/// Value or Error, for synchronous code. Coroutines throw instead: g++ 12 does not warn when `co_await` drops a result.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

/// Found by argument-dependent lookup when value() is called on an error.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) { throw error; }

}  // namespace kopidocka
