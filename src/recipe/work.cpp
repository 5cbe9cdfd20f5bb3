#include "src/recipe/work.hpp"

namespace vlmark::recipe {

using io::TokenKind;

Work work_of(std::span<const plan::MicroBatchShape> shapes, int merge_unit) {
  Work work;
  const auto add = [&work](TokenKind kind, std::int64_t count) {
    work.tokens[static_cast<int>(kind)] += count;
  };
  for (const plan::MicroBatchShape& shape : shapes) {
    const std::int64_t vision = shape.patches() / merge_unit;
    add(TokenKind::text, shape.tokens() - vision);
    add(TokenKind::vision, vision);
    add(TokenKind::supervised, shape.supervised);
    add(TokenKind::patches, shape.patches());
    add(TokenKind::pictures, static_cast<std::int64_t>(shape.media.size()));
    add(TokenKind::documents, static_cast<std::int64_t>(shape.sequences.size()));
  }
  return work;
}

}  // namespace vlmark::recipe
