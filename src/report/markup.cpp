#include "src/report/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vlmark::report {
namespace {

constexpr const char* replacement = "\uFFFD";

std::string valid_utf8(std::string_view text) {
  using nlohmann::json;
  const std::string quoted =
      json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

std::string attribute(const char* name, const char* value) {
  return *value ? fmt::format(" {}=\"{}\"", name, value) : "";
}

std::string spanned(const Table::Cell& cell) {
  return cell.columns > 1 ? fmt::format(" colspan=\"{}\"", cell.columns) : "";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (c == '\'')
      safe += "&#39;";
    else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f)
      safe += replacement;
    else
      safe += c;
  }
  return safe;
}

std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || (c == '.' && !name.empty());
    if (plain)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "run" : name;
}

void Table::heading(std::vector<Cell> cells) {
  int columns = 0;
  head_ += "<tr>";
  for (const Cell& cell : cells) {
    columns += cell.columns;
    head_ += fmt::format("<th scope=\"{}\"{}{}>{}</th>", cell.columns > 1 ? "colgroup" : "col",
                         attribute("class", cell.style), spanned(cell), cell.html);
  }
  head_ += "</tr>\n";
  columns_ = std::max(columns_, columns);
}

void Table::group(const std::string& html) {
  body_ += fmt::format(
      "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>\n",
      columns_, html);
}

void Table::row(std::vector<Cell> cells, const char* style) {
  body_ += fmt::format("<tr{}>", attribute("class", style));
  for (std::size_t i = 0; i < cells.size(); ++i)
    body_ += i == 0
                 ? fmt::format("<th scope=\"row\"{}{}>{}</th>", attribute("class", cells[i].style),
                               spanned(cells[i]), cells[i].html)
                 : fmt::format("<td{}{}>{}</td>", attribute("class", cells[i].style),
                               spanned(cells[i]), cells[i].html);
  body_ += "</tr>\n";
}

std::string Table::html(bool tall) const {
  return std::string("<div class=\"box") + (tall ? " tall" : "") +
         "\" tabindex=\"0\"><table>\n<thead>\n" + head_ + "</thead>\n<tbody>\n" + body_ +
         "</tbody>\n</table></div>\n";
}

}  // namespace vlmark::report
