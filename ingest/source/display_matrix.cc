#include "ingest/source/display_matrix.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace palisade {
namespace {

constexpr double kSlant = 0.0175;  // the tangent of one degree

// An orientation swaps columns with rows first, then left with right, then top with bottom.
Orientation orientation_of_steps(bool lies, bool mirrored, bool flipped) {
  if (!lies) {
    if (mirrored) return flipped ? Orientation::kHalfTurn : Orientation::kMirror;
    return flipped ? Orientation::kFlip : Orientation::kUpright;
  }
  if (mirrored) return flipped ? Orientation::kTransverse : Orientation::kTurnRight;
  return flipped ? Orientation::kTurnLeft : Orientation::kTranspose;
}

}  // namespace

DisplayMatrix DisplayMatrix::turned_left(double degrees) const {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  return {cosine * xx + sine * yx, cosine * xy + sine * yy, cosine * yx - sine * xx, cosine * yy - sine * xy};
}

Orientation DisplayMatrix::orientation() const {
  const bool lies = std::abs(xy) + std::abs(yx) > std::abs(xx) + std::abs(yy);
  return lies ? orientation_of_steps(true, xy < 0, yx < 0) : orientation_of_steps(false, xx < 0, yy < 0);
}

bool DisplayMatrix::straight() const {
  const bool lies = std::abs(xy) + std::abs(yx) > std::abs(xx) + std::abs(yy);
  const double first = std::min(std::abs(lies ? xy : xx), std::abs(lies ? yx : yy));
  const double rest = std::max(std::abs(lies ? xx : xy), std::abs(lies ? yy : yx));
  return first > 0 && rest <= kSlant * first;
}

}  // namespace palisade
