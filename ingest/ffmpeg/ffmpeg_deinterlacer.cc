#include "ingest/ffmpeg/ffmpeg_deinterlacer.h"

#include <new>
#include <utility>

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include "base/format.h"

namespace palisade {
namespace {

struct GraphDelete {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
};

void require(int code) {
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (code < 0) throw BadPicture("its interlaced pictures cannot be made whole");
}

bool alike(const AVFrame& a, const AVFrame& b) {
  return a.width == b.width && a.height == b.height && a.format == b.format;
}

// Filters a few consecutive pictures. A filter that is kept would hold one back, so each use makes its own.
class Filter {
 public:
  Filter(const char* name, const AVFrame& like) : graph_(avfilter_graph_alloc()) {
    if (graph_ == nullptr) throw std::bad_alloc();
    graph_->nb_threads = 1;
    const std::string form =
        format("video_size={}x{}:pix_fmt={}:time_base=1/1", like.width, like.height, like.format);
    AVFilterContext* filter = nullptr;
    add("buffer", form.c_str(), source_);
    add(name, "mode=0:parity=-1:deint=0",
        filter);  // one picture out for each in, field order from the picture
    add("buffersink", nullptr, sink_);
    require(avfilter_link(source_, 0, filter, 0));
    require(avfilter_link(filter, 0, sink_, 0));
    require(avfilter_graph_config(graph_.get(), nullptr));
  }

  // Adds a picture; null means the end.
  void push(const AVFrame* frame) {
    Av<AVFrame> copy(frame != nullptr ? av_frame_clone(frame) : nullptr);
    if (frame != nullptr && copy == nullptr) throw std::bad_alloc();
    if (copy != nullptr) copy->pts = pushed_++;
    require(av_buffersrc_add_frame(source_, copy.get()));
  }

  // Whether `out` was filled.
  bool pull(AVFrame& out) {
    av_frame_unref(&out);
    return av_buffersink_get_frame(sink_, &out) >= 0;
  }

 private:
  void add(const char* name, const char* options, AVFilterContext*& made) {
    const AVFilter* const filter = avfilter_get_by_name(name);
    require(filter == nullptr
                ? AVERROR_FILTER_NOT_FOUND
                : avfilter_graph_create_filter(&made, filter, name, options, nullptr, graph_.get()));
  }

  std::unique_ptr<AVFilterGraph, GraphDelete> graph_;
  AVFilterContext* source_ = nullptr;  // the graph's
  AVFilterContext* sink_ = nullptr;    // the graph's
  std::int64_t pushed_ = 0;
};

}  // namespace

bool is_interlaced(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

void FfmpegDeinterlacer::see(const AVFrame& frame) {
  before_ = std::move(latest_);
  if (!is_interlaced(frame)) return;
  latest_.reset(av_frame_clone(&frame));
  if (latest_ == nullptr) throw std::bad_alloc();
}

const AVFrame& FfmpegDeinterlacer::progressive(const AVFrame& frame) {
  if (!is_interlaced(frame)) return frame;
  if (result_ == nullptr) result_.reset(av_frame_alloc());
  if (result_ == nullptr) throw std::bad_alloc();
  const bool follows = before_ != nullptr && alike(*before_, frame);
  Filter filter(follows ? "bwdif" : "estdif", frame);
  if (follows) filter.push(before_.get());
  filter.push(&frame);
  // bwdif also needs the first field of the next picture: this picture's own stands for it, as if nothing
  // moved.
  filter.push(follows ? &frame : nullptr);
  for (int i = 0; i < (follows ? 2 : 1); ++i) {
    if (!filter.pull(*result_)) throw BadPicture("its interlaced pictures cannot be made whole");
  }
  result_->colorspace = frame.colorspace;
  result_->color_range = frame.color_range;
  return *result_;
}

}  // namespace palisade
