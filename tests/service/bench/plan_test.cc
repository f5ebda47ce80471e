#include "service/bench/plan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "model/config/model_shapes.h"

using namespace palisade;

namespace {

constexpr int kImageTokens = 16;

Settings parsed(const std::string& streams) {
  return parse_settings("streams:\n" + streams, "f.yaml");
}

std::string stream(const std::string& name, const std::string& tasks, const std::string& more = "") {
  return "  - {name: " + name + ", url: \"rtsp://127.0.0.1/a\", " + more + "tasks: [" + tasks + "]}\n";
}

// Costs that are the same for every image, prompt and token.
CostOfRequest costing(StageSeconds each) {
  return [each](const PlannedRequest& request) {
    const double asked = double(request.prompts.size());
    return StageSeconds{each.encode * request.new_images, each.prefill * request.frames * asked,
                        request.decodes() ? each.decode * asked : 0};
  };
}

SimulatedLoad played(const Settings& settings, StageSeconds each, bool endless, double minutes = 10) {
  return simulate(settings, {.frames_per_second = 10, .minutes = minutes}, costing(each), endless);
}

double per_clip(const SeriesLoad& load, std::uint64_t number) {
  return double(number) / double(load.clips);
}

Figures round_figures() {
  Figures figures(config_of_shape("tiny").value());
  figures.set_encode(1, 0.02);
  figures.set_encode(4, 0.04);
  figures.set_prefill(100, 0.1);
  figures.set_step(1, 0.010);
  figures.set_step(4, 0.016);
  figures.set_step(8, 0.024);
  return figures;
}

}  // namespace

TEST_CASE("windows that overlap by whole steps share their frames, others encode all of theirs") {
  // 16 frames over 4.5 s are 0.3 s apart, so windows every 1.5 s share all but five.
  const Settings overlapping =
      parsed(stream("a", "{task: caption, frames: 16, span: 4500ms, every: 1500ms}"));
  const SimulatedLoad some = played(overlapping, {1, 0, 0}, true);
  CHECK(per_clip(some.series[0], some.series[0].new_images) == doctest::Approx(5).epsilon(0.02));
  const SimulatedLoad apart =
      played(parsed(stream("a", "{task: caption, frames: 16, span: 4500ms, every: 5s}")), {1, 0, 0}, true);
  CHECK(per_clip(apart.series[0], apart.series[0].new_images) == doctest::Approx(16));
}

TEST_CASE("tasks of the same windows share their images, and each has its own prefill") {
  const Settings settings = parsed(stream(
      "a",
      "{task: caption, frames: 16, span: 4s, every: 4s}, {task: question, question: \"what?\", frames: 16, "
      "span: 4s, every: 4s}, {task: question, name: still, question: \"what?\", frames: 1, every: 60s}"));
  const SimulatedLoad load = played(settings, {1, 1, 1}, true);
  REQUIRE(load.series.size() == 2);
  const SeriesLoad& both = load.series[0];
  CHECK(both.tasks.size() == 2);
  // The last frame of a window is the first one of the next.
  CHECK(both.seconds.encode / double(both.clips) == doctest::Approx(15).epsilon(0.02));
  CHECK(both.seconds.prefill / double(both.clips) == doctest::Approx(2 * 16));
  CHECK(both.seconds.decode / double(both.clips) == doctest::Approx(2));
  CHECK(double(both.clips) == doctest::Approx(600.0 / 4).epsilon(0.03));
}

