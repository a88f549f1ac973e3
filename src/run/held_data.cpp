#include "run/held_data.hpp"

namespace kopidocka {

HeldData held_data(const Place& place) {
  return {place.target, std::string(to_string(place.mode)), place.staging, place.scratch, place.single_file};
}

Result<Place> place_of(const HeldData& data, const std::string& run) {
  const auto mode = place_mode_from(data.mode);
  if (!mode) return Error{ErrorKind::invalid, "unknown mode '" + data.mode + "' in the journal of run " + run};
  Place place;
  place.mode = *mode;
  place.target = data.target;
  place.run_id = run;
  place.staging = data.staging;
  place.scratch = data.scratch;
  place.single_file = data.single_file;
  return place;
}

}  // namespace kopidocka
