// Every way by which a prompt can come in makes the same tokens of the same text.
#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "model/train/example.h"
#include "service/settings/settings.h"
#include "service/transfer/transfer_data.h"
#include "tasks/prompt.h"

using namespace palisade;
namespace fs = std::filesystem;

namespace {

const fs::path kModel = PALISADE_SOURCE_DIR "/tests/golden/reference/models/paligemma1-tiny";
const fs::path kPicture = PALISADE_SOURCE_DIR "/tests/golden/reference/images/still0.png";

struct Case {
  std::string written;
  std::string read;  // empty where it is refused
};

// All ways take complete prompts alike. Only those for people turn other words into a question.
const std::vector<Case> kCases = {
    {"caption en", "caption en"},
    {"  caption en\t", "caption en"},
    {"caption en\n", "caption en"},
    {"caption en\r\n\r\n", "caption en"},
    {"\xef\xbb\xbf"
     "caption en",
     "caption en"},
    {"Caption en", "caption en"},
    {"DETECT Red car ; dog", "detect Red car ; dog"},
    {"Answer en\nis it open?\n", "answer en is it open?"},
    {"answer en is it\r\nopen?", "answer en is it open?"},
    {"answer en  two  spaces", "answer en  two  spaces"},
    {"segment <loc0001><loc0002><loc1023><loc0512> car", "segment <loc0001><loc0002><loc1023><loc0512> car"},
    {"answer en what is <seg012>?", "answer en what is <seg012>?"},
    {"answer en < image >?", "answer en < image >?"},
    {"", ""},
    {" \n\t", ""},
    {"\xe3\x80\x80", ""},
    {"<image>caption en", ""},
    {"caption en <eos>", ""},
    {"answer en <bos> <pad>", ""},
    {"caption en\x01", ""},
};

std::vector<TokenId> tokens_of(const std::string& prompt) {
  static const ModelConfig config = read_model_config(kModel);
  static const Tokenizer tokenizer(kModel);
  return example_tokens(config, tokenizer, prompt, "").prompt;
}

// By a question in a stream's configuration; nothing if it is refused.
std::vector<TokenId> through_configuration(const std::string& task, const std::string& key,
                                           const std::string& text) {
  const std::string yaml = "streams: [{name: a, url: /x.mp4, tasks: [{task: " + task + ", " + key + ": " +
                           Json(text).dump() + "}]}]\n";
  try {
    const Settings settings = parse_settings(yaml, "test.yaml");
    const TaskSettings& read = settings.streams.at(0).tasks.at(0);
    return tokens_of(read.task->prompt(read.wording));
  } catch (const SettingsError& error) {
    CHECK(error.problems().size() == 1);
    return {};
  }
}

// By an example of a data set, as transfer, sweep, filter, evaluation and calibration read it.
std::vector<TokenId> through_example(const std::string& text) {
  static const ModelConfig config = read_model_config(kModel);
  static const Tokenizer tokenizer(kModel);
  const fs::path file = fs::temp_directory_path() / format("prompt_doors{}.jsonl", getpid());
  std::ofstream(file) << Json{{"image", kPicture.string()}, {"prefix", text}, {"suffix", " yes\n"}}.dump()
                      << "\n";
  LineProblems problems;
  const auto lines = read_transfer_lines(file, problems);
  const auto records = transfer_records(lines, {}, config, tokenizer, problems);
  fs::remove(file);
  if (records.empty()) {
    CHECK(problems.size() == 1);
    return {};
  }
  CHECK(records[0].suffix == "yes");
  return records[0].tokens.prompt;
}

// By text that a person types: `ask` and the questions of `model calibrate`.
std::vector<TokenId> through_words(const std::string& text) {
  const PlainText prompt = prompt_of_words(text, "en");
  return prompt.fault.empty() ? tokens_of(prompt.text) : std::vector<TokenId>{};
}

}  // namespace

TEST_CASE("a prompt becomes the same tokens by whichever door it comes in") {
  for (const Case& one : kCases) {
    CAPTURE(one.written);
    const std::vector<TokenId> expected = one.read.empty() ? std::vector<TokenId>{} : tokens_of(one.read);
    CHECK(through_words(one.written) == expected);
    CHECK(through_example(one.written) == expected);
    CHECK(through_configuration("question", "question", one.written) == expected);
    CHECK(through_configuration("pair", "statement", one.written) == expected);
    CHECK(through_configuration("prompt", "prompt", one.written) == expected);
  }
}

TEST_CASE("other words than PaliGemma's are asked as a question by ask and by a configuration alike") {
  const auto expected = tokens_of("answer en what moves?");
  CHECK(through_words(" what moves?\n") == expected);
  CHECK(through_configuration("question", "question", " what moves?\n") == expected);
  CHECK(through_configuration("pair", "statement", "what moves?") == expected);
  CHECK(through_example("what moves?") == tokens_of("what moves?"));
}
