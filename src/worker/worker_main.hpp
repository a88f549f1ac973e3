#pragma once

#include <iosfwd>

namespace kopidocka {

/// The child's side of Worker, behind the hidden verb `worker`: one JSON request in, one JSON answer out.
/// Returns the exit code: 0 answered, 1 answered with an error, 2 the request itself cannot be read.
int worker_main(std::istream& in, std::ostream& out);

}  // namespace kopidocka
