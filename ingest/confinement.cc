#include "ingest/confinement.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr int kRefused = EPERM;
constexpr scmp_datum_t kSocketTypes = 15, kDescriptorBits = 0xffffffff;

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

// Landlock's version, or 0.
long restrict_files(const SourceOptions& source) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 0;
  const Ruleset rules(kRightsOfFirst | (version > 1 ? kRefer : 0) | (version > 2 ? kTruncate : 0));
  for (const char* const path : kReadable) rules.allow(path, kReadFile | kReadFolder);
  for (const char* const path : kWritable) rules.allow(path, kReadFile | kReadFolder | kWriteFile);
  const char* const home = std::getenv("HOME");
  if (home != nullptr) rules.allow(std::string(home) + "/.cache/gstreamer-1.0", kReadFile | kReadFolder);
  if (!source.tls_ca.empty()) rules.allow(source.tls_ca, kReadFile);
  if (names_file(source.url)) rules.allow(path_of(source.url), kReadFile | kReadFolder);
  if (source.url.starts_with("v4l2:")) rules.allow(source.url.substr(5), kReadFile | kWriteFile);
  return rules.enforce() ? version : 0;
}

// A seccomp filter in the making.
class CallFilter {
 public:
  CallFilter() : filter_(seccomp_init(SCMP_ACT_ALLOW)), added_(filter_ != nullptr) {}
  ~CallFilter() {
    if (filter_ != nullptr) seccomp_release(filter_);
  }
  CallFilter(const CallFilter&) = delete;
  CallFilter& operator=(const CallFilter&) = delete;

  void add(std::uint32_t action, int call, std::vector<scmp_arg_cmp> where = {}) {
    added_ =
        added_ && seccomp_rule_add_array(filter_, action, call, unsigned(where.size()), where.data()) == 0;
  }
  void refuse(int call, std::vector<scmp_arg_cmp> where = {}) {
    add(SCMP_ACT_ERRNO(kRefused), call, std::move(where));
  }
  bool load() { return added_ && seccomp_load(filter_) == 0; }
  Descriptor notifications() const { return Descriptor(seccomp_notify_fd(filter_)); }

 private:
  scmp_filter_ctx filter_;
  bool added_;
};

void refuse_processes(CallFilter& filter) {
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
    filter.refuse(call);
  // Threads are let be, processes are not. A clone3 that is unknown becomes a clone, whose flags can be read.
  filter.refuse(SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)});
  filter.add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  // Signals to itself alone.
  filter.refuse(SCMP_SYS(kill), {SCMP_A0(SCMP_CMP_NE, scmp_datum_t(getpid()))});
}

// TCP, UDP and the kernel's own messages are left: what else could reach other hosts has no socket.
void refuse_sockets(CallFilter& filter) {
  const auto is_needed = [](int family) {
    return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
  };
  filter.refuse(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_GT, AF_NETLINK)});
  for (scmp_datum_t family = 0; family <= AF_NETLINK; ++family) {
    if (!is_needed(int(family))) filter.refuse(SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, family)});
  }
  for (const scmp_datum_t family : {AF_INET, AF_INET6}) {
    const scmp_arg_cmp of_family = SCMP_A0(SCMP_CMP_EQ, family);
    for (scmp_datum_t type = SOCK_DGRAM + 1; type <= kSocketTypes; ++type)
      filter.refuse(SCMP_SYS(socket), {of_family, SCMP_A1(SCMP_CMP_MASKED_EQ, kSocketTypes, type)});
    filter.refuse(SCMP_SYS(socket), {of_family, SCMP_A2(SCMP_CMP_GT, IPPROTO_UDP)});
    for (scmp_datum_t protocol = 1; protocol < IPPROTO_UDP; ++protocol) {
      if (protocol != IPPROTO_TCP)
        filter.refuse(SCMP_SYS(socket), {of_family, SCMP_A2(SCMP_CMP_EQ, protocol)});
    }
  }
}

// Whoever holds the notifications makes the connections. What is sent on the channel is not looked at, so
// nothing else may take its place.
void notify_connections(CallFilter& filter, int channel) {
  const auto number = scmp_datum_t(channel);
  filter.add(SCMP_ACT_NOTIFY, SCMP_SYS(connect));
  filter.add(SCMP_ACT_NOTIFY, SCMP_SYS(sendto), {SCMP_A4(SCMP_CMP_NE, 0)});
  filter.add(SCMP_ACT_NOTIFY, SCMP_SYS(sendmsg), {SCMP_A0(SCMP_CMP_NE, number)});
  filter.add(SCMP_ACT_NOTIFY, SCMP_SYS(sendmmsg));
  filter.refuse(SCMP_SYS(close), {SCMP_A0(SCMP_CMP_MASKED_EQ, kDescriptorBits, number)});
  filter.refuse(SCMP_SYS(close_range));
  filter.refuse(SCMP_SYS(dup2), {SCMP_A1(SCMP_CMP_MASKED_EQ, kDescriptorBits, number)});
  filter.refuse(SCMP_SYS(dup3), {SCMP_A1(SCMP_CMP_MASKED_EQ, kDescriptorBits, number)});
}

// Whether it is in force, with the notifications where it gives any.
bool restrict_calls(std::optional<int> channel, Descriptor& notifications) {
  CallFilter filter;
  refuse_processes(filter);
  refuse_sockets(filter);
  if (channel) notify_connections(filter, *channel);
  if (!filter.load()) return false;
  if (channel) notifications = filter.notifications();
  return true;
}

}  // namespace

Confinement confine_process(const SourceOptions& source, int channel) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Confinement confinement;
  const long files = restrict_files(source);
  // A kernel without notifications, or a container that has taken them for itself, has the rest.
  const bool calls = (limits_hosts(source) && restrict_calls(channel, confinement.connections)) ||
                     restrict_calls(std::nullopt, confinement.connections);
  confinement.in_force = format("{}, {}", calls ? "seccomp" : "no seccomp",
                                files > 0 ? format("Landlock {}", files) : "no Landlock");
  return confinement;
}

bool limits_hosts(const SourceOptions& source) {
  return scheme_of(source.url) != "gst";
}

}  // namespace palisade
