#include "model/masks/mask_decoder.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/eigen.h"
#include "base/format.h"
#include "model/error.h"
#include "model/masks/npz.h"

namespace palisade {
// Not an anonymous namespace: MaskDecoder::Layers is made of these.
namespace mask_layers {

using Channels = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// A picture of the decoder: values are [channels, side * side], rows of points from the top.
struct Plane {
  int side = 0;
  Channels values;
};

// A convolution with the weights of each of its kernel's places apart. [out, in] each, rows from the top.
struct Convolution {
  int kernel = 0;
  std::vector<Channels> places;
  Eigen::VectorXf bias;
};

struct Residual {
  Convolution first, second, last;
};

}  // namespace mask_layers

namespace {

using mask_layers::Channels, mask_layers::Convolution, mask_layers::Plane, mask_layers::Residual;

constexpr std::int64_t kMaxChannels = 1024;
constexpr int kFirstSide = 4;  // codes of a mask a side
static_assert(kFirstSide * kFirstSide == MaskDecoder::kCodesOfMask);

// The arrays that a layer is made of, checked.
class LayerReader {
 public:
  explicit LayerReader(const std::filesystem::path& file) : npz_(file), file_(file.string()) {}

  // [128, channels]
  Channels embedding() const {
    const NpyArray array = checked("_vq_vae._embedding", {MaskDecoder::kCodes, 0});
    Channels rows(array.shape[0], array.shape[1]);
    std::ranges::copy(array.values, rows.data());
    return rows;
  }

  // PyTorch's layouts: [out, in, kernel, kernel], of a transposed one [in, out, kernel, kernel].
  Convolution convolution(const std::string& name, int kernel, std::int64_t in, std::int64_t out = 0) const {
    const NpyArray weights = checked(name + ".weight", {out, in, kernel, kernel});
    return placed(weights, kernel, weights.shape[0], in, checked(name + ".bias", {weights.shape[0]}), false);
  }
  Convolution transposed(const std::string& name, int kernel, std::int64_t in) const {
    const NpyArray weights = checked(name + ".weight", {in, 0, kernel, kernel});
    return placed(weights, kernel, weights.shape[1], in, checked(name + ".bias", {weights.shape[1]}), true);
  }
  Residual residual(const std::string& name, std::int64_t width) const {
    return {.first = convolution(name + ".net.0", 3, width, width),
            .second = convolution(name + ".net.2", 3, width, width),
            .last = convolution(name + ".net.4", 1, width, width)};
  }

 private:
  // `shape` has a 0 where any number of channels will do.
  NpyArray checked(const std::string& name, const std::vector<std::int64_t>& shape) const {
    NpyArray array = npz_.array(name);
    bool fits = array.shape.size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
      const std::int64_t side = array.shape[i];
      fits = shape[i] > 0 ? side == shape[i] : side >= 1 && side <= kMaxChannels;
    }
    if (!fits)
      throw ModelError(
          format("{}: \"{}\" has the shape {}, which does not fit a mask decoder; give "
                 "PaliGemma's vae-oid.npz",
                 file_, name, array.shape_text()));
    if (!std::ranges::all_of(array.values, [](float value) { return std::isfinite(value); }))
      throw ModelError(format("{}: \"{}\" holds a number that is not finite", file_, name));
    return array;
  }

  static Convolution placed(const NpyArray& weights, int kernel, std::int64_t out, std::int64_t in,
                            const NpyArray& bias, bool in_first) {
    const std::int64_t area = std::int64_t(kernel) * kernel;
    Convolution convolution{.kernel = kernel};
    for (std::int64_t place = 0; place < area; ++place) {
      Channels& own = convolution.places.emplace_back(out, in);
      for (std::int64_t row = 0; row < out; ++row) {
        for (std::int64_t col = 0; col < in; ++col)
          own(row, col) =
              weights.values[std::size_t((in_first ? col * out + row : row * in + col) * area + place)];
      }
    }
    convolution.bias =
        Eigen::Map<const Eigen::VectorXf>(bias.values.data(), Eigen::Index(bias.values.size()));
    return convolution;
  }

