# shellcheck shell=bash
# The base image of everything we build: from the registry when one can be reached, else made with debootstrap from this
# system's own apt sources. To be sourced after common.sh, deps.sh and made.sh.

: "${LOG_DIR:?}"

BASE_REPOSITORY=kopi-docka-base
DEBIAN_RELEASE=trixie
DEBIAN_VERSION=13

# apt's own view of its sources, whatever the format of the files: "URI RELEASE" of each one with a component main.
# RELEASE is both the name in the file and the code name behind it, which apt knows after an update: stable, trixie.
# Those of the distribution itself come first: others have releases of the same name.
apt_sources() {
  # shellcheck disable=SC2016  # the names are apt's, not the shell's
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(COMPONENT)|$(RELEASE)|$(CODENAME)' 'Created-By: Packages' |
    awk -F '|' '$3 == "main" {
      sub("/$", "", $2)
      for (i = 4; i <= NF; i++) if (!seen[$2, $i]++) print ($1 == "Debian" || $1 == "Ubuntu" ? 0 : 1), $2, $i
    }' | sort --stable --key=1,1n | cut -d ' ' -f 2-
}

apt_mirror_of() { apt_sources | awk -v release="$1" '$2 == release { print $1; exit }'; }

# The proxy that apt alone was told to use, when it is one that http_proxy can name.
apt_http_proxy() {
  local proxy
  if ! have apt-config; then return 0; fi
  proxy="$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null || true)"
  case "${proxy}" in http://?*) printf '%s\n' "${proxy}" ;; esac
}

os_field() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" /etc/os-release; }

# The release to make: the one we want where the mirror is Debian's, else the system's own (Ubuntu).
release_to_make() {
  if [ "$(os_field ID)" = debian ]; then printf '%s\n' "${DEBIAN_RELEASE}"; else os_field VERSION_CODENAME; fi
}

release_exists() { # MIRROR RELEASE
  local probe status=0
  probe="$(mktemp -d)"
  /usr/lib/apt/apt-helper download-file "$1/dists/$2/InRelease" "${probe}/answer" >/dev/null 2>&1 || status=$?
  rm -rf "${probe}"
  return "${status}"
}

# The sources of the new image: those of this system, with the release exchanged; only what the mirror really has.
write_apt_sources() { # ROOT MIRROR SECURITY-MIRROR RELEASE
  local root="$1" mirror="$2" security="$3" release="$4" components=main
  if [ "$(os_field ID)" = ubuntu ]; then components='main universe'; fi
  rm -f "${root}/etc/apt/sources.list"
  {
    printf 'deb %s %s %s\n' "${mirror}" "${release}" "${components}"
    if release_exists "${mirror}" "${release}-updates"; then
      printf 'deb %s %s-updates %s\n' "${mirror}" "${release}" "${components}"
    fi
    if [ -n "${security}" ] && release_exists "${security}" "${release}-security"; then
      printf 'deb %s %s-security %s\n' "${security}" "${release}" "${components}"
    fi
  } >"${root}/etc/apt/sources.list"
}

