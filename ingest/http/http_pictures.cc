#include "ingest/http/http_pictures.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "ingest/pictures/picture.h"
#include "ingest/pictures/picture_splitter.h"
#include "ingest/source/pause.h"
#include "ingest/source/refused_format.h"
#include "ingest/source/time_quality.h"
#include "ingest/source/timeline.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using PictureBytes = std::vector<std::byte>;

constexpr std::size_t kPart = 64u << 10;
constexpr std::size_t kMaxPicture = 20u << 20;
// So many polled pictures in a row that cannot be decoded are a fault.
constexpr int kMaxBroken = 5;

// Numbers pictures and stamps them with their arrival.
class ArrivalStamps {
 public:
  explicit ArrivalStamps(MediaTime interval) : timeline_(true, interval) {}

  FrameStamp next() {
    const MonotonicTime now = steady_clock::now();
    const Timeline::Moment moment = timeline_.at(std::nullopt, now);
    FrameStamp stamp;
    stamp.number = count_++;
    stamp.pts = moment.pts;
    stamp.jumped = moment.jumped;
    stamp.keyframe = true;
    stamp.wall = wall_now();
    stamp.time_source = TimeSource::kArrival;
    stamp.time_uncertainty = quality_.uncertainty(stamp.pts, now);
    return stamp;
  }

 private:
  Timeline timeline_;
  ArrivalQuality quality_;
  std::uint64_t count_ = 0;
};

// Decodes the pictures that are wanted, and counts those that cannot be decoded.
class PictureDecoder {
 public:
  PictureDecoder(const SourceOptions& options, std::string shown)
      : limits_{.max_pixels = options.max_pixels}, shown_(std::move(shown)) {}

  std::optional<Frame> frame_of(std::span<const std::byte> picture, const FrameStamp& stamp) {
    try {
      Image image = decode_picture(picture, limits_);
      broken_ = 0;
      return Frame{stamp, "", image.width(), image.height(), image};
    } catch (const PictureError& e) {
      const auto refused = refused_format(picture.first(std::min<std::size_t>(picture.size(), 512)));
      why_ = refused ? "it is " + *refused : e.what();
      ++broken_;
      skipped_.add({1, shown_ + ": a picture cannot be decoded: " + why_});
      return std::nullopt;
    }
  }
  int broken() const { return broken_; }  // undecodable pictures in a row
  const std::string& why() const { return why_; }
  SkippedPictures take_skipped() { return std::exchange(skipped_, {}); }

 private:
  const PictureLimits limits_;
  const std::string shown_;
  int broken_ = 0;
  std::string why_;
  SkippedPictures skipped_;  // since the last take_skipped()
};

class HttpPictures : public Source {
 public:
  HttpPictures(const SourceOptions& options, std::unique_ptr<HttpBody> stream, PictureSplitter splitter)
      : options_(options),
        stream_(std::move(stream)),
        splitter_(std::move(splitter)),
        stamps_(milliseconds(40)),
        decoder_(options, stream_->shown()) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    MonotonicTime alive = steady_clock::now();
    while (const std::optional<PictureBytes> picture = next_picture(alive + options_.stall_timeout)) {
      const FrameStamp stamp = stamps_.next();
      if (!wanted(stamp)) {
        alive = steady_clock::now();
      } else if (std::optional<Frame> frame = decoder_.frame_of(*picture, stamp)) {
        any_ = true;
        return frame;
      }
    }
    return std::nullopt;
  }

  bool live() const override { return true; }
  SkippedPictures take_skipped() override {
    SkippedPictures skipped = decoder_.take_skipped();
    const auto given_up = std::uint64_t(splitter_.given_up());
    skipped.add({given_up - std::exchange(given_up_told_, given_up),
                 stream_->shown() + ": a picture makes no sense or is too large"});
    return skipped;
  }

 private:
  // The next picture; nothing at the end of the answer.
  std::optional<PictureBytes> next_picture(MonotonicTime until) {
    std::vector<std::byte> part(kPart);
    while (true) {
      if (std::optional<PictureBytes> picture = splitter_.next()) return picture;
      const std::size_t got = read(part, until);
      if (got == 0) return std::nullopt;
      splitter_.push(std::span(part).first(got));
    }
  }

  std::size_t read(std::span<std::byte> out, MonotonicTime until) {
    try {
      return stream_->read(out, until);
    } catch (const SourceError& e) {
      if (e.fault() != SourceFault::kStalled) throw;
      if (decoder_.broken() > 0 || splitter_.given_up() > 0) {
        throw SourceError(any_ ? SourceFault::kStalled : SourceFault::kUnreadable,
                          stream_->shown() + ": none of its pictures can be decoded: " + decoder_.why());
      }
      throw SourceError(SourceFault::kStalled,
                        format("{}: no picture for {} ms", stream_->shown(), options_.stall_timeout.count()));
    }
  }

  const SourceOptions options_;
  const std::unique_ptr<HttpBody> stream_;
  PictureSplitter splitter_;
  ArrivalStamps stamps_;
  PictureDecoder decoder_;
  std::uint64_t given_up_told_ = 0;
  bool any_ = false;
};

