#include "service/bench/plan.h"

#include <algorithm>
#include <set>

#include "service/streams/degradation.h"

namespace palisade {
namespace {

// Mean number of answers that are stepped together: those that arrive, each for as many steps as it has
// tokens, with a slice of other work between two steps while there is any.
double decoded_together(const Figures& figures, double answers_per_second, double load, double slice,
                        int tokens) {
  double together = 1;
  for (int i = 0; i < 20; ++i) {
    const double round = std::min(load, 1.0) * slice + figures.step(together);
    const double next = answers_per_second / std::max(load, 1.0) * tokens * round;
    together = std::clamp((together + next) / 2, 1.0, 64.0);
  }
  return together;
}

std::vector<std::string> unknowns_of(const Settings& settings) {
  std::vector<std::string> unknown;
  const auto any_task = [&](auto&& fits) {
    return std::ranges::any_of(settings.streams, [&](const StreamSettings& stream) {
      return std::ranges::any_of(stream.tasks, fits);
    });
  };
  for (const StreamSettings& stream : settings.streams) {
    const bool waits_for_motion = std::ranges::any_of(
        stream.tasks, [](const TaskSettings& task) { return task.when == When::kMotion; });
    if (stream.gate.motion || stream.gate.semantic || waits_for_motion) {
      unknown.push_back(stream.name +
                        ": its gates let everything through here; what they save is not known " +
                        "before it runs");
    }
    if (std::ranges::any_of(stream.tasks, [](const TaskSettings& task) { return task.prune.has_value(); })) {
      unknown.push_back(stream.name +
                        ": static frames are read here; what prune saves is not known before it runs");
    }
    if (!stream.pace)
      unknown.push_back(stream.name + ": left out, a file without a pace takes all the time there is");
  }
  if (any_task([](const TaskSettings& task) { return task.when == When::kDemand; }))
    unknown.push_back("tasks on demand cost nothing here; how often they are asked is not known");
  if (any_task([](const TaskSettings& task) { return task.sampling.policy == SamplingPolicy::kMotion; }))
    unknown.push_back("motion windows: which frames they choose, and so share, is not known");
  unknown.push_back("decoding the cameras' video takes the same cores, and is not counted");
  return unknown;
}

}  // namespace

std::vector<int> planned_lengths(const Settings& settings, int image_tokens, const PromptLength& length) {
  std::set<int> lengths;
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) {
      const bool pairs = !task.against.stream.empty() || !task.against.reference.empty();
      const int prompt = length(task.task->prompt(task.wording)), frames = pairs ? 2 : task.sampling.count;
      lengths.insert(frames * image_tokens + prompt);
      Degradation degradation(frames);
      for (int steps = 0; stream.degrade && steps < 8; ++steps) {
        degradation.pushed(true);
        lengths.insert(degradation.frames() * image_tokens + prompt);
      }
    }
  }
  return {lengths.begin(), lengths.end()};
}

Plan make_plan(const Settings& settings, const PlanAssumptions& assumptions, const Figures& figures,
               int image_tokens, const PromptLength& length, const AdapterCosts& adapters) {
  Plan plan{
      .assumptions = assumptions, .figures = figures, .adapters = adapters, .unknown = unknowns_of(settings)};
  for (const auto& [folder, cost] : adapters) {
    if (cost.changes_images) plan.assumptions.image_adapters.insert(folder);
  }
  plan.assumptions.answer_tokens = std::min(assumptions.answer_tokens, settings.engine.max_new_tokens);
  std::map<std::string, int> lengths;
  const auto known_length = [&](const std::string& prompt) {
    const auto known = lengths.find(prompt);
    return known != lengths.end() ? known->second : lengths[prompt] = length(prompt);
  };
  double answers = 0;
  const CostOfRequest cost = [&](const PlannedRequest& request) {
    const auto known = adapters.find(request.task.adapter);
    const AdapterCost adapter = known != adapters.end() ? known->second : AdapterCost{};
    StageSeconds seconds{
        .encode = request.new_images > 0 ? adapter.encode * figures.encode(request.new_images) : 0};
    for (const std::string& prompt : request.prompts) {
      seconds.prefill +=
          adapter.prefill * figures.prefill(request.frames * image_tokens + known_length(prompt));
      if (!request.decodes()) continue;
      seconds.decode +=
          adapter.step * plan.assumptions.answer_tokens * figures.step(plan.together) / plan.together;
      ++answers;
    }
    return seconds;
  };
  // First without batching, to learn how many answers there are, then with the cost of stepping them
  // together.
  plan.asked = simulate(settings, plan.assumptions, cost, true);
  const double slice = std::chrono::duration<double>(settings.engine.slice).count();
  plan.together = decoded_together(figures, answers / plan.asked.seconds, plan.load(), slice,
                                   plan.assumptions.answer_tokens);
  plan.asked = simulate(settings, plan.assumptions, cost, true);
  plan.answered = simulate(settings, plan.assumptions, cost, false);
  return plan;
}

}  // namespace palisade
