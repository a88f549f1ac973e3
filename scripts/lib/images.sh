# shellcheck shell=bash
# The images that the project needs, each made only when it is missing or its input changed.
# To be sourced after common.sh and deps.sh.

: "${ROOT:?}" "${LOG_DIR:?}"

# shellcheck source=scripts/lib/made.sh
. "${ROOT}/scripts/lib/made.sh"
# shellcheck source=scripts/lib/base.sh
. "${ROOT}/scripts/lib/base.sh"

ENGINE_IMAGE=kopi-docka-engine:local
ENGINE_STAGE="${ROOT}/.engines"
PRODUCT_IMAGE="${KOPI_DOCKA_IMAGE:-kopi-docka:latest}"
KOPIA_IMAGE="${KOPI_DOCKA_KOPIA_IMAGE:-kopia/kopia:0.23.1}"

# --- engines --------------------------------------------------------------------------------------------------------

# The program in kopia's official image: its place differs between versions, its entry point names it.
kopia_from_registry() {
  local container entry status=0
  try_pull "${KOPIA_IMAGE}" || return 1
  PULL_PROBLEM="no program can be copied out of it"
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
    making "${ENGINE_IMAGE}" import_engines "${digest}" || die "the image ${ENGINE_IMAGE} could not be made"
  fi
  rm -f "${ENGINE_STAGE}/kopia"
}

import_engines() { # DIGEST
  tar -C "${ENGINE_STAGE}" -c --owner=0 --group=0 --transform='s,^\.,engine,' . |
    docker import --change "LABEL org.kopi-docka.kopia=$1" - "${ENGINE_IMAGE}" >/dev/null
}

# --- product --------------------------------------------------------------------------------------------------------

# The options of docker build that lead it through the proxies of this shell or else of apt, one word a line.
proxy_options() {
  local variable value here=
  for variable in http_proxy https_proxy no_proxy; do
    value="${!variable:-}"
    if [ "${variable}" = http_proxy ] && [ -z "${value}" ]; then value="$(apt_http_proxy)"; fi
    if [ -z "${value}" ]; then continue; fi
    printf '%s\n' --build-arg "${variable}=${value}"
    case "${value}" in *//localhost | *//localhost[:/]* | *//127.*) here=yes ;; esac
  done
  # A proxy on this machine itself is out of reach of a build that has a network of its own.
  if [ -n "${here}" ]; then printf '%s\n' --network host; fi
}

# docker build, by whichever builder this docker has.
build_image() { # NAME-OF-LOG OPTIONS... FOLDER
  local name="$1" options builder
  shift
  mapfile -t options < <(proxy_options)
  # Not one that the user made for other work: a builder in a container does not see the images of this engine.
  builder="$(docker context inspect --format '{{.Name}}' 2>/dev/null || echo default)"
  logged "${name}" env "BUILDX_BUILDER=${builder}" docker build ${options[@]+"${options[@]}"} "$@" ||
    die "docker build failed" "the whole output is in ${LOG_DIR}/${name}.log"
}

# Sets BASE_IMAGE and KOPIA_SOURCE, makes PRODUCT_IMAGE.
product_image() {
  local added engines system options=()
  base_image
  engine_image
  system="$(system_of_image "${BASE_IMAGE}")"
  if [ "${system}" != "debian ${DEBIAN_VERSION}" ]; then
    say "The base image is ${system:-unknown}, not debian ${DEBIAN_VERSION}: warnings of its compiler do not fail the build."
    options=(--build-arg WERROR=OFF)
  fi
  making "${PRODUCT_IMAGE}" build_image image --tag "${PRODUCT_IMAGE}" --build-arg "BASE_IMAGE=${BASE_IMAGE}" \
    --build-arg "ENGINE_IMAGE=${ENGINE_IMAGE}" ${options[@]+"${options[@]}"} "${ROOT}"
  added=$(($(image_bytes "${PRODUCT_IMAGE}") - $(image_bytes "${BASE_IMAGE}")))
  # shellcheck disable=SC2016  # for the shell in the container
  engines="$(docker run --rm --network none --entrypoint sh "${PRODUCT_IMAGE}" -c \
    'total=0; for name in kopia restic; do if file=$(command -v $name); then total=$((total + $(stat -Lc %s $file))); fi; done; echo $total')"
  say "Image ${PRODUCT_IMAGE} is built: $(((added - engines) / 1048576)) MiB on top of its base, and $((engines / 1048576)) MiB of engines."
}
