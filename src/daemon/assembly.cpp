#include "daemon/assembly.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "docker/self.hpp"
#include "engine/factory.hpp"
#include "run/container_steps.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kFilesystem = "filesystem://";

/// The local folder of a filesystem repository; empty for other kinds.
std::string repository_folder(const std::string& url) {
  return url.rfind(kFilesystem, 0) == 0 ? url.substr(kFilesystem.size()) : std::string();
}

DockerSettings docker_settings(const Settings& settings) {
  auto endpoint = parse_docker_host(settings.docker_host);
  if (!endpoint) throw endpoint.error();
  DockerSettings docker;
  docker.endpoint = *endpoint;
  docker.request_limit = settings.docker_timeout;
  return docker;
}

bool is_anonymous(const Mount& mount) {
  return mount.type == "volume" && mount.name.size() == 64 && mount.name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_sidecar(const Container& container, const std::string& prefix) {
  const auto role = container.labels.find(prefix + "role");
  return role != container.labels.end() && role->second == "sidecar";
}

}  // namespace

bool running_in_container() { return own_container_id().has_value(); }

std::string own_binary() {
  std::error_code code;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", code);
  return code ? std::string("/proc/self/exe") : path.string();
}

Assembly::Assembly(boost::asio::any_io_executor io, Settings loaded)
    : executor(std::move(io)),
      settings(std::move(loaded)),
      in_container(running_in_container()),
      state(settings.state_dir),
      journal(state.journal(), clock, [this](const JournalRecord& record) { held.apply(record); }),
      reports(state.reports()),
      worker(own_binary()) {}

Task<> Assembly::meet_surroundings() {
  if (!met_) {
    if (auto opened = state.open(); !opened) throw opened.error();
    if (auto opened = journal.open(); !opened) throw opened.error();
    if (auto opened = reports.open(); !opened) throw opened.error();
    if (auto made = make_private_folder(settings.cache_dir); !made) throw Error(made.error()).in("cache folder (KOPI_DOCKA_CACHE_DIR)");
    docker = std::make_unique<EngineClient>(executor, docker_settings(settings));
    if (const auto runs = journal.open_runs()) held.seed(*runs);
    met_ = true;
  }
  engine_info = co_await docker->info();
  auto pinned = state.pin_hostname(settings.hostname, engine_info.name);
  if (!pinned) throw pinned.error();
  hostname = *pinned;
  co_await find_ourselves();
  choose_password();
  build_engine();
}

Task<> Assembly::find_ourselves() {
  surroundings.defaults.prefix = settings.label_prefix + ".";
  surroundings.defaults.schedule = settings.schedule;
  surroundings.defaults.timezone = settings.time_zone;
  surroundings.defaults.watch_all = settings.watch == WatchMode::all;
  surroundings.docker_proxy_host = docker->endpoint().is_unix() ? std::string() : docker->endpoint().host;
  if (in_container) {
    const auto id = own_container_id().value_or(std::string());
    const auto self = co_await look_at_container(*docker, id);
    // A container of another engine (one inside the other): this engine's paths are then the paths we see.
    in_container = self.has_value();
    if (self && !is_sidecar(*self, surroundings.defaults.prefix)) {
      throw Error(ErrorKind::refused,
                  "this container cannot tell itself from " + printable(self->name) + ": either it shares that container's network, or it "
                  "does not run from the kopi-docka image",
                  "give the kopi-docka service a network of its own, or label it " + surroundings.defaults.prefix + "role=sidecar");
    }
    if (self) {
      surroundings.own_container_id = id;
      surroundings.paths = HostPaths::in_container(*self);
    }
  }
  state_problem = must_survive(settings.state_dir.string(), "state folder");
  const auto folder = repository_folder(settings.repository);
  repository_problem = folder.empty() ? "only a local repository is created by itself" : must_survive(folder, "repository folder");
  for (const auto& path : {settings.state_dir.string(), settings.cache_dir.string(), folder}) {
    if (path.empty()) continue;
    if (const auto host = surroundings.paths.host(path)) surroundings.own_paths.push_back(*host);
  }
}

std::string Assembly::must_survive(const std::string& path, const std::string& what) const {
  if (!in_container) return {};
  const auto host = surroundings.paths.host(path);
  if (!host) {
    return "the " + what + " " + path + " is not a mount: it would be lost with this container; mount a named volume there";
  }
  const auto* anonymous = surroundings.paths.mount_of(path);
  if (anonymous != nullptr && is_anonymous(*anonymous)) {
    return "the " + what + " " + path + " is an anonymous volume: a new container would not find it; give the volume a name";
  }
  return {};
}