TEST_CASE("a typed answer decodes nothing, and an adapter costs what was measured of it") {
  const std::string tasks =
      "{task: question, name: plain, question: \"what?\", frames: 1, every: 1s}, {task: question, name: "
      "typed, "
      "question: \"is it?\", type: yes_no, frames: 1, every: 1s}, {task: question, name: learnt, "
      "question: \"what?\", frames: 1, every: 1s, adapter: /learnt}, {task: question, name: seen, question: "
      "\"what?\", frames: 1, every: 1s, adapter: /seen}";
  const AdapterCosts adapters = {{"/learnt", {.prefill = 1.5, .step = 2}},
                                 {"/seen", {.encode = 3, .prefill = 1, .step = 1, .changes_images = true}}};
  const Plan plan = make_plan(
      parsed(stream("a", tasks)), {.minutes = 1}, round_figures(), kImageTokens,
      [](const auto&) { return 4; }, adapters);
  REQUIRE(plan.asked.series.size() == 4);
  const SeriesLoad &plain = plan.asked.series[0], &typed = plan.asked.series[1],
                   &learnt = plan.asked.series[2], &seen = plan.asked.series[3];
  CHECK(plain.new_images == plain.clips);
  CHECK(typed.new_images + learnt.new_images == 0);  // they share those of the first
  CHECK(seen.new_images == seen.clips);
  CHECK(plain.seconds.decode > 0);
  CHECK(typed.seconds.decode == 0);
  CHECK(typed.seconds.prefill == doctest::Approx(plain.seconds.prefill));
  CHECK(learnt.seconds.prefill == doctest::Approx(1.5 * plain.seconds.prefill));
  CHECK(learnt.seconds.decode == doctest::Approx(2 * plain.seconds.decode));
  CHECK(seen.seconds.encode == doctest::Approx(3 * plain.seconds.encode));
  CHECK(table_of(plan).find("/seen: images of its own, times 3.00") != std::string::npos);
  CHECK(json_of(plan)["adapters"].size() == 2);
}

TEST_CASE("an engine that keeps up loses and degrades nothing") {
  const Settings settings = parsed(stream("a", "{task: caption, frames: 16, span: 4s, every: 4s}"));
  const SimulatedLoad load = played(settings, {0.05, 0.05, 0.5}, false);
  const SeriesLoad& series = load.series.at(0);
  CHECK(series.lost == 0);
  CHECK(series.usual_degradation().empty());
  CHECK(load.busy / load.seconds == doctest::Approx((15 * 0.05 + 16 * 0.05 + 0.5) / 4).epsilon(0.05));
}

TEST_CASE("an engine that does not keep up is asked for fewer frames, then for fewer windows") {
  const Settings settings = parsed(stream("a", "{task: caption, frames: 16, span: 4s, every: 4s}"));
  // There is a window every four seconds; 16 frames take 6.4 s, 8 frames 3.2 s.
  const SimulatedLoad less = played(settings, {0, 0.4, 0}, false, 30);
  CHECK(less.busy / less.seconds < 1.05);
  // The level rises again now and then, to see whether the load has fallen.
  const std::string usual = less.series[0].usual_degradation();
  CAPTURE(usual);
  CHECK((usual == "8 frames instead of 16" || usual == "4 frames instead of 16"));
  CHECK(per_clip(less.series[0], less.series[0].answered) > 0.9);
  const SimulatedLoad least = played(settings, {0, 2.5, 0}, false, 60);
  CHECK(least.series[0].usual_degradation().starts_with("4 frames instead of 16, one clip of"));
}

