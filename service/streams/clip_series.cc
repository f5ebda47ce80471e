#include "service/streams/clip_series.h"

#include <utility>

#include "base/format.h"

namespace palisade {

namespace {

constexpr std::chrono::hours kNever{24 * 365 * 100};

}  // namespace

void thin(Clip& clip, int count) {
  const int all = int(clip.frames.size());
  if (count >= all || count < 2) return;
  std::vector<Frame> kept;
  for (int i = 0; i < count; ++i)
    kept.push_back(clip.frames[std::size_t((i * (all - 1) + (count - 1) / 2) / (count - 1))]);
  clip.frames = std::move(kept);
}

ClipSeries::ClipSeries(const TaskSettings& first, const GateSettings& gate, bool degrades)
    : settings_(first),
      watches_motion_(gate.motion || first.when == When::kMotion),
      degrades_(degrades),
      degradation_(first.sampling.count) {
  if (watches_motion_ || gate.semantic) {
    GateSettings settings = gate;
    settings.motion = watches_motion_;
    if (!gate.motion && !gate.semantic)
      settings.longest_silence = kNever;  // "when: motion" asks on motion alone
    gate_ = std::make_unique<ClipGate>(std::move(settings));
  }
}

void ClipSeries::add(std::size_t task, std::string prompt) {
  tasks_.push_back(task);
  prompts_.push_back(std::move(prompt));
}

std::optional<ClipContext> ClipSeries::pass(Clip& clip) {
  ClipContext passed{.demanded = demanded_.exchange(false)};
  lost_ += clip.lost_before;
  lost_untold_ += clip.lost_before;
  // The gate is asked about every clip, also a demanded one: it remembers when it last let one through.
  const bool moves = !gate_ || gate_->passes(clip);
  if (!passed.demanded && (!moves || settings_.when == When::kDemand)) {
    ++skipped_;
    return std::nullopt;
  }
  if (!degradation_.takes_next() && !passed.demanded) {
    ++left_out_;
    ++left_out_untold_;
    return std::nullopt;
  }
  const int frames = int(clip.frames.size());
  if (degradation_.frames() < frames && frames > 2) {
    passed.degraded_from = frames;
    thin(clip, degradation_.frames());
  }
  passed.one_of = degradation_.every();
  passed.skipped = skipped_;
  passed.left_out = std::exchange(left_out_untold_, 0);
  passed.lost = std::exchange(lost_untold_, 0);
  return passed;
}

ClipSeries::Change ClipSeries::pushed(bool lost_one) {
  if (!degrades_) return Change::kNone;
  const int before = degradation_.level();
  degradation_.pushed(lost_one);
  const int after = degradation_.level();
  return after > before ? Change::kLess : after < before ? Change::kMore : Change::kNone;
}

std::string ClipSeries::degradation_text() const {
  std::string text;
  if (degradation_.frames() < settings_.sampling.count)
    text = format("{} frames instead of {}", degradation_.frames(), settings_.sampling.count);
  if (degradation_.every() > 1)
    text += format("{}{}", text.empty() ? "one clip of " : ", one clip of ", degradation_.every());
  return text;
}

}  // namespace palisade
