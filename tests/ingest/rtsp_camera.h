#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/format.h"

namespace palisade::test {

struct CameraLogin {
  std::string user;
  std::string password;
  std::string method = "digest";
};

// A camera in a child process (tests/fault/rtsp_camera.cc) that can be frozen and killed. The destructor
// kills it.
class RtspCamera {
 public:
  explicit RtspCamera(int port = 0, const CameraLogin& login = {}) {
    std::vector<std::string> arguments = {PALISADE_RTSP_CAMERA, std::to_string(port)};
    if (!login.user.empty()) arguments.insert(arguments.end(), {login.user, login.password, login.method});
    start(arguments);
  }
  ~RtspCamera() { kill(); }
  RtspCamera(const RtspCamera&) = delete;
  RtspCamera& operator=(const RtspCamera&) = delete;

  int port() const { return port_; }
  // rtsp_camera.cc lists the paths.
  std::string url(const std::string& path = "/live") const {
    return format("rtsp://127.0.0.1:{}{}", port_, path);
  }
  std::string udp_url() const { return url("/udp"); }
  std::string seldom_url() const { return url("/seldom"); }
  // Sends a command and returns when the camera has executed it.
  void tell(const std::string& command) {
    const std::string line = command + "\n";
    char done[16];
    if (::write(to_, line.data(), line.size()) != ssize_t(line.size()) ||
        std::fgets(done, sizeof done, from_) == nullptr) {
      throw std::runtime_error("the test's camera does not answer");
    }
  }
  void freeze() const { ::kill(child_, SIGSTOP); }
  void thaw() const { ::kill(child_, SIGCONT); }
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
    ::close(to_);
    std::fclose(from_);
  }

 private:
  void start(std::vector<std::string>& arguments) {
    int said[2];
    int told[2];
    if (::pipe2(said, O_CLOEXEC) != 0 || ::pipe2(told, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, said[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, told[0], STDIN_FILENO);
    const int error = ::posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(said[1]);
    ::close(told[0]);
    to_ = told[1];
    from_ = ::fdopen(said[0], "r");
    // The camera prints its port once it listens.
    char line[16];
    const bool started = error == 0 && from_ != nullptr && std::fgets(line, sizeof line, from_) != nullptr;
    if (!started) throw std::runtime_error("the test's camera does not start");
    port_ = std::stoi(line);
  }

  pid_t child_ = -1;
  int port_ = 0;
  int to_ = -1;
  std::FILE* from_ = nullptr;
};

}  // namespace palisade::test
