#include "model/masks/mask_decoder.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"
#include "model/masks/mask.h"
#include "model/weights/safetensors.h"
#include "tests/model/golden.h"
#include "tests/model/npz_file.h"

using namespace palisade;

namespace {

const std::filesystem::path kSegmentation = kReference / "segmentation";

std::vector<int> codes_of(const TensorView& codes, std::size_t row) {
  const auto all = codes.to_integers();
  return {all.begin() + std::ptrdiff_t(16 * row), all.begin() + std::ptrdiff_t(16 * row + 16)};
}

}  // namespace

TEST_CASE("codes become the reference's masks") {
  const MaskDecoder decoder(kSegmentation / "vae-oid.npz");
  const SafetensorsFile golden(kSegmentation / "mask_decoder.safetensors");
  const std::vector<float> expected = golden.at("mask64").to_floats();
  for (std::size_t row = 0; row < 5; ++row) {
    const std::vector<float> decoded = decoder.decode(codes_of(golden.at("codes"), row));
    REQUIRE(decoded.size() == 64 * 64);
    double worst = 0;
    for (std::size_t i = 0; i < decoded.size(); ++i)
      worst = std::max(worst, double(std::abs(decoded[i] - expected[row * decoded.size() + i])));
    CHECK(worst < 1e-4);
  }
}

TEST_CASE("a decoded mask in its box of a picture is the reference's, pixel by pixel") {
  const MaskDecoder decoder(kSegmentation / "vae-oid.npz");
  const SafetensorsFile golden(kSegmentation / "mask_decoder.safetensors"),
      masks(kSegmentation / "masks.safetensors");
  const Json cases = read_json(kSegmentation / "cases.json");
  for (const Json& one : cases.at("segment")) {
    const auto index = one.at("index").get<std::size_t>();
    const int width = one.at("width"), height = one.at("height");
    const auto box = one.at("box_pixels_y1x1y2x2").get<std::vector<int>>();
    const Mask mask = mask_in_box(decoder.decode(codes_of(golden.at("codes"), index)), width, height,
                                  {box[1], box[0], box[3], box[2]});
    const std::vector<std::byte> expected = masks.at(format("mask{}", index)).bytes();
    int different = 0, area = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        different += mask.holds(x, y) != (expected[std::size_t(y) * width + x] != std::byte(0));
        area += mask.holds(x, y);
      }
    }
    CHECK(different == 0);
    CHECK(area == one.at("mask_area").get<int>());
  }
}

TEST_CASE("a file that is no mask decoder is refused by the array that does not fit") {
  const auto file = std::filesystem::temp_directory_path() / format("palisade-mask-{}.npz", getpid());
  const auto refused = [&](const std::vector<NpzArray>& arrays, const std::string& words) {
    std::ofstream(file, std::ios::binary) << npz_of(arrays);
    try {
      const MaskDecoder decoder(file);
    } catch (const ModelError& error) {
      CAPTURE(error.what());
      CHECK(std::string(error.what()).find(words) != std::string::npos);
      return;
    }
    FAIL_CHECK(words);
  };
  std::vector<NpzArray> arrays;
  const NpzFile golden(kSegmentation / "vae-oid.npz");
  for (const std::string& name : golden.names()) arrays.push_back({name, golden.array(name)});
  std::ofstream(file, std::ios::binary) << npz_of(arrays);
  CHECK_NOTHROW(MaskDecoder{file});
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (arrays[i].name.starts_with("encoder.")) continue;  // not read
    CAPTURE(arrays[i].name);
    auto without = arrays;
    without.erase(without.begin() + std::ptrdiff_t(i));
    refused(without, arrays[i].name);
    auto flat = arrays;
    flat[i].array.shape = {std::int64_t(flat[i].array.values.size()), 1, 1, 1, 1};
    refused(flat, arrays[i].name);
    auto infinite = arrays;
    infinite[i].array.values.back() = INFINITY;
    refused(infinite, "not finite");
  }
  std::filesystem::remove(file);
}
