#pragma once

#include <cstddef>
#include <string>

namespace vlmark::report {

// Style sheets. Every text has a contrast of 4.5:1 and more against its ground in light and dark
// (a test computes it); series colours are those of Okabe & Ito and of Paul Tol ("muted"), which the
// common kinds of colour blindness keep apart, darkened or lightened to stand out from the ground.

/// The colours as CSS variables, light and dark.
std::string colour_style();
/// Classes of the figures.
std::string figure_style();
/// Everything else of the page.
std::string page_style();

/// Colours of series: class "s0" to "s7" paints marks and swatches, "p0" to "p10" areas.
inline constexpr std::size_t kSeriesColours = 8, kAreaColours = 11;

}  // namespace vlmark::report
