#pragma once

#include "service/events/event_writer.h"
#include "service/terminal/output.h"

namespace palisade {

// The sink of `--json`: an event a line on stdout.
class JsonLines : public EventSink {
 public:
  void take(const SharedMessage& message) override { print_line(message->json); }
};

// Events of a command that runs on this machine alone; ids and sequences begin anew. One thread's.
class JsonOutput {
 public:
  void write(EventRecord record) { writer_.write(std::move(record)); }

 private:
  JsonLines lines_;
  EventWriter writer_{"local", {&lines_}};
};

}  // namespace palisade
