#include "examples/demo/account.h"

#include <algorithm>
#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "examples/world/caption.h"

namespace palisade::world {
namespace {

// The right caption of a window, or of a single picture.
std::string caption_of(const CameraTruth& camera, const std::vector<double>& times) {
  if (times.size() == 1) return still_caption(still_truth(camera.objects, times.front()));
  if (times.size() == 2) {
    return "left: " + still_caption(still_truth(camera.objects, times.front())) +
           ". right: " + still_caption(still_truth(camera.objects, times.back()));
  }
  return window_caption(window_truth(camera.objects, times));
}

}  // namespace

Judgement Account::judge(const nlohmann::json& event) {
  const nlohmann::json& data = event.at("data");
  Judgement judgement;
  judgement.stream = event.at("subject");
  judgement.said = data.at("text");
  judgement.by_sender = true;
  for (const nlohmann::json& frame : data.at("frames")) {
    judgement.times.push_back(seconds_of(frame.at("time")));
    judgement.by_sender = judgement.by_sender && frame.value("time_source", "") == "rtcp";
  }
  if (judgement.times.empty()) throw std::runtime_error("a caption of no pictures");

  truth_.refresh();
  const CameraTruth* const camera = truth_.camera(judgement.stream);
  if (camera == nullptr || judgement.times.front() < camera->since) {
    ++unjudged_;
    return judgement;
  }
  judgement.truth = caption_of(*camera, judgement.times);
  judgement.exact = exactly(judgement.said, *judgement.truth);
  judgement.difference = difference(judgement.said, *judgement.truth);
  score_.add(judgement.said, *judgement.truth);
  return judgement;
}

double seconds_of(const std::string& time) {
  std::tm parts{};
  double fraction = 0;
  char end = 0;
  std::istringstream text(time);
  text >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  if (text.peek() == '.') text >> fraction;
  text >> end;
  if (!text || end != 'Z') throw std::runtime_error("not a time: " + time);
  return static_cast<double>(timegm(&parts)) + fraction;
}

}  // namespace palisade::world
