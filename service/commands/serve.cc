#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "base/log.h"
#include "service/commands/command.h"
#include "service/commands/model_choice.h"
#include "service/commands/model_flags.h"
#include "service/engine/slowed_model.h"
#include "service/service.h"
#include "service/settings/settings.h"
#include "service/terminal/interrupt.h"

namespace palisade {
namespace {

struct ServeOptions {
  std::string config;
  ModelFlags model;
  std::string publish;
  std::string log_level = "info";
  bool until_end = false;
};

Settings settings_of(const ServeOptions& options, const std::vector<WrittenStream>& more = {}) {
  Settings settings = read_settings(options.config, more);
  apply(options.model, settings);
  if (!options.publish.empty()) {
    const bool encrypted = !settings.keys.server.empty();
    if (const auto fault = endpoint_fault(options.publish, encrypted))
      throw UsageError("--publish: " + *fault);
    settings.publish = options.publish;
  }
  return settings;
}

// PALISADE_TEST_SLOWDOWN=10 behaves like a machine that is ten times slower.
std::unique_ptr<EngineModel> slowed_for_tests(std::unique_ptr<EngineModel> model) {
  const char* const text = std::getenv("PALISADE_TEST_SLOWDOWN");
  if (text == nullptr) return model;
  const double factor = std::atof(text);
  if (factor < 1 || factor > 1000) throw UsageError("PALISADE_TEST_SLOWDOWN is a factor from 1 to 1000");
  log_warning("the model is slowed " + std::string(text) + " times by PALISADE_TEST_SLOWDOWN");
  return slowed(std::move(model), factor);
}

// Called on SIGHUP. A configuration with a mistake changes nothing.
void reload(const ServeOptions& options, Service& service) {
  try {
    service.reload(settings_of(options));
  } catch (const SettingsError& error) {
    for (const std::string& problem : error.problems()) log_error(problem);
    log_error("the configuration was not reloaded; all goes on as before");
  }
}

int serve(const ServeOptions& options) {
  log_from(log_level_of(options.log_level).value_or(LogLevel::kInfo));
  const Settings settings = settings_of(options);
  Interrupt interrupt;
  const auto model = slowed_for_tests(
      load_chosen_model(settings.model, {.resize = settings.resize,
                                         .sliding_window = settings.sliding_window,
                                         .precision = settings.precision,
                                         .weights = weight_options_of(settings),
                                         .while_loading = std::make_shared<ImmediateExit>(kDone)}));
  Service service(settings, *model);
  log_info("publishing on " + service.endpoint() + "; `palisade watch --subscribe " + service.endpoint() +
           "` shows it");
  if (const std::string http = service.http_endpoint(); !http.empty())
    log_info("HTTP API on " + http + "; `palisade open` prints the link to its dashboard");
  service.on_reread(
      [&options](const std::vector<WrittenStream>& more) { return settings_of(options, more); });
  interrupt.on_hangup([&] { reload(options, service); });
  const Service::End end = service.run(interrupt.token(), options.until_end);
  interrupt.on_hangup({});
  if (end == Service::End::kStopped) log_info("stopping");
  const int code = end == Service::End::kSomeUnreadable ? kFailed : kDone;
  // The engine's thread did not stop in time. Everything else is closed, so the process may end without it.
  if (!service.stop()) std::_Exit(code);
  return code;
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("serve", "Watch the configured streams and publish what the model says");
  const auto options = std::make_shared<ServeOptions>();
  command
      ->add_option("--config", options->config,
                   "Configuration file; configs/palisade.yaml shows every setting")
      ->envname("PALISADE_CONFIG")
      ->type_name("FILE")
      ->required();
  add_model_flags(*command, options->model, true);
  command
      ->add_option("--publish", options->publish, "ZeroMQ endpoint for events; default: the configuration's")
      ->envname("PALISADE_PUBLISH")
      ->type_name("ENDPOINT");
  command->add_option("--log-level", options->log_level, "Least important lines of the log that are printed")
      ->envname("PALISADE_LOG_LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  command->add_flag(
      "--until-end", options->until_end,
      "End when all streams are files that have been read and answered; 1 if one was unreadable");
  command->footer(
      "\nExamples:\n"
      "  palisade serve --config configs/palisade.yaml\n"
      "  palisade serve --config file.yaml --until-end --publish ipc:///tmp/events\n"
      "\nCtrl-C or SIGTERM stops within two seconds, or five where a camera or film holds it up, with exit "
      "code 0; a "
      "second one stops at once.\n"
      "SIGHUP reads the configuration again: streams are added, changed and removed, and the others lose "
      "nothing. A "
      "configuration with a mistake changes nothing.");
  command->callback([&run, options] { run = [options] { return serve(*options); }; });
}

}  // namespace palisade
