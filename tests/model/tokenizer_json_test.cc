#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <random>

#include "base/format.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model/error.h"
#include "model/text/tokenizer.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

const fs::path kTinyModel = kReference / "models/paligemma1-tiny";

// A temporary folder with some of a model folder's files.
struct TokenizerFolder {
  fs::path path = fs::temp_directory_path() / format("palisade-tokenizer-json-{}", ::getpid());
  TokenizerFolder(const fs::path& from, std::initializer_list<const char*> files) {
    fs::remove_all(path);
    fs::create_directories(path);
    for (const char* const file : files) fs::copy(from / file, path / file);
  }
  ~TokenizerFolder() { fs::remove_all(path); }
  void write(const char* file, const std::string& text) const {
    std::ofstream(path / file, std::ios::binary) << text;
  }
  void change(const char* file, const std::function<void(Json&)>& how) const {
    Json json = read_json(path / file);
    how(json);
    write(file, json.dump());
  }
};

std::string folder_error(const fs::path& folder) {
  try {
    const Tokenizer tokenizer(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Random texts: any Unicode characters, invalid bytes, repetitions, and tokens written out.
std::string random_text(std::mt19937& random) {
  constexpr const char* kParts[] = {"<eos>",  "<bos>",      "<image>", "<loc0123>", "<seg005>",
                                    "<mask>", "<unused3>",  "[@BOS@]", "<pad>",     "<0x41>",
                                    "the ",   "answer en ", "caption", "🙂",      "👩‍👩‍👧",
                                    "▁",      "é",          "e\u0301", "\r\n",      "\t",
                                    "ing",    "日本",       "عرب",     "<loc"};
  std::string text;
  const int parts = int(random() % 12);
  for (int part = 0; part < parts; ++part) {
    switch (random() % 6) {
      case 0:
        text += kParts[random() % std::size(kParts)];
        break;
      case 1:
        text += std::string(random() % 40, " \n\t\r"[random() % 4]);
        break;
      case 2: {
        const char32_t point = random() % 0x110000;
        append_utf8(text, point >= 0xd800 && point < 0xe000 ? U'?' : point);
        break;
      }
      case 3:
        text += char(random());
        break;
      case 4:
        for (int letter = int(random() % 12); letter > 0; --letter) text += char('a' + random() % 26);
        break;
      default:
        for (int letter = int(random() % 8); letter > 0; --letter) text += char(' ' + random() % 95);
    }
  }
  return text;
}

void require_same(const Tokenizer& expected, const Tokenizer& actual) {
  REQUIRE(actual.piece_count() == expected.piece_count());
  const unsigned seed = 30;
  std::mt19937 random(seed);
  for (int round = 0; round < 10'000; ++round) {
    const std::string text = random_text(random);
    const auto ids = expected.encode(text);
    REQUIRE_MESSAGE(actual.encode(text) == ids,
                    "seed " << seed << ", round " << round << ": "
                            << Json(text).dump(-1, ' ', true, Json::error_handler_t::replace));
    REQUIRE(actual.encode_with_special(text) == expected.encode_with_special(text));
    REQUIRE(actual.decode(ids) == expected.decode(ids));
  }
  for (TokenId id = 0; id < expected.piece_count() + 2; ++id) CHECK(actual.piece(id) == expected.piece(id));
}

void rename(Json& json, const std::string& piece, const std::string& by) {
  Json& vocabulary = json["model"]["vocab"];
  vocabulary[by] = vocabulary[piece];
  vocabulary.erase(piece);
  for (Json& token : json["added_tokens"]) {
    if (token["content"] == piece) token["content"] = by;
  }
}

// Merges as transformers 4 of 2024 writes them, and the mask as version 5 does.
void as_older(Json& json) {
  for (Json& merge : json["model"]["merges"]) {
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  json["model"].erase("ignore_merges");
  json["pre_tokenizer"] = nullptr;
  json["post_processor"]["special_tokens"]["<bos>"] = {{"id", "<bos>"}, {"ids", {2}}, {"tokens", {"<bos>"}}};
}

void as_newer(Json& json) {
  for (Json& token : json["added_tokens"]) {
    if (token["content"] == "<mask>") token["special"] = true;
  }
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", {json["normalizer"]}}};
}

}  // namespace

TEST_CASE("tokenizer.json alone gives SentencePiece's ids on all golden strings") {
  const TokenizerFolder folder(kTinyModel, {"tokenizer.json"});
  const Tokenizer tokenizer(folder.path);
  const Json cases = read_json(kReference / "tokenizer/cases.json");
  for (const Json& one : cases["encode"]) {
    const auto text = one["text"].get<std::string>();
    CHECK_MESSAGE(tokenizer.encode(text) == one["sp_ids"].get<std::vector<TokenId>>(), text);
    CHECK_MESSAGE(tokenizer.encode_with_special(text) == one["hf_ids"].get<std::vector<TokenId>>(), text);
  }
  for (const Json& one : cases["decode"])
    CHECK(tokenizer.decode(one["ids"].get<std::vector<TokenId>>()) == one["sp_decoded"].get<std::string>());
}

TEST_CASE("tokenizer.json alone gives SentencePiece's ids on 10,000 random strings, whoever wrote it") {
  for (const auto& how : std::vector<std::function<void(Json&)>>{[](Json&) {}, as_older, as_newer}) {
    const TokenizerFolder folder(kTinyModel, {"tokenizer.json"});
    folder.change("tokenizer.json", how);
    require_same(Tokenizer(kTinyModel), Tokenizer(folder.path));
  }
  const fs::path demo = fs::path(PALISADE_SOURCE_DIR) / "configs/models/demo";
  const TokenizerFolder folder(demo, {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"});
  require_same(Tokenizer(demo), Tokenizer(folder.path));
}

TEST_CASE("a tokenizer.json that means something else than Gemma's tokenizer is refused by name") {
  struct Change {
    const char* names;
    std::function<void(Json&)> how;
  };
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const Change changes[] = {
      {"model.type", [](Json& json) { json["model"]["type"] = "Unigram"; }},
      {"model.type", [](Json& json) { json["model"]["type"] = "WordPiece"; }},
      {"model.type", [](Json& json) { json["model"]["type"] = "WordLevel"; }},
      {"model.type", [](Json& json) { json["model"].erase("type"); }},
      {"model: is missing", [](Json& json) { json.erase("model"); }},
      {"model.dropout", [](Json& json) { json["model"]["dropout"] = 0.1; }},
      {"model.unk_token", [](Json& json) { json["model"]["unk_token"] = nullptr; }},
      {"model.unk_token", [](Json& json) { json["model"]["unk_token"] = "<pad>"; }},
      {"model.continuing_subword_prefix",
       [](Json& json) { json["model"]["continuing_subword_prefix"] = "##"; }},
      {"model.end_of_word_suffix", [](Json& json) { json["model"]["end_of_word_suffix"] = "</w>"; }},
      {"model.byte_fallback", [](Json& json) { json["model"]["byte_fallback"] = false; }},
      {"model.ignore_merges", [](Json& json) { json["model"]["ignore_merges"] = true; }},
      {"model.novelty", [](Json& json) { json["model"]["novelty"] = 1; }},
      {"normalizer", [](Json& json) { json["normalizer"] = nullptr; }},
      {"normalizer",
       [](Json& json) {
         json["normalizer"] = {{"type", "NFKC"}};
       }},
      {"normalizer", [](Json& json) { json["normalizer"]["content"] = "_"; }},
      {"normalizer",
       [](Json& json) {
         json["normalizer"] = {
             {"type", "Sequence"},
             {"normalizers", {{{"type", "Prepend"}, {"prepend", "▁"}}, json["normalizer"]}}};
       }},
      {"pre_tokenizer",
       [](Json& json) {
         json["pre_tokenizer"] = {{"type", "ByteLevel"}};
       }},
      {"pre_tokenizer", [](Json& json) { json["pre_tokenizer"]["pattern"]["String"] = "a"; }},
      {"pre_tokenizer", [](Json& json) { json["pre_tokenizer"]["invert"] = true; }},
      {"pre_tokenizer",
       [&](Json& json) {
         json["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {json["pre_tokenizer"], digits}}};
       }},
      {"post_processor",
       [](Json& json) {
         json["post_processor"] = {{"type", "BertProcessing"}};
       }},
      {"post_processor",
       [](Json& json) { json["post_processor"]["special_tokens"]["<image>"] = Json::object(); }},
      {"decoder", [](Json& json) { json["decoder"] = nullptr; }},
      {"decoder",
       [](Json& json) {
         json["decoder"]["decoders"].push_back({{"type", "Strip"}, {"content", " "}});
       }},
      {"added_tokens[5] (\"<2mass>\"): lstrip", [](Json& json) { json["added_tokens"][5]["lstrip"] = true; }},
      {"rstrip", [](Json& json) { json["added_tokens"][5]["rstrip"] = true; }},
      {"single_word", [](Json& json) { json["added_tokens"][5]["single_word"] = true; }},
      {"added_tokens[5]", [](Json& json) { json["added_tokens"][5]["id"] = -1; }},
      {"added_tokens[5]", [](Json& json) { json["added_tokens"][5]["content"] = ""; }},
      {"\"<2mass>\" has id 4", [](Json& json) { json["added_tokens"][5]["id"] = 4; }},
      {"another piece", [](Json& json) { json["added_tokens"][5]["id"] = 5000; }},
      {"another piece",
       [](Json& json) {
         json["added_tokens"].push_back({{"id", 600}, {"content", "of nobody"}});
       }},
      {"\"normalized\"",
       [](Json& json) {
         json["added_tokens"].push_back({{"id", 5000}, {"content", "a b"}, {"normalized", true}});
       }},
      {"is no list", [](Json& json) { json["added_tokens"] = Json::object(); }},
      {"another piece's, or leaves", [](Json& json) { json["model"]["vocab"]["of nobody"] = 7; }},
      {"of 2153 pieces", [](Json& json) { json["model"]["vocab"]["of nobody"] = 1'000'000; }},
      {"whole number", [](Json& json) { json["model"]["vocab"]["of nobody"] = -7; }},
      {"whole number", [](Json& json) { json["model"]["vocab"]["of nobody"] = "7"; }},
      {"whole number", [](Json& json) { json["model"]["vocab"]["of nobody"] = {7}; }},
      {"for byte 255", [](Json& json) { rename(json, "<0xFF>", "of nobody"); }},
      {"is not <bos>", [](Json& json) { rename(json, "<bos>", "<s>"); }},
      {"no valid text", [](Json& json) { rename(json, "<unused5>", std::string("a\0", 2)); }},
      {"longer than 512", [](Json& json) { rename(json, "<unused5>", std::string(600, 'x')); }},
      {"merge 1632",
       [](Json& json) {
         json["model"]["merges"].push_back({"a", "of nobody"});
       }},
      {"merge 1632", [](Json& json) { json["model"]["merges"].push_back({"a"}); }},
      {"merge 1632",
       [](Json& json) {
         json["model"]["merges"].push_back({"a", "b", "c"});
       }},
      {"merge 1632",
       [](Json& json) {
         json["model"]["merges"].push_back({"a", 7});
       }},
      {"merge 1632", [](Json& json) { json["model"]["merges"].push_back("ab"); }},
      {"merge 1632", [](Json& json) { json["model"]["merges"].push_back("a b c"); }},
      {"merge 1632", [](Json& json) { json["model"]["merges"].push_back(nullptr); }},
      {"a pair stands twice",
       [](Json& json) { json["model"]["merges"].push_back(Json(json["model"]["merges"][9])); }},
  };
  for (const Change& change : changes) {
    const TokenizerFolder folder(kTinyModel, {"tokenizer.json"});
    folder.change("tokenizer.json", change.how);
    const std::string error = folder_error(folder.path);
    CHECK_MESSAGE(error.find("tokenizer.json") != std::string::npos, change.names << ": " << error);
    CHECK_MESSAGE(error.find(change.names) != std::string::npos, change.names << ": " << error);
  }
}

TEST_CASE("a hostile tokenizer.json is refused before it costs much") {
  const TokenizerFolder folder(kTinyModel, {});
  const auto error = [&](const std::string& text) {
    folder.write("tokenizer.json", text);
    return folder_error(folder.path);
  };
  const auto says = [&](const std::string& text, const char* part) {
    const std::string found = error(text);
    CHECK_MESSAGE(found.find(part) != std::string::npos, found);
  };
  says("", "not valid JSON");
  says("[]", "expected an object");
  says("{\"a\":1,\"a\":2}", "stands twice");
  says("{\"model\":{\"vocab\":{\"a\":0,\"a\":1}}}", "model.type");
  says(std::string(100'000, '['), "64 levels");
  says(std::string(100, '[') + std::string(100, ']'), "64 levels");
  says("{\"a\":\"\xff\"}", "not valid JSON");
  std::string many = "[0";
  for (int value = 0; value < (1 << 20); ++value) many += ",0";
  says(many + "]", "1048576 values");
  std::ofstream(folder.path / "tokenizer.json").seekp((65 << 20) - 1).put(' ');
  CHECK(folder_error(folder.path).find("allowed for such a file") != std::string::npos);
}

TEST_CASE(
    "a truncated or mutated tokenizer.json never crashes, and what is read still has Gemma's first ids") {
  const TokenizerFolder folder(kTinyModel, {"tokenizer.json"});
  Json small = read_json(folder.path / "tokenizer.json");
  small["model"]["merges"].get_ref<Json::array_t&>().resize(100);
  const std::string whole = small.dump();
  const unsigned seed = 31;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    std::string bytes = whole.substr(0, round % 8 == 0 ? random() % whole.size() : whole.size());
    for (int change = 0; change < 1 + round % 3 && !bytes.empty(); ++change)
      bytes[random() % bytes.size()] = "0123456789abc\"{}[],:\\<>"[random() % 23];
    folder.write("tokenizer.json", bytes);
    try {
      const Tokenizer tokenizer(folder.path);
      CHECK(tokenizer.piece(2) == "<bos>");
      tokenizer.decode(tokenizer.encode("a red car drives from left to right <loc0123>\n"));
    } catch (const Error&) {
    }
  }
}

TEST_CASE("tokenizer.model decides where both are there, and another tokenizer's json beside it is refused") {
  const TokenizerFolder folder(kTinyModel, {"tokenizer.json", "tokenizer.model"});
  require_same(Tokenizer(kTinyModel), Tokenizer(folder.path));
  folder.change("tokenizer.json", [](Json& json) { rename(json, "<unused5>", "<mine>"); });
  CHECK(folder_error(folder.path).find("of another tokenizer than tokenizer.model") != std::string::npos);
  folder.change("tokenizer.json", [](Json& json) { rename(json, "<mine>", "<unused5>"); });
  folder.change("tokenizer.json", [](Json& json) { json["model"]["vocab"]["one more"] = 2152; });
  CHECK(folder_error(folder.path).find("differ in piece 2152") != std::string::npos);
  fs::remove(folder.path / "tokenizer.json");
  fs::remove(folder.path / "tokenizer.model");
  CHECK(folder_error(folder.path).find("tokenizer.model: no such file") != std::string::npos);
}

TEST_CASE("tokens that a training added are read of text, control tokens never, with either file") {
  for (const char* const file : {"tokenizer.json", "tokenizer.model"}) {
    const TokenizerFolder folder(kTinyModel, {file});
    folder.write("added_tokens.json", R"({"<image>": 2152, "<part>": 2153, "<part2>": 2154, "<end>": 2155})");
    folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {
        "2153": {"content": "<part>", "special": false}, "2154": {"content": "<part2>", "special": false},
        "2155": {"content": "<end>", "special": true}}, "extra_special_tokens": ["<image>", "<more>", "<bos>"]})");
    const Tokenizer tokenizer(folder.path);
    const auto whole = tokenizer.encode("a<part2><part>b<end><image>");
    CHECK(std::count(whole.begin(), whole.end(), 2154) == 1);
    CHECK(std::count(whole.begin(), whole.end(), 2153) == 1);
    CHECK(std::ranges::none_of(whole, [](TokenId id) { return id == 2152 || id >= 2155; }));
    CHECK(tokenizer.decode(whole) == "a<part2><part>b<end><image>");
    CHECK(tokenizer.encode_with_special("<end><more><image>") == std::vector<TokenId>{2155, 2156, 2152});
    CHECK(tokenizer.added_id("<image>") == 2152);
    CHECK(tokenizer.decode(std::vector<TokenId>{2152, 2155, 9999}) == "");
    CHECK(tokenizer.piece(2154) == "<part2>");
  }
}

TEST_CASE("a piece that is made an added token stands for itself, with either file") {
  const Tokenizer plain(kTinyModel);
  const TokenId piece = plain.encode("the")[0];
  REQUIRE(plain.piece(piece).size() > 1);
  const std::string text = plain.piece(piece);
  for (const char* const file : {"tokenizer.json", "tokenizer.model"}) {
    const TokenizerFolder folder(kTinyModel, {file});
    folder.write("added_tokens.json", Json{{text, piece}}.dump());
    const auto ids = Tokenizer(folder.path).encode("x" + text + text + "yz");
    CHECK(std::count(ids.begin(), ids.end(), piece) == 2);
  }
}

TEST_CASE("settings beside the tokenizer that change tokens or text are refused by name") {
  const auto error = [](const char* file, const std::string& text) {
    const TokenizerFolder folder(kTinyModel, {"tokenizer.model"});
    folder.write(file, text);
    return folder_error(folder.path);
  };
  const auto says = [&](const char* file, const std::string& text, const char* part) {
    const std::string found = error(file, text);
    CHECK_MESSAGE(found.find(file) != std::string::npos, text << ": " << found);
    CHECK_MESSAGE(found.find(part) != std::string::npos, text << ": " << found);
  };
  const char* const config = "tokenizer_config.json";
  CHECK(error(config, R"({"add_bos_token": true, "model_max_length": 7, "bos_token": {"content": "<bos>"},
                          "pad_token": "<eos>", "clean_up_tokenization_spaces": true, "novelty": 1})") == "");
  says(config, R"({"bos_token": "<s>"})", "bos_token is not \"<bos>\"");
  says(config, R"({"eos_token": {"content": "</s>"}})", "eos_token");
  says(config, R"({"unk_token": 7})", "is no token");
  says(config, R"({"tokenizer_class": "LlamaTokenizer"})", "tokenizer_class is \"LlamaTokenizer\"");
  says(config, R"({"split_special_tokens": true})", "split_special_tokens");
  says(config, R"({"extra_special_tokens": 7})", "extra_special_tokens");
  says(config, R"({"extra_special_tokens": [{"content": "<x>", "rstrip": true}]})", "\"rstrip\"");
  says(config, R"({"added_tokens_decoder": {"x": {"content": "<x>"}}})", "no id");
  says(config, R"({"added_tokens_decoder": {"-1": {"content": "<x>"}}})", "no id");
  says(config, R"({"added_tokens_decoder": {"2152": {"content": "<x>", "lstrip": true}}})", "\"lstrip\"");
  says("special_tokens_map.json", R"({"bos_token": "<s>"})", "bos_token");
  says("added_tokens.json", R"({"<x>": -1})", "\"<x>\" has no usable id");
  says("added_tokens.json", "[]", "expected an object");
  CHECK(error("added_tokens.json", R"({"<x>": 7})").find("\"<x>\" has id 7, which is another") !=
        std::string::npos);
  const TokenizerFolder folder(kTinyModel, {"tokenizer.model"});
  folder.write("added_tokens.json", R"({"<x>": 2152})");
  folder.write(config, R"({"added_tokens_decoder": {"2152": {"content": "<y>"}}})");
  CHECK(folder_error(folder.path).find("take both files from one checkpoint") != std::string::npos);
}
