// Tables of a page, and the table that says in words what a plot shows.
#pragma once

#include <string>

#include "report/page.hpp"

namespace diopter::report {

inline constexpr std::size_t kMostTableCells = 400;  // of a figure's table for screen readers
inline constexpr std::size_t kMostTableRows = 1000;

std::string page_table_html(const PageTable& table);
// The rows of a figure of kind table; cut after kMostTableRows with a note.
std::string data_table_html(const Table& table);
// "" above kMostTableCells cells, or when there is nothing to say.
std::string reader_table_html(const std::vector<Panel>& panels);

}  // namespace diopter::report
