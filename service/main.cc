#include "service/command_line.h"

int main(int argument_count, char** arguments) {
  return palisade::run_command_line(argument_count, arguments);
}
