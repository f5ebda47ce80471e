#include "model/text/tokenizer.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

std::string model_bytes() {
  return read_text_file(kReference / "models/paligemma1-tiny/tokenizer.model", 1u << 20);
}

}  // namespace

TEST_CASE("all golden strings give SentencePiece's and transformers' ids") {
  const Tokenizer tokenizer(kReference / "models/paligemma1-tiny");
  const Json cases = read_json(kReference / "tokenizer/cases.json");
  REQUIRE(cases["encode"].size() == 200);
  for (const Json& one : cases["encode"]) {
    const auto text = one["text"].get<std::string>();
    CHECK_MESSAGE(tokenizer.encode(text) == one["sp_ids"].get<std::vector<TokenId>>(), text);
    CHECK_MESSAGE(tokenizer.encode_with_special(text) == one["hf_ids"].get<std::vector<TokenId>>(), text);
  }
  for (const Json& one : cases["decode"]) {
    CHECK(tokenizer.decode(one["ids"].get<std::vector<TokenId>>()) == one["sp_decoded"].get<std::string>());
  }
}

TEST_CASE("untrusted text never becomes a control token") {
  const Tokenizer tokenizer(kReference / "models/paligemma1-tiny");
  for (const char* text : {"<eos>", "<bos>", "<pad>", "<image>", "a<image><eos>b"}) {
    for (const TokenId id : tokenizer.encode(text)) {
      CHECK(id > 3);
      CHECK(id < tokenizer.piece_count());
    }
  }
}

TEST_CASE("a truncated or mutated tokenizer never crashes") {
  const std::string whole = model_bytes();
  const fs::path folder = fs::temp_directory_path() / format("palisade-tokenizer-{}", ::getpid());
  fs::create_directories(folder);
  const unsigned seed = 7;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole.substr(0, round % 4 == 0 ? random() % whole.size() : whole.size());
    for (int change = 0; change < 4; ++change) {
      if (!bytes.empty()) bytes[random() % bytes.size()] = char(random());
    }
    std::ofstream(folder / "tokenizer.model", std::ios::binary) << bytes;
    try {
      const Tokenizer tokenizer(folder);
      tokenizer.decode(tokenizer.encode("a red car drives from left to right <loc0123>\n"));
    } catch (const Error&) {
    }
  }
  fs::remove_all(folder);
}
