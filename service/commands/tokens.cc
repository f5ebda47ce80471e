// `palisade tokens`: who may use the HTTP API, and for what. `palisade open`: the link that lets a browser
// in.
#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/joined.h"
#include "service/commands/command.h"
#include "service/commands/state_flags.h"
#include "service/http/access.h"
#include "service/http/dashboard_link.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct TokensOptions {
  StateFlags state;
  std::string name, scope = "view";
  std::vector<std::string> streams;
};

int add_token(const TokensOptions& options) {
  HttpTokens tokens(state_folder_of(options.state));
  print_line(
      tokens.add({.name = options.name, .scope = *http_scope_of(options.scope), .streams = options.streams}));
  return kDone;
}

int list_tokens(const TokensOptions& options) {
  for (const HttpHolder& holder : HttpTokens(state_folder_of(options.state)).all())
    print_line(format("{:<20} {:<6} {}", holder.name, name_of(holder.scope),
                      holder.streams.empty() ? "all streams" : joined(holder.streams)));
  return kDone;
}

int remove_token(const TokensOptions& options) {
  if (!HttpTokens(state_folder_of(options.state)).remove(options.name))
    throw UsageError(format("there is no token '{}'", options.name));
  return kDone;
}

int open_dashboard(const StateFlags& flags) {
  const auto state = state_folder_of(flags);
  std::string token;
  std::ifstream file(admin_token_file(state));
  if (!std::getline(file, token) || token.empty())
    throw UsageError(
        format("there is no admin's token in {}; start a service with `http:` there, or give "
               "--config or --state of the one you mean",
               state.string()));
  const auto address = kept_http_address(state);
  if (!address)
    throw UsageError(format("no service has offered the HTTP API from {} on a port yet", state.string()));
  print_line(dashboard_link(*address, token));
  return kDone;
}

}  // namespace

void add_tokens(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("tokens", "Who may use the HTTP API; a running service notices");
  command->require_subcommand(1);
  const auto options = std::make_shared<TokensOptions>();
  const auto add = [&](const char* name, const char* help, int (*act)(const TokensOptions&)) {
    CLI::App* const sub = command->add_subcommand(name, help);
    add_state_flags(*sub, options->state);
    sub->callback([&run, options, act] { run = [options, act] { return act(*options); }; });
    return sub;
  };
  CLI::App* const made = add("new", "Print a new token, which is never shown again", add_token);
  made->add_option("NAME", options->name, "What it is called: a-z, 0-9, _ and -")->required();
  made->add_option("--scope", options->scope, "What it allows; each includes those before it")
      ->check(CLI::IsMember({"view", "ask", "edit", "admin"}))
      ->capture_default_str();
  made->add_option("--streams", options->streams, "Streams that it may see; default: all")->delimiter(',');
  add("ls", "List the tokens there are", list_tokens);
  add("rm", "Remove a token", remove_token)->add_option("NAME", options->name, "Its name")->required();
  command->footer(
      "\nThe first start of a service with `http:` makes the token \"admin\"; it stands in admin.token of "
      "the state "
      "folder.\n"
      "\nExamples:\n"
      "  palisade tokens new wall --scope view --streams gate,yard\n"
      "  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8420/api/v1/streams");
}

void add_open(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("open", "Print the link to the dashboard; whoever has it may do everything");
  const auto flags = std::make_shared<StateFlags>();
  add_state_flags(*command, *flags);
  command->callback([&run, flags] { run = [flags] { return open_dashboard(*flags); }; });
  command->footer(
      "\nThe token stands behind the #, which browsers send to no server.\n"
      "\nExamples:\n"
      "  xdg-open \"$(palisade open)\"\n"
      "  palisade open --config palisade.yaml");
}

}  // namespace palisade
