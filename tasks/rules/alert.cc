#include "tasks/rules/alert.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/time_text.h"

namespace palisade {
namespace {

constexpr std::array<std::pair<AlertChange, std::string_view>, 4> kChanges{
    {{AlertChange::kRaised, "raised"},
     {AlertChange::kConfirmed, "confirmed"},
     {AlertChange::kUpdated, "updated"},
     {AlertChange::kCleared, "cleared"}}};

std::string_view name_of(AlertCheck check) {
  switch (check) {
    case AlertCheck::kNone:
      return "none";
    case AlertCheck::kPassed:
      return "passed";
    case AlertCheck::kRefuted:
      return "failed";
    case AlertCheck::kUnanswered:
      return "unanswered";
  }
  return {};
}

}  // namespace

std::string_view name_of(AlertChange change) {
  return std::ranges::find(kChanges, change, &std::pair<AlertChange, std::string_view>::first)->second;
}

std::optional<AlertChange> alert_change_of(std::string_view name) {
  const auto found = std::ranges::find(kChanges, name, &std::pair<AlertChange, std::string_view>::second);
  return found == kChanges.end() ? std::nullopt : std::optional(found->first);
}

Json to_json(const Alert& alert) {
  Json json = {{"rule", alert.rule},
               {"alert", alert.id},
               {"change", name_of(alert.change)},
               {"severity", alert.severity},
               {"text", alert.text},
               {"p", alert.p},
               {"since", time_text(alert.since)},
               {"evidence", alert.evidence}};
  if (alert.check != AlertCheck::kNone) json["check"] = name_of(alert.check);
  return json;
}

}  // namespace palisade
