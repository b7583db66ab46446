// What the terminal can show.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace diopter::base {

enum class ColourChoice { Auto, Always, Never };
std::optional<ColourChoice> colour_choice(std::string_view word);  // auto | always | never

// --color wins, then a non-empty NO_COLOR turns it off, then CLICOLOR_FORCE on, then TERM=dumb off, then isatty.
bool use_colour(ColourChoice choice, int fd);
bool is_terminal(int fd);
std::size_t terminal_width(int fd);  // columns, 100 when not a terminal
bool utf8_locale();                  // from LC_ALL, LC_CTYPE, LANG; C.UTF-8 counts
bool true_colour();                  // COLORTERM is truecolor or 24bit

}  // namespace diopter::base
