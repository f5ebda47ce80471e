#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// The parts of an RTSP server's last answer that are needed here.
struct RtspAnswer {
  int status = 0;  // 0: no answer yet
  std::string reason;
  std::string location;                 // target of a redirection
  std::vector<std::string> challenges;  // each "Digest realm=..., algorithm=..."

  bool redirects() const { return status >= 300 && status < 400; }
  bool refuses() const { return status >= 400; }
};

// Records an RTSP server's answers, which neither reading library exposes. Written by the reader's thread,
// read by the source's.
class RtspDialogue {
 public:
  // Adds a line of an answer, without its line end; a status line begins the next answer.
  void hear_line(std::string_view line);
  void hear(RtspAnswer answer);
  // Begins a description (SDP); then add the values of its "m=" and "a=" lines.
  void hear_description();
  void hear_media(std::string_view line);
  void hear_attribute(std::string_view line);
  void forget();

  RtspAnswer last() const;
  // The description offers an MPEG transport stream, whose content shows only while it plays.
  bool carries_transport_stream() const;
  // There is a description, and it offers no video.
  bool without_video() const;
  // Encoding of the first video: "H264", "JPEG"; empty where it is not named.
  std::string encoding() const;

 private:
  mutable std::mutex mutex_;
  RtspAnswer last_;
  bool described_ = false;
  bool any_video_ = false;
  bool in_video_ = false;  // while the description's lines belong to a video
  std::string encoding_;
};

// Removes "source=" and "destination=" from a reader's copy of a Transport header: a server may not decide
// where packets are sent.
void disarm_transport(char* value);
// Changes the algorithm of a Digest challenge to upper case, which FFmpeg expects.
void spell_algorithm(char* challenge);
// Whether both readers can answer this challenge.
bool can_be_answered(std::string_view challenge);
// The algorithm of a Digest challenge in upper case; MD5 by default.
std::string digest_algorithm(std::string_view challenge);

}  // namespace palisade
