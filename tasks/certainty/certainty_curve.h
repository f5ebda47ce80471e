#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace palisade {

// From the probability that a model gives a choice to how often such a choice is right: its log-odds divided
// by a temperature (Guo et al., arXiv 1706.04599), then a curve that never falls, where there is one.
struct CertaintyCurve {
  // Of which answers: of one prompt, or of all of a task ("pair") that have no curve of their own.
  std::string prompt;  // empty: of the task
  std::string task;
  std::string adapter = {};  // SHA-256 of the LoRA beside the model that gave them; empty: the model alone
  double temperature = 1;
  // p and what it becomes, both ascending; linear between two. Empty: the temperature alone.
  struct Point {
    double p = 0;
    double becomes = 0;
    bool operator==(const Point&) const = default;
  };
  std::vector<Point> points;
  int examples = 0;  // it was fitted to

  double calibrated(double p) const;
  bool operator==(const CertaintyCurve&) const = default;
};

// Of the probabilities of all choices of one answer, whose sum is 1: those of the curve, whose sum is 1
// again.
std::vector<double> calibrated(const CertaintyCurve& curve, std::span<const double> choices);

// The curves of one model and of adapters beside it, as a JSON file keeps them.
struct CertaintyCurves {
  std::string model;         // its id
  std::string model_sha256;  // of its weights
  std::string precision;
  std::vector<CertaintyCurve> curves;
  std::string id;  // 16 hex digits that are of these curves alone; events name it

  // The curve of a prompt's answers: its own, else its task's; null where there is neither. That of the model
  // alone says nothing of answers with an adapter.
  const CertaintyCurve* find(const std::string& prompt, const std::string& task,
                             const std::string& adapter = {}) const;
};
Json to_json(const CertaintyCurves& curves);
// Throws Error, which names `what`, where the JSON is none of these.
CertaintyCurves certainty_curves_of(const Json& json, const std::string& what);

}  // namespace palisade
