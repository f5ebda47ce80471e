#include "service/zeromq/control.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/log.h"
#include "service/commands/command.h"

namespace palisade {
namespace {

constexpr std::chrono::seconds kPatience{5};

struct ControlOptions {
  std::string endpoint;
  ControlRequest request;
};

int control(const ControlOptions& options) {
  const auto fault = send_control(options.endpoint, options.request, kPatience);
  if (!fault) return kDone;
  log_error(*fault);
  return kFailed;
}

void add_action(CLI::App& parent, Run& run, const std::string& name, const std::string& action,
                const std::string& help) {
  CLI::App* const command = parent.add_subcommand(name, help);
  const auto options = std::make_shared<ControlOptions>();
  options->request.action = action;
  command->add_option("STREAM", options->request.stream, "Name of the stream")->required();
  command->add_option("TASK", options->request.task, "Name of the task")->required();
  command
      ->add_option("--at", options->endpoint, "Endpoint named by `control:` of the service's configuration")
      ->envname("PALISADE_CONTROL")
      ->type_name("ENDPOINT")
      ->required();
  command->callback([&run, options] { run = [options] { return control(*options); }; });
}

}  // namespace

void add_control(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("control", "Ask something of a running service");
  command->require_subcommand(1);
  add_action(*command, run, "ask-now", "ask_now",
             "Ask about a task's next clip, whatever its gates say; the answer is published as ever");
  add_action(*command, run, "take-reference", "take_reference",
             "Make a task's next frame the reference picture that it is against");
  command->footer(
      "\nExamples:\n"
      "  palisade control ask-now front_door pair --at ipc:///run/palisade/control\n"
      "  palisade control take-reference front_door pair --at ipc:///run/palisade/control");
}

}  // namespace palisade
