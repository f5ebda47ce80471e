#pragma once

#include "service/events/event_writer.h"
#include "service/terminal/output.h"

namespace palisade {

// The sink of `--json`: prints one event a line on stdout.
class JsonLines : public EventSink {
 public:
  void take(const SharedMessage& message) override { print_line(message->json); }
};

// Numbers and prints the events of one command. Used by one thread.
class JsonOutput {
 public:
  void write(EventRecord record) { writer_.write(std::move(record)); }

 private:
  JsonLines lines_;
  EventWriter writer_{"local", {&lines_}};
};

}  // namespace palisade
