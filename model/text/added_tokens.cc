#include "model/text/added_tokens.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"

namespace palisade {
namespace {

using PieceId = std::function<std::optional<TokenId>(std::string_view)>;
constexpr std::size_t kMaxSettingsBytes = 16u << 20;
constexpr std::string_view kSpaces[] = {" ", "\xe2\x96\x81"};

// The tokens so far, and the file that named each first.
class TokenCollection {
 public:
  void add(const AddedToken& token, const std::string& what) {
    const auto [placed, is_new] = by_id_.try_emplace(token.id, NamedToken{token, what});
    NamedToken& known = placed->second;
    const auto [same_text, text_is_new] = ids_.try_emplace(token.text, token.id);
    if (known.token.text != token.text || same_text->second != token.id) {
      const NamedToken& other = text_is_new ? known : by_id_.at(same_text->second);
      throw ModelError(format(
          "{}: token \"{}\" has id {}, but {} says that \"{}\" has {}; take both files from one checkpoint",
          what, token.text, token.id, other.what, other.token.text, other.token.id));
    }
    if (!known.token.special) known.token.special = token.special;
    known.token.normalized = known.token.normalized || token.normalized;
  }
  bool has(const std::string& text) const { return ids_.contains(text); }
  // As transformers gives it to what has none.
  TokenId next_id(int pieces) const {
    return by_id_.empty() ? pieces : std::max(pieces, by_id_.rbegin()->first + 1);
  }
  std::vector<AddedToken> by_id(int pieces, const PieceId& piece_id) const {
    std::vector<AddedToken> tokens;
    for (const auto& [id, named] : by_id_) {
      check(named, pieces, piece_id);
      tokens.push_back(named.token);
    }
    return tokens;
  }

 private:
  struct NamedToken {
    AddedToken token;
    std::string what;
  };
  static void check(const NamedToken& named, int pieces, const PieceId& piece_id) {
    const AddedToken& token = named.token;
    const std::string what = named.what + ": the added token \"" + token.text + "\" ";
    const auto known = piece_id(token.text);
    if (known ? *known != token.id : token.id < pieces)
      throw ModelError(
          format("{}has id {}, which is another piece of the vocabulary's; take the tokenizer's files from "
                 "one checkpoint",
                 what, token.id));
    const bool spaced = std::ranges::any_of(
        kSpaces, [&](std::string_view space) { return token.text.find(space) != std::string::npos; });
    if (spaced && token.normalized && !known)
      throw ModelError(what + "holds a space and is \"normalized\", which is not done here");
  }
  std::map<TokenId, NamedToken> by_id_;
  std::map<std::string, TokenId> ids_;
};

std::optional<TokenId> id_in(std::string_view text) {
  TokenId id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id >= 0 ? std::optional(id)
                                                                             : std::nullopt;
}

// A token stands there as its text, or as an object with its "content".
std::string token_text_of(const Json& value, const std::string& named) {
  const Json& text = value.is_object() && value.contains("content") ? value["content"] : value;
  if (!text.is_string() || text.get_ref<const std::string&>().empty())
    throw ModelError(named + ": is no token");
  for (const char* const flag : {"single_word", "lstrip", "rstrip"}) {
    if (value.is_object() && value.contains(flag) && value[flag] != false)
      throw ModelError(named + ": \"" + flag +
                       "\" takes what is around a token into it, which is not done here; " +
                       "save the tokenizer with " + flag + " false");
  }
  return text.get<std::string>();
}

void read_decoder(const Json& tokens, const std::string& what, TokenCollection& collected) {
  if (!tokens.is_object()) throw ModelError(what + ": expected an object");
  for (const auto& [key, value] : tokens.items()) {
    const auto id = id_in(key);
    if (!id || !value.is_object()) throw ModelError(what + ": \"" + key + "\" is no id of a token");
    collected.add({.text = token_text_of(value, what + "." + key),
                   .id = *id,
                   .special = value.value("special", Json()) == true,
                   .normalized = value.value("normalized", Json()) == true},
                  what);
  }
}

class FolderFiles {
 public:
  FolderFiles(int pieces, const PieceId& piece_id, TokenCollection& collected)
      : pieces_(pieces), piece_id_(piece_id), collected_(collected) {}

