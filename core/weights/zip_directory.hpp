// The records of a zip file as they lie in it, for files that store them uncompressed (torch.save). It trusts nothing:
// the bytes may come from anywhere.
//
// Source of the layout: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace diopter::weights {

// Name -> bytes within `file`. Sizes and places are the directory's; checksums are not compared, since that would read
// every page. UserError(Refused, id "weights.zip") with one sentence: no directory, compressed or encrypted records,
// records that overlap, lie outside the file or have the same name. Allocates no more than the directory's own size.
std::map<std::string, std::string_view> read_zip_directory(std::string_view file, const std::string& name);

}  // namespace diopter::weights
