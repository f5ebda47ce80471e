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

// A prompt as the model is asked and the true answer.
struct Question {
  std::string prefix;
  std::string suffix;
};

// Asks what the demo model is asked, of scenes whose truth is known. Keeps count of the answers given so far
// and asks next, of all that a scene allows, what was answered least often, so that no answer can be guessed
// from the question; a question with two or three answers is not asked while its answer is ahead of the
// others. Owned by one thread.
class Questions {
 public:
  // `kinds` are those that are asked about.
  explicit Questions(Kinds kinds = kStreetKinds) : kinds_(kinds.begin(), kinds.end()) {}

  // Different questions, `count` of them or as many as the scene allows. From four questions on, a still's
  // first is its caption; a window's always is.
  std::vector<Question> of_still(std::span<const Object> objects, int count, Random& random);
  std::vector<Question> of_pair(std::span<const Object> left, std::span<const Object> right, int count,
                                Random& random);
  // Of the pictures taken at `times`.
  std::vector<Question> of_window(std::span<const Object> objects, std::span<const double> times, int count,
                                  Random& random);

  // Every question of one wording, with or without colour: answers are balanced within it.
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
    int variant = 0;  // the number of "exactly N"; 0 or 1 for left or right
    bool coloured = false;
    auto operator<=>(const Group&) const = default;
  };
  // What may be asked about: all of a kind, or those of one colour.
  struct Subject {
    Kind kind;
    std::optional<Colour> colour;
  };
  struct Candidate {
    Subject subject;
    int answer;
    bool near = true;  // the scene has something like it: harder to deny
  };

 private:
  using QuestionList = std::vector<Question>;
  // The candidate to ask: one whose answer was given least often. Nothing when there is none, or when it
  // would put its answer ahead of the other `answers`; zero answers stand for any number, and nothing is held
  // back.
  std::optional<Candidate> choose(const Group& group, std::span<const Candidate> candidates, int answers,
                                  Random& random);
  void ask_count(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_colour(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_detect(std::span<const Object> objects, std::span<const Thing> things, QuestionList& asked,
                  Random& random);
  void ask_exists(std::span<const Thing> things, QuestionList& asked, Random& random);
  void ask_statement(Wording wording, std::span<const Thing> left, std::span<const Thing> right, QuestionList& asked,
                     Random& random);
  void ask_direction(std::span<const Clause> clauses, QuestionList& asked, Random& random);
  void ask_whether(Wording wording, bool yes, QuestionList& asked, Random& random);

  static constexpr int kAnswers = 6;
  // Every kind, or every kind in every colour.
  std::vector<Subject> subjects(bool coloured) const;

  const std::vector<Kind> kinds_;
  std::map<Group, std::array<int, kAnswers>> given_;
};

}  // namespace palisade::world
