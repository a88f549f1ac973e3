#!/usr/bin/env bash
# The Debian packages that building and testing need, declared once: for the scripts, which source this file, and for
# the build stage of the image, which runs it: deps.sh build.

# To build the program. The Boost package is chosen by boost_package.
BUILD_PACKAGES=(
  g++ cmake ninja-build libcurl4-openssl-dev nlohmann-json3-dev libspdlog-dev libpoco-dev prometheus-cpp-dev
  libhowardhinnant-date-dev
)

# To test it as well: restic is the engine that every machine can have, busybox-static becomes the image of the system
# tests, attr and libcap2-bin make files with extended attributes and capabilities, strace kills the program between two
# records of its journal, util-linux and mount make small disks and other users.
TEST_PACKAGES=(
  ccache libgtest-dev libgmock-dev restic busybox-static attr acl libcap2-bin strace util-linux mount tzdata
  xfsprogs btrfs-progs e2fsprogs ca-certificates
)

# To measure it (scripts/bench): python3 measures, xfsprogs makes the file system that can clone.
BENCH_PACKAGES=(python3 restic busybox-static xfsprogs util-linux mount)

# Boost 1.81 or newer: the default of Debian 13 and Ubuntu 24.04; Debian 12 has it beside its default of 1.74.
boost_package() {
  local version
  version="$(apt-cache policy libboost-dev | awk '/Candidate:/ { print $2 }')"
  if [ "${version}" != '(none)' ] && [ -n "${version}" ] && dpkg --compare-versions "${version}" ge 1.81; then
    printf 'libboost-dev\n'
  else
    printf 'libboost1.81-dev\n'
  fi
}

package_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
  local package
  for package in "$@"; do
    package_installed "${package}" || printf '%s\n' "${package}"
  done
}

deps_as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_update_once() {
  if [ -z "${APT_UPDATED:-}" ]; then
    deps_as_root apt-get -qq update
    APT_UPDATED=1
  fi
}

# install_packages NAME...: installs what is missing and nothing else; no service of theirs is started.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  printf 'Installing from the apt sources of this system: %s\n' "${missing[*]}"
  apt_update_once
  deps_as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" ||
    { printf 'These packages could not be installed: %s\n' "${missing[*]}" >&2; return 1; }
  if [ -n "${INSTALLED_LIST:-}" ]; then
    mkdir -p "$(dirname "${INSTALLED_LIST}")"
    printf '%s\n' "${missing[@]}" >>"${INSTALLED_LIST}"
  fi
}

install_build_packages() {
  local boost
  boost="$(boost_package)"
  if ! package_installed "${boost}"; then
    apt_update_once
    boost="$(boost_package)"
  fi
  install_packages "${BUILD_PACKAGES[@]}" "${boost}"
}

install_test_packages() {
  install_build_packages
  install_packages "${TEST_PACKAGES[@]}"
}

install_bench_packages() { install_packages "${BENCH_PACKAGES[@]}"; }

# provide_promtool FOLDER: promtool for the tests of metrics and alert rules. Debian has it in a package that would also
# start a server on this machine, so the program alone is taken out of it.
provide_promtool() {
  local folder="$1" work
  if command -v promtool >/dev/null || [ -x "${folder}/promtool" ]; then return 0; fi
  mkdir -p "${folder}"
  work="$(mktemp -d)"
  if (cd "${work}" && apt-get -qq download prometheus >/dev/null 2>&1 && dpkg-deb --extract prometheus_*.deb .); then
    install -m 0755 "${work}/usr/bin/promtool" "${folder}/promtool"
    printf 'promtool is taken from the package prometheus, which is not installed.\n'
  else
    printf 'promtool could not be had from the apt sources of this system.\n'
  fi
  rm -rf "${work}"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  case "${1:-}" in
    build) install_build_packages ;;
    test) install_test_packages ;;
    bench) install_bench_packages ;;
    *)
      printf 'Usage: %s build|test|bench\n' "$0" >&2
      exit 2
      ;;
  esac
fi
