#pragma once

#include <string>
#include <string_view>

namespace vlmark::io {

/// Throws IoError, begun by `where`, unless the text is JSON in which no key stands twice in an
/// object and that does not nest beyond kDeepestJson. For readers outside this box.
void require_strict_json(std::string_view text, const std::string& where);

}  // namespace vlmark::io
