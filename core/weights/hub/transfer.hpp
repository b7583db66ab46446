// One content of the hub, fetched to the last byte and checked: with resumption, retries and one new start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "weights/hub/hub.hpp"
#include "weights/hub/partial_file.hpp"

namespace diopter::hub {

enum class Start { Fresh, Resumed };

// Makes `blob` the content of `file`, by way of blob.incomplete: what is there of it is continued. A server that does
// not know ranges, or refuses one (416), is asked from the start. Checked by size and hash before it gets its name; a
// content that fails is fetched once more from the start. The caller holds the BlobLock.
// UserError: see refuse() (what arrived stays), "hub.size" and "hub.checksum" (nothing stays), PartialFile's.
// `arrived(n)`: n bytes of the content are here, called for each piece.
Start fetch_content(Hub& hub, const HubSettings& settings, const HubId& id, const std::string& commit,
                    const RemoteFile& file, const std::filesystem::path& blob,
                    const std::function<void(std::uint64_t)>& arrived);

}  // namespace diopter::hub
