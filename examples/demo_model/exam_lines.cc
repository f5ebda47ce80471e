#include "examples/demo_model/exam_lines.h"

#include <future>
#include <stdexcept>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "examples/demo_model/detection.h"
#include "examples/demo_model/marks.h"
#include "service/journal/frame_codec.h"

namespace palisade::world {
namespace {

namespace fs = std::filesystem;

// The boxes of a right answer as COCO has them, in pixels.
Json annotations_of(const Question& question, int width, int height) {
  Json annotations = Json::array();
  const std::string kind = question.prefix.substr(std::string("detect ").size());
  for (const UnitBox& box : boxes_in(question.suffix)) {
    const double x = box[1] * width, y = box[0] * height;
    const double wide = box[3] * width - x, high = box[2] * height - y;
    annotations.push_back(
        {{"category", kind}, {"bbox", {x, y, wide, high}}, {"area", wide * high}, {"iscrowd", 0}});
  }
  return annotations;
}

// Without loss: an eighth of the time of PNG, which the camera's noise defeats.
void write_webp(const fs::path& path, const Image& image) {
  const std::string bytes = picture_file(encode_frame(image, FrameStorage::kExact)).bytes;
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), std::streamsize(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write to " + path.string());
}

}  // namespace

ExamLines::ExamLines(const fs::path& folder) : folder_(folder) {
  if (fs::exists(folder))
    throw std::runtime_error(folder.string() + " is there already; name another folder");
  fs::create_directories(folder / "pictures");
  lines_.open(folder / "exam.jsonl");
}

void ExamLines::add(const ExamClip& clip) {
  const std::string name = format("{}{:05}", clip.task, clips_[clip.task]++);
  Json pictures = Json::array();
  std::vector<std::future<void>> writing;
  for (std::size_t i = 0; i < clip.images.size(); ++i) {
    const std::string file = format("pictures/{}_{:02}.webp", name, i);
    writing.push_back(std::async(std::launch::async, write_webp, folder_ / file, clip.images[i]));
    pictures.push_back(file);
  }
  for (std::future<void>& one : writing) one.get();
  for (std::size_t i = 0; i < clip.questions.size(); ++i) {
    const Question& question = clip.questions[i];
    const std::string id = format("{}-{}", name, i);
    Json line = {{"id", id},
                 {"images", pictures},
                 {"prefix", question.prefix},
                 {"suffix", question.suffix},
                 {"group", clip.task + ": " + mark_of(question.prefix)}};
    lines_ << line.dump() << '\n';
    if (!question.prefix.starts_with("detect ")) continue;
    const int width = clip.images[0].width(), height = clip.images[0].height();
    line.update({{"id", id + "-boxes"},
                 {"metric", "detection"},
                 {"group", clip.task + ": boxes"},
                 {"width", width},
                 {"height", height},
                 {"annotations", annotations_of(question, width, height)}});
    lines_ << line.dump() << '\n';
  }
}

void ExamLines::finish() {
  lines_.close();
  if (!lines_) throw std::runtime_error("cannot write to " + folder_.string());
}

}  // namespace palisade::world
