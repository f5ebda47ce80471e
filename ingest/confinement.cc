#include "ingest/confinement.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr int kRefused = EPERM;

// Landlock's rights of file systems: of its first version, then one more with the second and one with the
// third.
constexpr std::uint64_t kRightsOfFirst = (std::uint64_t(1) << 13) - 1, kRefer = 1u << 13,
                        kTruncate = 1u << 14;
constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE, kReadFolder = LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE;

const char* const kReadable[] = {"/usr",
                                 "/lib",
                                 "/lib64",
                                 "/etc/ssl",
                                 "/etc/ca-certificates",
                                 "/etc/resolv.conf",
                                 "/etc/hosts",
                                 "/etc/host.conf",
                                 "/etc/nsswitch.conf",
                                 "/etc/gai.conf",
                                 "/etc/services",
                                 "/etc/protocols",
                                 "/etc/localtime",
                                 "/etc/ld.so.cache",
                                 "/etc/OpenCL",
                                 "/etc/vulkan",
                                 "/proc/self",
                                 "/proc/cpuinfo",
                                 "/proc/meminfo",
                                 "/proc/sys",
                                 "/proc/driver/nvidia",
                                 "/sys",
                                 "/dev/urandom",
                                 "/dev/random",
                                 "/dev/zero"};
// Graphics processors and cameras of this machine are talked to by writing.
const char* const kWritable[] = {"/dev/null", "/dev/dri", "/dev/nvidia0", "/dev/nvidiactl",
                                 "/dev/nvidia-uvm"};

class Ruleset {
 public:
  explicit Ruleset(std::uint64_t handled) : handled_(handled) {
    const landlock_ruleset_attr attributes{.handled_access_fs = handled};
    number_ = int(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  }
  ~Ruleset() {
    if (number_ >= 0) close(number_);
  }
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;

  // What is not there needs no permission.
  void allow(const std::string& path, std::uint64_t rights) const {
    const int file = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (file < 0) return;
    struct stat status {};
    const bool folder = fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
    const landlock_path_beneath_attr rule{
        .allowed_access = handled_ & (folder ? rights : rights & ~kReadFolder), .parent_fd = file};
    syscall(SYS_landlock_add_rule, number_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(file);
  }
  bool enforce() const { return number_ >= 0 && syscall(SYS_landlock_restrict_self, number_, 0) == 0; }

 private:
  const std::uint64_t handled_;
  int number_ = -1;
};

bool restrict_files(const SourceOptions& source) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  const Ruleset rules(kRightsOfFirst | (version > 1 ? kRefer : 0) | (version > 2 ? kTruncate : 0));
  for (const char* const path : kReadable) rules.allow(path, kReadFile | kReadFolder);
  for (const char* const path : kWritable) rules.allow(path, kReadFile | kReadFolder | kWriteFile);
  const char* const home = std::getenv("HOME");
  if (home != nullptr) rules.allow(std::string(home) + "/.cache/gstreamer-1.0", kReadFile | kReadFolder);
  if (!source.tls_ca.empty()) rules.allow(source.tls_ca, kReadFile);
  if (names_file(source.url)) rules.allow(source.url, kReadFile | kReadFolder);
  if (source.url.starts_with("v4l2:")) rules.allow(source.url.substr(5), kReadFile | kWriteFile);
  return rules.enforce();
}

bool restrict_calls() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  bool added = true;
  const auto refuse = [&](int call) {
    added = added && seccomp_rule_add(filter, SCMP_ACT_ERRNO(kRefused), call, 0) == 0;
  };
  for (const int call : {SCMP_SYS(execve),
                         SCMP_SYS(execveat),
                         SCMP_SYS(fork),
                         SCMP_SYS(vfork),
                         SCMP_SYS(ptrace),
                         SCMP_SYS(process_vm_readv),
                         SCMP_SYS(process_vm_writev),
                         SCMP_SYS(pidfd_open),
                         SCMP_SYS(pidfd_getfd),
                         SCMP_SYS(listen),
                         SCMP_SYS(mount),
                         SCMP_SYS(umount2),
                         SCMP_SYS(pivot_root),
                         SCMP_SYS(chroot),
                         SCMP_SYS(setns),
                         SCMP_SYS(unshare),
                         SCMP_SYS(bpf),
                         SCMP_SYS(perf_event_open),
                         SCMP_SYS(keyctl),
                         SCMP_SYS(add_key),
                         SCMP_SYS(request_key),
                         SCMP_SYS(userfaultfd),
                         SCMP_SYS(init_module),
                         SCMP_SYS(finit_module),
                         SCMP_SYS(kexec_load),
                         SCMP_SYS(open_by_handle_at),
                         SCMP_SYS(io_uring_setup)})
    refuse(call);
  // Threads are let be, processes are not. A clone3 that is unknown becomes a clone, whose flags can be read.
  added = added && seccomp_rule_add(filter, SCMP_ACT_ERRNO(kRefused), SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0;
  added = added && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
  // Signals to itself alone.
  added = added && seccomp_rule_add(filter, SCMP_ACT_ERRNO(kRefused), SCMP_SYS(kill), 1,
                                    SCMP_A0(SCMP_CMP_NE, scmp_datum_t(getpid()))) == 0;
  const bool loaded = added && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded;
}

}  // namespace

std::string confine_process(const SourceOptions& source) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const bool files = restrict_files(source), calls = restrict_calls();
  if (files && calls) return "seccomp, Landlock";
  return files ? "Landlock, no seccomp" : calls ? "seccomp, no Landlock" : "nothing";
}

}  // namespace palisade
