# shellcheck shell=bash
# The images that the project needs, each made only when it is missing or its input changed.
# To be sourced after common.sh and deps.sh.

: "${ROOT:?}" "${LOG_DIR:?}"

BASE_REPOSITORY=kopi-docka-base
DEBIAN_RELEASE=trixie
PULL_SECONDS="${KOPI_DOCKA_PULL_SECONDS:-20}"
ENGINE_IMAGE=kopi-docka-engine:local
ENGINE_STAGE="${ROOT}/.engines"
PRODUCT_IMAGE="${KOPI_DOCKA_IMAGE:-kopi-docka:latest}"
KOPIA_IMAGE="${KOPI_DOCKA_KOPIA_IMAGE:-kopia/kopia:0.23.1}"

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

# What was not here before and is ours to remove again.
PULLED_LIST="${ROOT}/build/pulled-images"

# A registry that is out of reach must cost seconds, not minutes.
try_pull() {
  if image_exists "$1"; then return 0; fi
  timeout "${PULL_SECONDS}" docker pull --quiet "$1" >/dev/null 2>&1 || return 1
  mkdir -p "${ROOT}/build"
  printf '%s\n' "$1" >>"${PULLED_LIST}"
}

# --- base image -----------------------------------------------------------------------------------------------------

# apt's own view of its sources, whatever the format of the files: "URI RELEASE" of each one with a component main.
apt_sources() {
  # shellcheck disable=SC2016  # the names are apt's, not the shell's
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" { sub("/$", "", $1); if (!seen[$1 $2]++) print $1, $2 }'
}

apt_mirror_of() { apt_sources | awk -v release="$1" '$2 == release { print $1; exit }'; }

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
  proxy="$(apt-config dump --format '%v' Acquire::http::Proxy)"
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

# Prints nothing; sets BASE_IMAGE. In plain words on the way: where it came from.
base_image() {
  local release own mirror security
  BASE_IMAGE="${KOPI_DOCKA_BASE_IMAGE:-${BASE_REPOSITORY}:${DEBIAN_RELEASE}}"
  if image_exists "${BASE_IMAGE}"; then
    say "Base image ${BASE_IMAGE} is there already."
    return
  fi
  if try_pull "debian:${DEBIAN_RELEASE}-slim"; then
    docker tag "debian:${DEBIAN_RELEASE}-slim" "${BASE_IMAGE}"
    say "Base image ${BASE_IMAGE} is debian:${DEBIAN_RELEASE}-slim from the registry."
    return
  fi
  have apt-get || die "no registry can be reached, and this system has no apt sources to make a base image from" \
    "run 'docker pull debian:${DEBIAN_RELEASE}-slim' by hand to see why it fails"
  release="$(release_to_make)"
  own="$(os_field VERSION_CODENAME)"
  mirror="$(apt_mirror_of "${own}")"
  security="$(apt_mirror_of "${own}-security")"
  if [ -z "${mirror}" ]; then
    die "no apt source of ${own} was found to make the base image from" "look at: apt-get indextargets"
  fi
  say "debian:${DEBIAN_RELEASE}-slim cannot be pulled; the base image is made by debootstrap: ${release} from ${mirror}"
  install_packages debootstrap || die "debootstrap could not be installed" "look at: apt-get install debootstrap"
  # An older key ring does not know the keys of a newer release.
  if [ "$(os_field ID)" = debian ] && [ "${release}" != "${own}" ]; then
    as_root apt-get -qq -y --no-install-recommends install debian-archive-keyring >/dev/null ||
      die "debian-archive-keyring could not be brought up to date" "look at: apt-get install debian-archive-keyring"
  fi
  logged base-image as_root "${ROOT}/scripts/base-image" --make "${BASE_IMAGE}" "${mirror}" "${security}" "${release}" ||
    die "the base image could not be made from ${mirror}" "the whole output is in ${LOG_DIR}/base-image.log"
  say "Base image ${BASE_IMAGE} is made: $(image_megabytes "${BASE_IMAGE}") MiB."
}

image_bytes() { docker image inspect --format '{{.Size}}' "$1"; }
image_megabytes() { echo $(($(image_bytes "$1") / 1048576)); }

