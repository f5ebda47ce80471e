// Writes data sets of the demo world: pictures, clips and questions about them, for training and evaluation.
#include <CLI/CLI.hpp>
#include <iostream>
#include <numeric>

#include "base/format.h"
#include "examples/dataset/data_set.h"
#include "service/terminal/progress.h"

namespace {

using namespace palisade;
using namespace palisade::world;

struct Arguments {
  DataSetSettings set;
  std::vector<std::string> kinds;
  std::string about;
  int stills = 0;
  int pairs = 0;
  int windows = 0;
};

Kind named(const std::string& word) {
  const std::optional<Kind> kind = kind_named(word);
  if (!kind) throw CLI::ValidationError("no kind is called \"" + word + "\"");
  return *kind;
}

// Checks options that depend on each other.
void complete(Arguments& arguments) {
  DataSetSettings& set = arguments.set;
  if (!arguments.kinds.empty()) set.kinds.clear();
  for (const std::string& word : arguments.kinds) set.kinds.push_back(named(word));
  if (!arguments.about.empty()) {
    set.about = named(arguments.about);
    if (std::ranges::find(set.kinds, *set.about) == set.kinds.end()) set.kinds.push_back(*set.about);
    if (set.kinds.size() == 1) throw CLI::ValidationError("--about needs --kinds with another kind");
    if (arguments.pairs > 0) throw CLI::ValidationError("--about asks of stills and windows, not of pairs");
  }
  if (std::accumulate(set.shares.begin(), set.shares.end(), 0) != 100)
    throw CLI::ValidationError("--splits must add up to 100");
  if (arguments.stills + arguments.pairs + arguments.windows == 0)
    throw CLI::ValidationError("nothing to draw: give --stills, --pairs or --windows");
}

void draw(const Arguments& arguments) {
  const Sprites sprites(assets_folder());
  DataSet set(arguments.set, sprites);
  Progress progress("drawing");
  const int total = arguments.stills + arguments.pairs + arguments.windows;
  int done = 0;
  const auto draw_all = [&](int count, void (DataSet::*add)(int)) {
    for (int number = 0; number < count; ++number) {
      (set.*add)(number);
      ++done;
      progress.show(double(done) / total, format("{} of {} scenes", done, total));
    }
  };
  draw_all(arguments.stills, &DataSet::add_still);
  draw_all(arguments.pairs, &DataSet::add_pair);
  draw_all(arguments.windows, &DataSet::add_window);
  set.finish();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  DataSetSettings& set = arguments.set;
  CLI::App app(
      "Draws scenes of the demo world with all that is true of them.\n\n"
      "DIR/train.jsonl, validation.jsonl and test.jsonl hold one question a line as `palisade transfer` "
      "reads\n"
      "them, {\"image\" | \"images\" | \"video\", \"prefix\", \"suffix\"}; no scene is in two of them. "
      "DIR/scenes.jsonl\n"
      "holds every scene's objects, boxes and light. Detections of what is not there have an empty suffix:\n"
      "transfer takes them with --allow-empty-suffix. Scene n of a seed is the same however many are "
      "drawn.\n");
  app.add_option("--out", set.folder, "The data set's folder, which must not exist yet")->required();
  const auto scenes = [&](const char* name, int& count, const char* what) {
    app.add_option(name, count, what)->check(CLI::Range(0, 1'000'000))->capture_default_str();
  };
  scenes("--stills", arguments.stills, "Single pictures, PNG of 640 x 360");
  scenes("--pairs", arguments.pairs, "Pairs of pictures");
  scenes("--windows", arguments.windows, "Clips of 16 pictures over 4 to 8 s, H.264 in MP4");
  app.add_option("--questions", set.questions, "Different questions a scene, where it allows as many")
      ->check(CLI::Range(1, 50))
      ->capture_default_str();
  app.add_option("--seed", set.seed, "Of all scenes")->capture_default_str();
  app.add_option(
         "--kinds", arguments.kinds,
         "What is on the street: car, truck, person, dog, bicycle (these five by default) or bus, which "
         "the demo model does not know")
      ->delimiter(',');
  app.add_option("--about", arguments.about,
                 "Asks only whether there is one of this kind; every other scene shows one");
  app.add_option("--splits", set.shares, "Shares of training, validation and test, per cent")
      ->delimiter(',')
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--bitrate", set.kbit_per_second, "Of clips, kbit a second")
      ->check(CLI::Range(20, 20000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    complete(arguments);
    draw(arguments);
    std::cout << set.folder.string() << '\n';
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "palisade-world: " << error.what() << '\n';
    return 1;
  }
}
