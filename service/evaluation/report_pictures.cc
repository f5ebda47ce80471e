#include "service/evaluation/report_pictures.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "frames/resize.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"
#include "service/http/base64.h"
#include "service/journal/frame_codec.h"

namespace palisade {
namespace {

constexpr std::size_t kMostPictures = 4;
constexpr double kAlone = 360, kAmongOthers = 200;  // pixels of the longer side

ReportPicture small_picture(const Image& image, double side) {
  const double scale = std::min(1.0, side / std::max(image.width(), image.height()));
  const auto scaled = [&](int length) { return std::max(1, int(std::lround(scale * length))); };
  const Image picture =
      scale < 1 ? resize(image, scaled(image.width()), scaled(image.height()), ResizePreset::kHfBilinear)
                : image;
  const std::string jpeg = encode_frame(picture, FrameStorage::kJpeg).bytes;
  return {picture.width(), picture.height(), jpeg_url(jpeg)};
}

std::vector<Image> film_frames(const std::filesystem::path& film, const EvaluationSettings& settings) {
  std::vector<Image> images;
  const auto step = std::uint64_t(settings.frame_step) *
                    std::max<std::uint64_t>(1, std::uint64_t(settings.frames) / kMostPictures);
  const auto source = open_source({.url = film.string()}, {});
  while (images.size() < kMostPictures) {
    const auto frame = source->next([&](const FrameStamp& stamp) { return stamp.number % step == 0; });
    if (!frame) break;
    images.push_back(frame->image);
  }
  return images;
}

}  // namespace

std::vector<ReportPicture> pictures_of(const ShownExample& example, const EvaluationSettings& settings) {
  std::vector<ReportPicture> pictures;
  try {
    if (!example.film.empty()) {
      for (const Image& image : film_frames(example.film, settings))
        pictures.push_back(small_picture(image, kAmongOthers));
      return pictures;
    }
    const std::size_t count = example.pictures.size(), shown = std::min(count, kMostPictures);
    for (std::size_t i = 0; i < shown; ++i) {
      const Image image = read_picture(example.pictures[i * count / shown]);
      pictures.push_back(small_picture(image, count == 1 ? kAlone : kAmongOthers));
    }
  } catch (const std::exception&) {
    // It was broken when it was asked about, too, or has gone since; the report says so in its place.
    pictures.push_back({});
  }
  return pictures;
}

}  // namespace palisade
