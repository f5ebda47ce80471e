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

namespace palisade::test {

struct CameraLogin {
  std::string user;
  std::string password;
  std::string method = "digest";
};

// A camera in a child process (tests/fault/rtsp_camera.cc), to be frozen and killed. Dies with this object.
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
  std::string url() const { return "rtsp://127.0.0.1:" + std::to_string(port_) + "/live"; }
  std::string udp_url() const { return "rtsp://127.0.0.1:" + std::to_string(port_) + "/udp"; }
  std::string seldom_url() const { return "rtsp://127.0.0.1:" + std::to_string(port_) + "/seldom"; }
  void freeze() const { ::kill(child_, SIGSTOP); }
  void thaw() const { ::kill(child_, SIGCONT); }
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  void start(std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int error = ::posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    // It says its port once it listens.
    std::FILE* said = ::fdopen(ends[0], "r");
    const bool started = error == 0 && said != nullptr && std::fscanf(said, "%d", &port_) == 1;
    if (said != nullptr) std::fclose(said);
    if (!started) throw std::runtime_error("the test's camera does not start");
  }

  pid_t child_ = -1;
  int port_ = 0;
};

}  // namespace palisade::test
