#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "plan/plan.hpp"
#include "run/context.hpp"
#include "run/open_snapshots.hpp"
#include "run/reading.hpp"

namespace kopidocka {

/// What is known of a run while it goes on. One run, one state; the runner and its actions share it.
class RunState {
 public:
  RunState(RunContext& context, const boost::asio::any_io_executor& executor, Plan plan, Cancel cancel);

  RunContext& context;
  Plan plan;
  RunReport report;
  Phase phase = Phase::prepare;
  Cancel cancel;         ///< the user's or the daemon's wish to end this run
  Cancel engine_cancel;  ///< ends engine processes: on that wish, and when the run has failed anyway
  OpenSnapshots open_snapshots;
  Signal hold_changed;  ///< a container was asked to stop, or the hold has ended
  bool journal_open = false;
  bool pre_hook_ran = false;
  bool snapshot_begun = false;
  bool cut_short = false;  ///< a step before the settle phase was left out because an end was requested
  std::map<std::string, Reading> readings;  ///< by source path
  std::set<std::string> single_files;    ///< source paths that are one file, not a folder
  std::set<std::string> untrusted;       ///< source paths whose newest snapshot must not be built on
  std::map<std::string, std::set<std::string>> seen_snapshots;  ///< ids by source path, those there were before the hold
  std::set<std::string> opened_in_time;  ///< source paths whose engine had opened the repository before that look
  std::map<std::string, PathFacts> folders;  ///< by source path: what the folder was when the run began
  std::set<std::string> stop_requested;  ///< ids
  std::set<std::string> unconfirmed;     ///< ids that Docker was asked to stop and may stop yet
  std::set<std::string> started_by_us;   ///< ids
  std::set<std::string> bystanders;      ///< ids that mount a folder above a source and ran before the hold, as planned
  std::set<std::string> nothing_staged;  ///< types of staging folders for which there is nothing to save
  std::set<std::string> owed;            ///< ids that we stopped and have not yet started
  std::optional<TimePoint> hold_began, read_ended;
  std::map<std::string, Place> places;  ///< by target: where restored data waits
  std::vector<std::string> swapped;     ///< targets that were touched, in that order
  bool data_in_doubt = false;           ///< old data could not be put back: nothing may be started on it

  /// The first abort decides reason and result; later ones are added as problems.
  void abort(const Error& error, std::string reason);
  void degrade(const Error& error, std::string reason);
  void note(std::string sentence);
  bool aborted() const { return aborted_; }
  bool degraded() const { return degraded_; }
  bool must_end() const { return aborted_ || cancel.requested(); }

  /// What max-downtime leaves of `wanted`: all of it while nobody was asked to stop, and where there is no limit.
  Milliseconds within_limit(Milliseconds wanted) const;
  /// Whether containers were, or are, down for longer than max-downtime allows.
  bool over_limit() const;

  void member_down(const std::string& id);
  void member_up(const std::string& id);
  MemberReport& member(const std::string& id);

  /// Observers cannot influence the run: what they throw becomes a problem of the report.
  void emit(RunEvent::Kind kind, std::string text = {}, std::string error = {}, double seconds = 0, std::uint64_t bytes = 0);
  /// Throws ErrorKind::failed with reason journal when the record cannot be made durable.
  void journal(JournalRecord::Type type, const std::string& container = {}, std::optional<HeldData> data = {}, std::string note = {});

  /// The same for records that must not keep a container down: when the disk is full, what was stopped is started all the
  /// same, and the journal goes on claiming a debt that recovery then finds paid.
  void journal_if_possible(JournalRecord::Type type, const std::string& container, std::string note = {}, std::optional<HeldData> data = {});

  /// Result and downtime as they stand now.
  void judge();
  /// Result, downtime and duration, decided from what happened.
  void conclude();

 private:
  bool aborted_ = false;
  bool degraded_ = false;
  bool refused_ = false;
  std::chrono::steady_clock::time_point began_;
  std::optional<std::chrono::steady_clock::time_point> first_down_, last_up_;
  std::map<std::string, std::chrono::steady_clock::time_point> down_since_;
  Cancel::Subscription subscription_;
};

}  // namespace kopidocka
