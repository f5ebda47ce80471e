#include "service/transfer/data_check.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/format.h"
#include "base/json.h"
#include "model/train/example.h"
#include "service/terminal/progress.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of_line(const TransferLine& line) {
  return line.video.empty() ? line.pictures : std::vector{line.video};
}

NumberSpread spread_of(std::vector<std::size_t> numbers) {
  if (numbers.empty()) return {};
  std::ranges::sort(numbers);
  const auto at = [&](double share) { return numbers[std::size_t(share * double(numbers.size() - 1))]; };
  return {numbers.front(), at(0.5), at(0.95), numbers.back()};
}

struct LookedAt {
  fs::path file;
  bool film = false;
  FileContent content = {};
  std::string problem = {};
};

// Every file once.
std::vector<LookedAt> look_at_all(const CheckedData& data, const std::stop_token& stop) {
  std::map<fs::path, bool> files;
  for (const TransferLine& line : data.lines) {
    for (const fs::path& file : files_of_line(line)) files.emplace(file, !line.video.empty());
  }
  std::vector<LookedAt> all;
  for (const auto& [file, film] : files) all.push_back({file, film});
  std::atomic<std::size_t> next = 0, done = 0;
  const auto take = [&] {
    for (std::size_t i; !stop.stop_requested() && (i = next++) < all.size(); ++done) {
      try {
        all[i].content = content_of(all[i].file, all[i].film);
      } catch (const std::exception& error) {
        all[i].problem = error.what();
      }
    }
  };
  Progress progress("data");
  std::vector<std::future<void>> threads;
  for (unsigned k = 0; k < std::clamp(std::thread::hardware_concurrency(), 1u, 8u); ++k)
    threads.push_back(std::async(std::launch::async, take));
  for (auto& thread : threads) {
    while (thread.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready)
      progress.show(double(done) / double(std::max<std::size_t>(all.size(), 1)),
                    format("{} of {} pictures and films looked at", done.load(), all.size()));
    thread.get();
  }
  progress.clear();
  if (stop.stop_requested()) throw Error("stopped before every picture was looked at");
  return all;
}

void add_contents(CheckedData& data, const std::stop_token& stop) {
  for (LookedAt& looked : look_at_all(data, stop)) {
    data.films += looked.film;
    if (looked.problem.empty()) {
      data.contents.emplace(looked.file, std::move(looked.content));
    } else {
      data.unreadable.emplace(looked.file, std::move(looked.problem));
    }
  }
  for (const TransferLine& line : data.lines) {
    for (const fs::path& file : files_of_line(line)) {
      const auto bad = data.unreadable.find(file);
      if (bad == data.unreadable.end()) continue;
      std::error_code error;
      if (fs::exists(file, error)) {
        data.broken.add(line.place() + ": " + bad->second);
      } else {
        data.missing.add(line.place() + ": " + file.string() + ": no such file");
      }
      break;
    }
  }
}

void add_texts(CheckedData& data, const DataLimits& limits) {
  std::vector<std::size_t> prefixes, suffixes, texts;
  for (const TransferLine& line : data.lines) {
    const ExampleTokens tokens = example_tokens(limits.config, limits.tokenizer, line.prefix, line.suffix);
    // The last token is predicted and not read.
    const std::size_t text = tokens.prompt.size() + tokens.suffix.size() - 1;
    const std::size_t images = line.video.empty() ? line.pictures.size() : std::size_t(limits.frames);
    const std::size_t positions = images * std::size_t(limits.config.image_tokens()) + text;
    prefixes.push_back(tokens.prompt.size());
    suffixes.push_back(tokens.suffix.size());
    texts.push_back(text);
    ++data.tasks[std::string(task_of_prompt(line.prefix))];
    ++data.suffixes[line.suffix];
    if (text > std::size_t(limits.text_length))
      data.too_long.add(format("{}: prefix and suffix are {} tokens, text_length is {}", line.place(), text,
                               limits.text_length));
    else if (positions > std::size_t(limits.config.text.max_position_embeddings))
      data.too_long.add(format("{}: pictures and text are {} positions, the model has {}", line.place(),
                               positions, limits.config.text.max_position_embeddings));
    if (line.suffix.empty()) data.empty.add(line.place() + ": the suffix is empty");
  }
  data.prefix = spread_of(std::move(prefixes));
  data.suffix = spread_of(std::move(suffixes));
  data.text = spread_of(std::move(texts));
}