void Assembly::choose_password() {
  password = settings.password;
  if (!password.empty()) return;
  auto stored = state.stored_password();
  if (!stored) throw stored.error();
  if (stored->has_value()) password = **stored;
}

void Assembly::build_engine() {
  if (engine) return;
  EngineSettings wanted;
  wanted.engine = std::string(to_string(settings.engine));
  wanted.repository = settings.repository;
  wanted.password = password;
  wanted.hostname = hostname;
  wanted.username = "root";
  wanted.state_folder = state.engine().string();
  wanted.cache_folder = settings.cache_dir.string();
  wanted.deadlines.quick = settings.engine_timeout;
  wanted.deadlines.transfer = settings.snapshot_timeout;
  auto pinned = state.pinned_repository(settings.repository);
  if (!pinned) throw pinned.error();
  wanted.pinned_id = *pinned;
  if (auto made = make_private_folder(state.engine()); !made) throw made.error();
  auto made_engine = make_engine(wanted);
  if (!made_engine) throw made_engine.error();
  engine = std::move(*made_engine);
}

Task<> Assembly::refuse_rivals() {
  std::string own_created;
  const auto containers = co_await inspect_all(*docker, co_await docker->list_containers(), 8);
  for (const auto& container : containers) {
    if (container.id == surroundings.own_container_id) own_created = container.created;
  }
  for (const auto& container : containers) {
    if (container.id == surroundings.own_container_id || !container.running()) continue;
    if (!is_sidecar(container, surroundings.defaults.prefix)) continue;
    const bool older = std::pair(container.created, container.id) < std::pair(own_created, surroundings.own_container_id);
    if (in_container && !older) continue;
    throw Error(ErrorKind::busy, "container " + printable(container.name) + " is a kopi-docka that works on this Docker Engine already",
                "use 'docker exec " + printable(container.name) + " kopi-docka ...', or stop it first");
  }
}

Task<Assembly::OpenedRepository> Assembly::open_repository(Cancel cancel) {
  std::optional<Error> missing;
  if (password.empty()) {
    missing = Error(ErrorKind::not_found, "there is no password yet");
  } else {
    try {
      auto info = co_await engine->probe(cancel);
      if (auto pinned = state.pin_repository(settings.repository, info.unique_id); !pinned) throw pinned.error();
      OpenedRepository opened;
      opened.info = std::move(info);
      co_return opened;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
      missing = error;
    }
  }
  const auto pinned = state.pinned_repository(settings.repository);
  if (!pinned) throw pinned.error();
  if (!pinned->empty()) {
    throw Error(ErrorKind::not_found, "the repository " + settings.repository + " was there before and is gone: " + missing->message(),
                "is its disk or volume mounted? Nothing is created in its place");
  }
  const bool is_default = settings.repository == default_repository(in_container);
  if (!is_default) {
    if (password.empty()) {
      throw Error(ErrorKind::invalid, "no password is set for the repository " + settings.repository,
                  "set KOPI_DOCKA_PASSWORD_FILE (or KOPI_DOCKA_PASSWORD)");
    }
    throw Error(missing->kind(), missing->message(),
                "create it with 'kopi-docka repository init', or correct KOPI_DOCKA_REPOSITORY");
  }
  if (!repository_problem.empty()) throw Error(ErrorKind::refused, repository_problem);
  co_return co_await init_repository(cancel);
}

Task<Assembly::OpenedRepository> Assembly::init_repository(Cancel cancel) {
  if (password.empty()) {
    auto created = state.create_password();
    if (!created) throw created.error();
    password = *created;
    password_generated = true;
    engine.reset();
    build_engine();
  }
  if (settings.repository == default_repository(in_container)) {
    // Ours to make; any other place must be there, or a missing mount would become a fresh repository on the wrong disk.
    if (auto made = make_private_folder(repository_folder(settings.repository)); !made) throw made.error();
  }
  auto info = co_await engine->create(cancel);
  if (auto pinned = state.pin_repository(settings.repository, info.unique_id); !pinned) throw pinned.error();
  OpenedRepository opened;
  opened.info = std::move(info);
  opened.created = true;
  co_return opened;
}

RunContext Assembly::run_context(std::vector<RunObserver*> more) {
  RunContext context{*docker, *engine, worker, journal, reports, clock, {}, settings.cache_dir, settings.hooks_dir, engine_info.id,
                     KOPIDOCKA_VERSION, settings.recipe_environment, surroundings.own_container_id, state_problem, observers};
  context.limits.workers = settings.workers;
  context.limits.snapshot_timeout = settings.snapshot_timeout;
  context.limits.min_free_bytes = settings.min_free.bytes;
  context.limits.min_free_percent = settings.min_free.percent;
  context.observers.insert(context.observers.end(), more.begin(), more.end());
  return context;
}

}  // namespace kopidocka
