#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/token_id.h"

namespace palisade {

// Gemma's tokenizer: its SentencePiece model, or tokenizer.json where that stands alone, and the tokens that
// the folder's files add. Untrusted text never becomes a control token: "<eos>" or "<image>" spelt in a
// prompt stays text. Safe to use from several threads.
class Tokenizer {
 public:
  // tokenizer.model decides where both are there; one of other pieces beside it is refused. Throws
  // Error.
  explicit Tokenizer(const std::filesystem::path& folder);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;

  // Text to ids, without <bos> or <eos>.
  std::vector<TokenId> encode(std::string_view text) const;
  // As encode, but literal special tokens (<bos>, <eos>, <pad>, <unk>, <image> ...) become their ids, as
  // transformers' fast tokenizer does. For trusted text only.
  std::vector<TokenId> encode_with_special(std::string_view text) const;
  // Ids to text as SentencePiece gives it: control ids vanish, <unk> is " ⁇ ", and so do ids past the table
  // but for added tokens that are no control tokens.
  std::string decode(std::span<const TokenId> ids) const;
  // The piece of one id, "<loc0001>".
  std::string piece(TokenId id) const;
  // Of a token that is added beside the table, "<image>".
  std::optional<TokenId> added_id(std::string_view text) const;
  // The largest that encode() may give.
  TokenId last_id() const;

  TokenId bos() const { return 2; }
  TokenId eos() const { return 1; }
  int piece_count() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// SigLIP's spiece.model: a unigram model whose character map normalises. Untrusted text never becomes a
// control token. Safe to use from several threads.
class SiglipTokenizer {
 public:
  // Reads spiece.model. Throws Error.
  explicit SiglipTokenizer(const std::filesystem::path& folder);
  ~SiglipTokenizer();
  SiglipTokenizer(SiglipTokenizer&&) noexcept;

  // canonical_text (siglip_text.h) to ids, then </s> up to `length`; what does not fit is cut off before
  // the last </s>.
  std::vector<TokenId> encode(std::string_view text, int length) const;
  TokenId eos() const { return 1; }
  int piece_count() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palisade
