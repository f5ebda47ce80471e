#include "service/streams/pair_notice.h"

#include "base/format.h"

namespace palisade {
namespace {

std::string apart_text(std::chrono::microseconds nearest) {
  const auto apart = std::chrono::round<std::chrono::milliseconds>(std::chrono::abs(nearest));
  const long long seconds = std::chrono::round<std::chrono::seconds>(apart).count();
  const std::string length = seconds < 10 ? format("{} ms", apart.count()) : format("{} s", seconds);
  return length + (nearest < std::chrono::microseconds(0) ? " earlier" : " later");
}

}  // namespace

std::optional<std::string> PairNotice::missed(std::uint64_t count, const PairMiss& last,
                                              const std::string& other, std::chrono::milliseconds gap) {
  in_a_row_ += count;
  const Cause cause = last.silent || !last.nearest ? Cause::kSilent : Cause::kApart;
  if (in_a_row_ < kInARow || cause == told_) return std::nullopt;
  told_ = cause;
  if (cause == Cause::kSilent) return "no pairs: stream '" + other + "' brings no pictures; is it online?";
  return format(
      "no pairs: the nearest picture of stream '{}' is {}, more than the gap of {} ms: set the clocks of "
      "both cameras by NTP, or raise 'gap'",
      other, apart_text(*last.nearest), gap.count());
}

std::optional<std::string> PairNotice::matched() {
  in_a_row_ = 0;
  if (told_ == Cause::kNone) return std::nullopt;
  told_ = Cause::kNone;
  return "pairs come again";
}

}  // namespace palisade
