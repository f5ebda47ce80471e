#include "model/text/siglip_text.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/text/character_map.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/tokenizer.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;
const fs::path kGolden = fs::path(PALISADE_SOURCE_DIR) / "tests/golden";
const fs::path kTexts = kGolden / "siglip_text";

std::string siglip_tokenizer_bytes() {
  return read_text_file(kTexts / "spiece.model", 1u << 20);
}

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int k = 0; k < 4; ++k) bytes += char(value >> (8 * k));
  return bytes;
}

// A character map of one block of units, of which all but the given ones are dead ends.
std::string map_of(const std::vector<std::pair<int, std::uint32_t>>& units, const std::string& replacements) {
  std::vector<std::uint32_t> all(256, 0x80000000u);
  for (const auto& [at, unit] : units) all[at] = unit;
  std::string map = little_endian(1024);
  for (const std::uint32_t unit : all) map += little_endian(unit);
  return map + replacements;
}

std::string fault_of(const std::string& map) {
  return fault_of_character_map(map).value_or("");
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string error_of(const std::string& bytes) {
  try {
    check_sentencepiece_model(read_sentencepiece_model(bytes, "spiece.model"), "spiece.model",
                              SentencePieceKind::kSiglip);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("texts become what transformers' SiglipTokenizer makes of them") {
  const SiglipTokenizer tokenizer(kTexts);
  const Json cases = read_json(kTexts / "cases.json");
  REQUIRE(cases["encode"].size() > 20);
  for (const Json& one : cases["encode"]) {
    const auto text = one["text"].get<std::string>();
    CHECK_MESSAGE(canonical_text(text) == one["canonical"].get<std::string>(), text);
    CHECK_MESSAGE(tokenizer.encode(text, cases["length"]) == one["ids"].get<std::vector<TokenId>>(), text);
  }
}

TEST_CASE("the golden prompts give their ids, whatever space is around them") {
  const SiglipTokenizer tokenizer(kGolden / "reference/models/siglip-tiny");
  const auto ids = tokenizer.encode("This is a photo of 2 cats.", 16);
  CHECK(ids.size() == 16);
  CHECK(ids.back() == tokenizer.eos());
  CHECK(tokenizer.encode("this is a photo, of 2 cats  \n", 16) == ids);
}

TEST_CASE("a text that is too long ends with </s> all the same, and never holds it before") {
  const SiglipTokenizer tokenizer(kTexts);
  std::string text;
  for (int word = 0; word < 10'000; ++word) text += "the red car ";
  const auto ids = tokenizer.encode(text, 16);
  REQUIRE(ids.size() == 16);
  CHECK(ids.back() == 1);
  CHECK(std::count(ids.begin(), ids.end(), 1) == 1);
  CHECK(tokenizer.encode("anything", 1) == std::vector<TokenId>{1});
  const auto spelt = tokenizer.encode("</s><pad>", 64);
  CHECK(std::count(spelt.begin(), spelt.end(), 0) == 0);
  CHECK(spelt.front() != 1);
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD") {
  CHECK(canonical_text("a\xff\xc3") == "▁a\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(canonical_text("\xed\xa0\x80") == "▁\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("a character map that leads outside its bytes is refused") {
  const std::string text("x\0", 2);
  // The root's children are at 1 ^ label, the value of 'a' is at 'a' ^ 1 ^ 2.
  constexpr std::uint32_t kRoot = 1u << 10, kValue = 0x80000000u;
  constexpr int kA = 'a' ^ 1;
  const auto leading_to = [](std::uint32_t offset) { return 'a' | 0x100u | (offset << 10); };
  CHECK(fault_of(map_of({{0, kRoot}, {kA, leading_to(2)}, {kA ^ 2, kValue | 0}}, text)) == "");
  CHECK(holds(fault_of(map_of({{0, kRoot}, {kA, leading_to(2)}, {kA ^ 2, kValue | 2}}, text)),
              "a replacement lies outside"));
  CHECK(holds(fault_of(map_of({{0, 1u << 20}}, text)), "leads outside"));
  CHECK(holds(fault_of(map_of({{0, kRoot}, {kA, leading_to(256)}}, text)), "leads outside"));
  // 'a' leads to itself, so that a long text would match more rules than the library has room for.
  CHECK(holds(fault_of(map_of({{0, kRoot}, {kA, leading_to(kA ^ 1)}}, text)), "deeper"));
  CHECK(holds(fault_of(map_of({{0, kRoot}}, "x")), "truncated"));
  CHECK(
      holds(fault_of(map_of({{0, kRoot}, {kA, leading_to(2)}}, std::string("\xff\0", 2))), "no valid text"));
  CHECK(holds(fault_of(little_endian(0xfffffffcu) + std::string(2000, '\0')), "no usable size"));
  CHECK(holds(fault_of(little_endian(1023) + std::string(2000, '\0')), "no usable size"));
  CHECK(holds(fault_of("abc"), "truncated"));
}

TEST_CASE("Gemma's tokenizer is not SigLIP's, nor the other way round") {
  CHECK(error_of(siglip_tokenizer_bytes()) == "");
  const auto gemma = read_text_file(kGolden / "reference/models/paligemma1-tiny/tokenizer.model", 1u << 20);
  CHECK(holds(error_of(gemma), "not SigLIP's tokenizer"));
  const std::string siglip = siglip_tokenizer_bytes();
  CHECK_THROWS_WITH_AS(
      check_sentencepiece_model(read_sentencepiece_model(siglip, "spiece.model"), "spiece.model"),
      doctest::Contains("not Gemma's tokenizer"), ModelError);
}

TEST_CASE("a truncated or mutated spiece.model never crashes") {
  const std::string whole = siglip_tokenizer_bytes();
  const std::size_t map_at = whole.find(little_endian(1024).substr(1)) - 1;
  const fs::path folder = fs::temp_directory_path() / format("palisade-spiece-{}", ::getpid());
  fs::create_directories(folder);
  const unsigned seed = 11;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  int usable = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole.substr(0, round % 8 == 0 ? random() % whole.size() : whole.size());
    for (int change = 0; change < 1 + round % 4 && !bytes.empty(); ++change) {
      // Every other round changes only the trie.
      const std::size_t from = round % 2 == 1 && map_at < bytes.size() ? map_at : 0;
      bytes[from + random() % (bytes.size() - from)] = char(random());
    }
    std::ofstream(folder / "spiece.model", std::ios::binary) << bytes;
    try {
      const SiglipTokenizer tokenizer(folder);
      tokenizer.encode(
          "the red car drives \xef\xbd\x81\xef\xbd\x82 caf\x65\xcc\x81 \xef\xac\x81ve \xef\xb7\xba", 64);
      ++usable;
    } catch (const Error&) {
    }
  }
  CHECK(usable > 0);
  fs::remove_all(folder);
}
