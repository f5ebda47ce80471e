#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace palisade {

enum class AlertChange { kRaised, kConfirmed, kUpdated, kCleared };

// What became of the second look, where a rule asks for one.
enum class AlertCheck { kNone, kPassed, kRefuted, kUnanswered };

// The data of a palisade.alert.v1 event.
struct Alert {
  std::string rule;
  std::string stream;
  std::string id;  // of the alert: that of the first event it stands on; its later events have the same
  AlertChange change = AlertChange::kRaised;
  std::string severity;
  std::string text;
  double p = 0;  // the least of its conditions' values
  AlertCheck check = AlertCheck::kNone;
  WallTime since{};                   // when it was raised
  WallTime time{};                    // of the event that changed it
  std::vector<std::string> evidence;  // ids of the events that this change stands on, oldest first
};

std::string_view name_of(AlertChange change);  // "raised"
std::optional<AlertChange> alert_change_of(std::string_view name);
Json to_json(const Alert& alert);

}  // namespace palisade
