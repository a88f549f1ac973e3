# shellcheck shell=bash
# What every script here shares: where the project lies, how a step is announced, how a failure ends it.
# To be sourced after `set -euo pipefail`.

# shellcheck disable=SC2034  # for the scripts that source this file
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
LOG_DIR="${ROOT}/build/logs"
# What install_packages of deps.sh has installed: nobody removes it, but --down of the quickstart names it.
# shellcheck disable=SC2034  # for deps.sh
INSTALLED_LIST="${ROOT}/build/installed-packages"

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }
show() { printf '    $ %s\n' "$*"; }

# die REASON [HOW TO LOOK FURTHER]: the one way out on failure.
die() {
  printf '\nFAILED: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf 'Next: %s\n' "$2" >&2; fi
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "root is needed for: $*" "run the script as root, or install sudo"
  fi
}

# watched PID LOG [GIVE-UP]: waits for a command in the background and returns its status. Says every half minute that it
# is still at work, with the last line of LOG. GIVE-UP SECONDS LOG is asked every second whether to end it.
watched() {
  local pid="$1" log="$2" give_up="${3:-false}" waited=0 status=0
  # A command in the background does not hear Ctrl-C.
  # shellcheck disable=SC2064  # the process of now
  trap "kill ${pid} 2>/dev/null; exit 130" INT TERM
  while kill -0 "${pid}" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    if "${give_up}" "${waited}" "${log}"; then kill "${pid}" 2>/dev/null || true; fi
    if [ $((waited % 30)) -eq 0 ]; then
      printf '    ... %ss: %s\n' "${waited}" "$(tail -n 1 "${log}" | tr -d '\r' | cut -c 1-110)"
    fi
  done
  wait "${pid}" 2>/dev/null || status=$?
  trap - INT TERM
  return "${status}"
}

# logged NAME COMMAND...: runs a long command with its output in a file; shows the end of the file when it fails.
# KOPI_DOCKA_VERBOSE=1 shows everything at once.
logged() {
  local name="$1" log status=0
  shift
  mkdir -p "${LOG_DIR}"
  log="${LOG_DIR}/${name}.log"
  if [ -n "${KOPI_DOCKA_VERBOSE:-}" ]; then
    "$@" 2>&1 | tee "${log}"
    return
  fi
  "$@" >"${log}" 2>&1 &
  watched $! "${log}" || status=$?
  if [ "${status}" -ne 0 ]; then
    printf '\n    The last lines of %s:\n' "${log}" >&2
    tail -n 40 "${log}" | sed 's/^/    | /' >&2
  fi
  return "${status}"
}

# require_docker: the engine answers, or a reason why not.
require_docker() {
  have docker || die "the docker command is missing" "install Docker Engine (Debian and Ubuntu: apt-get install docker.io)"
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    die "the Docker Engine does not answer: $(docker version --format '{{.Server.Version}}' 2>&1 | tail -n 1)" \
      "start it (systemctl start docker), or give your user the right to use it"
}
