#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "tests/ingest/loopback_server.h"

namespace palisade::test {

// A parsed RTSP request.
struct RtspRequest {
  std::string text;
  std::string method;
  std::string sequence;

  std::string header(const std::string& name) const {
    const std::size_t at = text.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  // Makes an answer from a status such as "200 OK" and header lines, each with its line end.
  std::string answer(const std::string& status, const std::string& headers = "",
                     const std::string& body = "") const {
    return "RTSP/1.0 " + status + "\r\nCSeq: " + sequence + "\r\n" + headers +
           (body.empty() ? "" : format("Content-Length: {}\r\n", body.size())) + "\r\n" + body;
  }
};

// A camera of the loopback that sends no picture. `answer` returns the answer to a request; an empty one
// closes the connection. Records requests and the number of connections.
class RtspScript {
 public:
  using Answer = std::function<std::string(const RtspRequest&)>;

  explicit RtspScript(Answer answer, const std::string& host = "127.0.0.1")
      : host_(host), answer_(std::move(answer)), server_([this](LoopbackPeer& peer) { serve(peer); }, host) {}

  int port() const { return server_.port(); }
  std::string place() const { return format("{}:{}", host_, port()); }
  std::string url(const std::string& path = "/live") const { return "rtsp://" + place() + path; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void serve(LoopbackPeer& peer) {
    {
      const std::lock_guard lock(mutex_);
      ++connections_;
    }
    std::string heard;
    for (std::string part; !(part = peer.receive()).empty();) {
      heard += part;
      if (!answer_all(heard, peer)) return;
    }
  }
  bool answer_all(std::string& heard, LoopbackPeer& peer) {
    for (std::size_t end; (end = heard.find("\r\n\r\n")) != std::string::npos; heard.erase(0, end + 4)) {
      RtspRequest request{.text = heard.substr(0, end + 2)};
      request.method = request.text.substr(0, request.text.find(' '));
      request.sequence = request.header("CSeq");
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request.text);
      }
      const std::string answer = answer_(request);
      if (answer.empty()) return false;
      peer.send(answer);
    }
    return true;
  }

  const std::string host_;
  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  int connections_ = 0;                // guarded by mutex_
  LoopbackServer server_;              // the last member, because its threads use all others
};

inline const std::string kDescription =
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
    "a=control:track1\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LACtkH+hAAAAMAEAAAAwPA8UJkgA==,aMuMsg==\r\n";

// The answer of a camera that accepts every request.
inline std::string usual_answer(const RtspRequest& request) {
  if (request.method == "OPTIONS")
    return request.answer("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN\r\n");
  if (request.method == "DESCRIBE")
    return request.answer("200 OK", "Content-Type: application/sdp\r\n", kDescription);
  if (request.method == "SETUP")
    return request.answer("200 OK", "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n");
  return request.answer("200 OK", "Session: 1\r\n");
}

}  // namespace palisade::test
