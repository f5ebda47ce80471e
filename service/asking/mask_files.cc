#include "service/asking/mask_files.h"

#include "base/error.h"
#include "base/format.h"
#include "base/sha256.h"
#include "base/whole_file.h"
#include "ingest/pictures/picture.h"
#include "model/masks/mask.h"

namespace palisade {

void write_masks(const std::filesystem::path& folder, AnswerEvent& event) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(format("{}: cannot be made: {}", folder.string(), error.message()));
  for (DetectedBox& box : event.boxes) {
    if (!box.mask) continue;
    const std::vector<std::byte> png = encode_png(picture_of(*box.mask));
    box.mask_picture = format("{}.png", sha256_hex(png));
    WholeFile file(folder / box.mask_picture);
    file.write(png);
    file.commit();
  }
}

}  // namespace palisade
