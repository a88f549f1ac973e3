#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// What a new child gets: complete argv and environment, its folder, and the text on its standard input.
struct SpawnRequest {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string folder;
  std::string input;
  int output_to = -1;  ///< its standard output, when that is not to come to us
};

/// A started child. Its pid stays a zombie, and so its own, until it is reaped.
struct SpawnedChild {
  pid_t pid = -1;
  FileDescriptor exit;    ///< pidfd, readable once the child has exited
  FileDescriptor output;  ///< our end of its standard output, non-blocking; at its end at once when that goes elsewhere
  FileDescriptor error;   ///< our end of its standard error, non-blocking
};

/// Starts a child that leads its own process group, has default signal handlers and no descriptor but 0, 1 and 2, and
/// is killed when this thread ends. A program that cannot be executed is an error here, never an exit code.
Result<SpawnedChild> spawn(const SpawnRequest& request);

}  // namespace kopidocka
