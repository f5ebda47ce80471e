#include <cstdio>
#include <cstdlib>

#include "ingest/apart.h"
#include "service/commands/command_line.h"
#include "service/terminal/process_start.h"

int main(int argument_count, char** arguments) {
  palisade::start_process();
  const int code = palisade::run_command_line(argument_count, arguments);
  if (palisade::readers_left_behind() == 0) return code;
  // All else is closed and told. What these threads are at must not be destroyed under them.
  std::fflush(nullptr);
  std::_Exit(code);
}
