#include "model/text/sentencepiece_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>

#include "base/json.h"
#include "model/error.h"
#include "model/text/protobuf.h"
#include "model/text/tokenizer.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += char(value);
  return text;
}

std::string field(std::uint32_t number, const std::string& content) {
  ProtobufWriter writer;
  writer.add_bytes(number, content);
  return writer.message();
}

std::string number_field(std::uint32_t number, std::uint64_t value) {
  ProtobufWriter writer;
  writer.add_varint(number, value);
  return writer.message();
}

std::string piece(const std::string& text, int type = 1) {
  return field(1, field(1, text) + number_field(3, std::uint64_t(type)));
}

const std::string kFirst = piece("<pad>", 3) + piece("<eos>", 3) + piece("<bos>", 3) + piece("<unk>", 2);
const std::string kBpe = field(2, number_field(3, 2));
const std::string kWhole = kFirst + piece("a") + kBpe;
// Three bytes that the library would interpret as a trie.
const std::string kMap = field(2, "\x01\x02\x03");

std::string fault_of_file(const std::string& file) {
  try {
    check_sentencepiece_model(read_sentencepiece_model(file, "tokenizer.model"), "tokenizer.model");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct Case {
  const char* what;
  std::string file;
  const char* says;  // nothing: it is read
};

}  // namespace

TEST_CASE("a tokenizer is judged on what the library would see, and refused where it would see otherwise") {
  const std::string long_piece(513, 'a');
  const Case cases[] = {
      {"a small model", kWhole, ""},
      {"nothing", "", "holds no pieces"},
      {"something else", "not a model at all", "not a usable SentencePiece model"},
      {"no type, which is unigram", kFirst + piece("a"), "not BPE"},
      {"a long piece", kFirst + piece(long_piece) + kBpe, "longer than 512"},
      {"an empty piece", kFirst + piece("") + kBpe, "empty"},
      {"a zero byte", kFirst + piece(std::string("a\0b", 3)) + kBpe, "no valid text"},
      {"no UTF-8", kFirst + piece("\xff\xfe") + kBpe, "no valid text"},
      {"a piece twice", kFirst + piece("a") + piece("a") + kBpe, "stands twice"},
      {"another order", piece("<eos>", 3) + piece("<pad>", 3) + kBpe, "is not <pad>"},
      {"a second unknown piece", kWhole + piece("b", 2), "second unknown piece"},
      {"type 0", kWhole + piece("b", 0), "unknown type"},
      {"type 7", kWhole + piece("b", 7), "unknown type"},
      {"a type past 32 bits", kWhole + field(1, field(1, "b") + number_field(3, (1ull << 32) + 4)),
       "unknown type"},
      {"a negative type", kWhole + field(1, field(1, "b") + number_field(3, ~0ull)), "unknown type"},
      {"a score that is none", kWhole + field(1, field(1, "b") + bytes({0x15, 0, 0, 0xc0, 0x7f})), "score"},
      {"a negative number nobody reads", kWhole + field(2, number_field(43, ~0ull)), ""},
      {"a character map", kWhole + field(3, kMap), "character map"},
      {"a character map for decoding", kWhole + field(5, kMap), "character map"},
      {"a character map in the first of two normalizers",
       kWhole + field(3, kMap) + field(3, number_field(3, 0)), "character map"},
      {"a character map in the second", kWhole + field(3, number_field(3, 0)) + field(3, kMap),
       "character map"},
      {"a character map that a second empty one takes back", kWhole + field(3, kMap + field(2, "")), ""},
      {"an overlong key of a normalizer", kWhole + bytes({0x9a, 0}) + field(3, kMap).substr(1),
       "more bytes than it needs"},
      {"a key whose upper half is cut off",
       kWhole + bytes({0x9a, 0x80, 0x80, 0x80, 0x10}) + field(3, kMap).substr(1), "possible number"},
      {"a key of ten bytes",
       kWhole + bytes({0x9a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}) + field(3, kMap).substr(1),
       "possible number"},
      {"a number of eleven bytes", kWhole + bytes({0x20}) + std::string(10, '\xff') + bytes({1}),
       "does not end"},
      {"a number past 64 bits", kWhole + bytes({0x20}) + std::string(9, '\xff') + bytes({2}),
       "more bytes than"},
      {"an overlong length", kWhole + bytes({0x1a, 0x85, 0}) + kMap, "more bytes than it needs"},
      {"an overlong key within", kWhole + field(3, bytes({0x92, 0}) + kMap.substr(1)),
       "more bytes than it needs"},
      {"an overlong value", kWhole + field(2, bytes({0x18, 0x82, 0})), "more bytes than it needs"},
      {"field 0", kWhole + bytes({0x02, 0}), "possible number"},
      {"a group", kWhole + bytes({0x1b}) + kMap + bytes({0x1c}), "groups"},
      {"an end of a group", kWhole + bytes({0x1c}), "groups"},
      {"an unknown group", kWhole + bytes({0xa3, 6, 0xa4, 6}), "groups"},
      {"wire types that are none", kWhole + bytes({0x1e}), "groups"},
      {"a normalizer as a number", kWhole + number_field(3, 5), "another kind"},
      {"a piece as a number", kWhole + number_field(1, 5), "another kind"},
      {"a piece's text as a number", kWhole + field(1, number_field(1, 5)), "another kind"},
      {"a score as a number", kWhole + field(1, field(1, "b") + number_field(2, 5)), "another kind"},
      {"a packed type", kWhole + field(1, field(1, "b") + field(3, bytes({4}))), "another kind"},
      {"a model type as bytes", kWhole + field(2, field(3, bytes({2}))), "another kind"},
      {"a flag that is neither", kWhole + field(3, number_field(3, 2)), "neither 0 nor 1"},
      {"two trainers: the last type counts", kWhole + field(2, number_field(3, 1)), "not BPE"},
      {"two types in one trainer", kFirst + piece("a") + field(2, number_field(3, 1) + number_field(3, 2)),
       ""},
      {"two texts in one piece: the last counts", kFirst + field(1, field(1, "a") + field(1, "\xff")) + kBpe,
       "no valid text"},
      {"a length past the end", kWhole + bytes({0x1a, 0x7f}), "truncated"},
      {"a key without a value", kWhole + bytes({0x18}), "truncated"},
      {"fields that nobody knows",
       kWhole + field(999, "x") + number_field(0x1fffffff, 1) + field(3, field(77, "y")), ""},
      {"a surface that is no text", kWhole + field(2, field(44, "\xff")), "unknown pieces"},
  };
  for (const Case& one : cases) {
    const std::string error = fault_of_file(one.file);
    CHECK_MESSAGE((error == "") == (*one.says == '\0'), one.what << ": " << error);
    CHECK_MESSAGE(error.find(one.says) != std::string::npos, one.what << ": " << error);
  }
}

TEST_CASE("more user-defined pieces than the library has room for at one place are refused") {
  const auto nested = [](int count) {
    std::string file = kFirst + kBpe;
    for (int length = 1; length <= count; ++length) file += piece(std::string(std::size_t(length), 'n'), 4);
    return file;
  };
  CHECK(fault_of_file(nested(64)) == "");
  CHECK(fault_of_file(nested(65)).find("64 user-defined") != std::string::npos);
}

TEST_CASE("the library is given what was judged and nothing else, and gives the same ids") {
  const fs::path folder = kReference / "models/paligemma1-tiny";
  const std::string file = read_text_file(folder / "tokenizer.model", 1u << 20);
  const SentencePieceModel model = read_sentencepiece_model(file, "tokenizer.model");
  const std::string written = serialized(model);
  CHECK(written.size() < file.size());
  CHECK(serialized(read_sentencepiece_model(written, "again")) == written);
  CHECK(serialized(read_sentencepiece_model(file + field(999, "x") + field(4, field(1, "y")), "more")) ==
        written);
}

TEST_CASE("a mutated message is read as the library reads it, or refused") {
  // The library gets a file that is written from what was read, so reading that must give the same.
  const std::string whole = kWhole + field(3, number_field(3, 0)) + piece("bc", 4) + piece("<0x41>", 6);
  std::mt19937 random(13);
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string file = whole;
    for (int change = 0; change < 1 + round % 3; ++change) {
      const std::size_t at = random() % file.size();
      if (random() % 3 == 0) {
        file.insert(at, 1, char(random()));
      } else {
        file[at] = char(random());
      }
    }
    try {
      const SentencePieceModel model = read_sentencepiece_model(file, "mutated");
      check_sentencepiece_model(model, "mutated");
      const std::string written = serialized(model);
      CHECK(serialized(read_sentencepiece_model(written, "again")) == written);
      ++read;
    } catch (const Error&) {
    }
  }
  CHECK(read > 100);
}
