// `palisade rules`: what the rules of a configuration would have made of events.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/time_text.h"
#include "service/commands/command.h"
#include "service/commands/state_flags.h"
#include "service/journal/event_query.h"
#include "service/settings/settings.h"
#include "service/terminal/output.h"
#include "tasks/rules/rule_book.h"

namespace palisade {
namespace {

constexpr std::size_t kPageOfEvents = 1000;

struct RulesOptions {
  std::string config, events;
  StateFlags state;
  std::string from, to;
  bool json = false;
};

// What rules make of events, printed as it comes.
class RulesTrial {
 public:
  RulesTrial(std::vector<RuleSettings> rules, bool json) : rules_(std::move(rules)), json_(json) {}

  void take(const Json& event) {
    const std::optional<RuleAnswer> answer = rule_answer_of(event);
    if (!answer) return;
    ++answers_;
    RuleBookOutcome outcome = rules_.take(*answer);
    asked_ += outcome.asked.size();
    for (const Alert& alert : outcome.alerts) print(alert);
  }
  void tell() const {
    log_info(format("{} answers: {} alerts raised, {} cleared, {} second looks asked for", answers_, raised_,
                    cleared_, asked_));
  }

 private:
  void print(const Alert& alert) {
    raised_ += alert.change == AlertChange::kRaised;
    cleared_ += alert.change == AlertChange::kCleared;
    if (json_) {
      Json line = to_json(alert);
      line["stream"] = alert.stream;
      line["time"] = time_text(alert.time);
      print_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
      return;
    }
    print_line(format("{} {}/{} {} {}: {}", time_text(alert.time), alert.stream, alert.rule, alert.severity,
                      name_of(alert.change), alert.text));
  }

  RuleBook rules_;
  const bool json_;
  std::size_t answers_ = 0, raised_ = 0, cleared_ = 0, asked_ = 0;
};

void take_file(const std::string& name, RulesTrial& trial) {
  LineReader lines(name == "-" ? "/dev/stdin" : name, kMaxEventBytes);
  std::string line;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const std::string place = format("{}:{}", name, lines.number());
    const Json event = parse_json(line, place);
    try {
      trial.take(event);
    } catch (const Error& error) {
      throw Error(format("{}: {}", place, error.what()));
    }
  }
}

void take_journal(const RulesOptions& options, RulesTrial& trial) {
  StateFlags state = options.state;
  if (state.state.empty() && state.config.empty()) state.config = options.config;
  EventQuery query(state_folder_of(state));
  EventFilter filter{.kind = EventKind::kAnswer, .limit = kPageOfEvents};
  if (!options.from.empty()) filter.from_ms = moment_ms(options.from, "--from");
  if (!options.to.empty()) filter.to_ms = moment_ms(options.to, "--to");
  while (true) {
    const std::vector<StoredEvent> page = query.find(filter);
    for (const StoredEvent& event : page) trial.take(parse_json(event.body, event.topic));
    if (page.size() < kPageOfEvents) return;
    filter.after = page.back().position;
  }
}

int test(const RulesOptions& options) {
  std::vector<RuleSettings> rules = read_settings(options.config).rules;
  if (rules.empty())
    throw UsageError(format("{}: has no rules; a stream's are below 'rules:'", options.config));
  RulesTrial trial(std::move(rules), options.json);
  if (options.events.empty()) {
    take_journal(options, trial);
  } else {
    take_file(options.events, trial);
  }
  trial.tell();
  return kDone;
}

}  // namespace

void add_rules(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("rules", "Try alert rules on a recording");
  command->require_subcommand(1);
  const auto options = std::make_shared<RulesOptions>();
  CLI::App* const tested =
      command->add_subcommand("test", "Print the alerts that a configuration's rules would have raised");
  tested->add_option("RULES", options->config, "Configuration with the rules")->type_name("FILE")->required();
  tested
      ->add_option("EVENTS", options->events,
                   "Events as `palisade events --json` and `watch --json` print them, - for stdin; without "
                   "it those of the journal")
      ->type_name("FILE");
  add_state_flags(*tested, options->state);
  tested->add_option("--from", options->from, "From this time on, of the journal")->type_name("TIME");
  tested->add_option("--to", options->to, "Before this time, of the journal")->type_name("TIME");
  tested->add_flag("--json", options->json, "One alert a line");
  tested->callback([&run, options] { run = [options] { return test(*options); }; });
  command->footer(
      "\nExamples:\n"
      "  palisade rules test palisade.yaml --from 7d\n"
      "  palisade events --json --from 1d > day.jsonl && palisade rules test palisade.yaml day.jsonl");
}

}  // namespace palisade
