#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace palisade {

// The decoder of PaliGemma's masks: sixteen codes of <segDDD> to the logits of 64 x 64 points of a box
// (big_vision, Decoder of its transfers' segmentation). f32, the sizes those of the
// file. May be used by several threads.
class MaskDecoder {
 public:
  static constexpr int kSide = 64;
  static constexpr int kCodes = 128;       // each below this
  static constexpr int kCodesOfMask = 16;  // [4, 4], rows from the top

  // Reads vae-oid.npz; its other arrays, of the encoder, are left aside. Throws ModelError naming file and
  // array.
  explicit MaskDecoder(const std::filesystem::path& file);
  ~MaskDecoder();
  MaskDecoder(MaskDecoder&&) noexcept;

  // Above 0 inside the mask. [kSide, kSide], rows from the top. `codes` are kCodesOfMask, each in range.
  std::vector<float> decode(std::span<const int> codes) const;

 private:
  struct Layers;
  std::unique_ptr<const Layers> layers_;
};

}  // namespace palisade
