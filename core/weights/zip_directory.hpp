// The records of a zip file as they lie in it; nothing is decompressed. It trusts nothing: the bytes may come from
// anywhere.
//
// Source of the layout: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace diopter::weights {

struct ZipRecord {
  std::string_view bytes;  // within the file
  bool stored = true;      // else compressed: the bytes are not the content
};

// By name. Sizes and places are the directory's; checksums are not compared, since that would read
// every page. UserError(Refused, id "weights.zip") with one sentence: no directory, encrypted records, records
// that overlap, lie outside the file or have the same name. Allocates no more than the directory's own size.
std::map<std::string, ZipRecord> read_zip_directory(std::string_view file, const std::string& name);

}  // namespace diopter::weights
