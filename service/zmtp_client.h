#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/endpoint.h"
#include "service/log.h"
#include "service/zmtp.h"

namespace palisade {

struct ZmtpClientOptions {
  std::string endpoint;
  std::string socket_type;
  std::vector<std::string> peer_types;
  ZmtpLimits limits;
  std::string hello;  // frames, sent first on every connection
};

// The connecting end of a ZeroMQ socket. Connects again by itself, with growing pauses; a service that sends
// what it should not is cut off like that too. One thread's.
class ZmtpClient {
 public:
  // Throws UsageError where the endpoint is none.
  explicit ZmtpClient(ZmtpClientOptions options);
  ~ZmtpClient();

  // The next message, or nothing when none came within the time.
  std::optional<ZmtpItem> receive(std::chrono::milliseconds wait);
  // A connection on which `hello` was sent has ended.
  bool lost_after_hello() const { return lost_after_hello_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Address;
  using Addresses = std::vector<Address>;
  static Addresses look_up(const std::string& host, const std::string& port);

  void connect_within(std::chrono::milliseconds wait);
  void start();
  void talk(std::chrono::milliseconds wait);
  void read_some();
  void write_some();
  std::optional<ZmtpItem> next_item();
  void lose(const std::string& why = {});

  const ZmtpClientOptions options_;
  std::string path_, host_, port_;
  std::future<Addresses> lookup_;                    // under way on a thread that nobody waits for
  std::vector<std::shared_ptr<Address>> addresses_;  // not tried yet
  std::optional<Descriptor> socket_;
  bool connected_ = false, hello_sent_ = false, lost_after_hello_ = false;
  std::optional<ZmtpReader> reader_;
  std::string unsent_;
  Clock::time_point again_ = Clock::now();
  std::chrono::milliseconds pause_;
  OncePerSecond told_;
};

}  // namespace palisade
