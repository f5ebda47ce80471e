#include "model/text/extended_vocabulary.h"

#include "base/format.h"
#include "model/error.h"
#include "model/text/location_tokens.h"
#include "model/text/protobuf.h"
#include "model/text/sentencepiece_file.h"

namespace palisade {
namespace {

constexpr int kSegmentTokens = 128;  // codes of the mask decoder

// Fields of sentencepiece_model.proto.
constexpr std::uint32_t kPiecesField = 1, kTrainerField = 2, kVocabularyField = 4;

std::string user_defined_piece(const std::string& text) {
  ProtobufWriter piece;
  piece.add_bytes(1, text);
  piece.add_float(2, 0);
  piece.add_varint(3, std::uint64_t(PieceType::kUserDefined));
  return piece.message();
}

// Fields stand in the order of their numbers, as every library writes them.
std::string with_vocabulary_size(std::string_view trainer, std::uint64_t size) {
  ProtobufReader reader(trainer);
  ProtobufWriter writer;
  bool written = false;
  const auto write = [&] {
    if (!written) writer.add_varint(kVocabularyField, size);
    written = true;
  };
  while (const auto field = reader.next()) {
    if (field->number >= kVocabularyField) write();
    if (field->number != kVocabularyField) writer.add(*field);
  }
  write();
  return writer.message();
}

std::string extended(std::string_view file, std::span<const std::string> texts) {
  std::uint64_t pieces = texts.size();
  bool trained = false;
  for (ProtobufReader reader(file); const auto field = reader.next();) {
    pieces += field->number == kPiecesField;
    trained = trained || field->number == kTrainerField;
  }
  std::uint64_t left = pieces - texts.size();
  ProtobufWriter writer;
  for (ProtobufReader reader(file); const auto field = reader.next();) {
    if (field->number == kTrainerField) {
      writer.add_bytes(kTrainerField, with_vocabulary_size(field->bytes, pieces));
      continue;
    }
    writer.add(*field);
    if (field->number != kPiecesField || --left > 0) continue;
    for (const std::string& text : texts) writer.add_bytes(kPiecesField, user_defined_piece(text));
  }
  if (!trained) writer.add_bytes(kTrainerField, with_vocabulary_size({}, pieces));
  return writer.message();
}

// As tokenizer.json and tokenizer_config.json describe a token.
Json token_entry(std::string_view text, bool special) {
  return {{"content", text}, {"lstrip", false},      {"normalized", !special},
          {"rstrip", false}, {"single_word", false}, {"special", special}};
}

}  // namespace

std::vector<std::string> location_and_segment_tokens() {
  std::vector<std::string> texts;
  for (int place = 0; place < LocationTokens::kCount; ++place) texts.push_back(format("<loc{:04}>", place));
  for (int code = 0; code < kSegmentTokens; ++code) texts.push_back(format("<seg{:03}>", code));
  return texts;
}

std::string with_pieces(std::string_view file, std::span<const std::string> texts, const std::string& what) {
  try {
    return extended(file, texts);
  } catch (const MalformedProtobuf& broken) {
    throw ModelError(what + ": not a usable SentencePiece model: " + broken.why);
  }
}

Json with_added_tokens(Json tokenizer, std::span<const std::string> texts, TokenId first) {
  Json& vocabulary = tokenizer["model"]["vocab"];
  Json& added = tokenizer["added_tokens"];
  if (!added.is_array()) added = Json::array();
  const auto add = [&](std::string_view text, bool special) {
    added.push_back(token_entry(text, special));
    added.back()["id"] = first++;
  };
  for (const std::string& text : texts) {
    vocabulary[text] = first;
    add(text, false);
  }
  add(kImageTokenText, true);
  const auto part = [](const char* id, int type) {
    return Json{{"Sequence", {{"id", id}, {"type_id", type}}}};
  };
  tokenizer["post_processor"] = {{"type", "TemplateProcessing"},
                                 {"single", Json::array({part("A", 0)})},
                                 {"pair", Json::array({part("A", 0), part("B", 1)})},
                                 {"special_tokens", Json::object()}};
  return tokenizer;
}

Json with_decoded_tokens(Json config, std::span<const std::string> texts, TokenId first) {
  Json& decoder = config["added_tokens_decoder"];
  if (!decoder.is_object()) decoder = Json::object();
  for (const std::string& text : texts) decoder[std::to_string(first++)] = token_entry(text, false);
  decoder[std::to_string(first)] = token_entry(kImageTokenText, true);
  config["additional_special_tokens"] = Json::array({kImageTokenText});
  config["add_bos_token"] = config["add_eos_token"] = false;
  config["processor_class"] = "PaliGemmaProcessor";
  config.erase("chat_template");
  return config;
}

}  // namespace palisade
