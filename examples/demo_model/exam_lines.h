#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "examples/demo_model/exam_scenes.h"

namespace palisade::world {

// Writes the exam as `palisade evaluate` reads it: FOLDER/exam.jsonl with a line a question, and its pictures
// as WebP without loss. The group of a line is its row in the exam's table. Questions
// for boxes come twice: once as text, and as boxes under "still: boxes". Used by one thread.
class ExamLines {
 public:
  // Throws std::runtime_error where the folder is there already or cannot be written.
  explicit ExamLines(const std::filesystem::path& folder);
  void add(const ExamClip& clip);
  // Throws std::runtime_error where anything could not be written.
  void finish();

 private:
  const std::filesystem::path folder_;
  std::ofstream lines_;
  std::map<std::string, int> clips_;  // by task
};

}  // namespace palisade::world
