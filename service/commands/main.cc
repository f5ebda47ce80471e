#include <cstdio>
#include <cstdlib>

#include "ingest/apart.h"
#include "service/commands/command_line.h"
#include "service/terminal/process_start.h"

int main(int argument_count, char** arguments) {
  palisade::start_process();
  const int code = palisade::run_command_line(argument_count, arguments);
  if (palisade::readers_left_behind() == 0) return code;
  // Readers that were left behind still use what the end of main() would destroy, so the process ends here.
  std::fflush(nullptr);
  std::_Exit(code);
}
