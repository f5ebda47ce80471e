#pragma once

#include <functional>

#include "service/terminal/exit_code.h"

namespace CLI {
class App;
}

namespace palisade {

// The command that was parsed. Runs on the main thread and returns an exit code.
using Run = std::function<int()>;

// Each adds one subcommand to `app`, which sets `run` when it is chosen.
void add_serve(CLI::App& app, Run& run);
// The child of a FeedProcess.
void add_feed(CLI::App& app, Run& run);
void add_caption(CLI::App& app, Run& run);
void add_ask(CLI::App& app, Run& run);
void add_similar(CLI::App& app, Run& run);
void add_watch(CLI::App& app, Run& run);
void add_events(CLI::App& app, Run& run);
void add_replay(CLI::App& app, Run& run);
void add_journal(CLI::App& app, Run& run);
void add_calibrate_answers(CLI::App& app, Run& run);
void add_digest(CLI::App& app, Run& run);
void add_rules(CLI::App& app, Run& run);
void add_tokens(CLI::App& app, Run& run);
void add_open(CLI::App& app, Run& run);
void add_keys(CLI::App& app, Run& run);
void add_control(CLI::App& app, Run& run);
void add_config(CLI::App& app, Run& run);
void add_model(CLI::App& app, Run& run);
// `palisade model calibrate`
void add_model_calibrate(CLI::App& model_command, Run& run);
void add_bench(CLI::App& app, Run& run);
void add_plan(CLI::App& app, Run& run);
void add_transfer(CLI::App& app, Run& run);
void add_sweep(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_filter(CLI::App& app, Run& run);
void add_data(CLI::App& app, Run& run);
void add_version(CLI::App& app, Run& run);

}  // namespace palisade
