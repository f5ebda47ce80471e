#include "examples/world/draw.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace palisade::world {
namespace {

constexpr std::size_t kNoiseTable = 1 << 18;  // samples; every row of a picture starts at a different one

Surface new_surface(cairo_format_t format, int width, int height) {
  Surface surface(cairo_image_surface_create(format, width, height));
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS)
    throw std::runtime_error("Cairo has no memory for a picture");
  return surface;
}

std::uint32_t* row_of(cairo_surface_t* surface, int y) {
  return reinterpret_cast<std::uint32_t*>(cairo_image_surface_get_data(surface) +
                                          std::ptrdiff_t{y} * cairo_image_surface_get_stride(surface));
}

std::uint32_t packed(std::uint32_t alpha, std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return alpha << 24 | red << 16 | green << 8 | blue;
}

Surface load_background(const std::filesystem::path& assets, const Look& look) {
  const Pixels pixels = read_background(assets, look.background);
  Surface surface = new_surface(CAIRO_FORMAT_RGB24, kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    std::uint32_t* const row = row_of(surface.get(), y);
    for (int x = 0; x < kWidth; ++x) {
      const auto* const rgb = &pixels.samples[3 * (std::size_t(y) * kWidth + x)];
      row[look.mirrored ? kWidth - 1 - x : x] = packed(255, rgb[0], rgb[1], rgb[2]);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

// The coloured sprite with premultiplied alpha, so that Cairo's OVER is exactly the compositing of the demo
// world.
Surface coloured(const Sprite& sprite, const std::array<double, 3>& tint) {
  Surface surface = new_surface(CAIRO_FORMAT_ARGB32, sprite.width, sprite.height);
  for (int y = 0; y < sprite.height; ++y) {
    std::uint32_t* const row = row_of(surface.get(), y);
    for (int x = 0; x < sprite.width; ++x) {
      const std::size_t i = std::size_t(y) * sprite.width + x;
      const long alpha = std::lround(255.0 * sprite.cover[i]);
      std::array<std::uint32_t, 3> rgb;
      for (std::size_t c = 0; c < 3; ++c) {
        const double level = 255.0 * sprite.fixed[c][i] + sprite.tinted[i] * tint[c];
        rgb[c] = static_cast<std::uint32_t>(std::clamp(std::lround(level), 0L, alpha));
      }
      row[x] = packed(static_cast<std::uint32_t>(alpha), rgb[0], rgb[1], rgb[2]);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

}  // namespace

Painter::Painter(const Sprites& sprites, const std::filesystem::path& assets, Look look, std::uint64_t seed)
    : sprites_(sprites),
      look_(std::move(look)),
      random_(seed),
      background_(load_background(assets, look_)),
      canvas_(new_surface(CAIRO_FORMAT_RGB24, kWidth, kHeight)) {
  if (look_.noise_sigma <= 0) return;
  noise_.resize(kNoiseTable);
  for (float& level : noise_) level = static_cast<float>(look_.noise_sigma * random_.gaussian());
}

cairo_surface_t* Painter::sprite_of(const Object& object) {
  Surface& surface = drawn_[object.id];
  if (!surface)
    surface =
        coloured(sprites_.scaled(object.kind, object.width, object.height, object.faces_right), object.tint);
  return surface.get();
}

void Painter::forget_departed(std::span<const Object> objects) {
  std::erase_if(drawn_, [&](const auto& entry) {
    return std::none_of(objects.begin(), objects.end(),
                        [&](const Object& object) { return object.id == entry.first; });
  });
}

void Painter::paint(std::span<const Object> objects, double t, std::span<std::uint8_t> frame) {
  forget_departed(objects);
  cairo_t* const context = cairo_create(canvas_.get());
  cairo_set_operator(context, CAIRO_OPERATOR_SOURCE);
  cairo_set_source_surface(context, background_.get(), 0, 0);
  cairo_paint(context);
  cairo_set_operator(context, CAIRO_OPERATOR_OVER);
  for (const Object* const object : far_to_near(objects, t)) {
    const double left = std::nearbyint(object->x_at(t).value());
    const double top = std::nearbyint(object->baseline) - object->height;
    cairo_set_source_surface(context, sprite_of(*object), left, top);
    cairo_paint(context);
  }
  cairo_destroy(context);
  cairo_surface_flush(canvas_.get());
  expose(frame);
}

// Light and noise: pixel*gain + noise + 0.5, clipped, truncated.
void Painter::expose(std::span<std::uint8_t> frame) {
  if (frame.size() != kFrameBytes) throw std::invalid_argument("a frame of the wrong size");
  const std::array<float, 3> gain{static_cast<float>(look_.gain[2]), static_cast<float>(look_.gain[1]),
                                  static_cast<float>(look_.gain[0])};  // B, G, R
  static const std::vector<float> kNoNoise(3 * kWidth, 0.0f);
  for (int y = 0; y < kHeight; ++y) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(row_of(canvas_.get(), y));
    std::uint8_t* to = frame.data() + std::size_t(y) * kWidth * 4;
    const float* noise = kNoNoise.data();
    if (!noise_.empty()) noise = noise_.data() + random_.bits() % (kNoiseTable - 3 * kWidth);
    for (int x = 0; x < kWidth; ++x, from += 4, to += 4, noise += 3) {
      for (std::size_t c = 0; c < 3; ++c) {
        const float level = static_cast<float>(from[c]) * gain[c] + noise[c] + 0.5f;
        to[c] = static_cast<std::uint8_t>(std::clamp(level, 0.0f, 255.0f));
      }
      to[3] = 255;
    }
  }
}

}  // namespace palisade::world