  NpzFile npz_;
  std::string file_;
};

// What the points that lie (down, right) of each one hold; 0 outside.
Channels moved(const Plane& x, int down, int right) {
  Channels out = Channels::Zero(x.values.rows(), x.values.cols());
  const int from = std::max(0, -right), count = x.side - std::abs(right);
  for (int row = std::max(0, -down); row < std::min(x.side, x.side - down); ++row) {
    out.middleCols(row * x.side + from, count) =
        x.values.middleCols((row + down) * x.side + from + right, count);
  }
  return out;
}

// Stride 1, padded to the same side.
Plane convolve(const Plane& x, const Convolution& by) {
  Plane out{x.side, by.bias.replicate(1, x.values.cols())};
  const int reach = by.kernel / 2;
  for (int down = -reach; down <= reach; ++down) {
    for (int right = -reach; right <= reach; ++right) {
      const Channels& weights = by.places[std::size_t((down + reach) * by.kernel + right + reach)];
      out.values.noalias() += weights * (down == 0 && right == 0 ? x.values : moved(x, down, right));
    }
  }
  return out;
}

// A transposed convolution of stride 2 and PyTorch's padding 1, which doubles the side: the point at (row,
// col) adds to those at (2 row - 1, 2 col - 1) and after.
Plane doubled(const Plane& x, const Convolution& by) {
  const int side = 2 * x.side;
  Plane out{side, by.bias.replicate(1, Eigen::Index(side) * side)};
  for (int down = 0; down < by.kernel; ++down) {
    for (int right = 0; right < by.kernel; ++right) {
      const Channels added = by.places[std::size_t(down * by.kernel + right)] * x.values;
      for (int row = 0; row < x.side; ++row) {
        const int to_row = 2 * row - 1 + down;
        if (to_row < 0 || to_row >= side) continue;
        for (int col = 0; col < x.side; ++col) {
          const int to_col = 2 * col - 1 + right;
          if (to_col >= 0 && to_col < side)
            out.values.col(to_row * side + to_col) += added.col(row * x.side + col);
        }
      }
    }
  }
  return out;
}

Plane rectified(Plane x) {
  x.values = x.values.cwiseMax(0.0f);
  return x;
}

Plane with_residual(const Plane& x, const Residual& by) {
  Plane out = convolve(rectified(convolve(rectified(convolve(x, by.first)), by.second)), by.last);
  out.values += x.values;
  return out;
}

}  // namespace

struct MaskDecoder::Layers {
  mask_layers::Channels embedding;
  mask_layers::Convolution in;
  mask_layers::Residual residuals[2];
  std::vector<mask_layers::Convolution> doublings;
  mask_layers::Convolution out;

  explicit Layers(const std::filesystem::path& file) {
    const LayerReader reader(file);
    embedding = reader.embedding();
    in = reader.convolution("decoder.0", 1, embedding.cols());
    std::int64_t width = in.bias.size();
    residuals[0] = reader.residual("decoder.2", width);
    residuals[1] = reader.residual("decoder.3", width);
    for (const char* const name : {"decoder.4", "decoder.6", "decoder.8", "decoder.10"}) {
      doublings.push_back(reader.transposed(name, 4, width));
      width = doublings.back().bias.size();
    }
    out = reader.convolution("decoder.12", 1, width, 1);
  }
};

MaskDecoder::MaskDecoder(const std::filesystem::path& file) : layers_(std::make_unique<Layers>(file)) {}
MaskDecoder::~MaskDecoder() = default;
MaskDecoder::MaskDecoder(MaskDecoder&&) noexcept = default;

std::vector<float> MaskDecoder::decode(std::span<const int> codes) const {
  assert(codes.size() == std::size_t(kCodesOfMask));
  Plane x{kFirstSide, Channels(layers_->embedding.cols(), kCodesOfMask)};
  for (int i = 0; i < kCodesOfMask; ++i) {
    assert(codes[i] >= 0 && codes[i] < kCodes);
    x.values.col(i) = layers_->embedding.row(codes[i]);
  }
  x = rectified(convolve(x, layers_->in));
  for (const Residual& residual : layers_->residuals) x = with_residual(x, residual);
  for (const Convolution& doubling : layers_->doublings) x = rectified(doubled(x, doubling));
  x = convolve(x, layers_->out);
  assert(x.side == kSide);
  return {x.values.data(), x.values.data() + x.values.size()};
}

}  // namespace palisade
