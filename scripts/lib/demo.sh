# shellcheck shell=bash
# The demo stack "shop" of the quickstart: its images, its files, its database, and its end.
# To be sourced after common.sh, deps.sh, images.sh and compose.sh.

: "${ROOT:?}"
DEMO_PROJECT=shop
DEMO_MARK=org.kopi-docka.quickstart
DEMO_IMAGES=(kopi-docka-demo/postgres:latest kopi-docka-demo/nginx:latest)
DEMO_FILE="${ROOT}/compose/quickstart.yaml"
DEMO_FOLDER="$(realpath --canonicalize-missing "${KOPI_DOCKA_DEMO_FOLDER:-${ROOT}/build/quickstart}")"
# In a folder that the quickstart made; without it none is removed.
DEMO_FOLDER_MARK="${DEMO_FOLDER}/.made-by-kopi-docka-quickstart"

# What compose/quickstart.yaml asks of its environment.
prepare_demo() {
  local root_dir socket
  root_dir="$(docker info --format '{{.DockerRootDir}}' 2>/dev/null || true)"
  socket="${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}"
  case "${socket}" in unix://*) socket="${socket#unix://}" ;; *) socket=/var/run/docker.sock ;; esac
  export KOPI_DOCKA_DEMO_FOLDER="${DEMO_FOLDER}"
  export KOPI_DOCKA_COMPOSE_FOLDER="${ROOT}/compose"
  export KOPI_DOCKA_DOCKER_ROOT="${root_dir:-/var/lib/docker}"
  export KOPI_DOCKA_DOCKER_SOCKET="${socket}"
}

demo_compose() { run_compose --project-name "${DEMO_PROJECT}" --file "${DEMO_FILE}" "$@"; }

# The same as a user types it.
demo_command() {
  printf '%s --project-name %s --file compose/quickstart.yaml' "$(compose_program)" "${DEMO_PROJECT}"
}

build_demo_images() {
  local number names=(postgres nginx) folders=(postgres web)
  for number in 0 1; do
    making "${DEMO_IMAGES[number]}" build_image "demo-${names[number]}" --tag "${DEMO_IMAGES[number]}" \
      --build-arg "BASE_IMAGE=${BASE_IMAGE}" "${ROOT}/compose/demo/${folders[number]}"
  done
  say "Images of the demo stack are built: ${DEMO_IMAGES[*]}"
}

