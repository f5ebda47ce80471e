#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "examples/world/random.h"
#include "examples/world/scene.h"
#include "examples/world/truth.h"

namespace palisade::world {

// A prompt for the model and the right answer.
struct Question {
  std::string prefix;
  std::string suffix;
};

// Makes questions about scenes whose truth is known. Counts the answers so far and prefers questions with
// rare answers, so that no answer can be guessed from the question alone. A question with two or three
// possible answers is left out while its answer is ahead of the others. Not thread-safe.
class Questions {
 public:
  // `kinds`: the kinds of objects that questions are about.
  explicit Questions(Kinds kinds = kStreetKinds) : kinds_(kinds.begin(), kinds.end()) {}

  // Up to `count` different questions, fewer if the scene does not allow as many. The first one asks for the
  // caption: of a window always, of a still picture if there are four questions or more.
  std::vector<Question> of_still(std::span<const Object> objects, int count, Random& random);
  std::vector<Question> of_pair(std::span<const Object> left, std::span<const Object> right, int count,
                                Random& random);
  // About the pictures taken at `times`.
  std::vector<Question> of_window(std::span<const Object> objects, std::span<const double> times, int count,
                                  Random& random);

  // A form of questions. Answers are balanced among all questions of one form.
  enum class Wording {
    kCount,
    kColour,
    kExists,
    kDetect,
    kExactly,
    kMore,
    kBoth,
    kContains,
    kDirection,
    kEnter,
    kLeave
  };
  struct Group {
    Wording wording;
    int variant = 0;  // the N of "exactly N"; 0 for left, 1 for right
    bool coloured = false;
    auto operator<=>(const Group&) const = default;
  };
  // A group of objects that a question is about: all of one kind, or those that also have one colour.
  struct Subject {
    Kind kind;
    std::optional<Colour> colour;
  };
  struct Candidate {
    Subject subject;
    int answer;
    bool near = true;  // the scene has something similar, which makes "no" harder
  };

 private:
  using QuestionList = std::vector<Question>;
  // Picks a candidate whose answer was given least often so far. Nothing if there is no candidate, or if its
  // answer would get too far ahead of the other ones. `answers`: how many different answers there are; 0: any
  // number, and then none is too far ahead.
  std::optional<Candidate> choose(const Group& group, std::span<const Candidate> candidates, int answers,
                                  Random& random);
  void ask_count(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_colour(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_detect(std::span<const Object> objects, std::span<const Thing> things, QuestionList& asked,
                  Random& random);
  void ask_exists(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_statement(Wording wording, std::span<const Thing> left, std::span<const Thing> right,
                     QuestionList& asked, Random& random);
  void ask_direction(std::span<const Clause> clauses, QuestionList& asked, Random& random);
  void ask_whether(Wording wording, bool yes, QuestionList& asked, Random& random);

  static constexpr int kAnswers = 6;
  // All kinds, or all combinations of kind and colour.
  std::vector<Subject> subjects(bool coloured) const;

  const std::vector<Kind> kinds_;
  std::map<Group, std::array<int, kAnswers>> given_;
};

}  // namespace palisade::world
