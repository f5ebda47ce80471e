// Whether a viewer of a simulated camera can tell when a picture was taken: plays a stream with FFmpeg, takes
// each picture's time from the RTCP sender reports, draws the street again from the truth file at that time
// and around it, and tells how far the time that fits best is from the time that was stated.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "examples/world/draw.h"
#include "examples/world/truth_file.h"

namespace {

using namespace palisade::world;

constexpr int kReachMs = 200;
constexpr int kStepMs = 5;

// One stream, opened and decoded with FFmpeg.
class Player {
 public:
  explicit Player(const std::string& url) {
    AVDictionary* options = nullptr;
    av_dict_set(&options, "rtsp_transport", "tcp", 0);
    const int opened = avformat_open_input(&format_, url.c_str(), nullptr, &options);
    av_dict_free(&options);
    if (opened < 0 || avformat_find_stream_info(format_, nullptr) < 0)
      throw std::runtime_error("cannot open " + url);
    const AVCodecParameters* const parameters = format_->streams[0]->codecpar;
    decoder_ = avcodec_alloc_context3(avcodec_find_decoder(parameters->codec_id));
    avcodec_parameters_to_context(decoder_, parameters);
    decoder_->thread_count = 1;
    decoder_->flags |= AV_CODEC_FLAG_LOW_DELAY;
    if (avcodec_open2(decoder_, nullptr, nullptr) < 0) throw std::runtime_error("cannot decode " + url);
  }
  ~Player() {
    sws_freeContext(scaler_);
    av_packet_free(&packet_);
    av_frame_free(&frame_);
    avcodec_free_context(&decoder_);
    avformat_close_input(&format_);
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // The next picture as BGRx and its wall time in seconds; zero before the first sender report.
  double next(std::span<std::uint8_t> picture) {
    while (avcodec_receive_frame(decoder_, frame_) < 0) {
      if (av_read_frame(format_, packet_) < 0) throw std::runtime_error("the stream ended");
      avcodec_send_packet(decoder_, packet_);
      av_packet_unref(packet_);
    }
    scaler_ = sws_getCachedContext(scaler_, frame_->width, frame_->height, AV_PIX_FMT_YUV420P, kWidth,
                                   kHeight, AV_PIX_FMT_BGR0, SWS_BILINEAR, nullptr, nullptr, nullptr);
    std::uint8_t* const planes[]{picture.data()};
    const int strides[]{kWidth * 4};
    sws_scale(scaler_, frame_->data, frame_->linesize, 0, frame_->height, planes, strides);
    // Not AV_PKT_DATA_PRFT: where a parser joins packets to pictures, it carries the next picture's time.
    if (format_->start_time_realtime == AV_NOPTS_VALUE) return 0;
    return static_cast<double>(format_->start_time_realtime) * 1e-6 +
           static_cast<double>(frame_->pts) * av_q2d(format_->streams[0]->time_base);
  }

 private:
  AVFormatContext* format_ = nullptr;
  AVCodecContext* decoder_ = nullptr;
  AVPacket* packet_ = av_packet_alloc();
  AVFrame* frame_ = av_frame_alloc();
  SwsContext* scaler_ = nullptr;
};

double distance(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += i % 4 == 3 ? 0 : std::abs(a[i] - b[i]);
  return sum;
}

bool something_moves(std::span<const Object> objects, double t) {
  return std::ranges::any_of(objects, [&](const Object& object) {
    const auto before = object.x_at(t - 0.3);
    const auto after = object.x_at(t + 0.3);
    return visible_fraction(object, t) >= 1 && before && after && std::abs(*after - *before) > 40;
  });
}

int check(const std::string& url, const std::string& truth_file, const std::string& camera, int wanted) {
  Player player(url);
  TruthReader truth(truth_file);
  const Sprites sprites(assets_folder());
  std::vector<std::uint8_t> shown(kFrameBytes), drawn(kFrameBytes);
  std::vector<double> offsets;
  int without_time = 0;
  while (static_cast<int>(offsets.size()) < wanted) {
    const double wall = player.next(shown);
    without_time += wall == 0 ? 1 : 0;
    truth.refresh();
    const CameraTruth* const known = truth.camera(camera);
    if (wall == 0 || known == nullptr || !something_moves(known->objects, wall)) continue;
    Look look = known->look;
    look.noise_sigma = 0;
    Painter painter(sprites, assets_folder(), look, 0);
    double least = -1;
    int best = 0;
    for (int offset = -kReachMs; offset <= kReachMs; offset += kStepMs) {
      painter.paint(known->objects, wall + offset * 1e-3, drawn);
      const double here = distance(shown, drawn);
      if (least < 0 || here < least || (here == least && std::abs(offset) < std::abs(best))) {
        best = offset;
        least = here;
      }
    }
    offsets.push_back(best);
  }
  std::ranges::sort(offsets);
  std::cout << "{\"pictures\":" << offsets.size() << ",\"without_time\":" << without_time
            << ",\"median_ms\":" << offsets[offsets.size() / 2] << ",\"least_ms\":" << offsets.front()
            << ",\"most_ms\":" << offsets.back() << "}\n";
  return std::abs(offsets.front()) <= 100 && std::abs(offsets.back()) <= 100 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string url, truth, camera = "street0";
  int pictures = 50;
  CLI::App app("Compares the times of a simulated camera's pictures with what they show.");
  app.add_option("url", url, "rtsp://...")->required();
  app.add_option("truth", truth, "The camera's truth file")->required();
  app.add_option("--camera", camera, "Its name in the truth file")->capture_default_str();
  app.add_option("--pictures", pictures, "How many with something moving in them")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return check(url, truth, camera, pictures);
  } catch (const std::exception& error) {
    std::cerr << "palisade-camera-clock: " << error.what() << '\n';
    return 1;
  }
}