# A real stack or sidecar of the user may have the names of the demo: never touch it.
refuse_strangers() {
  local mark volume network="${DEMO_PROJECT}_default"
  if docker container inspect kopi-docka >/dev/null 2>&1; then
    mark="$(docker container inspect --format "{{index .Config.Labels \"${DEMO_MARK}\"}}" kopi-docka)"
    [ "${mark}" = true ] || die "a container named kopi-docka is here that is not the quickstart's" \
      "try the quickstart on another machine, or remove that container first"
  fi
  if [ -n "$(docker ps --all --quiet --filter "label=com.docker.compose.project=${DEMO_PROJECT}" --filter "label=com.docker.compose.service" |
    sort | comm -23 - <(docker ps --all --quiet --filter "label=${DEMO_MARK}=true" | sort))" ]; then
    die "a compose project named ${DEMO_PROJECT} is here that is not the quickstart's" "docker ps --all --filter label=com.docker.compose.project=${DEMO_PROJECT}"
  fi
  for volume in $(demo_volume_names); do
    docker volume inspect "${volume}" >/dev/null 2>&1 || continue
    mark="$(docker volume inspect --format "{{index .Labels \"${DEMO_MARK}\"}}" "${volume}")"
    [ "${mark}" = true ] || die "a volume named ${volume} is here that is not the quickstart's" "docker volume inspect ${volume}"
  done
  if docker network inspect "${network}" >/dev/null 2>&1; then
    mark="$(docker network inspect --format "{{index .Labels \"${DEMO_MARK}\"}}" "${network}")"
    [ "${mark}" = true ] || die "a network named ${network} is here that is not the quickstart's" "docker network inspect ${network}"
  fi
}

refuse_folder() {
  if [ -e "${DEMO_FOLDER}" ] && [ ! -e "${DEMO_FOLDER_MARK}" ] && [ -n "$(find "${DEMO_FOLDER}" -mindepth 1 -print -quit)" ]; then
    die "${DEMO_FOLDER} is not empty and was not made by the quickstart" "remove it, or name another in KOPI_DOCKA_DEMO_FOLDER"
  fi
}

demo_volume_names() { printf "${DEMO_PROJECT}_%s\n" db kopi-docka-state kopi-docka-cache kopi-docka-repository; }

# Everything that carries our label: "container shop_db_1, volume shop_db, network shop_default".
demo_objects() {
  {
    docker ps --all --filter "label=${DEMO_MARK}=true" --format 'container {{.Names}}'
    docker volume ls --filter "label=${DEMO_MARK}=true" --format 'volume {{.Name}}'
    docker network ls --filter "label=${DEMO_MARK}=true" --format 'network {{.Name}}'
  } | paste --serial --delimiters=, | sed 's/,/, /g'
}

# remove_stack TEXT: containers, networks and volumes; says TEXT first when there are any.
remove_stack() {
  if [ -z "$(demo_objects)" ]; then return 0; fi
  if [ -n "$1" ]; then say "$1"; fi
  demo_compose down --volumes --remove-orphans || die "the stack could not be removed" "docker ps --all --filter label=${DEMO_MARK}"
}

# The files belong to whoever started the quickstart, but the sidecar works as root: what it may have left goes the same way.
remove_demo_files() {
  [ -e "${DEMO_FOLDER}" ] || return 0
  if [ ! -e "${DEMO_FOLDER_MARK}" ]; then
    say "Left, because the quickstart did not make it: folder ${DEMO_FOLDER}"
    return 0
  fi
  rm -rf "${DEMO_FOLDER}" 2>/dev/null ||
    docker run --rm --network none -v "$(dirname "${DEMO_FOLDER}"):/work" "${BASE_IMAGE:-${BASE_REPOSITORY}:${DEBIAN_RELEASE}}" \
      rm -rf "/work/$(basename "${DEMO_FOLDER}")" || die "${DEMO_FOLDER} cannot be removed"
  say "Removed: ${DEMO_FOLDER}"
}

# A copy of the pages in git, and some hundred more: destroying them must not touch the project.
make_demo_files() {
  local number
  if [ -e "${DEMO_FOLDER_MARK}" ]; then remove_demo_files; fi
  mkdir -p "${DEMO_FOLDER}"
  printf 'scripts/quickstart --down removes this folder.\n' >"${DEMO_FOLDER_MARK}"
  mkdir -p "${DEMO_FOLDER}/web/articles" "${DEMO_FOLDER}/web/private"
  install -m 0644 "${ROOT}"/compose/demo/web/files/* "${DEMO_FOLDER}/web/"
  for number in $(seq 1 200); do
    printf '<!doctype html>\n<title>Article %s</title>\n<p>Price: %s.90\n' "${number}" "$((number * 37 % 400))" >"${DEMO_FOLDER}/web/articles/${number}.html"
  done
  head -c 3000000 /dev/urandom >"${DEMO_FOLDER}/web/catalogue.bin"
  printf 'not for everyone\n' >"${DEMO_FOLDER}/web/private/a name with spaces"
  chmod 0640 "${DEMO_FOLDER}/web/private/a name with spaces"
  ln -s articles/1.html "${DEMO_FOLDER}/web/newest.html"
  touch --date '2024-02-29 12:34:56.789' "${DEMO_FOLDER}/web/style.css"
  chmod -R a+rX "${DEMO_FOLDER}/web/articles" "${DEMO_FOLDER}/web"/*.* "${DEMO_FOLDER}" "${DEMO_FOLDER}/web"
}

demo_psql() { demo_compose exec -T db psql --dbname shop --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }

demo_rows() {
  demo_psql --command "select count(*) || ' rows, checksum ' || md5(string_agg(o::text, ';' order by id)) from orders o" | tr -d '\r'
}

# One line per file: kind, mode, owner, time, name, target of a link, checksum.
demo_files() {
  (
    cd "${DEMO_FOLDER}/web" || exit 1
    find . -mindepth 1 \( -type f -printf '%y %m %U:%G %T@ %p\n' \) -o \( ! -type f -printf '%y %m %U:%G %p %l\n' \) | sort
    find . -type f -print0 | sort -z | xargs -0 -r sha256sum
  )
}

# Waits until the sidecar is ready and both members are healthy; a container that keeps falling over ends the wait.
wait_for_stack() {
  local deadline=$((SECONDS + 180)) problem
  while :; do
    problem="$(stack_problem)"
    if [ -z "${problem}" ]; then
      say "Ready: the sidecar answers, db and web are healthy."
      return
    fi
    if [ "${SECONDS}" -ge "${deadline}" ]; then
      docker logs --tail 40 kopi-docka 2>&1 | sed 's/^/    | /' >&2 || true
      die "not ready after three minutes: ${problem}" "docker logs kopi-docka; $(demo_command) logs"
    fi
    sleep 1
  done
}

stack_problem() {
  local service container health answer
  for service in db web; do
    container="$(demo_compose ps --quiet "${service}" 2>/dev/null | head -n 1)"
    if [ -z "${container}" ]; then
      printf '%s has no container' "${service}"
      return
    fi
    health="$(docker inspect --format '{{.State.Status}}, {{.State.Health.Status}}' "${container}" 2>/dev/null || true)"
    if [ "${health}" != 'running, healthy' ]; then
      printf '%s is %s' "${service}" "${health:-gone}"
      return
    fi
  done
  answer="$(docker exec kopi-docka kopi-docka health 2>&1)" || printf 'the sidecar is not ready: %s' "${answer}"
}

# The images of this run, unless the user wants them to stay; then the rest, in words.
remove_images() {
  if [ -n "${KOPI_DOCKA_KEEP_IMAGES:-}" ]; then
    say "Left, as KOPI_DOCKA_KEEP_IMAGES says: the images"
    return
  fi
  remove_made_images
  remove_nameless_images
  tell_left_images "${DEMO_IMAGES[@]}" "${PRODUCT_IMAGE}" "${ENGINE_IMAGE}" "${KOPI_DOCKA_BASE_IMAGE:-${BASE_REPOSITORY}:${DEBIAN_RELEASE}}"
}

# What is left of the build: our logs go; packages stay, for others may need them by now.
remove_traces() {
  local packages
  rm -rf "${LOG_DIR}" "${ENGINE_STAGE}"
  if [ -s "${INSTALLED_LIST}" ]; then
    packages="$(sort -u "${INSTALLED_LIST}" | while read -r package; do
      if package_installed "${package}"; then printf ' %s' "${package}"; fi
    done)"
    if [ -n "${packages}" ]; then say "Left, because other programs may use them by now: the packages${packages}"; fi
  fi
}

# Nothing of the stack may be here any more.
check_removal() {
  local left
  left="$(demo_objects)"
  if [ -e "${DEMO_FOLDER_MARK}" ]; then left="${left:+${left}, }folder ${DEMO_FOLDER}"; fi
  [ -z "${left}" ] || die "still here: ${left}" "docker ps --all --filter label=${DEMO_MARK}"
}
