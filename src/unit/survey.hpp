#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/discovery.hpp"

namespace kopidocka {

/// What discovery asks again and again of one inventory, looked up once: with thousands of stacks every question must be
/// cheap. Keeps references to both arguments. Pure.
class Survey {
 public:
  Survey(const Inventory& inventory, const Surroundings& surroundings);

  const std::vector<Container>& containers() const { return inventory_.containers; }
  const Surroundings& surroundings() const { return surroundings_; }

  /// Our own container; nullptr on a host and when the engine does not know it.
  const Container* self() const { return self_; }
  /// A part of kopi-docka itself (unit/ourselves.hpp).
  bool is_ours(const Container& container) const { return own_ids_.count(container.id) != 0; }
  /// Running containers, none of ours, that live in a namespace of another one.
  const std::vector<const Container*>& guests() const { return guests_; }

  /// The container that "container:<reference>" means; nullptr when there is none.
  const Container* meant(const std::string& reference) const;
  const Volume* volume(const std::string& name) const;
  /// As data_place() of unit/data_place.hpp.
  std::string place(const Mount& mount) const;

  /// A container that runs (or is held down by a run of ours), none of ours, that mounts `place` writable.
  struct Writer {
    size_t order;  ///< in the inventory
    const Container* container;
    std::string place;
  };
  /// Writers of this place, of places below it and of places above it, in the inventory's order.
  std::vector<Writer> writers_around(const std::string& place) const;

  /// A path that a stack manager wrote as it sees it inside its own container, as the path on the host; empty when no
  /// container mounts anything there. Many containers mount something at /data; the one that holds Docker's socket is the
  /// manager.
  std::string through_mounts(const std::string& path) const;

  /// Where our repository, state and cache lie: also the folders behind `o=bind` volumes that hold them.
  const std::vector<std::string>& own_places() const { return own_places_; }
  /// Host paths that are never user data, with Docker's own wherever it keeps them.
  bool is_internal(const std::string& path) const;

 private:
  void meet_containers();
  void find_writers();
  void find_own_places();

  const Inventory& inventory_;
  const Surroundings& surroundings_;
  const Container* self_ = nullptr;
  std::map<std::string, const Container*> by_id_, by_name_;
  std::map<std::string, const Volume*> volumes_;
  std::set<std::string> own_ids_;
  std::vector<const Container*> guests_;
  std::map<std::string, std::vector<Writer>> writers_;                    ///< by place
  std::map<std::string, const Mount*> managers_mounts_, others_mounts_;  ///< by destination
  std::vector<std::string> own_places_;
};

}  // namespace kopidocka
