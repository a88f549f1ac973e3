#pragma once

#include <string>

namespace kopidocka {

/// The extended attributes, POSIX access lists among them, of an open file or folder.
/// `path` names the source in errors. Those that we are not permitted to set are left out. Functions throw Error.
void copy_attributes(int source, int target, const std::string& path);

/// The same for the entry `name` of two open folders, whatever its kind: a link is not followed, nothing is opened.
void copy_attributes_of(int source_folder, int target_folder, const std::string& name, const std::string& path);

}  // namespace kopidocka
