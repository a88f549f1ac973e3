#include "metrics/store.hpp"

#include <algorithm>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <stdexcept>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kLabelBytes = 200;

/// The series of one family by their label values; prometheus-cpp can only remove a series it is given by
/// address.
template <class T>
struct Series {
  prometheus::Family<T>* family = nullptr;
  std::map<MetricStore::Values, T*> known;

  template <class... Arguments>
  T& at(const std::vector<std::string>& names, const MetricStore::Values& values,
        const Arguments&... arguments) {
    const auto found = known.find(values);
    if (found != known.end()) return *found->second;
    prometheus::Labels labels;
    for (size_t i = 0; i < names.size(); ++i) labels[names[i]] = values[i];
    auto& metric = family->Add(labels, arguments...);
    known.emplace(values, &metric);
    return metric;
  }

  template <class Predicate>
  void remove_if(Predicate holds) {
    for (auto it = known.begin(); it != known.end();) {
      if (!holds(it->first)) {
        ++it;
        continue;
      }
      family->Remove(it->second);
      it = known.erase(it);
    }
  }
};

struct Entry {
  std::vector<std::string> labels;
  Series<prometheus::Counter> counters;
  Series<prometheus::Gauge> gauges;
  Series<prometheus::Histogram> histograms;
};

std::vector<double> bounds_of(const FamilyRow& row) {
  std::vector<double> bounds;
  for (const auto& bound : split(row.buckets, ',')) bounds.push_back(std::stod(bound));
  return bounds;
}

}  // namespace

struct MetricStore::State {
  prometheus::Registry registry;
  std::map<Family, Entry> entries;

  Entry& entry(Family family, FamilyType type, Values& values) {
    auto& entry = entries.at(family);
    if (row_of(family).type != type || entry.labels.size() != values.size()) {
      throw std::logic_error(std::string(row_of(family).name) + " is used against its declaration");
    }
    for (auto& value : values) value = printable(value, kLabelBytes);
    return entry;
  }

  template <class Predicate>
  static void remove_if(Entry& entry, Predicate holds) {
    entry.counters.remove_if(holds);
    entry.gauges.remove_if(holds);
    entry.histograms.remove_if(holds);
  }
};

MetricStore::MetricStore() : state_(std::make_unique<State>()) {
  for (const auto& row : family_table()) {
    const std::string name(row.name), help(row.help);
    auto& entry = state_->entries[row.family];
    if (!row.labels.empty()) entry.labels = split(row.labels, ',');
    switch (row.type) {
      case FamilyType::counter:
        entry.counters.family = &prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
        break;
      case FamilyType::gauge:
        entry.gauges.family = &prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
        break;
      case FamilyType::histogram:
        entry.histograms.family =
            &prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
        break;
    }
  }
}

MetricStore::~MetricStore() = default;

void MetricStore::add(Family family, Values values, double amount) {
  auto& entry = state_->entry(family, FamilyType::counter, values);
  auto& counter = entry.counters.at(entry.labels, values);
  if (amount > 0) counter.Increment(amount);
}

void MetricStore::raise_to(Family family, Values values, double total) {
  auto& entry = state_->entry(family, FamilyType::counter, values);
  auto& counter = entry.counters.at(entry.labels, values);
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

void MetricStore::set(Family family, Values values, double value) {
  auto& entry = state_->entry(family, FamilyType::gauge, values);
  entry.gauges.at(entry.labels, values).Set(value);
}

void MetricStore::observe(Family family, Values values, double seconds) {
  auto& entry = state_->entry(family, FamilyType::histogram, values);
  entry.histograms.at(entry.labels, values, bounds_of(row_of(family))).Observe(seconds);
}

void MetricStore::remove(Family family) {
  State::remove_if(state_->entries.at(family), [](const Values&) { return true; });
}

void MetricStore::remove(Family family, Values values) {
  for (auto& value : values) value = printable(value, kLabelBytes);
  State::remove_if(state_->entries.at(family), [&](const Values& others) { return others == values; });
}

void MetricStore::remove_label(Family family, const std::string& name, const std::string& value) {
  const auto shown = printable(value, kLabelBytes);
  auto& entry = state_->entries.at(family);
  const auto label = std::find(entry.labels.begin(), entry.labels.end(), name);
  if (label == entry.labels.end()) return;
  const auto at = static_cast<size_t>(label - entry.labels.begin());
  State::remove_if(entry, [&](const Values& values) { return values[at] == shown; });
}

void MetricStore::remove_label(const std::string& name, const std::string& value) {
  for (const auto& row : family_table()) remove_label(row.family, name, value);
}

std::string MetricStore::exposition() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
  return out.str();
}

size_t MetricStore::series() const {
  size_t count = 0;
  for (const auto& [family, entry] : state_->entries) {
    count += entry.counters.known.size() + entry.gauges.known.size() + entry.histograms.known.size();
  }
  return count;
}

}  // namespace kopidocka
