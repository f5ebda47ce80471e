#include "model/adapters/module_pattern.h"

#include <re2/re2.h>

#include "model/error.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxExpression = 4096;
constexpr std::int64_t kMemory = 8 << 20;

RE2::Options quiet_options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemory);
  return options;
}

}  // namespace

struct ModulePattern::Compiled {
  explicit Compiled(const std::string& expression)
      : whole(expression, quiet_options()), end(R"((?:.*\.)?(?:)" + expression + ")", quiet_options()) {}
  RE2 whole, end;
};

ModulePattern::ModulePattern(const std::string& expression, const std::string& what) {
  if (expression.size() > kMaxExpression)
    throw ModelError(what + " holds a pattern longer than 4096 bytes; write a shorter one");
  auto compiled = std::make_unique<Compiled>(expression);
  if (!compiled->whole.ok() || !compiled->end.ok())
    throw ModelError(what + " holds \"" + expression + "\", which is no pattern that RE2 reads (" +
                     compiled->whole.error() + "); say the same without look-ahead or look-behind");
  compiled_ = std::move(compiled);
}

ModulePattern::~ModulePattern() = default;
ModulePattern::ModulePattern(ModulePattern&&) noexcept = default;

bool ModulePattern::matches(std::string_view path) const {
  return RE2::FullMatch(re2::StringPiece(path.data(), path.size()), compiled_->whole);
}

bool ModulePattern::matches_end(std::string_view path) const {
  return RE2::FullMatch(re2::StringPiece(path.data(), path.size()), compiled_->end);
}

}  // namespace palisade
