# shellcheck shell=bash
# docker compose v2 or docker-compose 1.29, whichever this machine has. To be sourced after common.sh and deps.sh.

compose_program() { if docker compose version >/dev/null 2>&1; then printf 'docker compose'; else printf 'docker-compose'; fi; }

run_compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }

# Installs what the system's apt sources offer when there is neither.
require_compose() {
  local package
  if docker compose version >/dev/null 2>&1 || have docker-compose; then return 0; fi
  if have apt-get; then
    apt_update_once
    for package in docker-compose-v2 docker-compose-plugin docker-compose; do
      if apt-cache show "${package}" >/dev/null 2>&1; then
        install_packages "${package}" || continue
        return 0
      fi
    done
  fi
  die "neither 'docker compose' nor docker-compose is there" "install one: apt-get install docker-compose"
}
