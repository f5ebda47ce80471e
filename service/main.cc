#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "service/command_line.h"

namespace {

// OpenMP's threads spin while they wait unless told otherwise before the program starts, which would take the
// cores from the cameras' threads: so the program starts itself once more. A moment of spinning, longer than
// what stands between two products of a decoding step, is cheaper than a wake-up.
void restart_with_passive_waiting(char** arguments) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("GOMP_SPINCOUNT", "5000", 0);
  std::error_code error;
  // By its path: started as /proc/self/exe it would be listed as "exe".
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(program.c_str(), arguments);
  // Without /proc the program goes on as it is: slower, not wrong.
}

}  // namespace

int main(int argument_count, char** arguments) {
  restart_with_passive_waiting(arguments);
  return palisade::run_command_line(argument_count, arguments);
}
