// Pages that browsers can still open: figures of too many cells become block means, with the raw values beside.
#pragma once

#include <string>
#include <vector>

#include "report/page.hpp"

namespace diopter::report {

inline constexpr std::size_t kBlockSide = 512;

// When the figures hold more than `max_cells` in all, those with more than kBlockSide along an axis become means of
// blocks (NaN left out) and get a note; the raw values of each go to a .npy file. Returns those files.
std::vector<SideFile> reduce_large_figures(std::vector<Figure>& figures, std::size_t max_cells);

// The last two dimensions at most `side` long each.
Grid block_means(const Grid& grid, std::size_t side);

}  // namespace diopter::report
