#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/coordinator.hpp"

namespace kopidocka {

/// A place in a restore point, as a user names it.
struct PlaceWish {
  std::string unit;
  std::string at = "latest";
  std::string machine;  ///< whose backup; empty = this one's
  std::string place;    ///< as in catalog/locate.hpp
};

/// What is there: of the point itself its snapshots, of a folder its entries, of anything else that alone. Throws not_found and
/// what the engine throws.
Task<nlohmann::json> list_place(Coordinator& coordinator, PlaceWish wish, Cancel cancel);

/// Writes the file that is there into a named pipe, which somebody reads; its name is gone when this has begun. The bytes go
/// from the engine's process to the reader and through nobody else's memory.
Task<> send_file(Coordinator& coordinator, PlaceWish wish, std::string pipe, Cancel cancel);

}  // namespace kopidocka
