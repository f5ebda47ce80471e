#include "examples/demo/board.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/format.h"
#include "examples/world/caption.h"

namespace palisade::world {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kYellow = "\033[33m";

// Local time: "09:05:19.9".
std::string clock_text(double wall) {
  const double tenths = std::round(wall * 10);
  const auto second = static_cast<std::time_t>(std::floor(tenths / 10));
  std::tm parts{};
  localtime_r(&second, &parts);
  std::array<char, 16> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  return format("{}.{}", std::string_view(text.data(), length),
                static_cast<int>(tenths - 10 * static_cast<double>(second)));
}

std::string score_text(const Account& account) {
  const Score& score = account.score();
  std::string text = format("object F1 {:.3f}, clause F1 {:.3f}, exact {:.3f} ({} of {})", score.objects.f1(),
                            score.clauses.f1(), score.exact_share(), score.exact, score.captions);
  if (account.unjudged() > 0) text += format(", without truth {}", account.unjudged());
  return text;
}

nlohmann::json score_json(const Account& account) {
  const Score& score = account.score();
  return {{"events", score.captions},
          {"object_f1", score.objects.f1()},
          {"clause_f1", score.clauses.f1()},
          {"kind_f1", score.kinds.f1()},
          {"colour_f1", score.colours.f1()},
          {"exact", score.exact_share()},
          {"exact_count", score.exact},
          {"objects_said", score.objects.said},
          {"objects_true", score.objects.really},
          {"objects_right", score.objects.both},
          {"clauses_said", score.clauses.said},
          {"clauses_true", score.clauses.really},
          {"clauses_right", score.clauses.both},
          {"without_truth", account.unjudged()}};
}

nlohmann::json judgement_json(const Judgement& judgement) {
  nlohmann::json json{{"stream", judgement.stream},
                      {"start", judgement.times.front()},
                      {"end", judgement.times.back()},
                      {"frames", judgement.times.size()},
                      {"time_source", judgement.by_sender ? "rtcp" : "other"},
                      {"said", judgement.said}};
  if (!judgement.truth) return json;
  json["truth"] = *judgement.truth;
  json["exact"] = judgement.exact;
  json["wrong"] = judgement.difference.wrong;
  json["missed"] = judgement.difference.missed;
  return json;
}

}  // namespace

std::string Board::painted(const char* colour, const std::string& text) const {
  return style_ == Style::kColoured ? colour + text + "\033[0m" : text;
}

void Board::line(const char* label, const std::string& text) {
  out_ << "  " << painted(kDim, label) << text << '\n';
}

void Board::introduce() {
  if (style_ == Style::kJson) return;
  out_ << "What the model says of each window, beside what the simulated street really showed.\n"
          "The small demo model knows this street alone; of windows with three objects or more it tells a "
          "third wrong.\n\n";
  out_.flush();
}

void Board::caption(const Judgement& judgement, const Account& account) {
  if (style_ == Style::kJson) {
    nlohmann::json json = judgement_json(judgement);
    json["score"] = score_json(account);
    out_ << json.dump() << std::endl;
    return;
  }
  out_ << painted(kBold, judgement.stream) << "  " << clock_text(judgement.times.front()) << " to "
       << clock_text(judgement.times.back()) << painted(kDim, format(", {} pictures", judgement.times.size()))
       << '\n';
  if (!judgement.by_sender) line("note    ", "not timed by the camera's own clock");
  line("said    ", judgement.said);
  line("really  ", judgement.truth.value_or("not known: the camera's account does not reach there"));
  if (judgement.exact) line("        ", painted(kGreen, "✓ exact"));
  for (const std::string& clause : judgement.difference.wrong)
    line("        ", painted(kRed, "✗ not so: " + clause));
  for (const std::string& clause : judgement.difference.missed)
    line("        ", painted(kYellow, "✗ missed: " + clause));
  if (judgement.truth && !judgement.exact && judgement.difference.wrong.empty() &&
      judgement.difference.missed.empty())
    line("        ", painted(kYellow, "✗ right, in another order"));
  line("so far  ", score_text(account));
  out_ << std::endl;
}

void Board::state(const nlohmann::json& event) {
  const nlohmann::json& data = event.at("data");
  const std::string stream = event.value("subject", "");
  const std::string state = data.value("state", "");
  const std::string reason = data.contains("reason") && data["reason"].is_string() ? data["reason"] : "";
  if (style_ == Style::kJson) {
    out_ << nlohmann::json{{"stream", stream}, {"state", state}, {"reason", reason}}.dump() << std::endl;
    return;
  }
  const char* const colour = state == "online" ? kGreen : kYellow;
  out_ << painted(kBold, stream) << "  " << painted(colour, state) << (reason.empty() ? "" : ": " + reason)
       << '\n'
       << std::endl;
}

void Board::summary(const Account& account) {
  if (style_ == Style::kJson) {
    out_ << nlohmann::json{{"summary", score_json(account)}}.dump() << std::endl;
    return;
  }
  const Score& score = account.score();
  out_ << painted(kBold, format("In all {} captions: {}", score.captions, score_text(account))) << '\n'
       << "  objects: " << score.objects.both << " right, " << score.objects.said << " said, "
       << score.objects.really << " really there; clauses: " << score.clauses.both << " right, "
       << score.clauses.said << " said, " << score.clauses.really << " really so\n"
       << "  Its mistakes are mostly in windows with three objects or more." << std::endl;
}

}  // namespace palisade::world
