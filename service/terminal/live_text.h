#pragma once

#include <string>
#include <string_view>

namespace palisade {

// A text that is shown on stdout while it is being made, and what is awaited on stderr until it begins. Does
// something only where stdout is a terminal. One thread's at a time.
class LiveText {
 public:
  explicit LiveText(bool wanted);
  ~LiveText();

  // What is being waited for, such as "reading the pictures"; gone once text comes.
  void await(std::string_view what);
  void append(std::string_view text);
  // What of the whole line has not been shown yet, to be printed as its end.
  std::string rest_of(const std::string& line);

 private:
  void clear();
  const bool live_, awaits_;
  bool drawn_ = false;
  std::string shown_;
};

}  // namespace palisade
