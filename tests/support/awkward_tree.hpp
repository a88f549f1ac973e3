#pragma once

#include <string>

namespace kopidocka::testing {

// Scripts for bash -e, so that whoever runs programs in his own way can use them.

/// Fills `root` with all that a restore must bring back: odd names, modes, owners, links, times, files that engines treat
/// in a special way, a hole of that size.
inline std::string awkward_tree_script(const std::string& root, const std::string& hole) {
  return "cd '" + root + R"sh('
    printf 'x' > $'new\nline'; printf 'y' > ' leading and trailing '; printf z > '-rf'; printf q > "quote'\"\\"
    printf 'u' > 'Grüße 漢字 🐳'; printf 's' > '*?[a]'; : > empty
    mkdir hollow deep; d=deep; for i in $(seq 40); do d=$d/level$i; done; mkdir -p $d; echo bottom > $d/file
    echo hidden > .hidden; echo 'file' > .kopiaignore; echo 'kept.*' > deep/.kopiaignore; echo k > deep/kept.me
    mkdir cache; echo 'Signature: 8a477f597d28d172789f06886806bc55' > cache/CACHEDIR.TAG; echo c > cache/data
    echo secret > no-mode; chmod 0 no-mode; echo exe > setuid; chmod 4755 setuid; echo g > setgid; chmod 2755 setgid
    mkdir sticky; chmod 1777 sticky; mkdir closed; echo in > closed/inside; chmod 0500 closed
    echo owned > owned; mkdir -p owned.d; echo f > owned.d/f
    ln -s file link; ln -s /etc/passwd absolute; ln -s '../../../etc' up; ln -s $'odd\n target' oddlink; ln -s nowhere dangling
    ln -s deep dirlink; truncate -s )sh" + hole + R"sh( hole; printf tail >> hole
    if [ "$(id -u)" = 0 ]; then chown 1234:5678 owned owned.d; chown -h 4321:8765 link; chown 33:33 sticky; fi
    chmod 4755 setuid; chmod 2755 setgid
    touch -d '2001-02-03 04:05:06.123456789' file owned; touch -h -d '1999-12-31 23:59:59.987654321' link
    touch -d '2010-10-10 10:10:10.101010101' owned.d deep closed
    chmod 0751 .; touch -d '2005-05-05 05:05:05.555555555' .
  
  )sh";
}

/// Prints everything about every entry that a restore must bring back, one NUL-terminated record each. Device and inode
/// numbers and change times cannot come back. Kopia (0.23) stores the newest time below a folder as the time of the folder,
/// except at the root, and restores times of symbolic links without their nanoseconds.
inline std::string tree_listing_script(const std::string& root, bool kopia) {
  const std::string folder_time = kopia ? "" : "%T@", link_time = kopia ? "%TF %TH:%TM" : "%T@";
  return "cd '" + root + "' && find . -maxdepth 0 -printf '%T@\\0' && find . \\( -type d -printf '%P|%y|%m|%U|%G|" + folder_time +
         "\\0' \\) -o \\( -type l -printf '%P|%y|%U|%G|" + link_time + "|%l\\0' \\) -o " +
         "-printf '%P|%y|%m|%U|%G|%T@|%s\\0' | sort -z";
}

/// Prints the checksum of every file's content.
inline std::string tree_hashes_script(const std::string& root) {
  return "cd '" + root + "' && find . -type f -print0 | sort -z | xargs -0 sha256sum -z";
}

}  // namespace kopidocka::testing
