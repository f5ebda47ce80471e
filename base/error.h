#pragma once

#include <stdexcept>
#include <string>

namespace palisade {

// What an error means for the program that it ends; exit_code.h has the number of each.
enum class ErrorKind {
  kFailed,
  kWrongUse,     // wrong flags, settings or input that only running could find
  kUnavailable,  // something that others hold or that is not there now, such as a port in use
};

// Something cannot be done; what() names it and the remedy, in one line.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kFailed)
      : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message, ErrorKind::kWrongUse) {}
};

class Unavailable : public Error {
 public:
  explicit Unavailable(const std::string& message) : Error(message, ErrorKind::kUnavailable) {}
};

}  // namespace palisade
