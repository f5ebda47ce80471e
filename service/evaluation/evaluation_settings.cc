#include "service/evaluation/evaluation_settings.h"

#include "base/error.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

std::string absolute_text(const fs::path& path) {
  return path.empty() ? "" : fs::absolute(path).lexically_normal().string();
}

}  // namespace

Json to_json(const EvaluationSettings& settings) {
  return {{"data", absolute_text(settings.data)},
          {"model", absolute_text(settings.model)},
          {"adapter", absolute_text(settings.adapter)},
          {"precision", settings.precision},
          {"sliding_window", settings.sliding_window},
          {"calibration", settings.calibration},
          {"task", settings.task},
          {"metric", settings.metric},
          {"lower", settings.lower},
          {"resize", settings.resize},
          {"frames", settings.frames},
          {"frame_step", settings.frame_step},
          {"beams", settings.beams},
          {"max_new_tokens", settings.max_new_tokens},
          {"mask_decoder", absolute_text(settings.mask_decoder)}};
}

EvaluationSettings evaluation_settings_of(const Json& json, const std::string& what) {
  try {
    const auto text = [&](const char* key) { return json.at(key).get<std::string>(); };
    return {.data = text("data"),
            .model = text("model"),
            .adapter = text("adapter"),
            .precision = text("precision"),
            .sliding_window = text("sliding_window"),
            .calibration = text("calibration"),
            .task = text("task"),
            .metric = text("metric"),
            .lower = json.at("lower").get<bool>(),
            .resize = text("resize"),
            .frames = json.at("frames").get<int>(),
            .frame_step = json.at("frame_step").get<int>(),
            .beams = json.at("beams").get<int>(),
            .max_new_tokens = json.at("max_new_tokens").get<int>(),
            .mask_decoder = text("mask_decoder")};
  } catch (const Json::exception& problem) {
    throw Error(what + ": holds no settings of an evaluation (" + problem.what() + "); begin another one");
  }
}

}  // namespace palisade
