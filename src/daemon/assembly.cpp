#include "daemon/assembly.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.hpp"
#include "daemon/memory_limit.hpp"
#include "daemon/own_mounts.hpp"
#include "daemon/rival.hpp"
#include "docker/self.hpp"
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

/// An engine reached over the network that bears another machine's name has other files than we see.
bool is_elsewhere(const Endpoint& endpoint, const std::string& engine_name) {
  const auto& host = endpoint.host;
  if (endpoint.is_unix() || host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0) return false;
  char own[256] = {};
  return ::gethostname(own, sizeof own - 1) != 0 || engine_name != own;
}

void remove_older(const std::filesystem::path& folder, const std::string& prefix) {
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    const auto name = entry.path().filename().string();
    const bool special = entry.is_socket(code) || entry.is_fifo(code);
    const auto age = std::filesystem::file_time_type::clock::now() - entry.last_write_time(code);
    if (special && name.rfind(prefix, 0) == 0 && age > std::chrono::minutes(10)) std::filesystem::remove(entry.path(), code);
  }
}

std::string own_mountinfo() {
  std::ifstream file("/proc/self/mountinfo");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
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
      mountinfo(own_mountinfo()),
      in_container(container_id_from_mountinfo(mountinfo).has_value()),
      state(settings.state_dir),
      journal(state.journal(), clock, [this](const JournalRecord& record) {
                held.apply(record);
                surroundings.held = held.ids();
              },
              [this](const Error&) {
                if (on_journal_failure) on_journal_failure();
              }),
      reports(state.reports()),
      pauses(state.path() / "paused.json"),
      worker(own_binary()),
      repository_turn_(executor, 1) {}

void Assembly::make_docker() {
  if (docker) return;
  auto wanted = docker_settings(settings);
  wanted.on_request = [this](const DockerRequest& request) {
    if (on_docker_request) on_docker_request(request);
  };
  auto client = std::make_unique<EngineClient>(executor, std::move(wanted));
  engine_client = client.get();
  docker = std::move(client);
}

void Assembly::open_folders() {
  if (folders_open_) return;
  if (auto opened = state.open(); !opened) throw opened.error();
  if (auto opened = journal.open(); !opened) throw opened.error();
  if (auto opened = reports.open(); !opened) throw opened.error();
  if (auto made = make_private_folder(settings.cache_dir); !made) throw Error(made.error()).in("cache folder (KOPI_DOCKA_CACHE_DIR)");
  if (const auto runs = journal.open_runs()) held.seed(*runs);
  pauses.load();
  // The sockets of gates and the pipes of `cat` that somebody was killed with. What works now is younger.
  remove_older(settings.cache_dir / "gate", "");
  remove_older(settings.state_dir, "cat-");
  folders_open_ = true;
}

bool Assembly::build_engine_alone() {
  if (engine) return true;
  open_folders();
  auto kept = state.pin_hostname({}, {});
  if (!kept) throw kept.error();
  hostname = settings.hostname.empty() ? *kept : settings.hostname;
  if (hostname.empty()) return false;
  choose_password();
  (void)pinned_id();
  return true;
}

Task<> Assembly::meet_surroundings() {
  open_folders();
  make_docker();
  engine_info = co_await docker->info();
  auto pinned = state.pin_hostname(settings.hostname, engine_info.name);
  identity_trouble.reset();
  if (!pinned) identity_trouble = pinned.error();
  hostname = pinned ? *pinned : settings.hostname;
  co_await find_ourselves();
  choose_password();
  // Containers that a run had stopped are started whatever else is wrong; callers ask for the trouble after that.
  if (identity_trouble) {
    const std::string no_pin;
    build_engine(no_pin);
  } else {
    (void)pinned_id();
  }
}

Task<> Assembly::find_ourselves() {
  surroundings.defaults.prefix = settings.label_prefix + ".";
  surroundings.defaults.schedule = settings.schedule;
  surroundings.defaults.timezone = settings.time_zone;
  surroundings.defaults.watch_all = settings.watch == WatchMode::all;
  surroundings.defaults.instance = settings.instance;
  const auto endpoint = docker_settings(settings).endpoint;
  surroundings.docker_proxy_host = endpoint.host;
  surroundings.docker_socket = endpoint.path;
  surroundings.docker_root = engine_info.root_dir;
  surroundings.own_container_id.clear();
  surroundings.paths = HostPaths::on_host();
  surroundings.own_paths.clear();
  if (in_container) {
    const auto id = container_id_from_mountinfo(mountinfo).value_or(std::string());
    // Nothing for a container of another engine (one inside the other): this engine's paths are then the paths we see.
    const auto self = co_await look_at_container(*docker, id);
    if (self && !is_sidecar(self->labels, surroundings.defaults.prefix)) {
      throw Error(ErrorKind::refused,
                  "this container cannot tell itself from " + printable(self->name) + ": either it shares that container's network, or it "
                  "does not run from the kopi-docka image",
                  "give the kopi-docka service a network of its own, or label it kopi-docka.role=sidecar");
    }
    if (self) {
      surroundings.own_container_id = id;
      surroundings.paths = HostPaths::in_container(*self);
    }
  }
  if (surroundings.own_container_id.empty() && is_elsewhere(endpoint, engine_info.name)) {
    surroundings.paths = HostPaths::nothing_visible("the Docker Engine at " + endpoint.text() + " runs on another machine, " +
                                                    printable(engine_info.name));
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
  auto survival = Survival::yes;
  if (surroundings.own_container_id.empty()) {
    survival = survives_container(mountinfo, path);
  } else if (!surroundings.paths.host(path)) {
    survival = Survival::own_layer;
  } else if (const auto* mount = surroundings.paths.mount_of(path); mount != nullptr && is_anonymous(*mount)) {
    survival = Survival::anonymous;
  }
  switch (survival) {
    case Survival::yes: return {};
    case Survival::own_layer:
      return "the " + what + " " + path + " is not a mount: it would be lost with this container; mount a named volume there";
    case Survival::anonymous: break;
  }
  return "the " + what + " " + path + " is an anonymous volume: a new container would not find it; give the volume a name";
}

void Assembly::choose_password() {
  password = settings.password;
  if (!password.empty()) return;
  auto stored = state.stored_password();
  if (!stored) throw stored.error();
  if (stored->has_value()) password = **stored;
}

std::string Assembly::pinned_id() {
  auto pinned = state.pinned_repository(settings.repository);
  if (!pinned) throw pinned.error();
  if (!engine || engine_pin_ != *pinned) build_engine(*pinned);
  return *pinned;
}

void Assembly::build_engine(const std::string& pinned) {
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
  wanted.pinned_id = pinned;
  if (gate_width() > 0) wanted.gate_helper = own_binary();
  if (auto made = make_private_folder(state.engine()); !made) throw made.error();
  auto made_engine = engine_maker(std::move(wanted));
  if (!made_engine) throw made_engine.error();
  if (engine) retired_.push_back(std::move(engine));
  engine = std::move(*made_engine);
  engine_pin_ = pinned;
}

Task<std::optional<Container>> Assembly::find_rival() {
  const auto containers = co_await inspect_all(*docker, co_await docker->list_containers(), 8);
  co_return acting_rival(containers, surroundings.own_container_id, surroundings.defaults.prefix);
}

Task<> Assembly::refuse_rivals() {
  const auto rival = co_await find_rival();
  if (rival) throw rival_error(*rival);
}

Error Assembly::lost_repository(ErrorKind kind, const std::string& why) const {
  const auto pin = (state.path() / "identity.json").string();
  return {kind, "the repository " + settings.repository + ", pinned in " + pin + ", was there before and is gone: " + why,
          "is its disk or volume mounted? Nothing is created in its place. If it is lost for good, remove its line from " + pin +
              " and run 'kopi-docka repository init'"};
}

void Assembly::accept(const RepositoryInfo& info) {
  if (auto kept = state.pin_repository(settings.repository, info.unique_id); !kept) throw kept.error();
  (void)pinned_id();
}

Task<Assembly::OpenedRepository> Assembly::in_turn(Task<OpenedRepository> work) {
  co_await repository_turn_.acquire();
  std::exception_ptr failure;
  OpenedRepository opened;
  try {
    opened = co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  repository_turn_.release();
  if (failure) std::rethrow_exception(failure);
  co_return opened;
}

Task<Assembly::OpenedRepository> Assembly::open_repository(Cancel cancel) { co_return co_await in_turn(connect_or_create(cancel)); }

Task<Assembly::OpenedRepository> Assembly::init_repository(Cancel cancel) { co_return co_await in_turn(create_repository(cancel)); }

Task<Assembly::OpenedRepository> Assembly::connect_or_create(Cancel cancel) {
  const auto pinned = pinned_id();
  std::optional<Error> missing;
  if (password.empty()) {
    missing = Error(ErrorKind::not_found, "there is no password yet");
  } else {
    try {
      auto info = co_await engine->probe(cancel);
      accept(info);
      OpenedRepository opened;
      opened.info = std::move(info);
      co_return opened;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
      missing = error;
    }
  }
  if (!pinned.empty()) throw lost_repository(ErrorKind::not_found, missing->message());
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
  co_return co_await create_repository(cancel);
}

Task<> Assembly::require_no_lost_repository(Cancel cancel) {
  if (pinned_id().empty()) co_return;
  if (password.empty()) throw lost_repository(ErrorKind::refused, "its password is not in the settings, nor in " + state.password_file().string());
  std::optional<Error> missing;
  try {
    (void)co_await engine->probe(cancel);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::unreachable) throw;
    missing = error;
  }
  if (missing) throw lost_repository(ErrorKind::refused, missing->message());
}

Task<Assembly::OpenedRepository> Assembly::create_repository(Cancel cancel) {
  co_await require_no_lost_repository(cancel);
  if (password.empty()) {
    auto created = state.create_password();
    if (!created) throw created.error();
    password = *created;
    password_generated = true;
    build_engine(engine_pin_);
  }
  if (settings.repository == default_repository(in_container)) {
    // Ours to make; any other place must be there, or a missing mount would become a fresh repository on the wrong disk.
    if (auto made = make_private_folder(repository_folder(settings.repository)); !made) throw made.error();
  }
  auto info = co_await engine->create(cancel);
  accept(info);
  OpenedRepository opened;
  opened.info = std::move(info);
  opened.created = true;
  co_return opened;
}

size_t Assembly::gate_width() const {
  return settings.gate_width.value_or(gate_width_for(memory_limit(), settings.parallel_runs));
}

RunContext Assembly::run_context(std::vector<RunObserver*> more) {
  RunContext context{*docker, *engine, worker, journal, reports, clock, {}, settings.cache_dir, settings.hooks_dir, engine_info.id,
                     KOPIDOCKA_VERSION, settings.recipe_environment, surroundings.own_container_id, state_problem, observers};
  context.surroundings = surroundings;
  context.limits.workers = settings.workers;
  context.limits.snapshot_timeout = settings.snapshot_timeout;
  context.limits.open_timeout = settings.engine_timeout;
  context.limits.min_free_bytes = settings.min_free.bytes;
  context.limits.min_free_percent = settings.min_free.percent;
  context.observers.insert(context.observers.end(), more.begin(), more.end());
  return context;
}

}  // namespace kopidocka
