// The Markdown that analyses write, as HTML: headings, paragraphs, lists, fenced code, **bold**, *italic*, `code`,
// tables of pipes. No raw HTML, no links, no images: everything else is text.
#pragma once

#include <string>
#include <string_view>

namespace diopter::report {

std::string markdown_html(std::string_view markdown);

}  // namespace diopter::report
