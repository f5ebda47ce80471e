#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "ingest/source/source.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

std::vector<Image> pictures_of(const std::string& url) {
  const auto source = open_source({.url = url, .allow_launch = true}, {});
  std::vector<Image> pictures;
  while (const auto frame = source->next(test::all)) pictures.push_back(frame->image);
  return pictures;
}

std::string line_for(const std::string& path) {
  return "gst:filesrc location=\"" + path +
         "\" ! decodebin ! videoconvert ! appsink name=palisade sync=false";
}

int largest_difference(const Image& a, const Image& b) {
  if (a.width() != b.width() || a.height() != b.height()) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.u8().size(); ++i)
    most = std::max(most, std::abs(int(a.u8()[i]) - int(b.u8()[i])));
  return most;
}

TEST_CASE("both readers give the same pixels, whatever a stream says or leaves unsaid of its colours") {
  int clips = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::golden("clips/colours"))) {
    if (entry.path().extension() == ".sh") continue;
    CAPTURE(entry.path().filename().string());
    const std::vector<Image> ours = pictures_of(entry.path().string());
    const std::vector<Image> theirs = pictures_of(line_for(entry.path().string()));
    CHECK(ours.size() == 2);
    CHECK(ours.size() == theirs.size());
    for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
      CHECK(largest_difference(ours[i], theirs[i]) <= 1);
    ++clips;
  }
  CHECK(clips == 28);
}

}  // namespace
}  // namespace palisade
