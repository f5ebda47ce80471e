#include "model/text/tokenizer_json_events.h"

#include "base/format.h"
#include "model/error.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxLevels = 64;
constexpr std::size_t kMaxJsonPieces = 1u << 20, kMaxMerges = 1u << 22, kMaxValues = 1u << 20;

// Takes the parser's events; everything but vocabulary and merges becomes a Json value.
class Events {
 public:
  Events(TokenizerJsonParts& parts, const std::string& what, bool merges)
      : parts_(parts), what_(what), merges_(merges) {}

  bool null() { return value(Json()); }
  bool boolean(bool flag) { return value(flag); }
  bool number_integer(std::int64_t number) { return value(number); }
  bool number_float(double number, const std::string&) { return value(number); }
  bool binary(Json::binary_t&) { fail("binary values are no JSON"); }
  bool number_unsigned(std::uint64_t number) {
    if (place_ != Place::kVocabulary) return value(number);
    parts_.ids.push_back(number);
    return true;
  }
  bool string(std::string& text) {
    if (place_ == Place::kMerges) return merge(text);
    if (place_ == Place::kPair) return half(text);
    return value(std::move(text));
  }
  bool key(std::string& text) {
    if (place_ == Place::kVocabulary) {
      if (parts_.vocabulary.size() >= kMaxJsonPieces) fail("model.vocab has more than 1048576 pieces");
      parts_.vocabulary.add(text);
      return true;
    }
    if (open_.back()->contains(text)) fail("key \"" + text + "\" stands twice");
    key_ = std::move(text);
    return true;
  }
  bool start_object(std::size_t) {
    const bool vocabulary = in_model() && key_ == "vocab";
    if (place_ != Place::kRest) unexpected();
    open(Json::object());
    if (vocabulary) place_ = Place::kVocabulary;
    return true;
  }
  bool start_array(std::size_t) {
    if (place_ == Place::kMerges) {
      place_ = Place::kPair;
      return true;
    }
    const bool merges = in_model() && key_ == "merges";
    const bool all_else = parts_.vocabulary.size() > 0 && parts_.rest.contains("added_tokens");
    if (merges && !merges_ && all_else) return false;
    if (place_ != Place::kRest) unexpected();
    open(Json::array());
    if (merges) place_ = Place::kMerges;
    return true;
  }
  bool end_object() { return close(); }
  bool end_array() {
    if (place_ != Place::kPair) return close();
    if (halves_ != 2) fail(format("merge {} is no pair of texts", (parts_.merges.size() - halves_) / 2));
    place_ = Place::kMerges;
    halves_ = 0;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    throw ModelError(what_ + ": not valid JSON: " + error.what());
  }

 private:
  enum class Place { kRest, kVocabulary, kMerges, kPair };

  [[noreturn]] void fail(const std::string& why) const { throw ModelError(what_ + ": " + why); }
  [[noreturn]] void unexpected() const {
    if (place_ == Place::kVocabulary) fail("model.vocab gives a piece something else than a whole number");
    fail(format("merge {} is no pair of texts", (parts_.merges.size() - halves_) / 2));
  }
  // What begins now is an entry of the top object's "model".
  bool in_model() const { return open_.size() == 2 && open_[1] == model_; }

  Json& place_value(Json added) {
    if (++values_ > kMaxValues) fail("holds more than 1048576 values beside vocabulary and merges");
    if (open_.empty()) return parts_.rest = std::move(added);
    Json& parent = *open_.back();
    if (parent.is_array()) return parent.emplace_back(std::move(added));
    Json& placed = parent[key_];
    placed = std::move(added);
    if (open_.size() == 1 && key_ == "model") model_ = &placed;
    return placed;
  }
  bool value(Json added) {
    if (place_ != Place::kRest) unexpected();
    place_value(std::move(added));
    return true;
  }
  void open(Json container) {
    Json* const placed = &place_value(std::move(container));
    open_.push_back(placed);
    if (open_.size() > kMaxLevels) fail("not usable JSON: it is nested more than 64 levels deep");
  }
  bool close() {
    if (place_ == Place::kVocabulary && parts_.ids.size() != parts_.vocabulary.size()) unexpected();
    open_.pop_back();
    place_ = Place::kRest;
    return true;
  }
  // As older versions write them: "left right".
  bool merge(const std::string& text) {
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) unexpected();
    half(std::string_view(text).substr(0, space));
    half(std::string_view(text).substr(space + 1));
    halves_ = 0;
    return true;
  }
  bool half(std::string_view text) {
    if (parts_.merges.size() >= 2 * kMaxMerges) fail("has more than 4194304 merges");
    if (halves_ == 2 || text.empty()) unexpected();
    ++halves_;
    parts_.merges.add(text);
    return true;
  }

  TokenizerJsonParts& parts_;
  const std::string& what_;
  bool merges_;  // are wanted
  Place place_ = Place::kRest;
  // Objects and lists that have not ended. A list's entries move only while none of them is open.
  std::vector<Json*> open_;
  const Json* model_ = nullptr;
  std::string key_;
  std::size_t values_ = 0;
  std::size_t halves_ = 0;  // of the merge that is read
};

}  // namespace

void TextList::add(std::string_view text) {
  texts_ += text;
  ends_.push_back(std::uint32_t(texts_.size()));
}

std::string_view TextList::operator[](std::size_t index) const {
  const std::uint32_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(texts_).substr(begin, ends_[index] - begin);
}

TokenizerJsonParts read_tokenizer_json_parts(std::string_view text, const std::string& what, bool merges) {
  TokenizerJsonParts parts;
  Events events(parts, what, merges);
  Json::sax_parse(text, &events);
  return parts;
}

}  // namespace palisade
