# shellcheck shell=bash
# What scripts/bench needs before it can measure: packages, the program, two images.
# To be sourced after common.sh, deps.sh and images.sh.

: "${ROOT:?}" "${LOG_DIR:?}"

BENCH_MARK=org.kopi-docka.bench
BENCH_IMAGE=kopi-docka-bench/busybox:latest
BENCH_DATABASE_IMAGE=kopi-docka-bench/postgres:latest
BENCH_FOLDER="${ROOT}/build/bench"
# shellcheck disable=SC2034  # for scripts/bench
BENCH_ROWS=(W1 W1x4 W2 W3 W4 W5 D)

# Where the engine's socket is; the measurement speaks to it without the docker command.
bench_socket() {
  local host
  host="${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}"
  case "${host}" in
    unix://*) printf '%s\n' "${host#unix://}" ;;
    '') printf '/var/run/docker.sock\n' ;;
    *) die "the Docker Engine is at ${host}" "the measurement needs its unix socket, and a machine where the volumes are" ;;
  esac
}

bench_packages() {
  if have apt-get; then
    install_bench_packages || die "packages are missing" "look at: apt-get update"
  fi
  have python3 || die "python3 is missing"
}

# The program that is measured: the one given, else the optimised one of these sources.
bench_program() { # PROGRAM
  if [ -n "$1" ]; then
    BENCH_PROGRAM="$(realpath "$1")"
  else
    step "Building the program (the output is in ${LOG_DIR#"${ROOT}"/})"
    logged bench-build "${ROOT}/scripts/build" || die "the build failed" "the whole output is in ${LOG_DIR}/bench-build.log"
    BENCH_PROGRAM="${ROOT}/build/kopi-docka"
  fi
  "${BENCH_PROGRAM}" version || die "${BENCH_PROGRAM} does not run"
}

# A static busybox and nothing else: a service of it stops and starts as fast as this engine can. Importing the same
# files again would be a new image.
import_bench_image() {
  local work applet status=0
  work="$(mktemp -d)"
  mkdir -p "${work}/bin" "${work}/data" "${work}/tmp"
  install -m 0755 "$(command -v busybox)" "${work}/bin/busybox"
  for applet in sh sleep; do ln -s busybox "${work}/bin/${applet}"; done
  tar -C "${work}" -c --owner=0 --group=0 . |
    docker import --change "LABEL ${BENCH_MARK}=true" --change 'CMD ["/bin/sh"]' - "${BENCH_IMAGE}" >/dev/null || status=$?
  rm -rf "${work}"
  return "${status}"
}

bench_images() { # yes when the database is wanted
  step "Images of the containers that are measured"
  image_exists "${BENCH_IMAGE}" || making "${BENCH_IMAGE}" import_bench_image || die "${BENCH_IMAGE} could not be made"
  if [ "$1" = yes ] && ! image_exists "${BENCH_DATABASE_IMAGE}"; then
    base_image
    making "${BENCH_DATABASE_IMAGE}" build_image bench-postgres --tag "${BENCH_DATABASE_IMAGE}" \
      --build-arg "BASE_IMAGE=${BASE_IMAGE}" "${ROOT}/compose/demo/postgres"
  fi
}
