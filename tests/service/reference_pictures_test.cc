#include "service/streams/reference_pictures.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "base/format.h"
#include "ingest/pictures/picture.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

Frame frame_of(std::uint8_t shade, int side) {
  Frame frame;
  frame.stream = "door";
  frame.image = Image(side, side, std::vector<std::uint8_t>(std::size_t(side) * side * 3, shade));
  return frame;
}

struct Folder {
  fs::path path = fs::temp_directory_path() / format("palisade-references-{}", ::getpid());
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a reference is read from its file, replaced by one that is taken, and kept") {
  const Folder folder;
  const fs::path file = folder.path / "yard.png";
  ReferencePictures references;
  references.open("yard", file, 8, ResizePreset::kHfBicubic);
  CHECK_FALSE(references.get("yard"));
  CHECK_FALSE(references.get("other"));
  references.set("yard", frame_of(70, 8));
  REQUIRE(references.get("yard"));
  CHECK(references.get("yard")->stream == "door");
  ReferencePictures after_a_restart;
  after_a_restart.open("yard", file, 8, ResizePreset::kHfBicubic);
  REQUIRE(after_a_restart.get("yard"));
  CHECK(std::ranges::equal(after_a_restart.get("yard")->image.bytes(), frame_of(70, 8).image.bytes()));
}

TEST_CASE("a picture of another size becomes the model's square") {
  const Folder folder;
  write_png(folder.path / "big.png", frame_of(9, 30).image);
  ReferencePictures references;
  references.open("yard", folder.path / "big.png", 8, ResizePreset::kHfBicubic);
  CHECK(references.get("yard")->image.width() == 8);
  CHECK(references.get("yard")->source_width == 30);
}

TEST_CASE("a file that is no picture, and one that cannot be written, are named") {
  const Folder folder;
  std::ofstream(folder.path / "bad.png") << "no picture";
  ReferencePictures references;
  CHECK_THROWS_WITH_AS(references.open("yard", folder.path / "bad.png", 8, ResizePreset::kHfBicubic),
                       doctest::Contains("bad.png"), PictureError);
  references.open("yard", folder.path / "nowhere/yard.png", 8, ResizePreset::kHfBicubic);
  CHECK_THROWS_AS(references.set("yard", frame_of(1, 8)), PictureError);
  CHECK_FALSE(references.get("yard"));
}
