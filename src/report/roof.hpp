#pragma once

#include "src/report/drawing.hpp"

namespace vlmark::report {

/// Draws what a machine can reach over the arithmetic intensity: the bandwidth up to the ridge, then
/// the peak; either alone where the other was not measured. Both scales are logarithmic.
void draw_roof(Drawing& drawing, const MachineRates& machine, const Scale& x, const Scale& y);

}  // namespace vlmark::report
