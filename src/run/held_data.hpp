#pragma once

#include "journal/record.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// The same place as the journal keeps it and as the worker takes it.
HeldData held_data(const Place& place);
/// ErrorKind::invalid when the journal's word for the mode is not known.
Result<Place> place_of(const HeldData& data, const std::string& run);

}  // namespace kopidocka
