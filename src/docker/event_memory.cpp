#include "docker/event_memory.hpp"

#include <algorithm>
#include <cstdio>

namespace kopidocka {
namespace {

constexpr std::int64_t kNano = 1'000'000'000;
constexpr std::int64_t kOverlapNano = 5 * kNano;
constexpr size_t kRemembered = 512;

}  // namespace

void EventMemory::start_at(std::int64_t engine_seconds) {
  started_ = true;
  floor_nano_ = engine_seconds * kNano;
}

void EventMemory::forget() { *this = EventMemory(); }

bool EventMemory::is_new(const DockerEvent& event) {
  if (event.time_nano <= 0) return true;
  Key key(event.time_nano, event.type, event.action, event.actor_id);
  if (!seen_.insert(key).second) return false;
  order_.push_back(std::move(key));
  if (order_.size() > kRemembered) {
    seen_.erase(order_.front());
    order_.pop_front();
  }
  if (floor_nano_ == 0) floor_nano_ = event.time_nano;
  last_nano_ = event.time_nano;
  return true;
}

std::string EventMemory::since() const {
  const auto nano = last_nano_ == 0 ? floor_nano_ : std::max(floor_nano_, last_nano_ - kOverlapNano);
  if (nano <= 0) return {};
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(nano / kNano),
                static_cast<long long>(nano % kNano));
  return text;
}

}  // namespace kopidocka
