#include <algorithm>
#include <cmath>

#include "base/duration.h"
#include "base/format.h"
#include "base/joined.h"
#include "service/bench/plan.h"

namespace palisade {
namespace {

double share_answered(const SeriesLoad& load) {
  return load.clips == 0 ? 1 : std::min(1.0, double(load.answered) / double(load.clips));
}

// "4 frames instead of 16; 31 % of its windows"
std::string fate_of(const SeriesLoad& load) {
  if (load.on_demand) return "on demand";
  const double share = share_answered(load);
  std::string text = load.usual_degradation();
  if (share < 0.99) text += format("{}{:.0f} % of its windows", text.empty() ? "" : "; ", 100 * share);
  return text.empty() ? "as configured" : text;
}

bool is_less(const SeriesLoad& load) {
  return !load.on_demand && (!load.usual_degradation().empty() || share_answered(load) < 0.99);
}

std::string measured_text(const std::map<int, double>& figures) {
  std::string text;
  for (const auto& [size, seconds] : figures)
    text += format("{}{}: {}", text.empty() ? "" : ", ", size, duration_text(seconds));
  return text;
}

std::string verdict_of(const Plan& plan) {
  const double load = plan.load();
  const bool less = std::ranges::any_of(plan.answered.series, is_less);
  if (!less) {
    return format("The load is {:.2f} of the 1.00 that this machine carries: all is answered as configured.",
                  load);
  }
  return load <= 1 ? format(
                         "The load is {:.2f} of the 1.00 that this machine carries, but comes in bursts: "
                         "some is degraded.",
                         load)
                   : format(
                         "The load is {:.2f}, {:.1f} times what this machine carries: it will be degraded as "
                         "above.",
                         load, load);
}

Json stages(const StageSeconds& seconds) {
  return {{"encode", seconds.encode},
          {"prefill", seconds.prefill},
          {"decode", seconds.decode},
          {"total", seconds.total()}};
}

Json points(const std::map<int, double>& figures, const char* size_name) {
  Json list = Json::array();
  for (const auto& [size, seconds] : figures) list.push_back({{size_name, size}, {"seconds", seconds}});
  return list;
}

Json series_json(const SeriesLoad& asked, const SeriesLoad& answered, double seconds) {
  const double clips = double(std::max<std::uint64_t>(asked.clips, 1));
  Json json = {{"tasks", asked.tasks},
               {"frames", asked.frames},
               {"on_demand", asked.on_demand},
               {"windows_per_minute", double(asked.clips) / seconds * 60},
               {"new_images_per_window", double(asked.new_images) / clips},
               {"load", stages(asked.seconds / seconds)}};
  if (!asked.on_demand) {
    const double served = double(std::max<std::uint64_t>(answered.answered, 1));
    json["under_load"] = {{"degraded", is_less(answered)},
                          {"degradation", answered.usual_degradation()},
                          {"windows_answered", share_answered(answered)},
                          {"frames", double(answered.frames_answered) / served},
                          {"lost", answered.lost}};
  }
  return json;
}

}  // namespace

std::string table_of(const Plan& plan) {
  std::string text = format("model     {}, {}\n", plan.model, plan.precision) + "measured  images " +
                     measured_text(plan.figures.encodes()) + "\n          prefill positions " +
                     measured_text(plan.figures.prefills()) + "\n          a token of answers together " +
                     measured_text(plan.figures.steps()) +
                     format(
                         "\nassumed   {:g} frames/s and a keyframe every {:g} s of every camera, {} tokens "
                         "an answer, {:.1f} answers together\n",
                         plan.assumptions.frames_per_second, plan.assumptions.seconds_to_keyframe,
                         plan.assumptions.answer_tokens, plan.together);
  for (const auto& [folder, cost] : plan.adapters)
    text += format("adapter   {}: {}prefill times {:.2f}, a token times {:.2f}\n", folder.string(),
                   cost.changes_images ? format("images of its own, times {:.2f}, ", cost.encode) : "",
                   cost.prefill, cost.step);
  text += format("\n{:<16} {:<28} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}  {}\n", "stream", "tasks", "windows",
                 "images", "encode", "prefill", "decode", "load", "on this machine");
  text += format("{:<16} {:<28} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}\n", "", "", "a minute", "each", "", "",
                 "", "");
  std::map<std::string, StageSeconds> streams;
  for (std::size_t i = 0; i < plan.asked.series.size(); ++i) {
    const SeriesLoad& asked = plan.asked.series[i];
    const StageSeconds load = asked.seconds / plan.asked.seconds;
    streams[asked.stream] += load;
    text += format("{:<16} {:<28} {:>8.1f} {:>7.1f} {:>7.3f} {:>7.3f} {:>7.3f} {:>7.3f}  {}\n", asked.stream,
                   joined(asked.tasks), double(asked.clips) / plan.asked.seconds * 60,
                   double(asked.new_images) / double(std::max<std::uint64_t>(asked.clips, 1)), load.encode,
                   load.prefill, load.decode, load.total(), fate_of(plan.answered.series[i]));
  }
  const auto sum = [&](const std::string& name, const StageSeconds& load) {
    text += format("{:<16} {:<28} {:>8} {:>7} {:>7.3f} {:>7.3f} {:>7.3f} {:>7.3f}\n", name, "all its tasks",
                   "", "", load.encode, load.prefill, load.decode, load.total());
  };
  for (const auto& [name, load] : streams) {
    if (std::ranges::count(plan.asked.series, name, &SeriesLoad::stream) > 1) sum(name, load);
  }
  sum("all streams", plan.asked.total() / plan.asked.seconds);
  text += "\n" + verdict_of(plan) + "\n";
  for (const std::string& line : plan.unknown) text += "- " + line + "\n";
  return text;
}

Json json_of(const Plan& plan) {
  Json adapters = Json::array();
  for (const auto& [folder, cost] : plan.adapters)
    adapters.push_back({{"folder", folder.string()},
                        {"encodes_images", cost.changes_images},
                        {"encode", cost.encode},
                        {"prefill", cost.prefill},
                        {"step", cost.step}});
  Json streams = Json::array();
  std::map<std::string, StageSeconds> loads;
  for (std::size_t i = 0; i < plan.asked.series.size(); ++i) {
    const SeriesLoad& asked = plan.asked.series[i];
    if (streams.empty() || streams.back()["stream"] != asked.stream)
      streams.push_back({{"stream", asked.stream}, {"series", Json::array()}});
    loads[asked.stream] += asked.seconds / plan.asked.seconds;
    streams.back()["load"] = stages(loads[asked.stream]);
    streams.back()["series"].push_back(series_json(asked, plan.answered.series[i], plan.asked.seconds));
  }
  return {{"model", plan.model},
          {"precision", plan.precision},
          {"measured",
           {{"encode", points(plan.figures.encodes(), "images")},
            {"prefill", points(plan.figures.prefills(), "positions")},
            {"step", points(plan.figures.steps(), "answers")}}},
          {"adapters", std::move(adapters)},
          {"assumed",
           {{"frames_per_second", plan.assumptions.frames_per_second},
            {"seconds_to_keyframe", plan.assumptions.seconds_to_keyframe},
            {"answer_tokens", plan.assumptions.answer_tokens},
            {"answers_together", plan.together}}},
          {"load", stages(plan.asked.total() / plan.asked.seconds)},
          {"carried", 1.0},
          {"busy", plan.answered.busy / plan.answered.seconds},
          {"degraded", std::ranges::any_of(plan.answered.series, is_less)},
          {"streams", std::move(streams)},
          {"unknown", plan.unknown}};
}

}  // namespace palisade
