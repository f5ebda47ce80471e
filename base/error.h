#pragma once

#include <stdexcept>
#include <string>

namespace palisade {

// The exit code of a program that an error ends follows from its kind (service/terminal/exit_code.h).
enum class ErrorKind {
  kFailed,
  kWrongUse,     // flags, settings or input are wrong
  kUnavailable,  // something is in use by others or not there at the moment, such as a port
};

// Something cannot be done. what() names it and the remedy, in one line.
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
