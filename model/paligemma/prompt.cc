#include "model/paligemma/prompt.h"

namespace palisade {
namespace {

constexpr std::string_view kImage = "<image>";

void append(std::vector<TokenId>& ids, const std::vector<TokenId>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

std::vector<TokenId> processor_ids(const ModelConfig& config, const Tokenizer& tokenizer,
                                   std::string_view text, int images,
                                   std::optional<std::string_view> suffix) {
  std::vector<TokenId> ids;
  const std::size_t last = text.rfind(kImage);
  const std::size_t split = last == std::string_view::npos ? 0 : last + kImage.size();
  for (const TokenId id : tokenizer.encode_with_special(text.substr(0, split))) {
    ids.insert(ids.end(), id == config.image_token ? config.image_tokens() : 1, id);
  }
  if (split == 0) ids.insert(ids.end(), std::size_t(images) * config.image_tokens(), config.image_token);
  ids.push_back(config.bos_token);
  append(ids, tokenizer.encode_with_special(std::string(text.substr(split)) + "\n"));
  if (suffix) {
    append(ids, tokenizer.encode_with_special(*suffix));
    ids.push_back(tokenizer.eos());
  }
  return ids;
}

}  // namespace palisade
