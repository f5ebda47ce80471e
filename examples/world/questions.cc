#include "examples/world/questions.h"

#include <algorithm>
#include <limits>

#include "examples/world/caption.h"

namespace palisade::world {
namespace {

using Wording = Questions::Wording;
using Subject = Questions::Subject;
using Candidate = Questions::Candidate;

constexpr std::array<std::string_view, 3> kDirections{"to the right", "to the left", "it stays"};
constexpr std::string_view kAnswer = "answer en ";
constexpr int kAhead = 3;         // by how much one answer may be more frequent than another
constexpr double kNear = 0.75;    // share of questions about something similar to what is there
constexpr double kAbsent = 0.12;  // share of detection questions about what is not there
constexpr double kPairCaption = 0.30;
constexpr int kCommonCounts = 3;  // counts 0, 1 and 2, for which no pictures are searched
constexpr int kAttempts = 16;     // to find a question that is new and balanced

bool is(const Subject& subject, const Thing& thing) {
  return thing.kind == subject.kind && (!subject.colour || thing.colour == *subject.colour);
}

int count_of(std::span<const Thing> things, const Subject& subject) {
  return static_cast<int>(
      std::ranges::count_if(things, [&](const Thing& thing) { return is(subject, thing); }));
}

bool is_near(std::span<const Thing> things, const Subject& subject) {
  return std::ranges::any_of(things, [&](const Thing& thing) {
    return thing.kind == subject.kind || (subject.colour && thing.colour == *subject.colour);
  });
}

std::string with_colour(const Subject& subject, std::string_view noun) {
  return (subject.colour ? std::string(name(*subject.colour)) + " " : "") + std::string(noun);
}
std::string singular(const Subject& subject) {
  return with_colour(subject, facts(subject.kind).name);
}
std::string plural(const Subject& subject) {
  return with_colour(subject, facts(subject.kind).plural);
}

std::string statement(Wording wording, int variant, const Subject& subject) {
  const bool right = variant == 1;
  const std::string side = right ? "right" : "left";
  switch (wording) {
    case Wording::kExactly:
      if (variant == 1) return "there is exactly one " + singular(subject) + " in the two images";
      return "there are exactly " + std::string(kNumbers[variant]) + " " + plural(subject) +
             " in the two images";
    case Wording::kMore:
      return "the " + side + " image has more " + plural(subject) + " than the " +
             (right ? "left" : "right") + " image";
    case Wording::kBoth:
      return "both images contain a " + singular(subject);
    default:
      return "the " + side + " image contains a " + singular(subject);
  }
}

bool holds(Wording wording, int variant, int left, int right) {
  switch (wording) {
    case Wording::kExactly:
      return left + right == variant;
    case Wording::kMore:
      return variant == 1 ? right > left : left > right;
    case Wording::kBoth:
      return left > 0 && right > 0;
    default:
      return (variant == 1 ? right : left) > 0;
  }
}

bool goes(const Clause& clause, Motion motion) {
  return clause.motion == motion || clause.motion == Motion::kCrosses;
}

// Whether a question was not asked about this scene yet.
bool add(std::vector<Question>& asked, Question question) {
  if (std::ranges::any_of(asked, [&](const Question& other) { return other.prefix == question.prefix; }))
    return false;
  asked.push_back(std::move(question));
  return true;
}

template <typename Values>
void shuffle(Values& values, Random& random) {
  for (int i = static_cast<int>(values.size()) - 1; i > 0; --i)
    std::swap(values[i], values[random.below(i + 1)]);
}

Question caption(std::span<const Thing> things) {
  return {"caption en", still_caption(things)};
}

}  // namespace

std::vector<Subject> Questions::subjects(bool coloured) const {
  std::vector<Subject> all;
  for (const Kind kind : kinds_) {
    if (!coloured) all.push_back({kind, std::nullopt});
    for (int colour = 0; coloured && colour < kColours; ++colour)
      all.push_back({kind, static_cast<Colour>(colour)});
  }
  return all;
}

std::optional<Candidate> Questions::choose(const Group& group, std::span<const Candidate> candidates,
                                           int answers, Random& random) {
  if (candidates.empty()) return std::nullopt;
  std::array<int, kAnswers>& given = given_[group];
  int least = std::numeric_limits<int>::max();
  for (const Candidate& candidate : candidates) least = std::min(least, given[candidate.answer]);
  if (answers > 0 && least > *std::min_element(given.begin(), given.begin() + answers) + kAhead)
    return std::nullopt;
  std::vector<const Candidate*> rarest;
  for (const Candidate& candidate : candidates) {
    if (given[candidate.answer] == least) rarest.push_back(&candidate);
  }
  if (random.chance(kNear) && std::ranges::any_of(rarest, &Candidate::near))
    std::erase_if(rarest, [](const Candidate* candidate) { return !candidate->near; });
  return *rarest[random.below(static_cast<int>(rarest.size()))];
}

void Questions::ask_count(std::span<const Thing> things, QuestionList& asked, Random& random) {
  const bool coloured = random.chance(0.5);
  std::vector<Candidate> candidates;
  for (const Subject& subject : subjects(coloured)) {
    const int count = count_of(things, subject);
    if (count < static_cast<int>(kNumbers.size()))
      candidates.push_back({subject, count, is_near(things, subject)});
  }
  const Group group{Wording::kCount, 0, coloured};
  const std::optional<Candidate> chosen = choose(group, candidates, kCommonCounts, random);
  if (!chosen) return;
  if (add(asked, {std::string(kAnswer) + "how many " + plural(chosen->subject) + " are there?",
                  std::string(kNumbers[chosen->answer])}))
    ++given_[group][chosen->answer];
}

void Questions::ask_colour(std::span<const Thing> things, QuestionList& asked, Random& random) {
  std::vector<Candidate> candidates;
  for (const Thing& thing : things) {
    const Subject subject{thing.kind, std::nullopt};
    if (count_of(things, subject) == 1) candidates.push_back({subject, static_cast<int>(thing.colour)});
  }
  const Group group{Wording::kColour};
  const std::optional<Candidate> chosen = choose(group, candidates, 0, random);
  if (!chosen) return;
  if (add(asked, {std::string(kAnswer) + "what colour is the " + singular(chosen->subject) + "?",
                  std::string(name(static_cast<Colour>(chosen->answer)))}))
    ++given_[group][chosen->answer];
}

// Asks for a kind that is not there as long as the share of such questions is below kAbsent.
void Questions::ask_detect(std::span<const Object> objects, std::span<const Thing> things,
                           QuestionList& asked, Random& random) {
  std::array<int, kAnswers>& given = given_[{Wording::kDetect}];
  const int absent = given[0] < kAbsent * (given[0] + given[1] + 1) ? 1 : 0;
  std::vector<Kind> kinds;
  for (const Subject& subject : subjects(false)) {
    if ((count_of(things, subject) == 0) == (absent == 1)) kinds.push_back(subject.kind);
  }
  if (kinds.empty()) return;
  const Kind kind = kinds[random.below(static_cast<int>(kinds.size()))];
  if (add(asked, {"detect " + std::string(facts(kind).name), detection_text(objects, kind, 0)}))
    ++given[1 - absent];
}

void Questions::ask_exists(std::span<const Thing> things, QuestionList& asked, Random& random) {
  const bool coloured = random.chance(0.5);
  std::vector<Candidate> candidates;
  for (const Subject& subject : subjects(coloured))
    candidates.push_back({subject, count_of(things, subject) > 0 ? 1 : 0, is_near(things, subject)});
  const Group group{Wording::kExists, 0, coloured};
  const std::optional<Candidate> chosen = choose(group, candidates, 2, random);
  if (!chosen) return;
  if (add(asked, {std::string(kAnswer) + "is there a " + singular(chosen->subject) + "?",
                  chosen->answer == 1 ? "yes" : "no"}))
    ++given_[group][chosen->answer];
}

void Questions::ask_statement(Wording wording, std::span<const Thing> left, std::span<const Thing> right,
                              QuestionList& asked, Random& random) {
  const bool coloured = random.chance(0.5);
  const int variant = wording == Wording::kExactly ? 1 + random.below(4)
                      : wording == Wording::kBoth  ? 0
                                                   : random.below(2);
  std::vector<Candidate> candidates;
  for (const Subject& subject : subjects(coloured)) {
    const int in_left = count_of(left, subject);
    const int in_right = count_of(right, subject);
    candidates.push_back(
        {subject, holds(wording, variant, in_left, in_right) ? 1 : 0, in_left + in_right > 0});
  }
  const Group group{wording, variant, coloured};
  const std::optional<Candidate> chosen = choose(group, candidates, 2, random);
  if (!chosen) return;
  if (add(asked, {std::string(kAnswer) + statement(wording, variant, chosen->subject),
                  chosen->answer == 1 ? "true" : "false"}))
    ++given_[group][chosen->answer];
}

void Questions::ask_direction(std::span<const Clause> clauses, QuestionList& asked, Random& random) {
  const bool coloured = random.chance(0.5);
  std::vector<Candidate> candidates;
  for (const Clause& clause : clauses) {
    const Subject subject{clause.thing.kind, coloured ? std::optional(clause.thing.colour) : std::nullopt};
    const auto same =
        std::ranges::count_if(clauses, [&](const Clause& other) { return is(subject, other.thing); });
    if (same == 1)
      candidates.push_back({subject, clause.motion == Motion::kStays ? 2 : clause.to_right ? 0 : 1});
  }
  const Group group{Wording::kDirection, 0, coloured};
  const std::optional<Candidate> chosen = choose(group, candidates, 3, random);
  if (!chosen) return;
  if (add(asked, {std::string(kAnswer) + "which way does the " + singular(chosen->subject) + " go?",
                  std::string(kDirections[chosen->answer])}))
    ++given_[group][chosen->answer];
}

void Questions::ask_whether(Wording wording, bool yes, QuestionList& asked, Random& random) {
  const Group group{wording};
  const Candidate only{{}, yes ? 1 : 0};
  if (!choose(group, {&only, 1}, 2, random)) return;
  if (add(asked, {std::string(kAnswer) + "did anything " + (wording == Wording::kEnter ? "enter?" : "leave?"),
                  yes ? "yes" : "no"}))
    ++given_[group][only.answer];
}

std::vector<Question> Questions::of_still(std::span<const Object> objects, int count, Random& random) {
  const std::vector<Thing> things = still_truth(objects, 0);
  QuestionList asked;
  if (count >= 4) asked.push_back(caption(things));
  for (int attempt = 0; static_cast<int>(asked.size()) < count && attempt < count * kAttempts; ++attempt) {
    const double share = random.unit();  // count 0.20, colour 0.14, exists 0.16, detect 0.26, caption 0.24
    if (share < 0.20)
      ask_count(things, asked, random);
    else if (share < 0.34)
      ask_colour(things, asked, random);
    else if (share < 0.50)
      ask_exists(things, asked, random);
    else if (share < 0.76)
      ask_detect(objects, things, asked, random);
    else
      add(asked, caption(things));
  }
  return asked;
}

std::vector<Question> Questions::of_pair(std::span<const Object> left, std::span<const Object> right,
                                         int count, Random& random) {
  const std::vector<Thing> in_left = still_truth(left, 0);
  const std::vector<Thing> in_right = still_truth(right, 0);
  QuestionList asked;
  if (random.chance(kPairCaption))
    asked.push_back(
        {"caption en", "left: " + still_caption(in_left) + ". right: " + still_caption(in_right)});
  std::array wordings{Wording::kExactly, Wording::kMore, Wording::kBoth, Wording::kContains};
  for (int round = 0; static_cast<int>(asked.size()) < count && round < kAttempts; ++round) {
    shuffle(wordings, random);
    for (const Wording wording : wordings) {
      const std::size_t so_far = asked.size();
      for (int attempt = 0; static_cast<int>(so_far) < count && asked.size() == so_far && attempt < kAttempts;
           ++attempt)
        ask_statement(wording, in_left, in_right, asked, random);
    }
  }
  return asked;
}

std::vector<Question> Questions::of_window(std::span<const Object> objects, std::span<const double> times,
                                           int count, Random& random) {
  const std::vector<Clause> clauses = window_truth(objects, times);
  const bool enters =
      std::ranges::any_of(clauses, [](const Clause& clause) { return goes(clause, Motion::kEnters); });
  const bool leaves =
      std::ranges::any_of(clauses, [](const Clause& clause) { return goes(clause, Motion::kLeaves); });
  QuestionList asked{{"caption en", window_caption(clauses)}};
  for (int attempt = 0; static_cast<int>(asked.size()) < count && attempt < count * kAttempts; ++attempt) {
    switch (random.below(4)) {
      case 0:
        ask_direction(clauses, asked, random);
        break;
      case 1:
        ask_whether(Wording::kEnter, enters, asked, random);
        break;
      case 2:
        ask_whether(Wording::kLeave, leaves, asked, random);
        break;
      default:
        add(asked, {std::string(kAnswer) + "what moves?", moving_text(clauses)});
    }
  }
  return asked;
}

}  // namespace palisade::world