  void read_added(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return;
    const Json tokens = read_json(file, kMaxSettingsBytes);
    if (!tokens.is_object()) throw ModelError(file.string() + ": expected an object of token texts and ids");
    for (const auto& [text, id] : tokens.items()) {
      if (text.empty() || !id.is_number_unsigned() || id.get<std::uint64_t>() > INT32_MAX)
        throw ModelError(file.string() + ": \"" + text + "\" has no usable id");
      collected_.add({.text = text, .id = id.get<TokenId>(), .special = {}}, file.string());
    }
  }

  // tokenizer_config.json and special_tokens_map.json. What else stands there is of padding, truncation, chat
  // and of what PaliGemma's processor does itself (<bos>, <eos>).
  void read_settings(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return;
    const std::string what = file.string();
    const Json settings = read_json(file, kMaxSettingsBytes);
    if (!settings.is_object()) throw ModelError(what + ": expected an object");
    const auto given = [&](const char* key) { return settings.contains(key) && !settings[key].is_null(); };
    struct FixedToken {
      const char* key;
      const char* text;
    };
    for (const auto& [key, text] :
         {FixedToken{"bos_token", "<bos>"}, {"eos_token", "<eos>"}, {"unk_token", "<unk>"}}) {
      if (given(key) && token_text_of(settings[key], what + ": " + key) != text)
        throw ModelError(what + ": " + key + " is not \"" + text +
                         "\", Gemma's; take the checkpoint's own file");
    }
    for (const char* const key :
         {"split_special_tokens",
          "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output"}) {
      if (given(key) && settings[key] != false)
        throw ModelError(what + ": " + key + " changes tokens or text and is not done here; set it to false");
    }
    if (given("tokenizer_class")) check_class(settings["tokenizer_class"], what);
    if (given("added_tokens_decoder"))
      read_decoder(settings["added_tokens_decoder"], what + ": added_tokens_decoder", collected_);
    for (const char* const key : {"additional_special_tokens", "extra_special_tokens"}) {
      if (given(key)) read_names(settings[key], what + ": " + key);
    }
  }

 private:
  static void check_class(const Json& name, const std::string& what) {
    for (const char* const known :
         {"GemmaTokenizer", "GemmaTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"}) {
      if (name == known) return;
    }
    throw ModelError(what + ": tokenizer_class is " +
                     name.dump(-1, ' ', true, Json::error_handler_t::replace) +
                     ", expected GemmaTokenizer; take the checkpoint's own file");
  }
  // A list, or an object with a name for each.
  void read_names(const Json& names, const std::string& what) {
    if (!names.is_array() && !names.is_object()) throw ModelError(what + ": expected a list");
    for (const Json& value : names) {
      const std::string text = token_text_of(value, what);
      if (collected_.has(text)) continue;
      const TokenId id = piece_id_(text).value_or(collected_.next_id(pieces_));
      collected_.add({.text = text, .id = id, .special = true}, what);
    }
  }

  int pieces_;
  const PieceId& piece_id_;
  TokenCollection& collected_;
};

}  // namespace

std::vector<AddedToken> read_added_tokens(
    const std::filesystem::path& folder, const std::vector<AddedToken>& of_json, int pieces,
    const std::function<std::optional<TokenId>(std::string_view)>& piece_id) {
  TokenCollection collected;
  for (const AddedToken& token : of_json) collected.add(token, (folder / "tokenizer.json").string());
  FolderFiles files(pieces, piece_id, collected);
  files.read_added(folder / "added_tokens.json");
  // Names without an id get the next one, so they come last.
  files.read_settings(folder / "tokenizer_config.json");
  files.read_settings(folder / "special_tokens_map.json");
  return collected.by_id(pieces, piece_id);
}

}  // namespace palisade
