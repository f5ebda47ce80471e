#pragma once

#include "frames/orientation.h"
#include "ingest/pictures/picture_formats.h"

namespace palisade {

// The orientation of a file: by EXIF, else by XMP, as Pillow's exif_transpose reads it. Upright where it has
// none or is damaged.
Orientation orientation_of_jpeg(Bytes file);
Orientation orientation_of_png(Bytes file);
Orientation orientation_of_webp(Bytes file);

}  // namespace palisade
