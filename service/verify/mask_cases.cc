// Boxes and masks of answers: tokens to edges and back, codes to masks.
#include "base/format.h"
#include "base/json.h"
#include "model/masks/mask.h"
#include "model/masks/mask_decoder.h"
#include "model/weights/safetensors.h"
#include "service/verify/verify.h"
#include "tasks/boxes.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr double kMaskTolerance = 1e-4;

std::vector<int> numbers_of(const Json& json) {
  return json.get<std::vector<int>>();
}

// "decode": locations to pixels and shares.
void verify_edges(const Json& cases, VerificationReport& report) {
  const LocationScale scale;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json& one = cases[i];
    std::vector<int> pixels;
    std::vector<float> shares;
    for (std::size_t edge = 0; edge < 4; ++edge) {
      const int location = one.at("loc_y1x1y2x2").at(edge).get<int>();
      shares.push_back(float(scale.share(location)));
      pixels.push_back(scale.pixel(location, one.at(edge % 2 == 0 ? "height" : "width").get<int>()));
    }
    report.compare_ids(format("pixels {}", i), numbers_of(one.at("pixels_int")), pixels);
    report.compare(format("shares {}", i), one.at("normalised").get<std::vector<float>>(), shares, 1e-6);
  }
}

// "encode": shares to locations.
void verify_locations(const Json& cases, VerificationReport& report) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::vector<int> locations;
    for (const Json& share : cases[i].at("box"))
      locations.push_back(LocationScale{}.location(share.get<double>()));
    report.compare_ids(format("locations {}", i), numbers_of(cases[i].at("loc")), locations);
  }
}

// The tensor's whole numbers of one row. [rows, cols]
std::vector<int> row_of(const TensorView& tensor, std::size_t row) {
  const auto all = tensor.to_integers();
  const auto cols = std::size_t(tensor.shape.at(1));
  return {all.begin() + std::ptrdiff_t(row * cols), all.begin() + std::ptrdiff_t((row + 1) * cols)};
}

// "segment": an answer's text to the mask of a picture, by way of the decoder's logits.
void verify_masks(const fs::path& folder, const Json& cases, VerificationReport& report) {
  const MaskDecoder decoder(folder / "vae-oid.npz");
  const SafetensorsFile logits(folder / "mask_decoder.safetensors"), masks(folder / "masks.safetensors");
  const std::vector<float> mask64 = logits.at("mask64").to_floats();
  constexpr std::size_t kPoints = std::size_t(MaskDecoder::kSide) * MaskDecoder::kSide;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json& one = cases[i];
    const auto index = one.value("index", i);
    const BoxReading reading = read_boxes(one.at("text").get<std::string>());
    if (reading.boxes.size() != 1) {
      report.fail(format("text {}", index), "is read as no box");
      continue;
    }
    const Box& box = reading.boxes.front();
    report.compare_ids(format("codes {}", index), row_of(logits.at("codes"), index), box.codes);
    const std::vector<float> decoded = decoder.decode(box.codes);
    report.compare(format("mask64 {}", index), std::span(mask64).subspan(index * kPoints, kPoints), decoded,
                   kMaskTolerance);
    const int width = one.at("width").get<int>(), height = one.at("height").get<int>();
    const LocationScale scale;
    const Mask mask = mask_in_box(decoded, width, height,
                                  {scale.pixel(box.x_min, width), scale.pixel(box.y_min, height),
                                   scale.pixel(box.x_max, width), scale.pixel(box.y_max, height)});
    std::vector<std::byte> pixels;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) pixels.push_back(std::byte(mask.holds(x, y)));
    }
    const std::string name = format("mask{}", index);
    report.compare_bytes(name, masks.at(name).bytes(), pixels);
  }
}

}  // namespace

void verify_segmentation(const fs::path&, const fs::path& file, VerificationReport& report) {
  const Json cases = read_json(file);
  verify_edges(cases.value("decode", Json::array()), report);
  verify_locations(cases.value("encode", Json::array()), report);
  verify_masks(file.parent_path(), cases.at("segment"), report);
}

}  // namespace palisade
