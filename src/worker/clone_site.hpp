#pragma once

#include <string>

#include "base/file.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// Where a clone is made: beside its source. Functions throw Error.
struct CloneSite {
  FileDescriptor parent;  ///< folder of the source
  std::string above;      ///< its path, with the trusted links on the way resolved
  std::string name;       ///< the source in it
  std::string folder;     ///< the clone's folder in it

  std::string source() const { return above + "/" + name; }
  /// What an engine reads.
  std::string result() const;
};

constexpr const char* kCloneMark = "kopi-docka";
constexpr const char* kCloneDraft = "draft";
constexpr const char* kCloneTree = "tree";

/// not_found when the folder of the source does not exist.
CloneSite open_site(const CloneRequest& request);

/// Refuses a source that is missing, neither a folder nor a regular file, the host's, or has something mounted below.
void refuse_unfit(const CloneSite& site);

/// Really shares blocks between files without names, so that nothing can be left behind and no folder changes.
/// `file_system` is the source's, for the texts.
void try_sharing(const CloneSite& site, const std::string& file_system);

}  // namespace kopidocka
