#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// What an RTSP server has said last, in the words that matter for what to do about it.
struct RtspAnswer {
  int status = 0;  // 0: it has said nothing yet
  std::string reason;
  std::string location;                 // where it sends us
  std::vector<std::string> challenges;  // each "Digest realm=..., algorithm=..."

  bool redirects() const { return status >= 300 && status < 400; }
  bool refuses() const { return status >= 400; }
};

// Listens to what an RTSP server answers, because both readers keep it to themselves. Heard on a reader's
// thread, read on the source's.
class RtspDialogue {
 public:
  // One line of an answer, without its line end: a status line begins the next answer.
  void hear_line(std::string_view line);
  void hear(RtspAnswer answer);
  // A description has come; then what stands behind each of its "m=" and "a=".
  void hear_description();
  void hear_media(std::string_view line);
  void hear_attribute(std::string_view line);
  void forget();

  RtspAnswer last() const;
  // Video within an MPEG transport stream: what is in it shows only when it plays.
  bool carries_transport_stream() const;
  // It has described itself, and no video with it.
  bool without_video() const;
  // How the first video is sent: "H264", "JPEG"; empty where that is not said.
  std::string encoding() const;

 private:
  mutable std::mutex mutex_;
  RtspAnswer last_;
  bool described_ = false;
  bool any_video_ = false;
  bool in_video_ = false;  // where the description is at
  std::string encoding_;
};

// Takes out of a reader's own copy of Transport's value what a server may not decide: where our packets go
// ("source=", "destination="), which is to the server's own address alone.
void disarm_transport(char* value);
// Writes the algorithm of a Digest challenge as FFmpeg spells it: in upper case.
void spell_algorithm(char* challenge);
// Whether this challenge is one that both readers can answer.
bool can_be_answered(std::string_view challenge);
// The algorithm that a Digest challenge asks for, in upper case; MD5 where it does not say.
std::string digest_algorithm(std::string_view challenge);

}  // namespace palisade
