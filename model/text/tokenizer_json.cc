#include "model/text/tokenizer_json.h"

#include <algorithm>
#include <initializer_list>
#include <unordered_map>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/text/sentencepiece_file.h"
#include "model/text/tokenizer_json_events.h"

namespace palisade {
namespace {

constexpr TokenId kFirstPlain = 4;  // after <pad>, <eos>, <bos> and <unk>
constexpr std::string_view kSpace = "\xe2\x96\x81";

struct Entries {
  std::string what;

  [[noreturn]] void refuse(const std::string& entry, const std::string& why) const {
    throw ModelError(what + ": " + entry + ": " + why +
                     "; put the checkpoint's tokenizer.model beside it instead");
  }
  [[noreturn]] void refuse_value(const std::string& entry, const Json& value,
                                 const std::string& expected) const {
    std::string found = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (found.size() > 200) found = found.substr(0, 200) + "...";
    refuse(entry, "expected " + expected + ", found " + found);
  }
};

// An entry that is not there is null.
const Json& entry_of(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

bool is_type(const Json& value, const char* type) {
  return entry_of(value, "type") == type;
}

bool is_one_of(const Json& value, std::initializer_list<Json> allowed) {
  return std::ranges::find(allowed, value) != allowed.end();
}

// What a Sequence's `key` lists, or the thing itself.
std::vector<Json> parts_of(const Json& value, const char* key) {
  if (value.is_null()) return {};
  if (!is_type(value, "Sequence")) return {value};
  const Json& list = entry_of(value, key);
  return list.is_array() ? std::vector<Json>(list.begin(), list.end()) : std::vector<Json>{value};
}

bool finds(const Json& value, std::string_view text) {
  const Json& pattern = entry_of(value, "pattern");
  return pattern.is_object() && pattern.size() == 1 &&
         (entry_of(pattern, "String") == text || entry_of(pattern, "Regex") == text);
}

bool replaces(const Json& value, std::string_view text, std::string_view by) {
  return is_type(value, "Replace") && finds(value, text) && entry_of(value, "content") == by;
}

void check_steps(const Json& rest, const Entries& entries) {
  const auto normalizers = parts_of(entry_of(rest, "normalizer"), "normalizers");
  if (normalizers.size() != 1 || !replaces(normalizers[0], " ", kSpace))
    entries.refuse_value("normalizer", entry_of(rest, "normalizer"), "Replace \" \" by \"\xe2\x96\x81\"");
  // No space is left to be found.
  for (const Json& step : parts_of(entry_of(rest, "pre_tokenizer"), "pretokenizers")) {
    if (!is_type(step, "Split") || !finds(step, " ") || entry_of(step, "invert") == true)
      entries.refuse_value("pre_tokenizer", step, "none, or Split at \" \"");
  }
  // <bos> and <eos> are for whoever makes the prompt, as in PaliGemma's processor.
  for (const Json& step : parts_of(entry_of(rest, "post_processor"), "processors")) {
    bool known = is_type(step, "TemplateProcessing");
    for (const auto& [token, about] : entry_of(step, "special_tokens").items())
      known = known && (token == "<bos>" || token == "<eos>");
    if (!known)
      entries.refuse_value("post_processor", step, "none, or TemplateProcessing with <bos> and <eos>");
  }
  const auto decoders = parts_of(entry_of(rest, "decoder"), "decoders");
  if (decoders.size() != 3 || !replaces(decoders[0], kSpace, " ") || !is_type(decoders[1], "ByteFallback") ||
      !is_type(decoders[2], "Fuse"))
    entries.refuse_value("decoder", entry_of(rest, "decoder"), "Replace, ByteFallback and Fuse");
}

void check_model(const Json& model, const Entries& entries) {
  if (!model.is_object()) entries.refuse("model", "is missing");
  struct Setting {
    const char* key;
    std::initializer_list<Json> allowed;
    const char* expected;
  };
  const Setting settings[] = {
      {"type", {"BPE"}, "BPE"},
      {"dropout", {nullptr, 0}, "none"},
      {"unk_token", {"<unk>"}, "\"<unk>\""},
      {"continuing_subword_prefix", {nullptr, ""}, "none"},
      {"end_of_word_suffix", {nullptr, ""}, "none"},
      {"byte_fallback", {true}, "true"},
      {"ignore_merges", {nullptr, false}, "false"},
      // No character is unknown where all bytes are pieces.
      {"fuse_unk", {nullptr, false, true}, "true or false"},
  };
  for (const Setting& setting : settings) {
    const Json& value = entry_of(model, setting.key);
    if (!is_one_of(value, setting.allowed))
      entries.refuse_value(std::string("model.") + setting.key, value, setting.expected);
  }
  for (const auto& [key, value] : model.items()) {
    const auto known = [&key = key](const Setting& setting) { return key == setting.key; };
    if (key != "vocab" && key != "merges" && std::ranges::none_of(settings, known))
      entries.refuse("model." + key, "is not known");
  }
}

// The texts of pieces are a stranger's.
std::string quoted(std::string_view text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

AddedToken read_added(const Json& value, std::size_t index, const Entries& entries) {
  const std::string named = format("added_tokens[{}]", index);
  const Json& id = entry_of(value, "id");
  const Json& text = entry_of(value, "content");
  if (!id.is_number_unsigned() || id.get<std::uint64_t>() > INT32_MAX || !text.is_string() ||
      text.get_ref<const std::string&>().empty())
    entries.refuse(named, "has no usable id and content");
  for (const char* const flag : {"single_word", "lstrip", "rstrip"}) {
    if (!is_one_of(entry_of(value, flag), {nullptr, false}))
      entries.refuse_value(named + " (\"" + text.get<std::string>() + "\"): " + flag, entry_of(value, flag),
                           "false");
  }
  return {text.get<std::string>(), id.get<TokenId>(), entry_of(value, "special") == true,
          entry_of(value, "normalized") == true};
}

using IdsByText = std::unordered_map<std::string_view, TokenId>;

IdsByText ids_of(const TokenizerJsonParts& parts, const Entries& entries) {
  IdsByText ids;
  ids.reserve(parts.ids.size());
  for (std::size_t index = 0; index < parts.ids.size(); ++index) {
    const std::string_view text = parts.vocabulary[index];
    if (parts.ids[index] >= parts.ids.size())
      entries.refuse("model.vocab",
                     format("{} has id {} of {} pieces", quoted(text), parts.ids[index], parts.ids.size()));
    if (!ids.emplace(text, TokenId(parts.ids[index])).second)
      entries.refuse("model.vocab", quoted(text) + " stands twice");
  }
  return ids;
}

// By id. transformers names the byte of a tab "\t" too, beside or instead of "<0x09>", so that it can be
// merged; SentencePiece has the byte alone.
std::vector<std::string> vocabulary_of(const TokenizerJsonParts& parts, const IdsByText& ids,
                                       const Entries& entries) {
  const auto tab = ids.find("\t"), tab_byte = ids.find("<0x09>");
  const bool shared = tab != ids.end() && tab_byte != ids.end() && tab->second == tab_byte->second;
  const bool tab_alone = tab != ids.end() && tab_byte == ids.end();
  std::vector<std::string> vocabulary(ids.size() - shared);
  for (std::size_t index = 0; index < parts.ids.size(); ++index) {
    const std::string_view text = parts.vocabulary[index];
    const std::uint64_t id = parts.ids[index];
    if (shared && text == "\t") continue;
    if (id >= vocabulary.size() || !vocabulary[id].empty())
      entries.refuse("model.vocab", format("id {} of {} is another piece's, or leaves one without a piece",
                                           id, quoted(text)));
    if (text.empty()) entries.refuse("model.vocab", "a piece is empty");
    vocabulary[id] = tab_alone && text == "\t" ? "<0x09>" : std::string(text);
  }
  return vocabulary;
}

// Merges into bytes and control tokens are left out: SentencePiece never makes those of text.
std::vector<TokenMerge> merges_of(const TokenizerJsonParts& parts, const IdsByText& ids,
                                  const Entries& entries) {
  std::vector<TokenMerge> merges;
  merges.reserve(parts.merges.size() / 2);
  std::string merged;
  for (std::size_t index = 0; index + 1 < parts.merges.size(); index += 2) {
    const std::string_view left = parts.merges[index], right = parts.merges[index + 1];
    merged.assign(left).append(right);
    const auto left_id = ids.find(left), right_id = ids.find(right), merged_id = ids.find(merged);
    if (left_id == ids.end() || right_id == ids.end() || merged_id == ids.end())
      entries.refuse("model.merges", format("merge {} of {} and {} names what is no piece", index / 2,
                                            quoted(left), quoted(right)));
    if (merged_id->second >= kFirstPlain && byte_of_piece(merged) < 0)
      merges.push_back({left_id->second, right_id->second, merged_id->second});
  }
  std::vector<std::pair<TokenId, TokenId>> pairs;
  for (const TokenMerge& merge : merges) pairs.emplace_back(merge.left, merge.right);
  std::ranges::sort(pairs);
  if (std::ranges::adjacent_find(pairs) != pairs.end()) entries.refuse("model.merges", "a pair stands twice");
  return merges;
}

}  // namespace

TokenizerJson read_tokenizer_json(const std::filesystem::path& file, bool beside_model) {
  const Entries entries{file.string()};
  const TokenizerJsonParts parts =
      read_tokenizer_json_parts(read_text_file(file, kMaxTokenizerBytes), file.string(), !beside_model);
  if (!parts.rest.is_object()) throw ModelError(file.string() + ": expected an object");
  const Json& model = entry_of(parts.rest, "model");
  if (!beside_model) {
    check_model(model, entries);
    check_steps(parts.rest, entries);
  }
  TokenizerJson read;
  const Json& added = entry_of(parts.rest, "added_tokens");
  if (!added.is_null() && !added.is_array()) entries.refuse("added_tokens", "is no list");
  for (std::size_t index = 0; index < added.size(); ++index)
    read.added.push_back(read_added(added[index], index, entries));
  const IdsByText ids = ids_of(parts, entries);
  read.vocabulary = vocabulary_of(parts, ids, entries);
  if (!beside_model) read.merges = merges_of(parts, ids, entries);
  return read;
}

}  // namespace palisade
