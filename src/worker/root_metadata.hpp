#pragma once

#include <sys/types.h>

#include <ctime>
#include <map>
#include <string>

namespace kopidocka {

/// Owner, mode, times and extended attributes of one file or folder: what has to be put back by hand where the inode
/// itself cannot be exchanged. Functions throw Error.
struct RootMetadata {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec accessed{}, modified{};
  std::map<std::string, std::string> attributes;
};

RootMetadata read_metadata(int handle);

/// With `exact`, attributes that are not in `metadata` are removed; else they stay (an engine that does not save
/// attributes must not cost the folder its access list).
void apply_metadata(int handle, const RootMetadata& metadata, bool exact);

/// Only the times: what our own work in a folder changed as a side effect.
void apply_times(int handle, const RootMetadata& metadata);

std::string to_record(const RootMetadata& metadata);
RootMetadata metadata_from_record(const std::string& record);

}  // namespace kopidocka
