#include "service/engine/answer_meter.h"

#include <algorithm>
#include <vector>

namespace palisade {
namespace {

// So few say nothing about how many are usually in progress together.
constexpr std::size_t kFewAnswers = 16;

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double work_of(const AnswerTiming& timing) {
  return seconds_of(timing.encode + timing.prefill + timing.decode);
}

StageTimes times_of(std::vector<double> seconds) {
  if (seconds.empty()) return {};
  std::ranges::sort(seconds);
  const auto at = [&](double share) {
    return seconds[std::size_t(share * double(seconds.size() - 1) + 0.5)];
  };
  return {.p50 = at(0.5), .p95 = at(0.95)};
}

double ratio(double amount, double of) {
  return of > 0 ? amount / of : 0;
}

}  // namespace

void AnswerMeter::worked(MonotonicTime::duration time, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (work_.empty() || now - work_.back().at >= std::chrono::seconds(1)) work_.push_back({.at = now});
  work_.back().seconds += seconds_of(time);
  while (now - work_.front().at > kSpan) work_.pop_front();
}

void AnswerMeter::answered(const Request& request, const Reply& reply, MonotonicTime now) {
  if (!reply.error.empty()) return;
  const bool camera = !request.person && !request.clip.frames.empty();
  Seen seen{.at = now,
            .stream = camera ? request.series.substr(0, request.series.find(' ')) : std::string(),
            .timing = reply.timing,
            .images = reply.images_encoded,
            .prefilled = reply.image_tokens,
            .decoded = reply.answer.token_ids.size()};
  const std::lock_guard lock(mutex_);
  seen_.push_back(std::move(seen));
  if (seen_.size() > kAnswers) seen_.pop_front();
}

double AnswerMeter::worked_since(MonotonicTime time) const {
  double seconds = 0;
  for (const Work& one : work_) {
    if (one.at >= time) seconds += one.seconds;
  }
  return seconds;
}

EngineLoad AnswerMeter::load(MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  const MonotonicTime since = std::max(begun_, now - kSpan);
  EngineLoad load{.used = std::min(1.0, ratio(worked_since(since), seconds_of(now - since))), .shares = {}};
  double all = 0;
  for (const Seen& one : seen_) {
    if (one.at < since) continue;
    load.shares[one.stream] += work_of(one.timing);
    all += work_of(one.timing);
  }
  for (auto& [stream, share] : load.shares) share = load.used * ratio(share, all);
  return load;
}

AnswerStages AnswerMeter::stages() const {
  const std::lock_guard lock(mutex_);
  const auto times = [&](std::chrono::nanoseconds AnswerTiming::*stage) {
    std::vector<double> seconds;
    for (const Seen& one : seen_) seconds.push_back(seconds_of(one.timing.*stage));
    return times_of(std::move(seconds));
  };
  return {.answers = seen_.size(),
          .wait = times(&AnswerTiming::wait),
          .encode = times(&AnswerTiming::encode),
          .prefill = times(&AnswerTiming::prefill),
          .decode = times(&AnswerTiming::decode)};
}

// Answers in progress at the same time each count the engine's whole time, so their sum is more than it
// worked; the costs are scaled to what it did.
std::optional<AnswerCosts> AnswerMeter::costs() const {
  const std::lock_guard lock(mutex_);
  double encode = 0, prefill = 0, decode = 0, images = 0, read = 0, tokens = 0;
  for (const Seen& one : seen_) {
    // Where nothing was encoded, the stage's time is that of waiting for others.
    if (one.images > 0) encode += seconds_of(one.timing.encode);
    prefill += seconds_of(one.timing.prefill);
    decode += seconds_of(one.timing.decode);
    images += one.images;
    read += one.prefilled;
    tokens += double(one.decoded);
  }
  if (read == 0 || tokens == 0) return std::nullopt;
  double scale = 1;
  if (seen_.size() >= kFewAnswers && !work_.empty()) {
    double claimed = 0;
    const MonotonicTime since = std::max(seen_.front().at, work_.front().at);
    for (const Seen& one : seen_) claimed += one.at >= since ? work_of(one.timing) : 0;
    if (claimed > 0) scale = std::min(1.0, worked_since(since) / claimed);
  }
  return AnswerCosts{.encode_image = scale * ratio(encode, images),
                     .prefill_token = scale * prefill / read,
                     .decode_token = scale * decode / tokens};
}

}  // namespace palisade
