#include "service/asking/mask_files.h"

#include "base/error.h"
#include "base/format.h"
#include "base/sha256.h"
#include "base/whole_file.h"
#include "ingest/pictures/picture.h"
#include "model/masks/mask.h"
#include "model/masks/run_lengths.h"

namespace palisade {

namespace {

void require_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(format("{}: cannot be made: {}", folder.string(), error.message()));
}

// Returns the file's name.
std::string write_mask(const std::filesystem::path& folder, const Mask& mask) {
  const std::vector<std::byte> png = encode_png(picture_of(mask));
  std::string name = format("{}.png", sha256_hex(png));
  WholeFile file(folder / name);
  file.write(png);
  file.commit();
  return name;
}

}  // namespace

void write_masks(const std::filesystem::path& folder, AnswerEvent& event) {
  require_folder(folder);
  for (DetectedBox& box : event.boxes) {
    if (box.mask) box.mask_picture = write_mask(folder, *box.mask);
  }
}

std::vector<std::string> write_masks(const std::filesystem::path& folder, const Json& data) {
  require_folder(folder);
  std::vector<std::string> names;
  try {
    for (const Json& box : data.value("boxes", Json::array())) {
      if (!box.contains("mask")) continue;
      const Json& mask = box["mask"];
      const auto read = mask_of_counts(mask.at("counts").get<std::string>(), mask.at("size").at(1).get<int>(),
                                       mask.at("size").at(0).get<int>());
      if (!read) throw Error("an event's mask cannot be read: its run lengths do not fill its size");
      names.push_back(write_mask(folder, *read));
    }
  } catch (const Json::exception& error) {
    throw Error(format("an event's mask cannot be read: {}", error.what()));
  }
  return names;
}

}  // namespace palisade