TEST_CASE("a stream that must not be degraded loses windows instead") {
  const Settings settings =
      parsed(stream("a", "{task: caption, frames: 16, span: 4s, every: 4s}", "degrade: false, "));
  const SimulatedLoad load = played(settings, {0, 0.5, 0}, false, 20);
  CHECK(load.series[0].usual_degradation().empty());
  CHECK(load.series[0].lost > 0);
  CHECK(per_clip(load.series[0], load.series[0].answered) == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("what is asked on demand, and files without a pace, are no load and are told as unknown") {
  const Settings settings =
      parsed(stream("a", "{task: caption, frames: 1, every: 5s, when: demand}") +
             "  - {name: b, url: b.mp4, pace: false, tasks: [{task: caption}]}\n" +
             stream("c", "{task: caption, frames: 1, every: 5s}", "gate: {motion: true}, ") +
             stream("d", "{task: caption, frames: 16, span: 4s, every: 5s, prune: static}"));
  const Plan plan =
      make_plan(settings, {.minutes = 2}, round_figures(), kImageTokens, [](const auto&) { return 4; });
  REQUIRE(plan.asked.series.size() == 3);
  CHECK(plan.asked.series[0].on_demand);
  CHECK(plan.asked.series[0].seconds.total() == 0);
  const auto tells = [&](const std::string& words) {
    return std::ranges::any_of(
        plan.unknown, [&](const std::string& line) { return line.find(words) != std::string::npos; });
  };
  CHECK(tells("c: its gates let everything through"));
  CHECK(tells("b: left out"));
  CHECK(tells("d: static frames are read"));
  CHECK(tells("on demand"));
}

TEST_CASE("pairs encode both pictures, and a reference once") {
  const Settings settings = parsed(
      stream("a",
             "{task: pair, name: both, statement: \"same\", against: {stream: b}, every: 10s}, "
             "{task: pair, name: changed, statement: \"same\", against: {reference: empty}, every: 15s}") +
      stream("b", "{task: caption, frames: 1, every: 60s}"));
  const SimulatedLoad load = played(settings, {1, 1, 0}, true);
  CHECK(load.series[0].frames == 2);
  CHECK(load.series[0].seconds.prefill / double(load.series[0].clips) == doctest::Approx(2));
  CHECK(per_clip(load.series[0], load.series[0].new_images) > 1.5);
  CHECK(load.series[1].new_images <= load.series[1].clips + 1);
}

TEST_CASE("costs between and beyond what was measured follow the work") {
  const Figures figures = round_figures();
  CHECK(figures.encode(1) == doctest::Approx(0.02));
  CHECK(figures.encode(9) == doctest::Approx(2 * 0.04 + 0.02));
  CHECK(figures.prefill(100) == doctest::Approx(0.1));
  CHECK(figures.prefill(200) > 0.2 * 0.9);
  CHECK(figures.step(1) == doctest::Approx(0.010));
  CHECK(figures.step(2.5) == doctest::Approx(0.013));
  CHECK(figures.step(16) == doctest::Approx(0.048));
}

TEST_CASE("the lengths to measure are those of all tasks, as configured and degraded") {
  const Settings settings = parsed(stream("a", "{task: caption}, {task: caption, name: still, frames: 1}") +
                                   stream("b", "{task: caption}", "degrade: false, "));
  const std::vector<int> lengths = planned_lengths(settings, 256, [](const auto&) { return 5; });
  CHECK(lengths == std::vector<int>{261, 1029, 2053, 4101});
}

TEST_CASE("a plan's table and JSON tell the load, what the machine carries and what is degraded") {
  const Settings settings =
      parsed(stream("a", "{task: caption, frames: 16, span: 4s, every: 1s}") +
             stream("b", "{task: question, question: \"what?\", frames: 1, every: 5s}"));
  Plan plan =
      make_plan(settings, {.minutes = 5}, round_figures(), kImageTokens, [](const auto&) { return 4; });
  plan.model = "tiny";
  const Json json = json_of(plan);
  CHECK(json["model"] == "tiny");
  CHECK(json["carried"] == 1.0);
  CHECK(json["assumed"]["answer_tokens"] == 16);
  REQUIRE(json["streams"].size() == 2);
  const Json& first = json["streams"][0]["series"][0];
  CHECK(first["windows_per_minute"] == doctest::Approx(60).epsilon(0.05));
  CHECK(json["load"]["total"].get<double>() ==
        doctest::Approx(json["load"]["encode"].get<double>() + json["load"]["prefill"].get<double>() +
                        json["load"]["decode"].get<double>()));
  CHECK(json["load"]["total"].get<double>() ==
        doctest::Approx(json["streams"][0]["load"]["total"].get<double>() +
                        json["streams"][1]["load"]["total"].get<double>()));
  CHECK(first["under_load"].contains("windows_answered"));
  CHECK(json["degraded"] == (json["load"]["total"].get<double>() > 1));
  const std::string table = table_of(plan);
  CHECK(table.find("all streams") != std::string::npos);
  CHECK(table.find("this machine carries") != std::string::npos);
}

TEST_CASE("answers are no longer than the configuration allows") {
  Settings settings = parsed(stream("a", "{task: caption, frames: 1, every: 5s}"));
  settings.engine.max_new_tokens = 3;
  const Plan plan =
      make_plan(settings, {.minutes = 1}, round_figures(), kImageTokens, [](const auto&) { return 4; });
  CHECK(plan.assumptions.answer_tokens == 3);
}
