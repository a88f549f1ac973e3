#pragma once

#include <memory>
#include <string>
#include <vector>

#include "metrics/families.hpp"

namespace kopidocka {

/// Series by family and label values, kept in a prometheus-cpp registry. Label values are made printable and
/// cut to 200 bytes. A wrong number of label values or the wrong kind of family is a defect and throws
/// std::logic_error.
class MetricStore {
 public:
  using Values = std::vector<std::string>;

  MetricStore();
  ~MetricStore();

  void add(Family family, Values values, double amount = 1);   ///< counter; 0 makes the series appear
  void set(Family family, Values values, double value);        ///< gauge
  void observe(Family family, Values values, double seconds);  ///< histogram
  void raise_to(Family family, Values values, double total);   ///< counter whose total is read elsewhere

  void remove(Family family);                 ///< all series of a family
  void remove(Family family, Values values);  ///< one series
  void remove_label(Family family, const std::string& name, const std::string& value);
  void remove_label(const std::string& name, const std::string& value);  ///< all series that carry this label

  /// Prometheus text format.
  std::string exposition() const;
  size_t series() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kopidocka
