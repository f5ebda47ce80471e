#include "service/commands/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/joined.h"
#include "base/log.h"
#include "service/commands/command.h"
#include "service/commands/help_text.h"
#include "service/remote/remote_commands.h"
#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"
#include "service/terminal/process_start.h"

namespace palisade {
namespace {

constexpr void (*kCommands[])(CLI::App&, Run&) = {
    add_serve,    add_caption, add_ask,      add_similar,
    add_watch,    add_events,  add_replay,   add_journal,
    add_digest,   add_rules,   add_tokens,   add_keys,
    add_control,  add_config,  add_model,    add_calibrate_answers,
    add_bench,    add_plan,    add_transfer, add_sweep,
    add_evaluate, add_filter,  add_data,     add_open,
    add_version,  add_streams, add_feed};

constexpr char kAbout[] =
    "Palisade: cameras in, PaliGemma's answers out.\n"
    "Data goes to stdout, logs and progress to stderr. A flag wins over its variable (in brackets), the "
    "variable\n"
    "over the configuration file, the file over the default.\n";

constexpr char kExamples[] =
    "\nExamples:\n"
    "  palisade caption street.mp4 --every 4s          what happens in a video, window by window\n"
    "  palisade ask \"is there a red car?\" street.jpg    a question about a picture\n"
    "  palisade ask \"there are exactly two dogs in the two images\" left.jpg right.jpg\n"
    "  palisade serve --config configs/palisade.yaml   the service: cameras to events on ZeroMQ\n"
    "  palisade watch                                  print its events as they come\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 unavailable.\n";

void tell(std::string_view problem) {
  std::fprintf(stderr, "palisade: error: %s\n", escaped(redacted(problem)).c_str());
}

// Prints an uncaught exception without secrets. The library's own handler would print it as it is.
[[noreturn]] void on_terminate() {
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    tell(std::string("a bug: ") + error.what());
  } catch (...) {
  }
  std::abort();
}

void hide_secrets_of_all(std::span<char* const> arguments) {
  for (const char* const argument : arguments) hide_secrets_of(argument);
  for (char** variable = environ; variable && *variable; ++variable) {
    if (std::string_view(*variable).starts_with("PALISADE_")) hide_secrets_of(*variable);
  }
}

// Names an unexpected argument without showing a password: a flag by its name, any other argument by its
// number.
std::string shown_extra(const std::string& extra, std::span<char* const> arguments) {
  const std::string name = extra.substr(0, extra.find('='));
  const bool flag = name.size() > 3 && name.starts_with("--") &&
                    std::ranges::all_of(name, [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); });
  if (flag) return name;
  const auto at = std::ranges::find_if(arguments, [&](const char* argument) { return extra == argument; });
  return format("argument {}", at - arguments.begin());
}

std::string nearest_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::string near = nearest(word, names);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

// Replaces every value of the command line in `text` by ***, whatever its case.
std::string without_values(std::string text, std::span<char* const> arguments) {
  constexpr std::size_t kMinLength = 3;  // shorter values are part of many words
  const auto alike = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const std::string_view argument : arguments) {
    const std::size_t equals = argument.find('=');
    const bool flag = argument.starts_with("--");
    if (flag && equals == std::string_view::npos) continue;
    const std::string_view value = flag ? argument.substr(equals + 1) : argument;
    if (value.size() < kMinLength) continue;
    for (std::size_t from = 0; from < text.size();) {
      const auto rest = std::ranges::search(std::string_view(text).substr(from), value, alike);
      if (rest.empty()) break;
      const std::size_t at = std::size_t(rest.data() - text.data());
      text.replace(at, value.size(), "***");
      from = at + 3;
    }
  }
  return text;
}

// Describes what is wrong with a command line without its values, which may be passwords.
std::string mistake(const CLI::App& app, const CLI::ParseError& error, std::span<char* const> arguments) {
  const std::string text = error.what();
  const std::vector<std::string> extras = app.remaining(true);
  if (!extras.empty() && app.get_subcommands().empty())
    return shown_extra(extras.front(), arguments) + " is no command of palisade" +
           nearest_command(app, extras.front());
  if (!extras.empty()) {
    std::vector<std::string> shown;
    for (const std::string& extra : extras) shown.push_back(shown_extra(extra, arguments));
    return "not expected here: " + joined(shown);
  }
  const std::size_t value = text.find(": "), rule = text.rfind(" not in ");
  if (value != std::string::npos && rule != std::string::npos && value < rule)
    return text.substr(0, value) + ": the value is" + text.substr(rule);
  if (error.get_name() == "ValidationError") return without_values(text, arguments);
  if (error.get_name() == "ConversionError") return text.substr(0, text.find(" = "));
  return text;
}

}  // namespace

namespace {

int parse_and_run(int argument_count, char** arguments) {
  const std::span given(arguments, std::size_t(argument_count));
  hide_secrets_of_all(given);
  std::set_terminate(on_terminate);
  CLI::App app(kAbout, "palisade");
  set_help_text(app);
  app.require_subcommand(1);
  Run run;
  for (const auto add : kCommands) add(app, run);
  app.footer(kExamples);  // set last, because subcommands inherit it
  try {
    app.parse(argument_count, arguments);
    return run ? run() : kDone;
  } catch (const CLI::ParseError& error) {
    // --help is an error with exit code 0 to CLI11.
    if (error.get_exit_code() == 0) return app.exit(error);
    tell(mistake(app, error, given) + "; --help tells how it is used");
    return kWrongUse;
  } catch (const SettingsError& error) {
    for (const std::string& problem : error.problems()) tell(problem);
    return exit_code_of(error.kind());
  } catch (const Error& error) {
    tell(error.what());
    return exit_code_of(error.kind());
  } catch (const std::exception& error) {
    tell(error.what());
    return kFailed;
  }
}

}  // namespace

int run_command_line(int argument_count, char** arguments) {
  const int code = parse_and_run(argument_count, arguments);
  return finish_output() || code != kDone ? code : kFailed;
}

}  // namespace palisade