// Of a line's pictures, whatever their names; empty where one cannot be read.
std::string contents_of(const CheckedData& data, const TransferLine& line) {
  std::string all;
  for (const fs::path& file : files_of_line(line)) {
    const auto found = data.contents.find(file);
    if (found == data.contents.end()) return {};
    all += format("{} {} {}\n", found->second.width, found->second.height, found->second.sha256);
  }
  return all;
}

// The first line that has some pictures, asks something of them, and answers it so.
class EarlierLines {
 public:
  using Lines = std::map<std::string, const TransferLine*>;
  Lines pictures, questions, examples;

  static std::string question(const std::string& contents, const TransferLine& line) {
    return contents + Json(line.prefix).dump();
  }
  static std::string example(const std::string& contents, const TransferLine& line) {
    return question(contents, line) + Json(line.suffix).dump();
  }
  static const TransferLine* in(const Lines& lines, const std::string& key) {
    const auto found = lines.find(key);
    return found == lines.end() ? nullptr : found->second;
  }
  void add(const std::string& contents, const TransferLine& line) {
    pictures.emplace(contents, &line);
    questions.emplace(question(contents, line), &line);
    examples.emplace(example(contents, line), &line);
  }
};

void add_duplicates(CheckedData& data) {
  EarlierLines earlier;
  for (const TransferLine& line : data.lines) {
    const std::string contents = contents_of(data, line);
    if (contents.empty()) continue;
    if (const auto* same = EarlierLines::in(earlier.examples, EarlierLines::example(contents, line))) {
      data.repeated.add(line.place(), same->place());
    } else if (const auto* asked =
                   EarlierLines::in(earlier.questions, EarlierLines::question(contents, line))) {
      data.contradicting.add(line.place(), asked->place());
    }
    const auto* seen = EarlierLines::in(earlier.pictures, contents);
    if (seen != nullptr && files_of_line(*seen) != files_of_line(line))
      data.renamed.add(line.place(), seen->place());
    earlier.add(contents, line);
  }
}

}  // namespace

void FoundPlaces::add(std::string place, std::string earlier) {
  if (++count <= kKept) first.push_back({std::move(place), std::move(earlier)});
}

bool CheckedData::usable() const {
  return problems.empty() && missing.count + broken.count + too_long.count + empty.count == 0;
}

CheckedData check_data(const fs::path& file, const DataLimits& limits, const std::stop_token& stop) {
  CheckedData data;
  data.file = file;
  data.lines = read_transfer_lines(file, data.problems, {.missing_allowed = true});
  add_contents(data, stop);
  add_texts(data, limits);
  add_duplicates(data);
  return data;
}

DataLeaks leaks_between(const CheckedData& first, const CheckedData& second) {
  EarlierLines earlier;
  for (const TransferLine& line : first.lines) {
    if (const std::string contents = contents_of(first, line); !contents.empty()) earlier.add(contents, line);
  }
  DataLeaks leaks;
  for (const TransferLine& line : second.lines) {
    const std::string contents = contents_of(second, line);
    if (contents.empty()) continue;
    const auto tell = [&](const EarlierLines::Lines& lines, const std::string& key, FoundPlaces& into) {
      if (const auto* same = EarlierLines::in(lines, key)) into.add(line.place(), same->place());
    };
    tell(earlier.pictures, contents, leaks.pictures);
    tell(earlier.questions, EarlierLines::question(contents, line), leaks.questions);
    tell(earlier.examples, EarlierLines::example(contents, line), leaks.examples);
  }
  return leaks;
}

}  // namespace palisade
