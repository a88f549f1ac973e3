#pragma once

#include <functional>
#include <string>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "control/protocol.hpp"

namespace kopidocka {

/// Takes one JSON value as text. Never blocks and never fails; lines are left out while the client does not
/// read.
using ProgressSink = std::function<void(const std::string& json)>;

/// What the control server asks to do the work. An Error thrown by handle() becomes the error line of the
/// answer. `cancel` is requested when the client says so or the server stops, never because a client went
/// away.
class ControlTarget {
 public:
  virtual ~ControlTarget() = default;
  virtual Task<ControlReply> handle(ControlRequest request, ProgressSink progress, Cancel cancel) = 0;
};

}  // namespace kopidocka
