// The loss by step, kept beside the checkpoints, so that a resumed run records its whole course.
#pragma once

#include <vector>

#include <diopter/base.hpp>

namespace training {

class LossHistory {
 public:
  struct Point {
    diopter::Index step;  // steps made
    double loss;          // nat: mean over the counted targets since the point before
    double tokens_per_second;
  };

  void add(double summed_loss, diopter::Index targets, double seconds);  // of one step
  Point close(diopter::Index step);                                      // ends a stretch
  const std::vector<Point>& points() const { return points_; }

  void write(const diopter::Path& file, diopter::Index steps) const;  // whole or not at all
  // Points up to `steps`; the unfinished stretch too, if it was written after just that step. Nothing if there is no
  // file.
  void read(const diopter::Path& file, diopter::Index steps);

 private:
  struct Stretch {
    double loss = 0, seconds = 0;
    diopter::Index targets = 0;
  };
  std::vector<Point> points_;
  Stretch open_;
};

}  // namespace training
