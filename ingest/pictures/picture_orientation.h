#pragma once

#include "frames/orientation.h"
#include "ingest/pictures/picture_formats.h"

namespace palisade {

// How a file of each format says that its picture lies: by EXIF, or by XMP where there is none, as Pillow's
// exif_transpose reads it. A file that says nothing, or is damaged, lies upright.
Orientation orientation_of_jpeg(Bytes file);
Orientation orientation_of_png(Bytes file);
Orientation orientation_of_webp(Bytes file);

}  // namespace palisade
