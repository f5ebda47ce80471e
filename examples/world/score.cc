#include "examples/world/score.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "examples/world/caption.h"

namespace palisade::world {
namespace {

// The form in which answers are compared: lower case, trimmed.
std::string plain(std::string_view text) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

template <typename T>
void count(Tally& tally, std::vector<T> said, std::vector<T> really) {
  std::ranges::sort(said);
  std::ranges::sort(really);
  std::vector<T> both;
  std::ranges::set_intersection(said, really, std::back_inserter(both));
  tally.said += static_cast<int>(said.size());
  tally.really += static_cast<int>(really.size());
  tally.both += static_cast<int>(both.size());
}

template <typename T>
std::vector<T> each(const std::vector<Thing>& things, T Thing::*part) {
  std::vector<T> parts;
  for (const Thing& thing : things) parts.push_back(thing.*part);
  return parts;
}

}  // namespace

bool exactly(std::string_view said, std::string_view truth) {
  return plain(said) == plain(truth);
}

Difference difference(std::string_view said, std::string_view truth) {
  std::vector<std::string> ours = clauses_in(plain(said));
  std::vector<std::string> theirs = clauses_in(plain(truth));
  Difference result;
  for (const std::string& clause : ours) {
    const auto same = std::ranges::find(theirs, clause);
    if (same == theirs.end()) {
      result.wrong.push_back(clause);
    } else {
      theirs.erase(same);
    }
  }
  result.missed = std::move(theirs);
  return result;
}

void Score::add(std::string_view said, std::string_view truth) {
  const std::string ours = plain(said);
  const std::string theirs = plain(truth);
  ++captions;
  if (ours == theirs) ++exact;
  const std::vector<Thing> named = things_in(ours);
  const std::vector<Thing> there = things_in(theirs);
  count(objects, named, there);
  count(kinds, each(named, &Thing::kind), each(there, &Thing::kind));
  count(colours, each(named, &Thing::colour), each(there, &Thing::colour));
  count(clauses, clauses_in(ours), clauses_in(theirs));
}

}  // namespace palisade::world