# What a slim image leaves out, now and at every later install.
slim_down() { # ROOT
  local root="$1"
  cat >"${root}/etc/dpkg/dpkg.cfg.d/slim" <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/lintian/*
SLIM
  cat >"${root}/etc/apt/apt.conf.d/slim" <<'SLIM'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
SLIM
  find "${root}/usr/share/doc" -type f ! -name copyright -delete
  find "${root}/usr/share/doc" -type d -empty -delete
  rm -rf "${root}"/usr/share/{man,info,locale,lintian}/* "${root}"/var/lib/apt/lists/* "${root}"/var/cache/apt/* \
    "${root}"/var/cache/debconf/*-old "${root}"/var/log/*.log "${root}"/var/log/apt "${root}"/etc/hostname \
    "${root}"/etc/resolv.conf
}

# Runs as root, as a process of its own (scripts/base-image --make): debootstrap needs device nodes and chroot.
make_base_image() { # IMAGE MIRROR SECURITY-MIRROR RELEASE
  local image="$1" mirror="$2" security="$3" release="$4" work root recipe proxy
  work="$(mktemp -d -p "${TMPDIR:-/var/tmp}" kopi-docka-base.XXXXXX)"
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '${work}'" EXIT
  root="${work}/root"
  recipe="/usr/share/debootstrap/scripts/${release}"
  if [ ! -e "${recipe}" ]; then
    if [ "$(os_field ID)" = ubuntu ]; then recipe=/usr/share/debootstrap/scripts/gutsy; else recipe=/usr/share/debootstrap/scripts/sid; fi
  fi
  proxy="$(apt_http_proxy)"
  if [ -n "${proxy}" ]; then export http_proxy="${http_proxy:-${proxy}}"; fi
  local options=(--variant=minbase)
  case "${mirror}" in https:*) options+=(--include=ca-certificates) ;; esac
  debootstrap "${options[@]}" "${release}" "${root}" "${mirror}" "${recipe}"
  write_apt_sources "${root}" "${mirror}" "${security}" "${release}"
  chroot "${root}" apt-get -q update
  chroot "${root}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends dist-upgrade
  slim_down "${root}"
  tar -C "${root}" -c --one-file-system --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' . |
    docker import --change 'CMD ["bash"]' --change "LABEL org.kopi-docka.release=${release}" - "${image}"
}

# Sets BASE_IMAGE. In plain words on the way: where it came from.
base_image() {
  BASE_IMAGE="${KOPI_DOCKA_BASE_IMAGE:-${BASE_REPOSITORY}:${DEBIAN_RELEASE}}"
  if image_exists "${BASE_IMAGE}"; then
    say "Base image ${BASE_IMAGE} is there already."
  elif [ -n "${KOPI_DOCKA_BASE_IMAGE:-}" ]; then
    try_pull "${BASE_IMAGE}" || die "KOPI_DOCKA_BASE_IMAGE is ${BASE_IMAGE}, which cannot be pulled: ${PULL_PROBLEM}" \
      "build it, or leave the setting out"
    say "Base image ${BASE_IMAGE} is from the registry."
  elif try_pull "debian:${DEBIAN_RELEASE}-slim"; then
    making "${BASE_IMAGE}" docker tag "debian:${DEBIAN_RELEASE}-slim" "${BASE_IMAGE}" || die "docker tag failed"
    say "Base image ${BASE_IMAGE} is debian:${DEBIAN_RELEASE}-slim from the registry."
  else
    say "debian:${DEBIAN_RELEASE}-slim cannot be pulled: ${PULL_PROBLEM}"
    making "${BASE_IMAGE}" bootstrap_base_image
    say "Base image ${BASE_IMAGE} is made: $(image_megabytes "${BASE_IMAGE}") MiB."
  fi
}

# With debootstrap, from the apt sources of this system.
bootstrap_base_image() {
  local release own mirror security
  have apt-get || die "this system has no apt sources to make a base image from" \
    "run 'docker pull debian:${DEBIAN_RELEASE}-slim' by hand to see why it fails"
  if [ "$(os_field ID)" = ubuntu ] && dpkg --compare-versions "$(os_field VERSION_ID)" lt 24.04; then
    die "a base image of Ubuntu $(os_field VERSION_ID) would be too old for the program" \
      "make debian:${DEBIAN_RELEASE}-slim pullable, or name an image in KOPI_DOCKA_BASE_IMAGE"
  fi
  apt_update_once
  release="$(release_to_make)"
  own="$(os_field VERSION_CODENAME)"
  mirror="$(apt_mirror_of "${own}")"
  security="$(apt_mirror_of "${own}-security")"
  if [ -z "${mirror}" ]; then
    die "no apt source of ${own} was found to make the base image from" "look at: apt-get indextargets"
  fi
  say "The base image is made by debootstrap: ${release} from ${mirror}"
  install_packages debootstrap || die "debootstrap could not be installed" "look at: apt-get install debootstrap"
  # An older key ring does not know the keys of a newer release.
  if [ "$(os_field ID)" = debian ] && [ "${release}" != "${own}" ]; then
    as_root apt-get -qq -y --no-install-recommends install debian-archive-keyring >/dev/null ||
      die "debian-archive-keyring could not be brought up to date" "look at: apt-get install debian-archive-keyring"
  fi
  logged base-image as_root "${ROOT}/scripts/base-image" --make "${BASE_IMAGE}" "${mirror}" "${security}" "${release}" ||
    die "the base image could not be made from ${mirror}" "the whole output is in ${LOG_DIR}/base-image.log"
}

# "debian 13", "ubuntu 24.04"; empty when the image does not say.
system_of_image() { # IMAGE
  # shellcheck disable=SC2016  # for the shell in the container
  docker run --rm --network none --entrypoint sh "$1" -c '. /etc/os-release; echo "$ID $VERSION_ID"' 2>/dev/null || true
}
