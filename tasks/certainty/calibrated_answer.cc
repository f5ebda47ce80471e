#include "tasks/certainty/calibrated_answer.h"

#include <vector>

namespace palisade {

void calibrate(AnswerEvent& answer, const CertaintyCurves& curves) {
  const CertaintyCurve* const curve = curves.find(answer.prompt, answer.task, answer.adapter.sha256);
  if (curve == nullptr || answer.choices.size() < 2) return;
  std::vector<double> p;
  for (const AnswerChoice& choice : answer.choices) p.push_back(choice.p);
  const std::vector<double> values = calibrated(*curve, p);
  for (std::size_t i = 0; i < values.size(); ++i) answer.choices[i].calibrated = values[i];
  answer.curve = CurveEvidence{.id = curves.id, .prompt = curve->prompt, .task = curve->task};
}

}  // namespace palisade
