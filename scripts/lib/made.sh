# shellcheck shell=bash
# Where images come from and which of them are ours to remove again. To be sourced after common.sh.

: "${ROOT:?}" "${LOG_DIR:?}"

# A registry out of reach must cost seconds, a slow line may take minutes.
ANSWER_SECONDS=20
PULL_SECONDS="${KOPI_DOCKA_PULL_SECONDS:-600}"
# "NAME ID" of each image the quickstart made or pulled, so that --down removes these and no others. Other scripts keep
# no list: who builds an image with them wants it to stay.
MADE_LIST="${ROOT}/build/quickstart-images"
MADE_IS_OURS=
PULL_PROBLEM=

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }
image_id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }
image_bytes() { docker image inspect --format '{{.Size}}' "$1"; }
image_megabytes() { echo $(($(image_bytes "$1") / 1048576)); }

# As it is now, and not another that got the same name meanwhile.
made_by_us() { # IMAGE
  grep -qxF -- "$1 $(image_id "$1")" "${MADE_LIST}" 2>/dev/null
}

forget_image() { # IMAGE
  local others
  if [ -e "${MADE_LIST}" ]; then
    others="$(awk -v image="$1" '$1 != image' "${MADE_LIST}")"
    if [ -n "${others}" ]; then printf '%s\n' "${others}" >"${MADE_LIST}"; else rm -f "${MADE_LIST}"; fi
  fi
}

# making IMAGE COMMAND...: runs COMMAND, which makes IMAGE, and notes it as ours unless it was there before.
making() {
  local image="$1" ours=
  shift
  if [ -n "${MADE_IS_OURS}" ] && { ! image_exists "${image}" || made_by_us "${image}"; }; then ours=yes; fi
  "$@" || return
  if [ -n "${ours}" ]; then
    mkdir -p "$(dirname "${MADE_LIST}")"
    forget_image "${image}"
    printf '%s %s\n' "${image}" "$(image_id "${image}")" >>"${MADE_LIST}"
  fi
}

# Sets PULL_PROBLEM when the image cannot be had.
try_pull() { # IMAGE
  if image_exists "$1"; then return 0; fi
  making "$1" pull "$1"
}

pull() { # IMAGE
  local log="${LOG_DIR}/pull.log" errors="${LOG_DIR}/pull.errors" status=0
  mkdir -p "${LOG_DIR}"
  PULL_GIVEN_UP=
  docker pull "$1" >"${log}" 2>"${errors}" &
  watched $! "${log}" pull_is_hopeless || status=$?
  PULL_PROBLEM="${PULL_GIVEN_UP:-$(tail -n 1 "${errors}" | cut -c 1-200)}"
  return "${status}"
}

# docker pull prints its first line when the registry has answered.
pull_is_hopeless() { # SECONDS LOG
  if [ "$1" -ge "${ANSWER_SECONDS}" ] && [ ! -s "$2" ]; then
    PULL_GIVEN_UP="the registry did not answer within ${ANSWER_SECONDS} seconds"
  elif [ "$1" -ge "${PULL_SECONDS}" ]; then
    PULL_GIVEN_UP="it was not complete after ${PULL_SECONDS} seconds (KOPI_DOCKA_PULL_SECONDS)"
  fi
  [ -n "${PULL_GIVEN_UP}" ]
}

# All that the quickstart made, newest first. What cannot go yet stays on the list.
remove_made_images() {
  local image id lines line
  if [ ! -s "${MADE_LIST}" ]; then return 0; fi
  mapfile -t lines < <(tac "${MADE_LIST}")
  for line in "${lines[@]}"; do
    image="${line% *}"
    id="${line##* }"
    if [ "$(image_id "${image}")" != "${id}" ]; then
      forget_image "${image}"
    elif docker image rm "${image}" >/dev/null 2>&1; then
      say "Removed: image ${image}"
      forget_image "${image}"
    fi
  done
}

# What earlier builds left without a name: stages, and images whose name a newer one took.
remove_nameless_images() {
  local label
  for label in org.kopi-docka.stage org.kopi-docka.kopia org.kopi-docka.release; do
    docker image prune --force --filter "label=${label}" >/dev/null
  done
}

# In plain words, which images of ours stay, and why.
tell_left_images() { # IMAGE...
  local image
  for image in "$@"; do
    if ! image_exists "${image}"; then continue; fi
    if made_by_us "${image}"; then
      say "Left, because something else uses it: image ${image}"
    else
      say "Left, because the quickstart did not make it: image ${image}"
    fi
  done
  if docker buildx version >/dev/null 2>&1 && [ "${DOCKER_BUILDKIT:-1}" != 0 ]; then
    say "Left, because all builds share it: the cache of docker build (docker builder prune empties it)"
  fi
}