# --- engines --------------------------------------------------------------------------------------------------------

# The program in kopia's official image: its place differs between versions, its entry point names it.
kopia_from_registry() {
  local container entry status=0
  try_pull "${KOPIA_IMAGE}" || return 1
  entry="$(docker image inspect --format '{{index .Config.Entrypoint 0}}' "${KOPIA_IMAGE}")" || return 1
  container="$(docker create "${KOPIA_IMAGE}")" || return 1
  docker cp --follow-link "${container}:${entry}" "${ENGINE_STAGE}/kopia" >/dev/null || status=$?
  docker rm "${container}" >/dev/null
  return "${status}"
}

# The one on PATH, when it can run in the image: a static ELF file (kopia's releases and Debian's are).
kopia_from_machine() {
  local binary
  binary="$(command -v kopia)" || return 1
  binary="$(readlink -f "${binary}")"
  if ! docker run --rm --network none -v "${binary}:/kopia:ro" "${BASE_IMAGE}" /kopia --version >/dev/null 2>&1; then
    say "${binary} does not run in the base image; it is not used."
    return 1
  fi
  install -m 0755 "${binary}" "${ENGINE_STAGE}/kopia"
  KOPIA_SOURCE="${binary}"
}

# Sets KOPIA_SOURCE (empty: none could be had) and makes ENGINE_IMAGE, whose folder /engine holds kopia or nothing.
engine_image() {
  local digest
  mkdir -p "${ENGINE_STAGE}"
  rm -f "${ENGINE_STAGE}/kopia"
  KOPIA_SOURCE=
  if kopia_from_registry; then
    KOPIA_SOURCE="the image ${KOPIA_IMAGE}"
  else
    kopia_from_machine || true
  fi
  digest=none
  if [ -n "${KOPIA_SOURCE}" ]; then digest="$(sha256sum "${ENGINE_STAGE}/kopia" | cut -c 1-64)"; fi
  # Importing the same file again would be a new image, and the layer cache of the build would be lost.
  if [ "$(docker image inspect --format '{{index .Config.Labels "org.kopi-docka.kopia"}}' "${ENGINE_IMAGE}" 2>/dev/null)" != "${digest}" ]; then
    tar -C "${ENGINE_STAGE}" -c --owner=0 --group=0 --transform='s,^\.,engine,' . |
      docker import --change "LABEL org.kopi-docka.kopia=${digest}" - "${ENGINE_IMAGE}" >/dev/null
  fi
  rm -f "${ENGINE_STAGE}/kopia"
}

# --- product --------------------------------------------------------------------------------------------------------

# docker build with the proxies of this shell, by whichever builder this docker has.
build_image() { # NAME-OF-LOG OPTIONS... FOLDER
  local name="$1" variable options=()
  shift
  for variable in http_proxy https_proxy no_proxy; do
    if [ -n "${!variable:-}" ]; then options+=(--build-arg "${variable}=${!variable}"); fi
  done
  logged "${name}" docker build ${options[@]+"${options[@]}"} "$@" ||
    die "docker build failed" "the whole output is in ${LOG_DIR}/${name}.log"
}

# Sets BASE_IMAGE and KOPIA_SOURCE, makes PRODUCT_IMAGE.
product_image() {
  local added engines
  base_image
  engine_image
  build_image image --tag "${PRODUCT_IMAGE}" --build-arg "BASE_IMAGE=${BASE_IMAGE}" \
    --build-arg "ENGINE_IMAGE=${ENGINE_IMAGE}" "${ROOT}"
  added=$(($(image_bytes "${PRODUCT_IMAGE}") - $(image_bytes "${BASE_IMAGE}")))
  # shellcheck disable=SC2016  # for the shell in the container
  engines="$(docker run --rm --network none --entrypoint sh "${PRODUCT_IMAGE}" -c \
    'total=0; for name in kopia restic; do if file=$(command -v $name); then total=$((total + $(stat -Lc %s $file))); fi; done; echo $total')"
  say "Image ${PRODUCT_IMAGE} is built: $(((added - engines) / 1048576)) MiB on top of its base, and $((engines / 1048576)) MiB of engines."
}
