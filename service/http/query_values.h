#pragma once

#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "service/http/http_message.h"

namespace palisade {

// A number of the query. Throws UsageError.
template <class Number>
std::optional<Number> number_of(const HttpRequest& request, const char* name) {
  const auto text = request.asked(name);
  if (!text) return std::nullopt;
  Number number{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size())
    throw UsageError(format("{} is a number, not '{}'", name, *text));
  return number;
}

}  // namespace palisade
