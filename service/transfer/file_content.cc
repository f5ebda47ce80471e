#include "service/transfer/file_content.h"

#include "base/error.h"
#include "base/sha256.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"
#include "service/transfer/input_files.h"

namespace palisade {

FileContent content_of(const std::filesystem::path& file, bool film) {
  if (!film) {
    const Image image = read_picture(file);
    return {image.width(), image.height(), sha256_hex(image.bytes())};
  }
  const auto source = open_source({.url = file.string()}, {});
  const auto frame = source->next([](const FrameStamp&) { return true; });
  if (!frame) throw Error(file.string() + ": holds no frame");
  return {frame->image.width(), frame->image.height(), sha256_of(file)};
}

}  // namespace palisade
