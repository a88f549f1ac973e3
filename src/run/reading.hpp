#pragma once

#include <string>

#include "engine/engine.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// How one source of a backup is read, decided before the hold by trying what is possible.
struct Reading {
  enum class Mode {
    cold,   ///< all of it inside the hold
    safe,   ///< its new data was uploaded before; inside the hold all that changed since the last backup is hashed
    ahead,  ///< read before, and nothing of it was touched since: nothing is left to read in the hold
    exact,  ///< read before; inside the hold only what cannot be trusted to be as it was then
    clone,  ///< copied by reference inside the hold, read from the copy afterwards
  };
  Mode mode = Mode::cold;
  std::string reason;  ///< why no better one
  Settled settled;     ///< exact: since when everything that is touched is noticed
  bool still = false;  ///< nothing was touched between that moment and the end of the warm pass
  WarmTrust trust;     ///< exact: what the next snapshot will take as unchanged
  std::string clone;   ///< clone: where the copy is
  bool warm_left = false;   ///< a warm snapshot may be in the repository
  bool clone_left = false;  ///< a copy may lie beside the source
};

std::string_view to_string(Reading::Mode mode);

}  // namespace kopidocka
