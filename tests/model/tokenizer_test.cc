#include "model/tokenizer.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "model/error.h"
#include "model/json.h"
#include "model/sentencepiece_file.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

std::string model_bytes() {
  return read_text_file(kReference / "models/paligemma1-tiny/tokenizer.model", 1u << 20);
}

std::string pieces_error(const std::string& bytes) {
  try {
    check_sentencepiece_model(bytes, "tokenizer.model");
  } catch (const ModelError& error) {
    return error.what();
  }
  return "";
}

// A protobuf field 1 (a piece) of a SentencePiece model.
std::string piece_field(const std::string& text, char type = 1) {
  std::string piece;
  piece += '\x0a';
  for (std::size_t size = text.size();; size >>= 7) {
    piece += char(size >= 128 ? (size & 127) | 128 : size);
    if (size < 128) break;
  }
  piece += text + '\x18' + type;
  std::string field = "\x0a";
  for (std::size_t size = piece.size();; size >>= 7) {
    field += char(size >= 128 ? (size & 127) | 128 : size);
    if (size < 128) break;
  }
  return field + piece;
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

TEST_CASE("a hostile tokenizer is refused before the library sees it") {
  const std::string specials =
      piece_field("<pad>", 3) + piece_field("<eos>", 3) + piece_field("<bos>", 3) + piece_field("<unk>", 2);
  CHECK(pieces_error(specials + piece_field("a")) == "");
  CHECK(pieces_error("").find("holds no pieces") != std::string::npos);
  CHECK(pieces_error("not a model at all").find("not a usable SentencePiece model") != std::string::npos);
  CHECK(pieces_error(specials + piece_field(std::string(100'000, 'a'))).find("longer than 512") !=
        std::string::npos);
  CHECK(pieces_error(specials + piece_field(std::string("a\0b", 3))).find("no valid text") !=
        std::string::npos);
  CHECK(pieces_error(specials + piece_field("\xff\xfe")).find("no valid text") != std::string::npos);
  CHECK(pieces_error(specials + piece_field("a") + piece_field("a")).find("stands twice") !=
        std::string::npos);
  CHECK(pieces_error(specials + piece_field("")).find("empty") != std::string::npos);
  CHECK(pieces_error(piece_field("<eos>", 3) + piece_field("<pad>", 3)).find("is not <pad>") !=
        std::string::npos);
  // Field 3 (normalizer) with a character map in field 2.
  CHECK(pieces_error(specials + std::string("\x1a\x05\x12\x03\x01\x02\x03", 7)).find("character map") !=
        std::string::npos);
  CHECK(pieces_error(model_bytes()) == "");
}

TEST_CASE("a truncated or mutated tokenizer never crashes") {
  const std::string whole = model_bytes();
  const fs::path folder = fs::temp_directory_path() / ("palisade-tokenizer-" + std::to_string(::getpid()));
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
    } catch (const ModelError&) {
    }
  }
  fs::remove_all(folder);
}