class HttpPicturePoll : public Source {
 public:
  HttpPicturePoll(const SourceOptions& options, std::stop_token stop, std::unique_ptr<HttpBody> stream,
                  PictureBytes first)
      : options_(options),
        pause_(stop),
        stream_(std::move(stream)),
        stamps_(options.frame_interval),
        decoder_(options, stream_->shown()),
        fetched_(std::move(first)),
        due_(steady_clock::now()) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (true) {
      if (fetched_.empty()) fetch();
      due_ = std::max(due_ + options_.frame_interval, steady_clock::now());
      const PictureBytes picture = std::exchange(fetched_, {});
      const FrameStamp stamp = stamps_.next();
      if (!wanted(stamp)) continue;
      if (std::optional<Frame> frame = decoder_.frame_of(picture, stamp)) return frame;
      if (decoder_.broken() < kMaxBroken) continue;
      throw SourceError(SourceFault::kUnreadable,
                        stream_->shown() + ": what it sends cannot be decoded: " + decoder_.why());
    }
  }

  bool live() const override { return true; }
  bool stills() const override { return true; }
  SkippedPictures take_skipped() override { return decoder_.take_skipped(); }

 private:
  void fetch() {
    if (!pause_.until(due_)) throw SourceError(SourceFault::kInterrupted, stream_->shown() + ": stopped");
    const MonotonicTime until = steady_clock::now() + options_.open_timeout;
    stream_->open(until);
    fetched_ = whole_picture(*stream_, until);
  }

 public:
  static PictureBytes whole_picture(HttpBody& stream, MonotonicTime until) {
    std::optional<PictureBytes> all = stream.read_all(kMaxPicture, until);
    if (all) return *std::move(all);
    throw SourceError(SourceFault::kUnreadable,
                      format("{}: its picture has more than {} MB: let it send a smaller one", stream.shown(),
                             kMaxPicture >> 20));
  }

 private:
  const SourceOptions options_;
  Pause pause_;
  const std::unique_ptr<HttpBody> stream_;
  ArrivalStamps stamps_;
  PictureDecoder decoder_;
  PictureBytes fetched_;
  MonotonicTime due_;
};

}  // namespace

std::unique_ptr<Source> read_http_pictures(const SourceOptions& options, OpenedHttp http) {
  return std::make_unique<HttpPictures>(options, std::move(http.stream), PictureSplitter(kMaxPicture));
}

std::unique_ptr<Source> poll_http_picture(const SourceOptions& options, std::stop_token stop,
                                          OpenedHttp http) {
  HttpBody& stream = *http.stream;
  if (stream.size()) {
    PictureBytes first = HttpPicturePoll::whole_picture(stream, http.open_until);
    return std::make_unique<HttpPicturePoll>(options, std::move(stop), std::move(http.stream),
                                             std::move(first));
  }
  // Without a length, it is a single picture if the answer ends before a second one begins.
  PictureSplitter splitter(kMaxPicture);
  std::vector<std::byte> part(kPart);
  std::optional<PictureBytes> first;
  while (const std::size_t got = stream.read(part, http.open_until)) {
    splitter.push(std::span(part).first(got));
    if (!first) first = splitter.next();
    if (first && splitter.in_picture()) {
      return std::make_unique<HttpPictures>(options, std::move(http.stream), std::move(splitter));
    }
  }
  if (!first) {
    throw SourceError(SourceFault::kUnreachable,
                      stream.shown() + ": the connection was lost within the picture: is the network well?");
  }
  return std::make_unique<HttpPicturePoll>(options, std::move(stop), std::move(http.stream),
                                           *std::move(first));
}

}  // namespace palisade
